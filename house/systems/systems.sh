#!/bin/bash
# Real systems on loopback, for `make test-systems`. systems.sh up|down|fresh [DIR]
#
# up      installs what is missing (Debian 12, as root), makes and fills the databases the first time, starts what does
#         not run. Run again it does nothing that is done already.
# fresh   gives the systems their first data again.
# down    stops them; the data stays in DIR.
#
# Tryton 6.0: 127.0.0.1:18069, database erp; users admin, agent, reader and locked. PostgreSQL 15: 127.0.0.1:15432.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${2:-$here/../../.systems}
mkdir -p "$dir" && dir=$(cd "$dir" && pwd)
bin=/usr/lib/postgresql/15/bin
export DEBIAN_FRONTEND=noninteractive PYTHONPATH=$here/tryton PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
modules=(purchase purchase_request purchase_requisition purchase_history purchase_amendment stock_supply stock_lot
	production production_routing production_work account_invoice_stock gantry_part)

say() { printf '%4ss  %s\n' "$SECONDS" "$*"; }

as_postgres() { runuser -u postgres -- "$@"; }

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

install_packages() {
	local wanted=(postgresql-15 tryton-server tryton-proteus python3-psycopg2) missing=() m
	for m in "${modules[@]}" company party product stock purchase; do
		[ "$m" = gantry_part ] || wanted+=("tryton-modules-${m//_/-}")
	done
	for m in "${wanted[@]}"; do installed "$m" || missing+=("$m"); done
	[ ${#missing[@]} -eq 0 ] && return
	say "install ${#missing[@]} packages"
	keep_services_down
	apt-get -qq -o DPkg::Lock::Timeout=900 update
	apt-get -qq -o DPkg::Lock::Timeout=900 install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# keep_services_down lets no package start a server by itself; a policy that the machine has already stays.
keep_services_down() {
	[ -e /usr/sbin/policy-rc.d ] && return
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

listens() { ss -Hltn "sport = :$1" | grep -q .; }

await() {
	local i
	for i in $(seq 300); do listens "$1" && return; sleep 0.1; done
	echo "nothing listens on port $1; see $2" >&2
	return 1
}

sql() { psql -qAt -h 127.0.0.1 -p 15432 -U postgres -v ON_ERROR_STOP=1 "$@"; }

postgres_up() {
	if [ ! -d "$dir/postgres/data" ]; then
		install -d -o postgres "$dir/postgres"
		(cd /; as_postgres $bin/initdb -D "$dir/postgres/data" -A trust -U postgres -E UTF8 --locale C.UTF-8 >/dev/null)
	fi
	listens 15432 && return
	(cd /; as_postgres $bin/pg_ctl -D "$dir/postgres/data" -l "$dir/postgres/log" -w start \
		-o "-p 15432 -h 127.0.0.1 -k $dir/postgres -c fsync=off" >/dev/null)
	say "PostgreSQL runs on 127.0.0.1:15432"
}

tryton_config() {
	mkdir -p "$dir/tryton"
	cat >"$dir/tryton/trytond.conf" <<-CONF
		[database]
		uri = postgresql://postgres@127.0.0.1:15432/
		[web]
		listen = 127.0.0.1:18069
		[session]
		timeout = 3600
		max_attempt = 3
	CONF
	printf 'Admin-pw-2026\n' >"$dir/tryton/password"
}

# seed_tryton makes the database once; every fresh one is a copy of it.
seed_tryton() {
	sql -lq | grep -q '^erp_seed|' && return
	say "make Tryton's database"
	local conf=$dir/tryton/trytond.conf
	sql -c 'DROP DATABASE IF EXISTS erp' -c 'CREATE DATABASE erp'
	export TRYTONPASSFILE=$dir/tryton/password
	trytond-admin -c "$conf" -d erp --all --email admin@example.com >"$dir/tryton/seed.log" 2>&1
	trytond-admin -c "$conf" -d erp --activate-dependencies -u "${modules[@]}" >>"$dir/tryton/seed.log" 2>&1
	say "fill it"
	/usr/bin/python3 "$here/tryton/seed.py" "$conf" >>"$dir/tryton/seed.log" 2>&1
	sql -c 'ALTER DATABASE erp RENAME TO erp_seed'
	sql -c 'CREATE DATABASE erp TEMPLATE erp_seed'
}

tryton_up() {
	listens 18069 && return
	setsid trytond -c "$dir/tryton/trytond.conf" -d erp >"$dir/tryton/log" 2>&1 </dev/null &
	echo $! >"$dir/tryton/pid"
	await 18069 "$dir/tryton/log"
	say "Tryton runs on http://127.0.0.1:18069/erp/"
}

tryton_down() {
	local pid
	pid=$(cat "$dir/tryton/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	rm -f "$dir/tryton/pid"
}

up() {
	install_packages
	postgres_up
	tryton_config
	seed_tryton
	tryton_up
	say "all systems run"
}

down() {
	tryton_down
	[ -d "$dir/postgres/data" ] && (cd /; as_postgres $bin/pg_ctl -D "$dir/postgres/data" -m fast stop >/dev/null) || true
	say "all systems are stopped"
}

fresh() {
	tryton_down
	sql -c 'DROP DATABASE IF EXISTS erp WITH (FORCE)' -c 'CREATE DATABASE erp TEMPLATE erp_seed'
	tryton_up
}

case ${1:-} in
up) up ;;
down) down ;;
fresh) fresh ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
