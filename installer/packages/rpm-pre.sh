if own_installation; then
  echo "$name was installed by \`gantry-agent install\`. Remove that first; its enrolment and state stay: gantry-agent uninstall" >&2
  exit 1
fi
