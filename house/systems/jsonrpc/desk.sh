#!/bin/bash
# A service that speaks JSON-RPC 2.0 by the library json-rpc, on loopback. desk.sh packages|up|down DIR
#
# packages  prints the Debian packages that it needs.
# up        starts it, if it does not run; its data is DIR/jsonrpc/desk.sqlite.
# down      stops it.
#
# http://127.0.0.1:18077/; the method user.login gives agent, password Desk-pw-2026, a token.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" = packages ]; then
	echo python3-jsonrpc python3-werkzeug
	exit
fi
dir=$(cd "$2" && pwd)/jsonrpc

listens() { ss -Hltn 'sport = :18077' | grep -q .; }

up() {
	listens && return
	mkdir -p "$dir"
	/usr/bin/python3 "$here/desk.py" "$dir/desk.sqlite"
	setsid /usr/bin/python3 "$here/desk.py" "$dir/desk.sqlite" 18077 >"$dir/log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	local i
	for i in $(seq 300); do listens && return; sleep 0.1; done
	echo "nothing listens on port 18077; see $dir/log" >&2
	return 1
}

down() {
	local pid
	pid=$(cat "$dir/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	rm -f "$dir/pid"
}

case ${1:-} in
up) up ;;
down) down ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
