#!/bin/bash
# The shipped playbooks on real hosts: a lab of its own, made and taken away again. Needs root; says so and passes over it without.
#   roles-test.sh RPLAY          (make roles-test)
# LAB_ID and LAB_SUBNET choose another lab, KEEP=1 leaves it.
set -u
rplay=$(realpath "${1:?usage: roles-test.sh RPLAY}")
cd "$(dirname "$0")/.." || exit 1
id=${LAB_ID:-citest}
subnet=${LAB_SUBNET:-10.79.0.0/24}
work=$(mktemp -d)
passed=0
failed=0
export ANSIBLE_NOCOLOR=1

pass() { passed=$((passed + 1)); echo "ok: $1"; }
fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  [ -z "${2:-}" ] || sed 's/^/    /' "$2" | tail -n "${3:-60}"
}
# NAME COMMAND...: passes when the command does
check() {
  local name=$1
  shift
  if "$@" > "$work/out" 2>&1; then pass "$name"; else fail "$name" "$work/out"; fi
}
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
same() { # NAME WANTED GOT
  if [ "$2" = "$3" ]; then pass "$1"; else printf 'wanted: %s\n   got: %s\n' "$2" "$3" > "$work/out"; fail "$1" "$work/out"; fi
}
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
{ "$rplay" lab pypy && "$rplay" lab etcd; } > "$work/out" 2>&1 || { fail "PyPy and etcd come out of Debian's packages" "$work/out"; exit 1; }
mkdir "$work/inventory"
cp "$(lab path)/inventory.ini" "$work/inventory/hosts.ini"
printf '[lab:children]\nk8s\n' > "$work/inventory/lab.ini"
ln -s "$PWD/inventories/group_vars" "$work/inventory/group_vars"

# NAME ARGUMENT...: runs kubernetes.yml, its output is $work/NAME
play() {
  local name=$1
  shift
  echo "kubernetes.yml: $name"
  SECONDS=0
  "$rplay" -i "$work/inventory" -e "ssl_dir=$work/pki" kubernetes.yml "$@" > "$work/$name" 2>&1
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

play fresh-check --check --diff
none fresh-check failed
check "fresh-check: no certificate was made" test ! -e "$work/pki"
play first
none first failed
play second
none second changed
none second failed
play tests --tags test
none tests changed
none tests failed
play converged-check --check --diff
none converged-check changed
none converged-check failed
if grep -q '^[-+][-+][-+] \(before\|after\)' "$work/converged-check"; then fail "converged-check: no diff" "$work/converged-check"; else pass "converged-check: no diff"; fi
check "the lab is reset" lab reset
play reset-check --check
none reset-check failed
check "reset-check: read-only commands that were not run leave folders known" grep -q '^changed: .*item=/opt/bin)' "$work/reset-check"
