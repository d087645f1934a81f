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
