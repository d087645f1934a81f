#!/bin/sh
# Builds the root file system that lab hosts share, from Debian packages: no Python, no image, no registry.
#   base.sh SUITE TARGET [MIRROR]      (root; TARGET must not exist)
# Its text is the recipe: the cache is named by a hash of this file, so an edit here builds a new base.
set -eu
suite=$1 target=$2 mirror=${3:-http://deb.debian.org/debian}

packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,passwd,iproute2,iputils-ping,iptables,nftables
packages=$packages,ca-certificates,curl,wget,procps,kmod,conntrack,ebtables,ethtool,socat,ipset,bridge-utils,netbase
packages=$packages,less,openssl,rsync,tar,gzip,xz-utils,bzip2
# what roles configure, since hosts of the lab cannot install anything: the masters' common address, PXE, HTTP
packages=$packages,keepalived,dnsmasq,nginx-light

mmdebstrap --mode=root --variant=minbase --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$suite" "$target" "$mirror"

echo 'I: preparing the base for the lab...' >&2
# users: core has sudo without a password, ops has it with the password "lab" (for tests of become)
chroot "$target" useradd -m -s /bin/bash core
chroot "$target" useradd -m -s /bin/bash ops
echo 'ops:lab' | chroot "$target" chpasswd
printf 'core ALL=(ALL) NOPASSWD:ALL\nops ALL=(ALL) ALL\n' > "$target/etc/sudoers.d/lab"
chmod 440 "$target/etc/sudoers.d/lab"

# what makes no sense in a host without hardware, consoles and its own kernel
chroot "$target" systemctl mask systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-udev-trigger.service getty@.service console-getty.service getty.target systemd-logind.service \
  systemd-modules-load.service 2>/dev/null
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer e2scrub_reap.service; do
  chroot "$target" systemctl disable "$unit" 2>/dev/null || true
done
# roles start these where they want them
for unit in keepalived.service dnsmasq.service nginx.service; do chroot "$target" systemctl disable "$unit" 2>/dev/null; done
[ -z "$(find "$target/usr" -name 'python3*' -path '*/bin/*')" ] || { echo 'error: a package brought Python into the base' >&2; exit 1; }

: > "$target/etc/machine-id"; rm -f "$target/var/lib/dbus/machine-id"      # every host makes its own
rm -f "$target"/etc/ssh/ssh_host_*                                         # the lab brings one
printf 'UseDNS no\nGSSAPIAuthentication no\nPermitRootLogin prohibit-password\n' > "$target/etc/ssh/sshd_config.d/lab.conf"
mkdir -p "$target/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=64M\n' > "$target/etc/systemd/journald.conf.d/lab.conf"

# mmdebstrap leaves the builder's sources and resolver in the base
rm -f "$target"/etc/apt/sources.list.d/*
printf 'deb %s %s main\n' "$mirror" "$suite" > "$target/etc/apt/sources.list"
rm -f "$target/etc/resolv.conf"; : > "$target/etc/resolv.conf"
rm -rf "$target"/var/cache/apt/* "$target"/var/lib/apt/lists/* "$target"/var/log/apt/* "$target"/var/log/dpkg.log
