#!/bin/sh
# The reference CNI plug-ins.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
release)
  url=https://github.com/containernetworking/plugins/releases/download/v$3/cni-plugins-linux-$arch-v$3.tgz
  published "$url"
  tar -xzf "${url##*/}" --no-same-owner
  rm -f "${url##*/}" LICENSE README.md
  echo "upstream release v$3, https://github.com/containernetworking/plugins" > SOURCE ;;
modules)
  # shellcheck disable=SC2046 # the tools of go.mod, one a word
  go_build "$2" "-X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v$3" \
    $(sed -n 's,^[[:space:]]*\(github.com/containernetworking/plugins/plugins/.*\),\1,p' "$modules/$2/go.mod")
  echo "Go module github.com/containernetworking/plugins v$3, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
