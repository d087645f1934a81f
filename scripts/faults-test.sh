#!/bin/bash
# Breaks a converged cluster in one way after the other: `--tags test` must fail, name the component, and pass again after a run of kubernetes.yml.
#   faults-test.sh RPLAY INVENTORY LAB-OPTION... [-- RPLAY-OPTION...]       LAB-OPTIONs choose the lab (--id, --subnet, --file)
# FAULTS names some of them (all: etcd kubelet coredns route certificate). The certificate is one of the folder that a RPLAY-OPTION ssl_dir=FOLDER names.
set -u
rplay=$1 inventory=$2
shift 2
lab=() more=() pki=
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then shift; more=("$@"); break; fi
  lab+=("$1")
  shift
done
for option in "${more[@]}"; do case $option in ssl_dir=*) pki=${option#*=} ;; esac; done
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)

# shellcheck source=scripts/checks.sh
. scripts/checks.sh
finish() {
  trap - EXIT
  rm -rf "$work"
  [ "$failed" = 0 ]
  exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

on() { "$rplay" lab exec "${lab[@]}" "$@"; }
kubectl() { on kube-master-01 /opt/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
run() {
  "$rplay" -i "$inventory" "${more[@]}" kubernetes.yml "$@" > "$work/run" 2>&1
  local status=$?
  grep -E '^(fatal|failed|ERROR|error)' "$work/run" | cut -c1-500 > "$work/fatal"
  return $status
}
# A cluster takes a minute to find its feet: nodes that were not heard of are ready again when they have been.
tested_again() {
  for _ in 1 2 3 4 5 6 7 8; do run --tags test && return 0; sleep 8; done
  return 1
}

# NAME WHAT-THE-TEST-MUST-NAME TAGS-THAT-REPAIR COMMAND...: breaks something, tests, repairs, tests
fault() {
  local name=$1 component=$2 tags=$3
  shift 3
  "$@" > "$work/break" 2>&1 || { fail "$name: it can be broken" "$work/break"; return; }
  if run --tags test; then fail "$name: --tags test fails"
  elif grep -E '^(fatal|failed):' "$work/fatal" | grep -qiF -- "$component"; then pass "$name: --tags test fails and names $component"
  else fail "$name: --tags test names $component" "$work/fatal"; fi
  sed -n 's/^\(fatal\|failed\):.*"msg": "\([^"]*\)".*/    \2/p' "$work/fatal" | cut -c1-200 | head -n 2
  SECONDS=0
  if run --tags "$tags"; then pass "$name: kubernetes.yml --tags $tags ends well ($SECONDS s)"; else fail "$name: kubernetes.yml --tags $tags ends well" "$work/fatal"; fi
  if tested_again; then pass "$name: --tags test passes again"; else fail "$name: --tags test passes again" "$work/fatal"; fi
}

# As if a year had gone by: the API server's certificate has expired, on the controller and where it is used.
expire() {
  local file=apiserver-kube-master-01
  rm "$pki/$file.crt" &&
    echo "$file $(cat "$pki/$file.wanted")" | sh roles/ssl/files/certificates.sh make "$pki" ec 3650 -1 30 &&
    on kube-master-01 sh -c 'cat > /etc/kubernetes/pki/apiserver.crt' < "$pki/$file.crt" &&
    on kube-master-01 systemctl restart kube-apiserver &&
    served_expired
}
# The API server of the first master shows a certificate that nobody may trust any more.
served_expired() {
  local address
  address=$(on kube-master-01 hostname -I | cut -d' ' -f1)
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    curl --silent --show-error --cacert "$pki/ca.crt" "https://$address:6443/livez" 2>&1 | tee "$work/served" | grep -q expired && return
    sleep 2
  done
  cat "$work/served"
  return 1
}

wanted=" ${FAULTS:-etcd kubelet coredns route certificate} "
chosen() { case $wanted in *" $1 "*) true ;; *) false ;; esac; }
run --tags test || { fail "the cluster is well to begin with" "$work/fatal"; exit 1; }
chosen etcd && fault "etcd stopped" etcd etcd on etcd-01 systemctl stop etcd
chosen kubelet && fault "kubelet stopped" kubelet kube-worker on kube-worker-01 systemctl stop kubelet
chosen coredns && fault "CoreDNS deleted" CoreDNS addons kubectl --namespace kube-system delete deployment coredns
if chosen route; then
  route=$(on kube-worker-01 ip -4 route show | sed -n 's/^\(10[.]244[.][^ ]* via [^ ]*\).*/\1/p' | head -n 1)
  if [ -n "$route" ]; then fault "a route removed" "${route%% *}" network on kube-worker-01 ip -4 route del "${route%% *}"
  else fail "a route removed: kube-worker-01 has one"; fi
fi
if chosen certificate; then
  if [ -n "$pki" ]; then fault "a certificate expired" kube-apiserver ssl,kube-master expire
  else fail "a certificate expired: a RPLAY-OPTION ssl_dir=FOLDER says where it is"; fi
fi
