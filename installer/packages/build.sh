#!/usr/bin/env bash
# Makes the deb and the rpm of one program: build.sh NAME ARCH VERSION PROGRAM HOST-PROGRAM OUT-FOLDER
#
# HOST-PROGRAM is the same program for this machine: it writes the completions. SOURCE_DATE_EPOCH is the time of every file,
# so that the same programs give the same packages, byte for byte. NFPM is the nfpm to use.
set -euo pipefail
name=$1 arch=$2 version=$3 program=$4 host=$5 out=$6
here=$(cd "$(dirname "$0")" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

case $name in
gantry-agent)
  title='Gantry agent' config=agent.yaml
  description='Connects the systems of a plant to a cloud application. Dials out only.'
  cp "$here/../../configs/agent.yaml" "$stage/agent.yaml"
  ;;
gantry-relay)
  title='Gantry relay' config=relay.yaml
  description='Serves the API of cloud applications and the tunnel of the agents.'
  sed 's|^data_dir: .*|data_dir: /var/lib/gantry-relay|' "$here/../../configs/relay.yaml" >"$stage/relay.yaml"
  ;;
esac

fill() {
  sed -e "s|@NAME@|$name|g; s|@ARCH@|$arch|g; s|@VERSION@|$version|g; s|@TITLE@|$title|g; s|@DESCRIPTION@|$description|g" \
    -e "s|@CONFIG@|$config|g; s|@STAGE@|$stage|g; s|@DATE@|$date|g" "$1"
}

cp "$program" "$stage/$name"
cp "$here/../units/$name.service" "$stage/$name.service"
gzip -9nc "$here/../../docs/man/$name.1" >"$stage/manual.gz"
echo "u $name - \"$title\" /var/lib/$name /usr/sbin/nologin" >"$stage/sysusers.conf"
for shell in bash zsh fish; do
  "$host" completion "$shell" >"$stage/completion.$shell"
done
for script in preinst postinst prerm postrm; do
  { echo '#!/bin/sh'; fill "$here/common.sh"; fill "$here/deb-$script.sh"; } >"$stage/$script"
done
for script in pre post preun postun; do
  { echo '#!/bin/sh'; fill "$here/common.sh"; fill "$here/rpm-$script.sh"; } >"$stage/$script"
done
fill "$here/package.yaml" >"$stage/package.yaml"
for packager in deb rpm; do
  said=$($NFPM package --config "$stage/package.yaml" --packager "$packager" --target "$out" 2>&1) || { echo "$said" >&2; exit 1; }
done
