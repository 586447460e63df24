#!/usr/bin/env bash
# Makes the agent's MSI from its Windows program: build.sh VERSION PROGRAM.exe OUT.msi
#
# The program gets its version information and icon, and is signed; wixl makes the MSI, mend.sql puts right what wixl cannot,
# and the MSI is signed. Without a signature, the same program gives the same MSI, byte for byte.
#
#   SIGN_CERT, SIGN_KEY   the code signing certificate with its chain, and its key, in PEM; neither: nothing is signed
#   SIGN_TIMESTAMP        URL of a timestamp server (RFC 3161); empty: no timestamp, and the signature ends with the certificate
#   SOURCE_DATE_EPOCH     the time in the MSI, in seconds since 1970
set -euo pipefail
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
version=$1 program=$(realpath "$2") out=$(realpath "$3")
cd "$(dirname "$0")"
for tool in wixl msibuild; do
  command -v $tool >/dev/null || { echo "$tool is missing: apt-get install wixl msitools" >&2; exit 1; }
done

# MSI and Windows know three and four numbers; what git describes without a tag is 0.0.0.
[[ $version =~ ^v?([0-9]+\.[0-9]+\.[0-9]+) ]] && number=${BASH_REMATCH[1]} || number=0.0.0

# guid TEXT: an id that follows from a text
guid() { sha256sum <<<"$1" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\U{\1-\2-5\3-8\4-\5}/'; }

# sign FILE: where there is something to sign with
sign() {
  [ -n "${SIGN_CERT:-}" ] || return 0
  command -v osslsigncode >/dev/null || { echo "osslsigncode is missing: apt-get install osslsigncode" >&2; exit 1; }
  osslsigncode sign -certs "$SIGN_CERT" -key "$SIGN_KEY" -h sha256 -n "Gantry Agent" ${SIGN_TIMESTAMP:+-ts "$SIGN_TIMESTAMP"} \
    -in "$1" -out "$1.signed" >/dev/null
  mv "$1.signed" "$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$program" "$work/gantry-agent.exe"
go tool -modfile=../../.ci/tools.mod go-winres patch --in winres.json --no-backup \
  --file-version "$number.0" --product-version "$version" "$work/gantry-agent.exe"
sign "$work/gantry-agent.exe"
touch -d "@$SOURCE_DATE_EPOCH" "$work/gantry-agent.exe"

cp agent.wxs "$work"
(cd "$work" && wixl -a x64 -D ProductCode="$(guid "product $version")" -D ProductVersion="$number" -D Version="$version" \
  -o agent.msi agent.wxs)
grep -v '^--' mend.sql | sed "s/@NUMBER@/$number/" | while IFS= read -r statement; do
  msibuild "$work/agent.msi" -q "$statement" >/dev/null
done
msibuild "$work/agent.msi" -s "Gantry Agent $version" Gantry "x64;1033" "$(guid "package $version $(sha256sum <"$work/gantry-agent.exe")")"
# msibuild notes when it was run, twice; the time of the source takes their place.
perl -0777 -pi -e 'my $t = pack("Q<", ($ENV{SOURCE_DATE_EPOCH} + 11644473600) * 10**7);
  s/(\x40\0\0\0).{7}\x01(\x40\0\0\0).{7}\x01/$1$t$2$t/sg == 1 or die "the times in the MSI are not where they were\n"' "$work/agent.msi"
sign "$work/agent.msi"
cp "$work/agent.msi" "$out"
