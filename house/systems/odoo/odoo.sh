#!/bin/bash
# Odoo 19, a real ERP, on loopback. odoo.sh packages|up|fresh|down DIR
#
# packages  prints the Debian packages that it needs.
# up        takes Odoo out of Debian's package of unstable, for no stable Debian has it; makes and fills its database, once; starts
#           it, if it does not run. What it stands on are the packages of this Debian.
# fresh     gives it its first data again.
# down      stops it; the data stays.
#
# http://127.0.0.1:18369/, database odoo in the PostgreSQL of systems.sh; users admin, agent, reader and locked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = packages ]; then
	echo python3-{asn1crypto,babel,cbor2,chardet,cryptography,dateutil,docutils,geoip2,gevent,greenlet,idna,jinja2,libsass,lxml,magic,markupsafe} \
		python3-{num2words,ofxparse,openpyxl,openssl,passlib,pil,polib,psutil,psycopg2,pypdf,qrcode,reportlab,requests,rjsmin,stdnum,tz} \
		python3-{urllib3,vobject,werkzeug,xlrd,xlsxwriter,xlwt,zeep}
	exit
fi
dir=$(cd "$2" && pwd)/odoo
export PYTHONPATH=$dir/tree/usr/lib/python3/dist-packages PYTHONWARNINGS=ignore

listens() { ss -Hltn 'sport = :18369' | grep -q .; }

sql() { psql -qAt -h 127.0.0.1 -p 15432 -U postgres -v ON_ERROR_STOP=1 "$@"; }

odoo() { /usr/bin/python3 "$dir/tree/usr/bin/odoo" "$@"; }

# unpack takes the package from the mirror that this machine's Debian comes from, with lists of packages of its own. Translations, most of
# its size, stay behind.
unpack() {
	[ -d "$dir/tree" ] && return
	local mirror apt=$dir/apt
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep '/debian/$' | head -1)
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$dir/new"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$apt/sources.list"
	local options=(-qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State=$apt/state"
		-o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User=root)
	apt-get "${options[@]}" update
	(cd "$apt" && apt-get "${options[@]}" download odoo-19)
	dpkg-deb --fsys-tarfile "$apt"/odoo-19_*.deb | tar -x -C "$dir/new" --exclude='*/i18n/*'
	mv "$dir/new" "$dir/tree"
	rm -rf "$apt"
}

configure() {
	mkdir -p "$dir/data"
	cat >"$dir/odoo.conf" <<-CONF
		[options]
		addons_path = $here/addons
		db_host = 127.0.0.1
		db_port = 15432
		db_user = odoo
		db_name = odoo
		list_db = False
		http_interface = 127.0.0.1
		http_port = 18369
		data_dir = $dir/data
		max_cron_threads = 0
		server_wide_modules = base,rpc
	CONF
}

# seed makes the database once; every fresh one is a copy of it.
seed() {
	sql -lq | grep -q '^odoo_seed|' && return
	sql -c "SELECT 1 FROM pg_roles WHERE rolname = 'odoo'" | grep -q 1 || sql -c 'CREATE ROLE odoo LOGIN CREATEDB'
	sql -c 'DROP DATABASE IF EXISTS odoo' -c 'CREATE DATABASE odoo OWNER odoo TEMPLATE template0'
	odoo -c "$dir/odoo.conf" -i purchase_stock,maintenance,gantry_part --without-demo=all --stop-after-init >"$dir/seed.log" 2>&1
	odoo shell -c "$dir/odoo.conf" --no-http <"$here/seed.py" >>"$dir/seed.log" 2>&1
	sql -d odoo -c "SELECT 1 FROM res_users WHERE login = 'locked'" | grep -q 1 || { echo "Odoo could not be filled; see $dir/seed.log" >&2; return 1; }
	sql -c 'ALTER DATABASE odoo RENAME TO odoo_seed' -c 'CREATE DATABASE odoo OWNER odoo TEMPLATE odoo_seed'
}

start() {
	listens && return
	/usr/bin/setsid /usr/bin/python3 "$dir/tree/usr/bin/odoo" -c "$dir/odoo.conf" >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	local i
	for i in $(seq 600); do listens && return; sleep 0.1; done
	echo "nothing listens on port 18369; see $dir/log" >&2
	return 1
}

down() {
	local pid
	pid=$(cat "$dir/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	rm -f "$dir/pid"
}

case ${1:-} in
up)
	mkdir -p "$dir"
	unpack
	configure
	seed
	start
	;;
fresh)
	down
	sql -c 'DROP DATABASE IF EXISTS odoo WITH (FORCE)' -c 'CREATE DATABASE odoo OWNER odoo TEMPLATE odoo_seed'
	start
	;;
down) down ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
