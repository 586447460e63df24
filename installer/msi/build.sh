#!/usr/bin/env bash
# Makes the agent's MSI from its Windows program, which program.sh has prepared: build.sh VERSION PROGRAM.exe OUT.msi
#
# wixl makes the MSI, mend.sql puts right what wixl cannot, and the MSI is signed as program.sh signs. Without a signature the
# same program gives the same MSI, byte for byte.
#
#   SOURCE_DATE_EPOCH     the time in the MSI, in seconds since 1970
set -euo pipefail
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} TZ=UTC
version=$1 program=$(realpath "$2") out=$(realpath "$3")
cd "$(dirname "$0")"
. ./common.sh
need wixl wixl
need msibuild msitools
number=$(number "$version")

# guid TEXT: an id that follows from a text
guid() { sha256sum <<<"$1" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\U{\1-\2-5\3-8\4-\5}/'; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$program" "$work/gantry-agent.exe"
touch -d "@$SOURCE_DATE_EPOCH" "$work/gantry-agent.exe"
cp agent.wxs "$work"
(cd "$work" && wixl -a x64 -D ProductCode="$(guid "product $version")" -D ProductVersion="$number" -D Version="$version" \
  -o agent.msi agent.wxs)
grep -v '^--' mend.sql | sed "s/@NUMBER@/$number/" | while IFS= read -r statement; do
  msibuild "$work/agent.msi" -q "$statement" >/dev/null
done
msibuild "$work/agent.msi" -s "Gantry Agent $version" Gantry "x64;1033" "$(guid "package $version $(sha256sum <"$program")")"

# msibuild notes when it was run, twice; the time of the source takes their place.
perl -0777 -pi -e 'my $t = pack("Q<", ($ENV{SOURCE_DATE_EPOCH} + 11644473600) * 10**7);
  s/(\x40\0\0\0).{7}\x01(\x40\0\0\0).{7}\x01/$1$t$2$t/sg == 1 or die "the times in the MSI are not where they were\n"' "$work/agent.msi"
sign "$work/agent.msi"
cp "$work/agent.msi" "$out"
