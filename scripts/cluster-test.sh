#!/bin/bash
# What a cluster must live through, in labs of their own: faults that its tests must name, an upgrade under a client, a worker more and a worker less,
# a deleted namespace that comes back, the loss of a master and of a member of etcd.
#   cluster-test.sh RPLAY [faults|upgrade|scale|restore|ha ...]      (make test-all) without names: all
# Needs root and the programs of `make artifacts`, for the upgrade also the earlier Kubernetes. KEEP=1 leaves the labs.
set -u
rplay=$(realpath "${1:?usage: cluster-test.sh RPLAY [PART...]}")
shift
cd "$(dirname "$0")/.." || exit 1
parts=" ${*:-upgrade faults scale restore ha} "
work=$(mktemp -d)
failed=0
export ANSIBLE_NOCOLOR=1
artifacts=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/artifacts
new=$(sed -n 's/^cluster_kubernetes_version: *//p' roles/cluster/defaults/main/versions.yml)
old=$(find "$artifacts" -maxdepth 1 -name 'kubernetes-*' -printf '%f\n' | sed 's/kubernetes-//' | sort -V | head -n 1)

pass() { echo "ok: $1"; }
fail() {
  failed=1
  echo "FAILED: $1"
  [ -z "${2:-}" ] || grep -E '^(fatal|failed)' "$2" | cut -c1-400 | tail -n 6
}
wanted() { case $parts in *" $1 "*) true ;; *) false ;; esac; }
finish() {
  [ -n "${KEEP:-}" ] || for id in ctest ctestha; do [ -e "$work/$id.yml" ] && lab $id clean > /dev/null 2>&1; done
  rm -rf "$work"
  exit $failed
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

lab() { "$rplay" lab "$2" --file "$work/$1.yml" "${@:3}"; }
on() { lab ctest exec "$@"; }
kubectl() { on kube-master-01 /opt/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
# NAME BOOK ARGUMENT...: runs a playbook on the lab ctest
play() {
  local name=$1
  shift
  SECONDS=0
  if "$rplay" -i "$work/ctest" -e "ssl_dir=$work/pki" "$@" > "$work/$name" 2>&1; then pass "$name ($SECONDS s)"
  else fail "$name" "$work/$name"; return 1; fi
}
# NAME HOST...: these hosts have changed=0 in the recap
unchanged() {
  local name=$1
  shift
  for host in "$@"; do
    if sed -n '/^PLAY RECAP/,$p' "$work/$name" | grep "^$host " | grep -q 'changed=0 '; then pass "$name: $host changed=0"
    else fail "$name: $host changed"; sed -n '/^PLAY RECAP/,$p' "$work/$name" | grep "^$host "; fi
  done
}
# SOURCE ID SUBNET: a lab by that description, with an inventory of its own
make_lab() {
  sed "/^link:/d; s/^id: .*/id: $2/; s,^subnet: .*,subnet: $3," "$1" > "$work/$2.yml"
  lab "$2" up > "$work/out" 2>&1 || { cat "$work/out"; return 1; }
  mkdir -p "$work/$2"
  cp "$(lab "$2" path)/inventory.ini" "$work/$2/hosts.ini"
  printf '[lab:children]\nk8s\n' > "$work/$2/lab.ini"
  ln -sfn "$PWD/inventories/group_vars" "$work/$2/group_vars"
}

upgrade() {
  if [ "$old" = "$new" ]; then echo "skipped: upgrade: only Kubernetes $new was built"; play converge kubernetes.yml; return; fi
  play "converge-with-$old" kubernetes.yml -e "cluster_kubernetes_version=$old" || return
  play service nginx.yml -e samples_nginx_replicas=2 -e "cluster_kubernetes_version=$old" || return
  # a client that asks the service of one worker after the other, ten times a second
  local port
  port=$(kubectl get service -A -o jsonpath='{.items[?(@.spec.type=="NodePort")].spec.ports[0].nodePort}' | cut -d' ' -f1)
  local addresses
  addresses=$(sed -n 's/^kube-worker-0[12] ansible_host=//p' "$work/ctest/hosts.ini")
  (while [ ! -e "$work/stop" ]; do
    for address in $addresses; do
      if curl -s -o /dev/null --max-time 1 "http://$address:$port/"; then echo answered; else echo "lost $(date +%T.%1N) $address"; fi
      sleep 0.1
    done
  done > "$work/client") &
  play "upgrade-to-$new" upgrade.yml
  touch "$work/stop"
  wait
  echo "    the client: $(grep -c answered "$work/client") answers, $(grep -c lost "$work/client") lost"
  if kubectl get nodes -o jsonpath='{.items[*].status.nodeInfo.kubeletVersion}' | grep -q "v$old"; then fail "a node still has $old"; else pass "all nodes have $new"; fi
  play upgrade-again upgrade.yml && unchanged upgrade-again kube-master-01 kube-worker-01 kube-worker-02
}

scale() {
  local subnet
  subnet=$(sed -n 's/^etcd-01 ansible_host=\([0-9.]*\)[.].*/\1/p' "$work/ctest/hosts.ini")
  printf '  - {name: kube-worker-03, address: %s.123, groups: [kube-worker]}\n' "$subnet" >> "$work/ctest.yml"
  lab ctest up > "$work/out" 2>&1 || { fail "a fifth host starts" "$work/out"; return; }
  cp "$(lab ctest path)/inventory.ini" "$work/ctest/hosts.ini"
  play scale-add scale.yml && unchanged scale-add etcd-01 kube-worker-01 kube-worker-02
  if kubectl get node kube-worker-03 | grep -q ' Ready'; then pass "kube-worker-03 is Ready"; else fail "kube-worker-03 is Ready"; fi
  play scale-remove scale.yml -e scale_remove=kube-worker-03 && unchanged scale-remove etcd-01 kube-worker-01 kube-worker-02
  if kubectl get node kube-worker-03 > /dev/null 2>&1; then fail "kube-worker-03 is gone"; else pass "kube-worker-03 is gone"; fi
  sed -i '/kube-worker-03/d' "$work/ctest/hosts.ini"
}

restore() {
  kubectl create namespace precious > /dev/null && kubectl --namespace precious create configmap kept --from-literal=a=b > /dev/null
  play etcd-backup etcd-backup.yml -e "etcd_backup_dir=$work/backup" || return
  kubectl delete namespace precious > /dev/null
  play etcd-restore etcd-restore.yml -e "etcd_snapshot=$(find "$work/backup" -type f | sort | tail -n 1)" || return
  if kubectl --namespace precious get configmap kept > /dev/null; then pass "the deleted namespace is back"; else fail "the deleted namespace is back"; fi
}

ha() {
  make_lab lab/lab-ha.yml ctestha 10.91.0.0/24 || { fail "the lab of eight hosts starts"; return; }
  local vip=10.91.0.100
  local run=("$rplay" -i "$work/ctestha" -e "ssl_dir=$work/pki-ha" -e "cluster_vip=$vip" -e kube_master_vip_interface=eth0)
  SECONDS=0
  "${run[@]}" kubernetes.yml > "$work/ha" 2>&1 || { fail "three masters" "$work/ha"; return; }
  pass "three masters ($SECONDS s)"
  "${run[@]}" kubernetes.yml > "$work/ha-again" 2>&1
  if sed -n '/^PLAY RECAP/,$p' "$work/ha-again" | grep -q ' changed=[1-9]'; then fail "three masters: a second run changes nothing" "$work/ha-again"
  else pass "three masters: a second run changes nothing"; fi
  lab ctestha down etcd-01 > /dev/null 2>&1
  lab ctestha down kube-master-01 > /dev/null 2>&1
  SECONDS=0
  until curl -sf --max-time 2 -o /dev/null --cacert "$work/pki-ha/ca.crt" "https://$vip:6443/readyz"; do
    [ $SECONDS -lt 120 ] || { fail "the API answers without one master and one member"; return; }
    sleep 0.2
  done
  pass "the API answers at $vip without one master and one member of etcd (after $SECONDS s)"
  if curl -sf --max-time 5 --cacert "$work/pki-ha/ca.crt" --cert "$work/pki-ha/admin.crt" --key "$work/pki-ha/admin.key" \
    -X POST -H 'Content-Type: application/json' -d '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"after-the-loss"}}' \
    -o /dev/null "https://$vip:6443/api/v1/namespaces"; then pass "and writes"; else fail "the API writes without one master and one member"; fi
}

if [ "$(id -u)" != 0 ] || [ ! -s "$artifacts/images/index.yml" ]; then
  echo "skipped: this needs root, and the programs of make artifacts in $artifacts"
  exit
fi
case $parts in *' upgrade '* | *' faults '* | *' scale '* | *' restore '*)
  make_lab lab/lab.yml ctest 10.90.0.0/24 || { fail "the lab starts"; exit; }
  if wanted upgrade; then upgrade; else play converge kubernetes.yml; fi
  if wanted faults; then
    bash scripts/faults-test.sh "$rplay" "$work/ctest" --file "$work/ctest.yml" -- -e "ssl_dir=$work/pki" || failed=1
  fi
  if wanted scale; then scale; fi
  if wanted restore; then restore; fi
  ;;
esac
if wanted ha; then ha; fi
