#!/bin/sh
# local-path-provisioner. It is published as an image only, so it is always built.
set -eu
. "$(dirname "$0")/common.sh"
[ "$1" = modules ] || fail "local-path-provisioner is built from Go modules only"
go_build "$2" "-X main.VERSION=v$3" github.com/rancher/local-path-provisioner
echo "Go module github.com/rancher/local-path-provisioner v$3, $(go env GOVERSION)" > SOURCE
