#!/bin/sh
# CoreDNS.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
release)
  url=https://github.com/coredns/coredns/releases/download/v$3/coredns_$3_linux_$arch.tgz
  published "$url"
  tar -xzf "${url##*/}" --no-same-owner coredns
  rm "${url##*/}"
  echo "upstream release v$3, https://github.com/coredns/coredns" > SOURCE ;;
modules)
  go_build "$2" '' .
  echo "Go module github.com/coredns/coredns v$3 with the plug-ins of go/coredns/main.go, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
