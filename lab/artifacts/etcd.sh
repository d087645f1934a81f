#!/bin/sh
# etcd, etcdctl and etcdutl.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
release)
  url=https://github.com/etcd-io/etcd/releases/download/v$3
  archive=etcd-v$3-linux-$arch.tar.gz
  published "$url/$archive" "$url/SHA256SUMS"
  tar -xzf "$archive" --strip-components=1 --no-same-owner --wildcards '*/etcd' '*/etcdctl' '*/etcdutl'
  rm "$archive"
  echo "upstream release v$3, https://github.com/etcd-io/etcd" > SOURCE ;;
modules)
  go_build "$2" '' go.etcd.io/etcd/server/v3 go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3
  mv server etcd
  echo "Go modules go.etcd.io/etcd/{server,etcdctl,etcdutl}/v3 v$3, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
