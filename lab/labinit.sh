#!/bin/sh
# Runs as PID 1 of a lab host's new namespaces: builds the host's view of the machine, then becomes its init.
# Everything it mounts lives in this mount namespace and goes away with the host.
set -eu
name=$LAB_NAME home=$LAB_HOME root=$LAB_HOME/root

# The lab puts eth0 here, moves our parent out of the host's cgroup, and only then answers.
echo ready
read -r answer
[ "$answer" = go ] || exit 1
exec >>"$home/boot.log" 2>&1 </dev/null

echo "$name" > /proc/sys/kernel/hostname
ip link set lo up
ip address add "$LAB_ADDRESS/$LAB_PREFIX" dev eth0
ip link set eth0 up
ip route add default via "$LAB_GATEWAY"

mount -t overlay "$LAB_SOURCE" -o "lowerdir=$LAB_LOWER,upperdir=$home/upper,workdir=$home/work" "$root"
mount --make-private "$root"
echo "$name" > "$root/etc/hostname"
: > "$root/etc/resolv.conf"                       # no name server is reachable from a lab host: fail fast
printf '127.0.0.1 localhost\n%s %s\n' "$LAB_ADDRESS" "$name" > "$root/etc/hosts"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
node() { mknod -m "$1" "$root/dev/$2" c "$3" "$4"; }
node 666 null 1 3; node 666 zero 1 5; node 666 full 1 7; node 666 random 1 8; node 666 urandom 1 9
node 666 tty 5 0; node 666 kmsg 1 11; node 600 console 1 3; node 666 fuse 10 229
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/net"
node 666 net/tun 10 200
ln -s /proc/self/fd "$root/dev/fd"; ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"; ln -s pts/ptmx "$root/dev/ptmx"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/lock"

cgroups() {                                       # the same layout as the controller's, seen from our own cgroup
  if [ "$LAB_LAYOUT" = unified ]; then mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"; return; fi
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  for pair in $LAB_HIERARCHIES; do
    folder=$root/sys/fs/cgroup/${pair%%=*} options=${pair#*=}
    mkdir "$folder"
    if [ "$options" = unified ]; then mount -t cgroup2 cgroup2 "$folder"; else mount -t cgroup -o "$options" cgroup "$folder"; fi
    case ${pair%%=*} in *,*) for alias in $(echo "${pair%%=*}" | tr , ' '); do ln -s "${pair%%=*}" "$root/sys/fs/cgroup/$alias"; done ;; esac
  done
  mount -o remount,ro "$root/sys/fs/cgroup"
}

storage() {                                       # overlayfs cannot be the upper layer of another overlay
  for folder in containerd kubelet docker etcd; do
    mkdir -p "$home/data/$folder" "$root/var/lib/$folder"
    mount --bind "$home/data/$folder" "$root/var/lib/$folder"
  done
}

shadow() {                                        # a write to a sysctl without a namespace stays inside the host
  [ -e "$root/proc/sys/$1" ] || return 0
  file=$root/run/sysctl-shadow/$(echo "$1" | tr / .)
  echo "$2" > "$file"
  mount --bind "$file" "$root/proc/sys/$1"
}

modules() {                                       # modprobe must find what the controller's kernel has
  release=$(uname -r) modules=$root/usr/lib/modules/$(uname -r)
  mkdir -p "$modules"
  if [ -e /proc/modules ] && [ -d "/lib/modules/$release" ]; then
    mount --bind "/lib/modules/$release" "$modules"
    mount -o remount,bind,ro "$modules"
  elif [ ! -e "$modules/modules.builtin.bin" ]; then
    printf 'kernel/fs/overlayfs/overlay.ko\nkernel/net/bridge/br_netfilter.ko\nkernel/net/netfilter/nf_conntrack.ko\nkernel/drivers/net/vxlan/vxlan.ko\n' > "$modules/modules.builtin"
    : > "$modules/modules.order"
    chroot "$root" depmod "$release" || true
  fi
}

mkdir -p "$root/run/sysctl-shadow"
shadow kernel/panic 10; shadow kernel/panic_on_oops 1; shadow vm/overcommit_memory 1; shadow vm/panic_on_oom 0
shadow kernel/keys/root_maxkeys 1000000; shadow kernel/keys/root_maxbytes 25000000
if [ "$LAB_KIND" = systemd ]; then cgroups; storage; modules; fi

mkdir -p "$root/.oldroot"
cd "$root"
pivot_root . .oldroot
umount -l /.oldroot
rmdir /.oldroot 2>/dev/null || true
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=rplay-lab TERM=dumb /sbin/init
