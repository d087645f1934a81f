#!/bin/sh
# flanneld, and the CNI plug-in of the same name. Their publisher gives no checksums, so nothing is taken from releases.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
modules)
  # two back ends are cut out of a copy: one cloud's needs a library that cannot always be had, udp needs C
  upstream=$(cd / && go mod download -json "github.com/flannel-io/flannel@v$3" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
  [ -n "$upstream" ] || fail "module github.com/flannel-io/flannel v$3 cannot be fetched"
  mkdir .module
  cp "$modules/$2/go.mod" "$modules/$2/go.sum" .module/
  cp -r "$upstream" .module/upstream
  chmod -R u+w .module
  rm -r .module/upstream/pkg/backend/tencentvpc .module/upstream/pkg/backend/udp
  sed -i '/backend\/tencentvpc"/d; /backend\/udp"/d' .module/upstream/main.go
  go_build "$PWD/.module" "-X github.com/flannel-io/flannel/pkg/version.Version=v$3" github.com/flannel-io/flannel
  mv flannel flanneld
  rm -r .module
  plugin=$(pinned flannel-cni github.com/containernetworking/plugins)
  go_build flannel-cni "-X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v$plugin" \
    github.com/containernetworking/plugins/plugins/meta/flannel
  echo "Go module github.com/flannel-io/flannel v$3 without tencentvpc and udp; plug-in: github.com/containernetworking/plugins v$plugin; $(go env GOVERSION)" > SOURCE ;;
*) fail "flannel is built from Go modules only" ;;
esac
