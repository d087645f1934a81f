#!/bin/sh
# metrics-server. It is published as an image only, so it is always built.
set -eu
. "$(dirname "$0")/common.sh"
[ "$1" = modules ] || fail "metrics-server is built from Go modules only"
go_build "$2" "-X sigs.k8s.io/metrics-server/pkg/version.gitVersion=v$3" sigs.k8s.io/metrics-server/cmd/metrics-server
echo "Go module sigs.k8s.io/metrics-server v$3, $(go env GOVERSION)" > SOURCE
