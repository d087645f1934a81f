#!/bin/bash
# etcd on real hosts: members that are stopped, leave, join and are replaced, restarts one after the other under a client that writes, snapshot
# and restore with three members and with one, defragmentation; at the end the cluster is taken off the hosts. Needs root.
#   etcd-test.sh RPLAY          (make etcd-test)
# LAB_ID and LAB_SUBNET choose another lab, KEEP=1 leaves it.
set -u
rplay=$(realpath "${1:?usage: etcd-test.sh RPLAY}")
cd "$(dirname "$0")/.." || exit 1
id=${LAB_ID:-etcdtest}
subnet=${LAB_SUBNET:-10.84.0.0/24}
net=${subnet%.*}
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

if [ "$(id -u)" != 0 ]; then echo "skipped: hosts need root; run this as root to test etcd on them"; exit; fi
if ! unshare --mount --net --pid --fork true 2> "$work/out"; then
  echo "skipped: hosts need namespaces, and this machine gives none: $(head -n 1 "$work/out")"
  exit
fi

{
  printf 'id: %s\nsubnet: %s\nhosts:\n' "$id" "$subnet"
  for n in 1 2 3; do echo "  - {name: etcd-0$n, address: $net.10$n, groups: [etcd]}"; done
  echo "  - {name: kube-master-01, address: $net.111, groups: [kube-master]}"
} > "$work/lab.yml"
if ! lab up > "$work/out" 2>&1; then fail "the lab starts" "$work/out"; exit 1; fi
"$rplay" lab etcd > "$work/out" 2>&1 || { fail "etcd comes out of Debian's packages" "$work/out"; exit 1; }
# inventory MEMBER...: $work/inventory, in which these are the members
inventory() {
  mkdir -p "$work/inventory"
  awk -v members="$*" '
    /^\[/ { inside = ($0 == "[etcd]") }
    inside && /^etcd-/ { next }
    { print }
    $0 == "[etcd]" { count = split(members, names, " "); for (i = 1; i <= count; i++) print names[i] }
  ' "$(lab path)/inventory.ini" > "$work/inventory/hosts.ini"
  printf '[lab:children]\nk8s\n[k8s]\netcd-01\netcd-02\netcd-03\n' > "$work/inventory/lab.ini"
  ln -sfn "$PWD/inventories/group_vars" "$work/inventory/group_vars"
}
# NAME PLAYBOOK ARGUMENT...: runs it, its output is $work/NAME
run() {
  local name=$1
  shift
  echo "$1: $name"
  "$rplay" -i "$work/inventory" -e "ssl_dir=$work/pki" -e "etcd_backup_dir=$work/snapshots" "$@" > "$work/$name" 2>&1
}
# the same, and it ends well
play() { if run "$@"; then pass "$1: ends well"; else fail "$1: ends with $?" "$work/$1"; fi; }
build() { play "$1" kubernetes.yml --tags ssl,etcd "${@:2}"; }
# NAME HOST KEY: the number that the recap has
recap() { sed -n "/^PLAY RECAP/,\$s/^$2 .* $3=\([0-9]*\) .*/\1/p" "$work/$1"; }
unchanged() { same "$1: changes nothing" 0 "$(sed -n '/^PLAY RECAP/,$s/.* changed=\([0-9]*\) .*/\1/p' "$work/$1" | sort -u | tr -d '\n')"; }
etcdctl() { # HOST ARGUMENT...
  lab exec "$1" -- /opt/bin/etcdctl "--endpoints=https://$net.101:2379,https://$net.102:2379,https://$net.103:2379" \
    --cacert=/etc/etcd/pki/etcd-ca.crt --cert=/etc/etcd/pki/etcd-client.crt --key=/etc/etcd/pki/etcd-client.key "${@:2}" 2> "$work/etcdctl"
}
members() { etcdctl "$1" member list | awk -F', ' '{ print $3 ":" $6 }' | sort | tr '\n' ' '; }
value() { etcdctl etcd-01 get "$1" --print-value-only; }

inventory etcd-01 etcd-02 etcd-03
build check --check
build three
build three-again
unchanged three-again
same "three: all have a vote" "etcd-01:false etcd-02:false etcd-03:false " "$(members etcd-01)"
etcdctl etcd-01 put precious kept > "$work/out"

lab exec etcd-03 -- systemctl stop etcd
if run stopped kubernetes.yml --tags test --skip-tags bootstrap,ssl,kube-master,kube-worker,network,addons; then fail "stopped: the tests fail" "$work/stopped"
else check "stopped: the tests fail, and name etcd and the member" grep -q "^fatal: \[etcd-03\]: .*\"etcd: nobody listens on https://$net.103:2379\"" "$work/stopped"; fi
build started
same "started: only that member changes" "0 0 1" "$(recap started etcd-01 changed) $(recap started etcd-02 changed) $(recap started etcd-03 changed)"

# A client that writes all the time, while all members restart.
lab exec etcd-01 -- sh -c "until [ -e /tmp/stop ]; do /opt/bin/etcdctl --command-timeout=30s --endpoints=https://$net.101:2379,https://$net.102:2379,https://$net.103:2379 \
  --cacert=/etc/etcd/pki/etcd-ca.crt --cert=/etc/etcd/pki/etcd-client.crt --key=/etc/etcd/pki/etcd-client.key put poll x 2>&1; done > /tmp/poll" &
client=$!
build restarts -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
lab exec etcd-01 -- touch /tmp/stop
wait "$client"
same "restarts: one after the other" "etcd-01 etcd-02 etcd-03 " \
  "$(awk '/^TASK \[etcd : Restart the member\]/ { getline; while ($0 != "") { print; getline } }' "$work/restarts" | sed -n 's/^changed: \[\(.*\)\]/\1/p' | tr '\n' ' ')"
same "restarts: every write was taken" "OK" "$(lab exec etcd-01 -- sort -u /tmp/poll)"
build args-again -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
unchanged args-again

inventory etcd-01
build one -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
same "one: the others are away" "etcd-01:false " "$(members etcd-01)"
build one-again -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
unchanged one-again
play backup-one etcd-backup.yml
etcdctl etcd-01 del precious > "$work/out"
play restore-one etcd-restore.yml -e "etcd_snapshot=$(find "$work/snapshots" -name '*.db')"
same "restore-one: what was deleted is back" kept "$(value precious)"

inventory etcd-01 etcd-02 etcd-03
build grown -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
same "grown: all have a vote" "etcd-01:false etcd-02:false etcd-03:false " "$(members etcd-01)"
same "grown: the member that was there does not change" 0 "$(recap grown etcd-01 changed)"

lab reset etcd-01 > "$work/out" 2>&1
build replaced -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
same "replaced: all have a vote" "etcd-01:false etcd-02:false etcd-03:false " "$(members etcd-01)"
same "replaced: the others do not change" "0 0" "$(recap replaced etcd-02 changed) $(recap replaced etcd-03 changed)"
same "replaced: the data are there" kept "$(value precious)"

rm -r "$work/snapshots"
play backup etcd-backup.yml
sleep 1
play backup-again etcd-backup.yml -e etcd_backup_keep=1
same "backup: old ones go" 1 "$(find "$work/snapshots" -name '*.db' | wc -l)"
same "backup: nobody else can read it" 600 "$(stat -c %a "$work"/snapshots/*.db)"
etcdctl etcd-02 del precious > "$work/out"
if run restore-nothing etcd-restore.yml -e "etcd_snapshot=$work/nothing"; then fail "restore-nothing: is refused" "$work/restore-nothing"
else check "restore-nothing: is refused" grep -q '^fatal: .*give a snapshot' "$work/restore-nothing"; fi
play restore etcd-restore.yml -e "etcd_snapshot=$(find "$work/snapshots" -name '*.db')"
same "restore: what was deleted is back" kept "$(value precious)"
play defrag etcd-defrag.yml
build restored -e '{"etcd_extra_args": ["--snapshot-count=50000"]}'
unchanged restored

if run unconfirmed reset.yml < /dev/null; then fail "unconfirmed: reset.yml is refused" "$work/unconfirmed"
else check "unconfirmed: reset.yml is refused" grep -q 'nothing was done' "$work/unconfirmed"; fi
same "unconfirmed: the data are there" kept "$(value precious)"
play reset reset.yml -e reset_confirm=yes
play reset-again reset.yml -e reset_confirm=yes
unchanged reset-again
same "reset: etcd is away" "" "$(lab exec etcd-01 -- sh -c 'ls /var/lib/etcd /etc/etcd /etc/systemd/system/etcd.service 2>/dev/null; pgrep -x etcd' | grep -v '^/var/lib/etcd:$')"
