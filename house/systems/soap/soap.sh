#!/bin/bash
# A SOAP service, PHP's own SoapServer before an order desk, on loopback. soap.sh packages|up|down DIR
#
# packages  prints the Debian packages that it needs.
# up        starts it, if it does not run; its data is DIR/soap/desk.sqlite.
# down      stops it.
#
# http://127.0.0.1:18096/, document/literal, SOAP 1.1 and 1.2; user agent, password Soap-pw-2026, basic or WS-Security.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = packages ]; then
	echo php8.2-cli php8.2-soap php8.2-sqlite3
	exit
fi
dir=$(cd "$2" && pwd)/soap

listens() { ss -Hltn 'sport = :18096' | grep -q .; }

up() {
	listens && return
	mkdir -p "$dir"
	DESK_DB=$dir/desk.sqlite php "$here/desk.php"
	PHP_CLI_SERVER_WORKERS=8 DESK_DB=$dir/desk.sqlite setsid php -S 127.0.0.1:18096 "$here/desk.php" >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	local i
	for i in $(seq 300); do listens && return; sleep 0.1; done
	echo "nothing listens on port 18096; see $dir/log" >&2
	return 1
}

# down ends the whole session: PHP's workers outlive their parent.
down() {
	local pid
	pid=$(cat "$dir/pid" 2>/dev/null) || return 0
	kill -- "-$pid" 2>/dev/null || true
	rm -f "$dir/pid"
}

case ${1:-} in
up) up ;;
down) down ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
