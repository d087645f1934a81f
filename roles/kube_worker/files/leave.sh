#!/bin/sh
# Ends the pods that are left on a node whose kubelet is stopped, and unmounts what they had. Argument: ctr. Says what it did.
set -eu
ctr=$1
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
awk '$2 ~ "^/(var/lib/kubelet|run/containerd|run/netns/cni-)" { print $2 }' /proc/mounts | sort -r | while read -r path; do
  umount -l "$path"
  echo "mount $path"
done
for name in $(ip netns list | awk '/^cni-/ { print $1 }'); do
  ip netns delete "$name"
  echo "network $name"
done
