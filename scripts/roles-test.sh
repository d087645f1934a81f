#!/bin/bash
# The shipped playbooks on real hosts: a lab of its own, made and taken away again. Needs root; says so and passes over it without.
#   roles-test.sh RPLAY          (make roles-test)
# LAB_ID and LAB_SUBNET choose another lab, KEEP=1 leaves it, CLUSTER=no stops after etcd.
set -u
rplay=$(realpath "${1:?usage: roles-test.sh RPLAY}")
cd "$(dirname "$0")/.." || exit 1
id=${LAB_ID:-citest}
subnet=${LAB_SUBNET:-10.79.0.0/24}
work=$(mktemp -d)

# shellcheck source=scripts/checks.sh
. scripts/checks.sh
lab() { "$rplay" lab "$1" --file "$work/lab.yml" --id "$id" --subnet "$subnet" "${@:2}"; }
finish() {
  local status=$?
  trap - EXIT
  if [ -e "$work/lab.yml" ] && [ -z "${KEEP:-}" ]; then lab clean > "$work/clean" 2>&1 || fail "the lab can be removed" "$work/clean"; fi
  rm -rf "$work"
  echo "$passed passed, $failed failed"
  [ "$status" = 0 ] && [ "$failed" = 0 ]
  exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

for playbook in playbooks/*.yml; do
  check "$playbook: --syntax-check" "$rplay" -i inventories/lab.ini "$playbook" --syntax-check
done
check "inventories/vagrant.ini: the hosts are there" "$rplay" -i inventories/vagrant.ini kubernetes.yml --list-hosts

# What certificates.sh makes of a list, as one line.
certificates() { sh roles/ssl/files/certificates.sh "$1" "$work/try" ec 3650 365 "$2" <<< "${3:-$list}" 2>&1 | tr '\n' ' '; }
list='root - /CN=root ca
a root /CN=a both DNS:a,IP:10.0.0.1
account - - key
random - - secret
join - - token'
all='root.key root.crt a.key a.crt account.key account.pub random.key join.key '
same "certificates: a plan names all" "$all" "$(certificates plan 30)"
check "certificates: a plan makes nothing" test ! -e "$work/try"
same "certificates: all are made" "$all" "$(certificates make 30)"
same "certificates: made once" "" "$(certificates make 30)"
same "certificates: keys are nobody else's" "600 600 600 600 600 " "$(stat -c %a "$work"/try/*.key | tr '\n' ' ')"
check "certificates: made for the address" openssl x509 -in "$work/try/a.crt" -noout -checkip 10.0.0.1
same "certificates: a secret has 32 bytes" 32 "$(base64 -d "$work/try/random.key" | wc -c)"
check "certificates: a token is one of Kubernetes" grep -qxE '[a-z0-9]{6}[.][a-z0-9]{16}' "$work/try/join.key"
same "certificates: renewed before they expire" "a.crt " "$(certificates make 366)"
same "certificates: made again for another address" "a.crt " "$(certificates make 30 "${list/0.1/0.2}")"
inspect() { sh roles/ssl/files/inspect.sh check "$work/try" "$1" root.crt=root.crt a.crt=root.crt "${@:2}" 2>&1 | sed 's/ on .*,/ on,/' | tr '\n' ' '; }
same "certificates: good ones pass" "" "$(inspect 30)"
same "certificates: one that expires soon is named" "cluster: a.crt expires on, in less than 366 days " "$(inspect 366)"
same "certificates: another CA is named" "cluster: a.crt is not signed by a.crt kubelet: kubelet.crt is missing " "$(inspect 1 a.crt=a.crt kubelet.crt=)"
rm "$work/try/root.key"
same "certificates: a new CA signs anew" "root.key root.crt a.crt " "$(certificates make 30 "${list/0.1/0.2}")"
rm -rf "$work/try"

# checksums.sh with what publishers list, each in its own way, in a folder.
digest() { sha256sum <<< "$1" | cut -d' ' -f1; }
listed() { mkdir -p "$(dirname "$work/web/$1")" && cat > "$work/web/$1"; }
version() { sed -n -e "s/^  $1: *\([0-9]\)/\1/p" -e "s/^cluster_$1_version: *//p" roles/cluster/defaults/main/versions.yml; }
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
  digest "$program" | tr -d '\n' | listed "dl.k8s.io/release/v$(version kubernetes)/bin/linux/amd64/$program.sha256"
done
for system in darwin-amd64.zip linux-amd64.tar.gz linux-arm64.tar.gz; do
  echo "$(digest "etcd $system")  etcd-v$(version etcd)-$system"
done | listed "github.com/etcd-io/etcd/releases/download/v$(version etcd)/SHA256SUMS"
archive=containerd-$(version containerd)-linux-amd64.tar.gz
echo "$(digest containerd)  $archive" | listed "github.com/containerd/containerd/releases/download/v$(version containerd)/$archive.sha256sum"
printf '%s  %s\n' "$(digest no)" libseccomp.tar.gz "$(digest runc)" runc.amd64 | listed "github.com/opencontainers/runc/releases/download/v$(version runc)/runc.sha256sum"
archive=cni-plugins-linux-amd64-v$(version cni).tgz
echo "$(digest cni)  /tmp/release/$archive" | listed "github.com/containernetworking/plugins/releases/download/v$(version cni)/$archive.sha256"
digest crds | listed "raw.githubusercontent.com/projectcalico/calico/v$(version calico)/manifests/crds.yaml"
archive=pypy$(sed -n 's/^pypy_version: *//p' roles/bootstrap/pypy/defaults/main.yml)-linux64.tar.bz2
echo "<p>$(digest no)  pypy2.tar.bz2<br/>$(digest pypy)  $archive</p>" | listed pypy.org/checksums.html
checksums() { MIRROR=file://$work/web sh scripts/checksums.sh "$work/sums.yml" "$work/pypy.yml"; }
check "checksums: all are found" checksums
check "checksums: a program's own" grep -qx "  kubernetes-$(version kubernetes)/kubelet: $(digest kubelet)" "$work/sums.yml"
check "checksums: one of several archives" grep -qx "  etcd-.*-linux-amd64.tar.gz: $(digest "etcd linux-amd64.tar.gz")" "$work/sums.yml"
check "checksums: a program under another name" grep -qx "  runc-$(version runc)/runc: $(digest runc)" "$work/sums.yml"
check "checksums: computed where none is listed" grep -qx "  calico-$(version calico)/crds.yaml: $(sha256sum < "$work/web/raw.githubusercontent.com/projectcalico/calico/v$(version calico)/manifests/crds.yaml" | cut -d' ' -f1)" "$work/sums.yml"
check "checksums: a name with a folder" grep -q ": $(digest cni)$" "$work/sums.yml"
check "checksums: out of a page" grep -qx "pypy_sha256: $(digest pypy)" "$work/pypy.yml"
cp "$work/sums.yml" "$work/sums.before"
rm -r "$work/web/github.com/containerd"
if checksums > "$work/missing" 2>&1; then fail "checksums: one that is missing is an error" "$work/missing"
else check "checksums: one that is missing is an error" grep -q '^error: .*containerd.* cannot be fetched' "$work/missing"; fi
check "checksums: then nothing is written" cmp "$work/sums.yml" "$work/sums.before"

if [ "$(id -u)" != 0 ]; then echo "skipped: hosts need root; run this as root to test roles on them"; exit; fi
if ! unshare --mount --net --pid --fork true 2> "$work/out"; then
  echo "skipped: hosts need namespaces, and this machine gives none: $(head -n 1 "$work/out")"
  exit
fi

# The lab's description without the links that belong to the user's own lab, and an inventory with its addresses.
sed '/^link:/d' lab/lab.yml > "$work/lab.yml"
echo "lab: up (a first base image takes a minute or two)"
if ! lab up > "$work/out" 2>&1; then fail "the lab starts" "$work/out"; exit 1; fi
pass "the lab starts"
"$rplay" lab pypy > "$work/out" 2>&1 || { fail "PyPy comes out of Debian's packages" "$work/out"; exit 1; }

# The cluster's programs: `make artifacts` builds them once, which takes some 20 minutes (BUILD=1 does it here). Without them the first roles are
# tested, with Debian's etcd.
tags=()
SECONDS=0
artifacts=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/artifacts
version=$(sed -n 's/^cluster_kubernetes_version: *//p' roles/cluster/defaults/main/versions.yml)
if [ "${CLUSTER:-yes}" = no ]; then missing="CLUSTER=no says so"
elif [ -z "${BUILD:-}" ] && [ ! -e "$artifacts/kubernetes-$version/SHA256SUMS" ]; then missing="make artifacts has not been run, $artifacts has no Kubernetes $version"
elif sh lab/artifacts.sh cluster > "$work/artifacts" 2>&1; then missing=
else missing="its programs could not be made: $(tail -n 1 "$work/artifacts")"; fi
if [ -z "$missing" ]; then echo "artifacts: complete ($SECONDS s)"
else
  echo "skipped: the cluster, because $missing"
  tags=(--tags bootstrap,ssl,etcd)
  "$rplay" lab etcd > "$work/out" 2>&1 || { fail "etcd comes out of Debian's packages" "$work/out"; exit 1; }
fi
mkdir "$work/inventory"
cp "$(lab path)/inventory.ini" "$work/inventory/hosts.ini"
printf '[lab:children]\nk8s\n' > "$work/inventory/lab.ini"
ln -s "$PWD/inventories/group_vars" "$work/inventory/group_vars"

# NAME ARGUMENT...: runs kubernetes.yml (or what PLAYBOOK names), its output is $work/NAME
play() {
  local name=$1 book=${PLAYBOOK:-kubernetes.yml} only=("${tags[@]}")
  shift
  case "$book $*" in *--tags*) only=() ;; kubernetes.yml*) ;; *) only=() ;; esac
  echo "$book: $name"
  SECONDS=0
  "$rplay" -i "$work/inventory" -e "ssl_dir=$work/pki" "$book" "${only[@]}" "$@" > "$work/$name" 2>&1
  local status=$?
  echo "  $SECONDS s"
  if [ "$status" = 0 ]; then pass "$name: ends well"; else fail "$name: ends with $status" "$work/$name"; fi
}
hosts=$(grep -c 'ansible_host=' "$work/inventory/hosts.ini")
# NAME KEY: every host's line of the recap has KEY=0
none() {
  local found
  found=$(sed -n '/^PLAY RECAP/,$p' "$work/$1" | grep -c " $2=0 ")
  if [ "$found" = "$hosts" ]; then pass "$1: $2=0 on $hosts hosts"
  else fail "$1: $2=0 on $found of $hosts hosts" "$work/$1" 200; fi
}

# the same for a playbook that concerns only some hosts: no line of the recap has another count
none_of() {
  if sed -n '/^PLAY RECAP/,$p' "$work/$1" | grep -q " $2=[1-9]"; then fail "$1: $2=0" "$work/$1" 200; else pass "$1: $2=0"; fi
}

# NAME HOST COUNT: what check mode cannot know on that host; lower a ceiling when a role or module learns to predict, never raise it
unknown_at_most() {
  local found
  found=$(sed -n '/^PLAY RECAP/,$p' "$work/$1" | sed -n "s/^$2 .* unknown=\([0-9]*\).*/\1/p")
  if [ "${found:-0}" -le "$3" ]; then pass "$1: unknown=${found:-0} on $2, at most $3"; else fail "$1: unknown=$found on $2, at most $3" "$work/$1" 200; fi
}

play fresh-check --check --diff
none fresh-check failed
if [ ${#tags[@]} = 0 ]; then
  unknown_at_most fresh-check etcd-01 15
  unknown_at_most fresh-check kube-master-01 82
  unknown_at_most fresh-check kube-worker-01 55
  unknown_at_most fresh-check kube-worker-02 55
fi
check "fresh-check: no certificate was made" test ! -e "$work/pki"
play first
none first failed
play second
none second changed
none second failed
if [ ${#tags[@]} = 0 ]; then
  play tests --tags test
  none tests changed
  none tests failed
  PLAYBOOK=smoke.yml play smoke
  grep '^skipping\|because' "$work/smoke" | grep -i polic | head -n 2
  PLAYBOOK=nginx.yml play nginx
  PLAYBOOK=nginx.yml play nginx-again
  none_of nginx-again changed
fi
play converged-check --check --diff
none converged-check changed
none converged-check failed
if grep -q '^[-+][-+][-+] \(before\|after\)' "$work/converged-check"; then fail "converged-check: no diff" "$work/converged-check"; else pass "converged-check: no diff"; fi
# The gate that users copy: every role passes it.
play gate --idempotence=check-only
check "gate: idempotent, and nothing that cannot be told" grep -q '^IDEMPOTENT: [0-9]* clean, 0 would change, 0 unverifiable' "$work/gate"
# The administrator's kubeconfig beside somebody else's.
cat > "$work/kubeconfig" <<'END'
apiVersion: v1
clusters: [{name: other, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: me, user: {token: secret}}]
contexts: [{name: other, context: {cluster: other, user: me}}]
current-context: other
END
kubeconfig() { PLAYBOOK=kubectl.yml play "$1" --skip-tags test -e "kubectl_config=$work/kubeconfig" -e kubernetes_api_endpoint=lb.example; }
kubeconfig kubectl
check "kubectl: our server is there" grep -q 'server: https://lb.example:6443$' "$work/kubeconfig"
check "kubectl: theirs too" grep -q 'server: https://192.0.2.1:6443$' "$work/kubeconfig"
same "kubectl: nobody else can read it" 600 "$(stat -c %a "$work/kubeconfig")"
kubeconfig kubectl-second
check "kubectl-second: changed=0" grep -q 'changed=0 ' "$work/kubectl-second"

check "the lab is reset" lab reset
play reset-check --check
none reset-check failed
check "reset-check: read-only commands that were not run leave folders known" grep -q '^changed: .*item=/opt/bin)' "$work/reset-check"
