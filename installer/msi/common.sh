# What program.sh and build.sh share.

# number VERSION: the three numbers that Windows knows of a version; what git describes without a tag is 0.0.0
number() { [[ $1 =~ ^v?([0-9]+\.[0-9]+\.[0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0.0.0; }

# need TOOL PACKAGE
need() { command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2" >&2; exit 1; }; }

# sign FILE: where there is something to sign with
sign() {
  [ -n "${SIGN_CERT:-}" ] || return 0
  need osslsigncode osslsigncode
  osslsigncode sign -certs "$SIGN_CERT" -key "$SIGN_KEY" -h sha256 -n "Gantry Agent" ${SIGN_TIMESTAMP:+-ts "$SIGN_TIMESTAMP"} \
    -in "$1" -out "$1.signed" >/dev/null
  mv "$1.signed" "$1"
}
