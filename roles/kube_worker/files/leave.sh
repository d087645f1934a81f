#!/bin/sh
# Ends the pods that are left on a node whose kubelet is stopped, unmounts what they had and empties folders. Says what it did.
#   leave.sh CTR FOLDER...
set -eu
ctr=$1
shift
if [ -S /run/containerd/containerd.sock ] && [ -x "$ctr" ]; then
  for id in $("$ctr" --namespace k8s.io containers list --quiet); do
    "$ctr" --namespace k8s.io tasks kill --all --signal SIGKILL "$id" 2>/dev/null || true
    "$ctr" --namespace k8s.io tasks delete --force "$id" >/dev/null 2>&1 || true
    "$ctr" --namespace k8s.io containers delete "$id" >/dev/null 2>&1 || true
    echo "container $id"
  done
fi
if systemctl --quiet is-active containerd; then
  systemctl disable --quiet --now containerd
  echo containerd
fi
# deepest first: later lines of the table may lie within earlier ones
awk '$2 ~ "^/(var/lib/kubelet/|run/containerd/|run/netns/cni-)" { print $2 }' /proc/mounts | sort -r | while read -r path; do
  umount -l "$path"
  echo "mount $path"
done
for name in $(ip netns list | awk '/^cni-/ { print $1 }'); do
  ip netns delete "$name"
  echo "network $name"
done
# the folders stay: they may be disks of their own
for folder in "$@"; do
  if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then
    find "$folder" -xdev -mindepth 1 -delete
    echo "folder $folder"
  fi
done
