if [ "$1" -ge 1 ]; then
  next_start
else
  forget_unit # configuration, state and account stay, as rpms do it
fi
