if [ "$1" = configure ]; then
  if [ -e "/run/$name.new" ]; then
    rm -f "/run/$name.new"
    first_start
  else
    next_start
  fi
fi
