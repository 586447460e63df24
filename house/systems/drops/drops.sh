#!/bin/bash
# An SFTP server (OpenSSH) and an SMB server (Samba) on loopback, each before a folder of its own. drops.sh packages|up|down DIR
#
# packages  prints the Debian packages that it needs.
# up        makes the account gantrydrop, the servers' files in DIR/drops, and starts what does not run.
# down      stops them; the folders stay.
#
# SFTP: 127.0.0.1:12222, folder DIR/drops/sftp. SMB: 127.0.0.1:14450, share exchange, folder DIR/drops/smb. Account gantrydrop, password
# Drop-pw-2026; SFTP takes the key DIR/drops/key, too, and shows the host key DIR/drops/hostkey.pub.
set -euo pipefail
if [ "${1:-}" = packages ]; then
	echo openssh-server samba
	exit
fi
dir=$(cd "$2" && pwd)/drops
user=gantrydrop password=Drop-pw-2026

listens() { ss -Hltn "sport = :$1" | grep -q .; }

await() {
	local i
	for i in $(seq 300); do listens "$1" && return; sleep 0.1; done
	echo "nothing listens on port $1; see $2" >&2
	return 1
}

account() {
	id $user >/dev/null 2>&1 || useradd --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $user
	echo "$user:$password" | chpasswd
	mkdir -p "$dir"/{sftp,smb,keys,samba/{state,private,lock}}
	chown $user "$dir/sftp" "$dir/smb"
	chmod 777 "$dir/sftp" "$dir/smb"
}

sftp_up() {
	listens 12222 && return
	[ -f "$dir/hostkey" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/hostkey"
	[ -f "$dir/key" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/key"
	cp "$dir/key.pub" "$dir/keys/$user"
	mkdir -p /run/sshd
	cat >"$dir/sshd.conf" <<-CONF
		ListenAddress 127.0.0.1:12222
		HostKey $dir/hostkey
		PidFile $dir/sshd.pid
		AuthorizedKeysFile $dir/keys/%u
		StrictModes no
		UsePAM no
		PasswordAuthentication yes
		AllowUsers $user
		MaxStartups 100
		Subsystem sftp internal-sftp
		ForceCommand internal-sftp -d $dir/sftp
	CONF
	/usr/sbin/sshd -f "$dir/sshd.conf" -E "$dir/sshd.log"
	await 12222 "$dir/sshd.log"
}

smb_up() {
	listens 14450 && return
	cat >"$dir/smb.conf" <<-CONF
		[global]
		interfaces = lo
		bind interfaces only = yes
		smb ports = 14450
		disable netbios = yes
		server min protocol = SMB3
		server signing = mandatory
		state directory = $dir/samba/state
		cache directory = $dir/samba/state
		private dir = $dir/samba/private
		lock directory = $dir/samba/lock
		pid directory = $dir
		log file = $dir/smbd.log
		load printers = no
		server role = standalone server
		map to guest = never
		[exchange]
		path = $dir/smb
		read only = no
		valid users = $user
	CONF
	printf '%s\n%s\n' $password $password | smbpasswd -c "$dir/smb.conf" -a -s $user >/dev/null
	smbd -s "$dir/smb.conf" -D
	await 14450 "$dir/smbd.log"
}

down() {
	local name pid
	for name in sshd smbd; do
		pid=$(cat "$dir/$name.pid" 2>/dev/null) || continue
		kill "$pid" 2>/dev/null || true
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
		rm -f "$dir/$name.pid"
	done
}

case ${1:-} in
up) account && sftp_up && smb_up ;;
down) down ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
