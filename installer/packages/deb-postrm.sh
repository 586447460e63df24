case $1 in
remove)
  forget_unit
  ;;
purge)
  forget_unit
  rm -f "/run/$name.new" "/etc/systemd/system/multi-user.target.wants/$unit"
  rm -rf "/var/lib/$name" "/var/log/$name" "/etc/$name" "/etc/systemd/system/$unit.d"
  if [ "$name" = gantry-agent ]; then
    rm -f /etc/credstore.encrypted/gantry-vault-key
    rmdir /etc/credstore.encrypted 2>/dev/null || true
  fi
  if getent passwd "$name" >/dev/null; then
    userdel "$name" || true
  fi
  ;;
esac
