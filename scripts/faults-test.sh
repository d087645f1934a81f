#!/bin/bash
# Breaks a converged cluster in one way after the other: `--tags test` must fail, name the component, and pass again after a run of kubernetes.yml.
#   faults-test.sh RPLAY INVENTORY LAB-OPTION... [-- RPLAY-OPTION...]       LAB-OPTIONs choose the lab (--id, --subnet, --file)
set -u
rplay=$1 inventory=$2
shift 2
lab=() more=()
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then shift; more=("$@"); break; fi
  lab+=("$1")
  shift
done
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export ANSIBLE_NOCOLOR=1

on() { "$rplay" lab exec "${lab[@]}" "$@"; }
kubectl() { on kube-master-01 /opt/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
run() { "$rplay" -i "$inventory" "${more[@]}" kubernetes.yml "$@" > "$work/out" 2>&1; }
tell() { echo "$1"; case $1 in FAILED*) failed=1; grep -E '^(fatal|failed)' "$work/out" | cut -c1-300 | tail -n 5 ;; esac; }

# A cluster takes a minute to find its feet: nodes that were not heard of are ready again when they have been.
tested_again() {
  local try
  for try in 1 2 3 4 5 6 7 8; do run --tags test && return 0; sleep 8; done
  return 1
}

# NAME WHAT-THE-TEST-MUST-NAME TAG-THAT-REPAIRS COMMAND...: breaks something, tests, repairs, tests
fault() {
  local name=$1 component=$2 tags=$3
  shift 3
  "$@" > "$work/break" 2>&1 || { cat "$work/break"; tell "FAILED: $name: cannot break it"; return; }
  if run --tags test; then tell "FAILED: $name: --tags test passes"
  elif ! grep -E '^(fatal|failed):' "$work/out" | grep -qi -- "$component"; then tell "FAILED: $name: $component is not named"
  else tell "ok: $name: --tags test fails and names $component"; fi
  grep -E '^(fatal|failed):' "$work/out" | sed 's/.*"msg": "\([^"]*\)".*/    \1/' | cut -c1-160 | head -n 2
  if run --tags "$tags" && tested_again; then tell "ok: $name: a run of kubernetes.yml repairs it"
  else tell "FAILED: $name: a run of kubernetes.yml does not repair it"; fi
}

# A certificate that has expired: what is on the host is put back by the next run.
expire() {
  local host=$1 name=$2
  on "$host" sh -c "cd /etc/kubernetes/pki && openssl req -new -key $name.key -subj /CN=expired | openssl x509 -req -key $name.key -days -1 -out $name.crt"
}

run --tags test || { tell "FAILED: the cluster is not well to begin with"; exit 1; }
fault "etcd stopped" etcd etcd on etcd-01 systemctl stop etcd
fault "kubelet stopped" kubelet kube-worker on kube-worker-01 systemctl stop kubelet
fault "CoreDNS deleted" CoreDNS addons kubectl --namespace kube-system delete deployment coredns
fault "a certificate expired" apiserver ssl,kube-master expire kube-master-01 apiserver
if on kube-worker-01 ip route show | grep -q '^10[.]244[.].* via '; then
  route=$(on kube-worker-01 ip route show | sed -n 's/^\(10[.]244[.][^ ]*\) via .*/\1/p' | head -n 1)
  fault "a route removed" "$route" network on kube-worker-01 ip route del "$route"
else
  echo "skipped: a route removed: the network has no routes of its own"
fi
exit $failed
