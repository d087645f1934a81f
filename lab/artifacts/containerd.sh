#!/bin/sh
# containerd, its shim for runc, and ctr.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
release)
  url=https://github.com/containerd/containerd/releases/download/v$3/containerd-$3-linux-$arch.tar.gz
  published "$url" "$url.sha256sum"
  tar -xzf "${url##*/}" --strip-components=1 --no-same-owner bin/containerd bin/containerd-shim-runc-v2 bin/ctr
  rm "${url##*/}"
  echo "upstream release v$3, https://github.com/containerd/containerd" > SOURCE ;;
modules)
  package=github.com/containerd/containerd/v2
  # pure Go: without the btrfs snapshotter, which needs a C library
  TAGS='no_btrfs netgo osusergo' go_build "$2" "-X $package/version.Version=v$3" \
    $package/cmd/containerd $package/cmd/containerd-shim-runc-v2 $package/cmd/ctr
  echo "Go module $package v$3, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
