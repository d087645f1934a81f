#!/bin/sh
# Takes from a host what a cluster leaves beside units and files: processes of pods, mounts, control groups, data, interfaces, routes, rules, links to programs.
#   reset.sh plan|do VIP BIN_DIR RELEASE_DIR DATA_DIR...      DATA_DIR may be a disk of its own: it is emptied and stays
# Prints a line for each thing that it takes away, or with `plan` would, and nothing where there is nothing.
set -eu
mode=$1 vip=$2 bin=$3 releases=$4
shift 4
PATH=$PATH:/usr/sbin:/sbin

take() { # WHAT COMMAND...
  echo "$1"
  shift
  [ "$mode" = plan ] || "$@"
}
has() { command -v "$1" >/dev/null; }

# What a shim started ends with it; a container's first process takes the others along.
end_pods() {
  for process in $shims; do
    for status in /proc/[0-9]*/status; do
      awk -v of="$process" '$1 == "Pid:" { pid = $2 } $1 == "PPid:" && $2 == of { print pid }' "$status" 2>/dev/null || true
    done
  done | xargs -r kill -KILL 2>/dev/null || true
  # shellcheck disable=SC2086 # a list of numbers
  kill -KILL $shims 2>/dev/null || true
  sleep 1
}
shims=
for process in /proc/[0-9]*; do
  case $(readlink "$process/exe" 2>/dev/null || true) in
    */containerd-shim-runc-v2*) shims="$shims ${process#/proc/}" ;;
  esac
done
[ -z "$shims" ] || take "pods: $(echo "$shims" | wc -w)" end_pods

# What is mounted inside of the folders, and what the kubelet mounts over its own to share it: a second time, or of the same file system.
mounts() {
  cut -d' ' -f2 /proc/self/mounts | grep -E '^(/var/lib/kubelet/|/var/lib/containerd/|/run/containerd/|/run/netns/cni-|/run/calico/)' | sort -r || true
  cut -d' ' -f2 /proc/self/mounts | grep -x /var/lib/kubelet | sed 1d || true
  if mountpoint -q /var/lib/kubelet && [ "$(stat -c %d /var/lib)" = "$(stat -c %d /var/lib/kubelet)" ]; then echo /var/lib/kubelet; fi
}
unmount() {
  mounts | while read -r mount; do umount -l "$(printf '%b' "$mount")"; done
  # a folder with something mounted in it is not to be emptied
  [ -z "$(mounts)" ]
}
count=$(mounts | wc -l)
[ "$count" = 0 ] || take "mounts: $count" unmount

groups() { find /sys/fs/cgroup -depth -type d -path '*/kubepods*' 2>/dev/null || true; }
remove_groups() {
  # after a reboot systemd does not know what lies there
  systemctl stop 'kubepods*.slice' 2>/dev/null || true
  groups | xargs -r rmdir 2>/dev/null || true
}
count=$(groups | wc -l)
[ "$count" = 0 ] || take "control groups: $count" remove_groups

empty() {
  find "$1" -xdev -mindepth 1 -delete
  mountpoint -q "$1" || rmdir "$1"
}
for data; do
  [ -d "$data" ] || continue
  if ! mountpoint -q "$data" || [ -n "$(find "$data" -mindepth 1 -maxdepth 1 -print -quit)" ]; then take "data: $data" empty "$data"; fi
done

for namespace in /run/netns/cni-*; do
  [ ! -e "$namespace" ] || take "network namespace: ${namespace##*/}" rm -f "$namespace"
done

for interface in $(ip -o link show | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }'); do
  case $interface in
    cni0 | flannel.* | flannel-* | cali* | vxlan.calico | vxlan-v6.calico | wireguard.cali | kube-ipvs0 | nodelocaldns)
      take "interface: $interface" ip link delete "$interface"
      ;;
  esac
done
for protocol in 80 bird; do
  [ -z "$(ip -4 route show proto $protocol 2>/dev/null)" ] || take "routes: $protocol" ip -4 route flush proto $protocol
done
if [ -n "$vip" ]; then
  ip -o -4 address show | awk -v vip="$vip" '$4 == vip "/32" { print $2 }' | while read -r interface; do
    take "address: $vip" ip address del "$vip/32" dev "$interface"
  done
fi

ours='(KUBE-|cali-|cali:|FLANNEL-|CNI-|flanneld)'
restore() { "$1-save" | grep -vE "$ours" | "$1-restore"; }
for program in iptables ip6tables iptables-legacy ip6tables-legacy; do
  has "$program-save" || continue
  count=$("$program-save" 2>/dev/null | grep -cE "$ours" || true)
  [ "$count" = 0 ] || take "rules of $program: $count" restore "$program"
done
if has nft; then
  nft list tables | while read -r _ family table; do
    case $table in
      kube-proxy | rplay_network | calico | flannel-* | cni_*) take "table: $family $table" nft delete table "$family" "$table" ;;
    esac
  done
fi
if has ipset; then
  ipset list -n 2>/dev/null | grep -E '^(cali|KUBE-)' | while read -r set; do take "set: $set" ipset destroy "$set"; done
fi

for link in "$bin"/*; do
  case $(readlink "$link" 2>/dev/null || true) in
    "$releases"/*) take "program: ${link##*/}" rm -f "$link" ;;
  esac
done
