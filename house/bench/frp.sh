#!/bin/sh
# Builds frp, a well-known tunnel, as a peer to measure against: frp.sh DIR. Its module is fetched as any other.
set -eu
dir=$(mkdir -p "$1" && cd "$1" && pwd)
version=v0.61.1
[ -x "$dir/frps" ] && [ -x "$dir/frpc" ] && exit 0
source=$(cd "$dir" && go mod download -json "github.com/fatedier/frp@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp "$source/go.mod" "$source/go.sum" "$dir/"
chmod u+w "$dir/go.mod" "$dir/go.sum"
cd "$source" && go build -modfile="$dir/go.mod" -o "$dir/" ./cmd/frps ./cmd/frpc
