# rpm says how many of this package there are now; the new program takes over in `postun` of the old one.
if [ "$1" -eq 1 ]; then
  first_start
fi
