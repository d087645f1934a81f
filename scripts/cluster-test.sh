#!/bin/bash
# What a cluster must live through, in labs of their own, one after the other: an upgrade under a client, a worker more and a worker less, a deleted
# namespace that comes back, faults that its tests must name, routes without a program that sets them, static pods, masters that are no nodes, the loss of a
# master and of members of etcd.
#   cluster-test.sh RPLAY [upgrade|scale|restore|faults|routes|pods|bare|ha|five ...]      (make test-all) without names: all
# Needs root and the programs of `make artifacts`, for the upgrade also the earlier Kubernetes. The client of the upgrade may lose MAX_LOST requests: none.
# KEEP=1 leaves the lab that comes last; WORK=FOLDER says where it is kept, and goes on with the one that was left there.
set -u
rplay=$(realpath "${1:?usage: cluster-test.sh RPLAY [PART...]}")
shift
cd "$(dirname "$0")/.." || exit 1
parts=" ${*:-upgrade scale restore faults routes pods bare ha five} "
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
artifacts=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/artifacts
new=$(sed -n 's/^cluster_kubernetes_version: *//p' roles/cluster/defaults/main/versions.yml)
old=$(find "$artifacts" -maxdepth 1 -name 'kubernetes-*' -printf '%f\n' | sed 's/kubernetes-//' | sort -V | head -n 1)
max_lost=${MAX_LOST:-0}

# shellcheck source=scripts/checks.sh
. scripts/checks.sh
wanted() { case $parts in *" $1 "*) true ;; *) false ;; esac; }
finish() {
  local status=$?
  trap - EXIT
  if [ -n "${KEEP:-}" ]; then echo "left: $work"; else leave; rm -rf "$work"; fi
  echo "$passed passed, $failed failed"
  [ "$status" = 0 ] && [ "$failed" = 0 ]
  exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

id='' # of the lab that runs
lab() { "$rplay" lab "$1" --file "$work/$id.yml" "${@:2}"; }
kubectl() { lab exec "$master" /opt/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
leave() {
  [ -n "$id" ] || return 0
  lab clean > "$work/clean" 2>&1 || fail "the lab $id can be removed" "$work/clean"
  id=''
}
# ID SOURCE SUBNET RPLAY-OPTION...: the lab of that description, instead of the one that runs. All plays have the options.
make_lab() {
  [ "$id" != "$1" ] || return 0
  leave
  id=$1 net=${3%.*} master=kube-master-01 inventory=$work/$1
  options=(-i "$inventory" -e "ssl_dir=$work/$1.pki" "${@:4}")
  [ ! -e "$inventory/hosts.ini" ] || return 0
  sed "/^link:/d; s/^id: .*/id: $1/; s/10[.]0[.][0-9]*[.]/$net./" "$2" > "$work/$1.yml"
  { lab clean && lab up; } > "$work/out" 2>&1 || { fail "$1: the lab starts" "$work/out"; exit 1; }
  mkdir -p "$inventory"
  printf '[lab:children]\nk8s\n' > "$inventory/lab.ini"
  ln -sfn "$PWD/inventories/group_vars" "$inventory/group_vars"
  cp "$(lab path)/inventory.ini" "$inventory/hosts.ini"
}
# NAME PLAYBOOK ARGUMENT...: runs it, its output is $work/NAME
play() {
  local name=$1
  shift
  SECONDS=0
  if "$rplay" "${options[@]}" "$@" > "$work/$name" 2>&1; then pass "$name ($SECONDS s)"
  else grep -aE '^(fatal|failed):|ERROR' "$work/$name" | cut -c1-600 > "$work/fatal"; fail "$name ($SECONDS s)" "$work/fatal"; return 1; fi
}
# NAME HOST...: these hosts have changed=0 in the recap of $work/NAME
unchanged() {
  local name=$1 host
  shift
  for host; do
    same "$name: $host changes nothing" 0 "$(sed -n "/^PLAY RECAP/,\$s/^$host .* changed=\\([0-9]*\\) .*/\\1/p" "$work/$name")"
  done
}
hosts() { sed -n 's/^\([^ ]*\) ansible_host=.*/\1/p' "$inventory/hosts.ini" | sort -u; }
# The lab of four hosts with a cluster on it
four_hosts() {
  [ "$id" != ctest ] || return 0
  make_lab ctest lab/lab.yml 10.90.0.0/24
  [ -e "$inventory.converged" ] || play converge kubernetes.yml || return
  touch "$inventory.converged"
}

upgrade() {
  if [ "$old" = "$new" ]; then echo "skipped: upgrade: only Kubernetes $new was built"; return; fi
  make_lab ctest lab/lab.yml 10.90.0.0/24
  play "converge-with-$old" kubernetes.yml -e "cluster_kubernetes_version=$old" || return
  play service nginx.yml -e samples_nginx_replicas=2 -e "cluster_kubernetes_version=$old" || return
  local port
  port=$(kubectl get service nginx -o 'jsonpath={.spec.ports[0].nodePort}')
  rm -f "$work/client.stop"
  bash scripts/poll.sh "$work/client" "http://$net.121:$port/" "http://$net.122:$port/" &
  local client=$!
  play "upgrade-to-$new" upgrade.yml
  touch "$work/client.stop" "$inventory.converged"
  wait "$client"
  local lost
  lost=$(grep -c '^lost' "$work/client")
  if [ "$lost" -le "$max_lost" ]; then pass "upgrade: a client has $(grep -c '^answered' "$work/client") answers and lost $lost"
  else fail "upgrade: a client has $(grep -c '^answered' "$work/client") answers and lost $lost, more than $max_lost" <(grep '^lost' "$work/client"); fi
  same "upgrade: all nodes have $new" "v$new" "$(kubectl get nodes -o 'jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion}{"\n"}{end}' | sort -u)"
  play upgrade-again upgrade.yml && unchanged upgrade-again kube-master-01 kube-worker-01 kube-worker-02
}

scale() {
  four_hosts || return
  grep -q kube-worker-03 "$work/$id.yml" || printf '  - {name: kube-worker-03, address: %s.123, groups: [kube-worker]}\n' "$net" >> "$work/$id.yml"
  lab up > "$work/out" 2>&1 || { fail "scale: a fifth host starts" "$work/out"; return; }
  cp "$(lab path)/inventory.ini" "$inventory/hosts.ini"
  play scale-add scale.yml && unchanged scale-add kube-worker-01 kube-worker-02
  same "scale: etcd-01 has no part in it" "" "$(sed -n '/^PLAY RECAP/,$s/^etcd-01 .*/&/p' "$work/scale-add")"
  check "scale: kube-worker-03 is Ready" kubectl wait --for=condition=Ready --timeout=0s node/kube-worker-03
  play scale-remove scale.yml -e scale_remove=kube-worker-03 && unchanged scale-remove kube-worker-01 kube-worker-02
  same "scale: kube-worker-03 is gone" "" "$(kubectl get node kube-worker-03 --ignore-not-found)"
  lab down kube-worker-03 > "$work/out" 2>&1
  sed -i '/kube-worker-03/d' "$inventory/hosts.ini" "$work/$id.yml"
}

restore() {
  four_hosts || return
  kubectl create namespace precious > "$work/out" && kubectl --namespace precious create configmap kept --from-literal=a=b > "$work/out"
  play etcd-backup etcd-backup.yml -e "etcd_backup_dir=$work/backup" || return
  kubectl delete namespace precious > "$work/out"
  play etcd-restore etcd-restore.yml -e "etcd_snapshot=$(find "$work/backup" -type f -name '*.db' | sort | tail -n 1)" || return
  same "restore: the deleted namespace is back" b "$(kubectl --namespace precious get configmap kept -o 'jsonpath={.data.a}')"
}

# Breaks the cluster that runs
broken() { bash scripts/faults-test.sh "$rplay" "$inventory" --file "$work/$id.yml" -- "${options[@]:2}" || failed=$((failed + 1)); }
faults() { four_hosts && broken; }
# ID SUBNET RPLAY-OPTION...: the four hosts in another way, twice
variant() {
  make_lab "$1" lab/lab.yml "$2" "${@:3}"
  [ -e "$inventory.converged" ] || play "$1-built" kubernetes.yml || return
  touch "$inventory.converged"
  play "$1-again" kubernetes.yml && unchanged "$1-again" etcd-01 kube-master-01 kube-worker-01 kube-worker-02
}
routes() { variant croutes 10.92.0.0/24 -e cluster_network=routes && FAULTS=route broken; }
# The control plane as static pods; one starts anew when its arguments change, or its certificate.
pods() {
  variant cpods 10.93.0.0/24 -e kube_master_mode=pods || return
  same "pods: the kubelet runs the control plane" "Running Running Running" "$(kubectl --namespace kube-system get pods -l tier=control-plane -o 'jsonpath={.items[*].status.phase}')"
  same "pods: nothing of it is a unit" "" "$(lab exec "$master" sh -c 'ls /etc/systemd/system | grep -E "^kube-(apiserver|controller-manager|scheduler)"')"
  play pods-argument kubernetes.yml --tags kube-master -e '{"kube_master_apiserver_arguments": {"max-requests-inflight": "401"}}' &&
    same "pods: an argument arrives" 1 "$(lab exec "$master" pgrep -fc 'kube-apiserver.*max-requests-inflight=401')"
  rm "$inventory.pki/apiserver-kube-master-01.crt"
  play pods-certificate kubernetes.yml --tags ssl,kube-master &&
    same "pods: a certificate arrives" "$(openssl x509 -in "$inventory.pki/apiserver-kube-master-01.crt" -noout -serial)" \
      "$(openssl s_client -connect "$net.111:6443" < /dev/null 2> /dev/null | openssl x509 -noout -serial)"
}
# Masters that are no nodes
bare() {
  variant cbare 10.94.0.0/24 -e cluster_master_nodes=false || return
  same "bare: workers are the only nodes" "kube-worker-01 kube-worker-02" "$(kubectl get nodes -o 'jsonpath={.items[*].metadata.name}')"
  same "bare: the master has no kubelet" "" "$(lab exec "$master" pgrep -x kubelet)"
  play bare-smoke smoke.yml
}

# What the API server at an address says to the administrator: METHOD PATH [BODY]
api() {
  curl -sf --max-time 5 --cacert "$inventory.pki/ca.crt" --cert "$inventory.pki/admin.crt" --key "$inventory.pki/admin.key" \
    -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} -o "$work/answer" "https://$net.100:6443$2"
}
writes() { api POST /api/v1/namespaces "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"$1\"}}"; }
# A host ends as if its power was cut.
crash() { kill -KILL "$(lab status --json | tr -d ' \n' | sed -n "s/.*\"name\":\"$1\"[^}]*\"init\":\([0-9]*\).*/\1/p")"; }
ha() {
  local try stamp
  stamp=$(date +%s)
  make_lab ctestha lab/lab-ha.yml 10.91.0.0/24 -e cluster_vip=10.91.0.100 -e kube_master_vip_interface=eth0
  [ -e "$inventory.converged" ] || play three-masters kubernetes.yml || return
  touch "$inventory.converged"
  # shellcheck disable=SC2046
  play three-masters-again kubernetes.yml && unchanged three-masters-again $(hosts)
  same "ha: the first master has the address" "$net.100" "$(lab exec kube-master-01 ip -4 -brief address show eth0 | grep -o "${net}[.]100")"
  check "ha: the API writes" writes "before-$stamp"
  crash etcd-01
  crash kube-master-01
  SECONDS=0
  until writes "after-$stamp"; do
    [ $SECONDS -lt 120 ] || { fail "ha: the API writes without a master and a member of etcd"; return; }
    sleep 0.2
  done
  pass "ha: the API writes without a master and a member of etcd ($SECONDS s later)"
  check "ha: what was written before is there" api GET "/api/v1/namespaces/before-$stamp"
  master=kube-master-02
  local names=0
  for try in 1 2 3 4 5 6 7 8 9 10; do writes "later-$stamp-$try" && names=$((names + 1)); sleep 0.5; done
  same "ha: the API goes on writing" 10 "$names"
  same "ha: both workers are Ready" "True True" "$(sleep 50; kubectl get node kube-worker-01 kube-worker-02 -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')"
  lab up > "$work/out" 2>&1 || fail "ha: the hosts come back" "$work/out"
  play ha-repaired kubernetes.yml
  same "ha: what was written meanwhile is there" "later-$stamp-10" "$(kubectl get namespace "later-$stamp-10" -o 'jsonpath={.metadata.name}')"
}
# Five members of etcd, of which two may be lost
five() {
  local number client
  {
    printf 'id: cfive\nsubnet: 10.0.0.0/24\nhosts:\n'
    for number in 1 2 3 4 5; do echo "  - {name: etcd-0$number, address: 10.0.0.10$number, groups: [etcd]}"; done
    echo '  - {name: kube-master-01, address: 10.0.0.111, groups: [kube-master]}'
  } > "$work/five.yml"
  make_lab cfive "$work/five.yml" 10.95.0.0/24
  [ -e "$inventory.converged" ] || play five kubernetes.yml --tags ssl,etcd || return
  touch "$inventory.converged"
  play five-again kubernetes.yml --tags ssl,etcd && unchanged five-again etcd-01 etcd-02 etcd-03 etcd-04 etcd-05
  client=(/opt/bin/etcdctl "--endpoints=https://$net.101:2379,https://$net.103:2379,https://$net.105:2379"
    --cacert=/etc/etcd/pki/etcd-ca.crt --cert=/etc/etcd/pki/etcd-client.crt --key=/etc/etcd/pki/etcd-client.key)
  lab down etcd-02 etcd-04 > "$work/out" 2>&1
  same "five: three of five members take a write" OK "$(lab exec etcd-01 -- "${client[@]}" --command-timeout=30s put kept yes 2> "$work/etcdctl")"
  lab down etcd-05 > "$work/out" 2>&1
  same "five: two of five take none" "" "$(lab exec etcd-01 -- "${client[@]}" --command-timeout=5s put other no 2> "$work/etcdctl")"
  lab up > "$work/out" 2>&1 || fail "five: the members come back" "$work/out"
  play five-repaired kubernetes.yml --tags ssl,etcd
  same "five: what was written is there" yes "$(lab exec etcd-01 -- "${client[@]}" get kept --print-value-only 2> "$work/etcdctl")"
}

if [ "$(id -u)" != 0 ] || [ ! -s "$artifacts/images/index.yml" ]; then
  echo "skipped: this needs root, and the programs of make artifacts in $artifacts"
  exit
fi
for part in upgrade scale restore faults routes pods bare ha five; do
  if wanted "$part"; then "$part"; fi
done
