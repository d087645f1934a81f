#!/bin/sh
# Calico: calico-node (with Felix, without eBPF), the CNI plug-ins, kube-controllers, and the resources it adds to the API.
# Its module and its API's module cannot be had at one release: go.mod says which are put together.
set -eu
. "$(dirname "$0")/common.sh"
[ "$1" = modules ] || fail "Calico is built from Go modules only"
package=github.com/projectcalico/calico
go_build "$2" "-X $package/node/pkg/lifecycle/startup.VERSION=v$3 -X $package/node/buildinfo.GitVersion=v$3 -X $package/felix/buildinfo.GitVersion=v$3 \
  -X main.VERSION=v$3" $package/node/cmd/calico-node $package/cni-plugin/cmd/calico $package/cni-plugin/cmd/install \
  $package/kube-controllers/cmd/kube-controllers $package/kube-controllers/cmd/check-status
ln calico calico-ipam
source=$(cd "$modules/$2" && go list -m -f '{{.Dir}}' $package)
for resource in "$source"/libcalico-go/config/crd/*.yaml; do
  case $(head -n 1 "$resource") in ---*) ;; *) echo --- ;; esac
  cat "$resource"
done > crds.yaml
api=$(sed -n "s,.*projectcalico/api => ,,p" "$modules/$2/go.mod")
echo "Go module $package $(pinned "$2" $package) (release $3) with $api, without eBPF, $(go env GOVERSION)" > SOURCE
