if own_installation; then
  echo "$name was installed by \`gantry-agent install\`. Remove that first; its enrolment and state stay: gantry-agent uninstall" >&2
  exit 1
fi
# dpkg tells `postinst` less: whether this is a first installation, also after a removal that kept the configuration.
if [ "$1" = install ]; then
  : >"/run/$name.new"
fi
