# What the maintainer scripts of both kinds share. @NAME@ is the program, its service and its account.
set -e
name=@NAME@
unit=$name.service
booted() { [ -d /run/systemd/system ]; }

# own_installation: true where `gantry-agent install` was here first; two installations of one service shadow each other
own_installation() { grep -qs '^# Written by `gantry-agent install`' "/etc/systemd/system/$unit"; }

make_account() {
  getent passwd "$name" >/dev/null && return 0
  useradd --system --user-group --no-create-home --home-dir "/var/lib/$name" --shell /usr/sbin/nologin --comment '@TITLE@' "$name"
}

# seal_key: the key of the agent's vault, sealed to this machine, where systemd can and no agent has run yet; else the agent
# keeps a key of its own
seal_key() {
  key=/etc/credstore.encrypted/gantry-vault-key
  [ "$name" = gantry-agent ] && [ ! -e "$key" ] && [ ! -e "/var/lib/$name/agent.db" ] && command -v systemd-creds >/dev/null || return 0
  mkdir -p -m 0700 "${key%/*}"
  head -c 32 /dev/urandom | systemd-creds encrypt --name=gantry-vault-key - "$key" >/dev/null 2>&1 || { rm -f "$key"; return 0; }
  chmod 0600 "$key"
}

first_start() {
  make_account
  seal_key
  if booted; then
    systemctl daemon-reload
    systemctl enable --quiet "$unit"
    systemctl start "$unit" || echo "$name could not start: systemctl status $name" >&2
  else
    ln -sf "/usr/lib/systemd/system/$unit" "/etc/systemd/system/multi-user.target.wants/$unit" 2>/dev/null || true
  fi
}

# next_start: the running service ends its calls and the new program takes over; one that was stopped stays so
next_start() {
  make_account
  booted || return 0
  systemctl daemon-reload
  systemctl try-restart "$unit" || echo "$name could not start again: systemctl status $name" >&2
}

end_service() {
  if booted; then
    systemctl disable --now --quiet "$unit" || true
  fi
  rm -f "/etc/systemd/system/multi-user.target.wants/$unit"
}

forget_unit() {
  booted || return 0
  systemctl daemon-reload
  systemctl reset-failed "$unit" 2>/dev/null || true
}
