#!/bin/bash
# Real systems on loopback, for `make test-systems`. systems.sh up|down|fresh [DIR]
#
# up      installs what is missing (Debian 12, as root), makes and fills the databases the first time, starts what does
#         not run. Run again it does nothing that is done already.
# fresh   gives the systems their first data again.
# down    stops them; the data stays in DIR.
#
# Tryton 6.0: 127.0.0.1:18069, database erp; users admin, agent, reader and locked. PostgreSQL 15: 127.0.0.1:15432.
# PocketBase 0.36: 127.0.0.1:18090; users agent@example.com and locked@example.com. toxiproxy 2.5: 127.0.0.1:18474.
# oidc-provider 8: 127.0.0.1:18099, tokens of 30 s. Go, Node and npm are there already.
# editor: the YAML language server, which editors ask; it is started by its test.
# SAP's mock server for OData 1.7, V2 and V4: 127.0.0.1:18094; a strict front of ours before it: 127.0.0.1:18095, user agent.
# OpenSSH (SFTP) and Samba: see drops/drops.sh. A SOAP service: see soap/soap.sh. Odoo 19: see odoo/odoo.sh.
# A JSON-RPC 2.0 service: see jsonrpc/desk.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${2:-$here/../../.systems}
mkdir -p "$dir" && dir=$(cd "$dir" && pwd -P)
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
	wanted+=($("$here/drops/drops.sh" packages) $("$here/soap/soap.sh" packages) $("$here/odoo/odoo.sh" packages))
	wanted+=($("$here/jsonrpc/desk.sh" packages))
	for m in "${wanted[@]}"; do installed "$m" || missing+=("$m"); done
	[ ${#missing[@]} -eq 0 ] && return
	say "install ${#missing[@]} packages"
	keep_services_down
	{ apt-get -qq -o DPkg::Lock::Timeout=900 update &&
		apt-get -qq -o DPkg::Lock::Timeout=900 install -y --no-install-recommends "${missing[@]}"; } >"$dir/apt.log" 2>&1 ||
		{ tail -20 "$dir/apt.log" >&2; return 1; }
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

tryton_up() { daemon tryton 18069 trytond -c "$dir/tryton/trytond.conf" -d erp; }

# built gives a program that `go install` makes, in a folder of its own; a version is built once.
built() {
	local name=$1 package=$2 version=$3
	local program=$dir/bin/$name-$version
	if [ ! -x "$program" ]; then
		say "build $name $version" >&2
		rm -rf "$dir/bin/new" && mkdir -p "$dir/bin/new"
		(cd "$dir" && GOBIN=$dir/bin/new GOFLAGS=-mod=mod CGO_ENABLED=0 go install "$package@$version") >&2
		mv "$dir"/bin/new/* "$program" && rmdir "$dir/bin/new"
	fi
	echo "$program"
}

# daemon NAME PORT COMMAND…: starts a server that is not there yet, and waits for its port.
daemon() {
	local name=$1 port=$2
	shift 2
	listens "$port" && return
	mkdir -p "$dir/$name"
	setsid "$@" >"$dir/$name/log" 2>&1 </dev/null &
	echo $! >"$dir/$name/pid"
	await "$port" "$dir/$name/log"
	say "$name runs on 127.0.0.1:$port"
}

daemon_down() {
	local pid
	pid=$(cat "$dir/$1/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	rm -f "$dir/$1/pid"
}

# pocketbase_up: its migrations make the collections and fill them, once for each data folder.
pocketbase_up() {
	local program
	program=$(built pocketbase github.com/pocketbase/pocketbase/examples/base v0.36.0)
	daemon pocketbase 18090 "$program" serve --dev=false --http 127.0.0.1:18090 --dir "$dir/pocketbase/data" \
		--hooksDir "$here/pocketbase/hooks" --migrationsDir "$here/pocketbase/migrations" --automigrate=false --hooksWatch=false
}

toxiproxy_up() {
	local program
	program=$(built toxiproxy github.com/Shopify/toxiproxy/v2/cmd/server v2.5.0)
	daemon toxiproxy 18474 "$program" -host 127.0.0.1 -port 18474
}

# npm_install FOLDER installs what a folder beside this script locks.
npm_install() {
	mkdir -p "$dir/$1"
	cp -r "$here/$1/." "$dir/$1/"
	cmp -s "$here/$1/package-lock.json" "$dir/$1/installed" && return
	say "install $1"
	(cd "$dir/$1" && npm ci --silent --no-audit --no-fund >/dev/null)
	cp "$here/$1/package-lock.json" "$dir/$1/installed"
}

oidc_up() {
	npm_install oidc
	daemon oidc 18099 node "$dir/oidc/server.mjs"
}

odata_up() {
	npm_install odata
	daemon odata 18095 node "$dir/odata/server.mjs"
}

# enterable sees to it that other users may enter the folder: PostgreSQL and others run as users of their own, and those do not come into
# /root. Then the systems live elsewhere, and the folder is a link.
enterable() {
	runuser -u nobody -- test -x "$dir" && return
	rmdir "$dir" || { echo "other users may not enter $dir, and it is not empty: clone to where they may, as /srv" >&2; return 1; }
	local elsewhere
	elsewhere=$(mktemp -d /var/tmp/gantry-systems.XXXXXX)
	chmod 755 "$elsewhere"
	ln -s "$elsewhere" "$dir"
	dir=$elsewhere
	say "other users may not enter here: the systems live in $dir"
}

up() {
	enterable
	install_packages
	postgres_up
	tryton_config
	seed_tryton
	tryton_up
	pocketbase_up
	oidc_up
	odata_up
	npm_install editor
	toxiproxy_up
	"$here/drops/drops.sh" up "$dir"
	"$here/soap/soap.sh" up "$dir"
	"$here/jsonrpc/desk.sh" up "$dir"
	say "Odoo: the first time it takes some minutes"
	"$here/odoo/odoo.sh" up "$dir"
	say "all systems run"
}

down() {
	local name
	for name in tryton pocketbase oidc odata toxiproxy; do daemon_down "$name"; done
	"$here/drops/drops.sh" down "$dir"
	"$here/soap/soap.sh" down "$dir"
	"$here/odoo/odoo.sh" down "$dir"
	"$here/jsonrpc/desk.sh" down "$dir"
	[ -d "$dir/postgres/data" ] && (cd /; as_postgres $bin/pg_ctl -D "$dir/postgres/data" -m fast stop >/dev/null) || true
	say "all systems are stopped"
}

fresh() {
	daemon_down pocketbase
	rm -rf "$dir/pocketbase/data"
	pocketbase_up
	daemon_down tryton
	sql -c 'DROP DATABASE IF EXISTS erp WITH (FORCE)' -c 'CREATE DATABASE erp TEMPLATE erp_seed'
	tryton_up
	"$here/odoo/odoo.sh" fresh "$dir"
}

case ${1:-} in
up) up ;;
down) down ;;
fresh) fresh ;;
*) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
