#!/bin/sh
# Cuts the smallest host out of a Debian base: busybox and sshd, nothing else. No Python, Perl, coreutils, sudo, systemd.
#   busybox.sh BASE TARGET
set -eu
base=$1 target=$2
command -v fetch >/dev/null || . "$(dirname "$0")/debian.sh"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fetch bookworm "$work" busybox-static

echo 'I: putting the host together...' >&2
mkdir -p "$target/bin" "$target/sbin" "$target/usr/bin" "$target/usr/sbin" "$target/etc/ssh" "$target/root" "$target/home" \
  "$target/proc" "$target/sys" "$target/dev" "$target/run" "$target/var/empty" "$target/var/log" "$target/var/tmp" "$target/tmp" "$target/opt"
chmod 1777 "$target/tmp" "$target/var/tmp"
cp "$work/root/bin/busybox" "$target/bin/busybox"
# a file that rplay or ssh would miss among applets must be missing here too: only what busybox itself offers
chroot "$target" /bin/busybox --install -s

copy() { mkdir -p "$target$(dirname "$1")"; cp -L "$base$1" "$target$1"; }
copy /usr/sbin/sshd
# newer sshd is split into several programs
for program in sshd-session sshd-auth; do [ ! -e "$base/usr/lib/openssh/$program" ] || copy "/usr/lib/openssh/$program"; done
for program in /usr/sbin/sshd /usr/lib/openssh/sshd-session /usr/lib/openssh/sshd-auth; do
  [ -e "$target$program" ] || continue
  chroot "$base" ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do copy "$library"; done
done

cat > "$target/etc/passwd" <<END
root:x:0:0:root:/root:/bin/sh
sshd:x:100:65534::/run/sshd:/bin/false
core:x:1000:1000::/home/core:/bin/sh
ops:x:1001:1001::/home/ops:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
printf 'root:x:0:\ncore:x:1000:\nops:x:1001:\nnogroup:x:65534:\n' > "$target/etc/group"
printf 'root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\ncore:*:19000:0:99999:7:::\nops:*:19000:0:99999:7:::\n' > "$target/etc/shadow"
chmod 640 "$target/etc/shadow"
for user in core:1000 ops:1001; do mkdir "$target/home/${user%:*}"; chown "${user#*:}:${user#*:}" "$target/home/${user%:*}"; done
printf 'NAME="busybox lab host"\nID=busybox\nPRETTY_NAME="busybox lab host"\n' > "$target/etc/os-release"
printf '/bin/sh\n' > "$target/etc/shells"
printf 'UsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n' > "$target/etc/ssh/sshd_config"
printf '::sysinit:/bin/mkdir -p /run/sshd\n::respawn:/usr/sbin/sshd -D\n::shutdown:/bin/true\n' > "$target/etc/inittab"
rm -f "$target/sbin/init"; ln -s /bin/busybox "$target/sbin/init"
