#!/bin/bash
# A worker that has nothing but its Ignition joins a real cluster, twice: a control plane and a boot server in a lab, and a host on which only what
# Ignition would write is written before it starts. Needs root, and what `make artifacts` makes.
#   pxe-join.sh RPLAY
# LAB_ID and LAB_SUBNET choose another lab, KEEP=1 leaves it.
set -u
rplay=$(realpath "${1:?usage: pxe-join.sh RPLAY}")
cd "$(dirname "$0")/.." || exit 1
id=${LAB_ID:-pxe}
subnet=${LAB_SUBNET:-10.87.0.0/24}
net=${subnet%.*}
artifacts=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/artifacts
work=$(mktemp -d)

# shellcheck source=scripts/checks.sh
. scripts/checks.sh
lab() { "$rplay" lab "$1" --file lab/pxe.yml --id "$id" --subnet "$subnet" "${@:2}"; }
finish() {
  local status=$?
  trap - EXIT
  if [ -n "${started:-}" ] && [ -z "${KEEP:-}" ]; then lab clean > "$work/clean" 2>&1 || fail "the lab can be removed" "$work/clean"; fi
  rm -rf "$work"
  echo "$passed passed, $failed failed"
  [ "$status" = 0 ] && [ "$failed" = 0 ]
  exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if [ "$(id -u)" != 0 ]; then echo "skipped: hosts need root"; exit; fi
for component in kubernetes etcd containerd runc cni; do
  if ! compgen -G "$artifacts/$component-*" > /dev/null; then echo "skipped: there is no $component: run make artifacts"; exit; fi
done
ipxe=$(sh lab/ipxe.sh 2> "$work/out") || { fail "iPXE comes out of Debian's package" "$work/out"; exit 1; }
started=1
if ! { lab clean && lab up; } > "$work/out" 2>&1; then fail "the lab starts" "$work/out"; exit 1; fi
pass "the lab starts"

mkdir -p "$work/inventory" "$work/flatcar-standin"
touch "$work/flatcar-standin/flatcar_production_pxe.vmlinuz" "$work/flatcar-standin/flatcar_production_pxe_image.cpio.gz"
cp "$(lab path)/inventory.ini" "$work/inventory/hosts.ini"
ln -s "$PWD/inventories/group_vars" "$work/inventory/group_vars"
cat > "$work/inventory/machines.ini" <<END
kube-worker-01 pxe_mac=52:54:00:87:01:21 network_pod_cidr=10.244.9.0/24
[lab:children]
k8s
END
cat > "$work/variables.yml" <<END
ssl_dir: $work/pki
cluster_network: routes
pxe_packages: [dnsmasq, nginx-light, curl]
pxe_ipxe_source: directory
pxe_ipxe_dir: $ipxe
pxe_flatcar_source: directory
pxe_flatcar_dir: $work/flatcar-standin
pxe_flatcar_version: standin
END
play() { # NAME ARGUMENT...
  local name=$1
  shift
  SECONDS=0
  "$rplay" -i "$work/inventory" -e "@$work/variables.yml" "$@" > "$work/$name" 2>&1
  local status=$?
  echo "  $name: $SECONDS s"
  if [ "$status" = 0 ]; then pass "$name: ends well"; else fail "$name: ends with $status" "$work/$name" 80; fi
}
play control-plane kubernetes.yml --limit kube-master --tags ssl,etcd,kube-master
play boot-server pxe.yml

# What Ignition does before the machine starts: the host is off, gets its files and units, is on.
boot() {
  lab exec kube-worker-01 curl --fail --silent "http://$net.101/ignition/kube-worker-01.json" > "$work/config.json" || return 1
  rm -rf "$work/root"
  perl lab/ignition-unpack.pl "$work/config.json" "$work/root" || return 1
  tar -C "$work/root" -c . | lab exec kube-worker-01 tar -C / -x --no-overwrite-dir --owner=0 --group=0 || return 1
  lab down kube-worker-01 && lab up kube-worker-01
}
kubectl() { lab exec kube-master-01 /opt/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
ready() { kubectl wait --for=condition=Ready node/kube-worker-01 --timeout=5s; }
joins() {
  local end=$((SECONDS + 180))
  until ready; do
    if [ $SECONDS -ge $end ]; then
      lab exec kube-worker-01 journalctl --no-pager -n 40 -u rplay-download -u containerd -u kubelet -u kube-proxy
      return 1
    fi
    sleep 2
  done
}
check "the worker boots" boot
SECONDS=0
check "the worker joins" joins
echo "  joined after $SECONDS s"
check "its services run" lab exec kube-worker-01 systemctl is-active rplay-download containerd kubelet kube-proxy
check "kube-proxy is healthy" lab exec kube-worker-01 curl --fail --silent http://127.0.0.1:10256/healthz
check "the node is as the inventory says" test "$(kubectl get node kube-worker-01 -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}')" = "$net.121"
cat > "$work/pod.yml" <<END
{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {nodeName: kube-worker-01, automountServiceAccountToken: false,
  containers: [{name: web, image: "docker.io/library/busybox:1.37", command: [sleep, "600"]}]}}
END
if grep -q 'docker.io/library/busybox:1.37' "$artifacts/images/index.yml" 2> /dev/null; then
  kubectl apply -f - < "$work/pod.yml" > "$work/out" 2>&1 || fail "a pod is made" "$work/out"
  check "a pod runs on it" kubectl wait --for=condition=Ready pod/web --timeout=60s
  check "the API server reaches the kubelet" kubectl exec web -- true
  kubectl delete pod web --now --wait=false > /dev/null 2>&1
else
  echo "skipped: no pod runs on it, because there is no image of busybox: run make artifacts"
fi

# Nothing of it is kept: as a machine does that boots again without a disk.
check "the worker loses everything" lab reset kube-worker-01
check "the worker is gone" sh -c "! test -e '$(lab path)/hosts/kube-worker-01/upper/opt/bin/kubelet'"
kubectl wait --for=condition=Ready=Unknown node/kube-worker-01 --timeout=90s > "$work/out" 2>&1 || fail "its node is seen to be away" "$work/out"
check "the worker boots again" boot
SECONDS=0
check "the worker joins again" joins
echo "  joined after $SECONDS s"
