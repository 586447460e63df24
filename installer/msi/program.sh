#!/usr/bin/env bash
# Gives the agent's Windows program its version information and icon, and signs it, in place: program.sh VERSION PROGRAM.exe
#
#   SIGN_CERT, SIGN_KEY   the code signing certificate with its chain, and its key, in PEM; neither: it is not signed
#   SIGN_TIMESTAMP        URL of a timestamp server (RFC 3161); empty: the signature ends with the certificate
set -euo pipefail
version=$1 program=$(realpath "$2")
cd "$(dirname "$0")"
. ./common.sh
go tool -modfile=../../.ci/tools.mod go-winres patch --in winres.json --no-backup \
  --file-version "$(number "$version").0" --product-version "$version" "$program"
sign "$program"
