#!/bin/sh
# Makes what stands for Flatcar's kernel and initrd in scripts/pxe-test.sh: Debian's cloud kernel, and an initrd of busybox that asks DHCP, fetches the
# Ignition its command line names as Flatcar would, says so on the console and ends.
#   standin.sh [CACHE]      prints the folder
set -eu
command -v fetch >/dev/null || . "$(dirname "$0")/debian.sh"
cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/rplay}/artifacts
recipe=$(sha256sum < "$0")
target=$cache/flatcar-standin
if [ "$(cat "$target/RECIPE" 2>/dev/null)" != "$recipe" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.standin.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  fetch bookworm "$work/newest" linux-image-cloud-amd64
  package=$(dpkg-deb -f "$work"/newest/debs/*.deb Depends | sed 's/.*\(linux-image-[^ ]*\).*/\1/')
  fetch bookworm "$work/parts" "$package" busybox-static
  root=$work/parts/root
  modules=$(find "$root/lib/modules" -mindepth 1 -maxdepth 1)
  mkdir -p "$work/ready" "$work/initrd/bin" "$work/initrd/modules" "$work/initrd/proc" "$work/initrd/sys" "$work/initrd/dev"
  cp "$root"/boot/vmlinuz-* "$work/ready/flatcar_production_pxe.vmlinuz"
  cp "$root/bin/busybox" "$work/initrd/bin/busybox"
  for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net af_packet; do
    find "$modules" -name "$module.ko" -exec cp {} "$work/initrd/modules/" \;
  done
  cat > "$work/initrd/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec > /dev/console 2>&1
for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net af_packet; do
  [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
done
cat > /bin/lease <<'LEASE'
#!/bin/sh
[ "$1" != bound ] || { ip addr add "$ip/24" dev "$interface"; hostname "$hostname"; echo "stand-in: $hostname has $ip"; }
LEASE
chmod 755 /bin/lease
for tries in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/class/net/eth0 ] && break; sleep 1; done
ip link set eth0 up
udhcpc -i eth0 -n -q -t 10 -s /bin/lease
url=$(sed -n 's/.*ignition.config.url=\([^ ]*\).*/\1/p' /proc/cmdline)
server=$(echo "$url" | sed 's,http://\([^/]*\)/.*,\1,')
echo "stand-in: Ignition is $url"
printf 'GET %s HTTP/1.0\r\nUser-Agent: stand-in for Ignition\r\n\r\n' "/${url#http://*/}" | nc -w 20 "$server" 80 > /config
echo "stand-in: $(head -n 1 /config | tr -d '\r'), $(grep -c '"path"' /config) files"
poweroff -f
END
  chmod 755 "$work/initrd/init" "$work/initrd/bin/busybox"
  (cd "$work/initrd" && find . | cpio --quiet -o -H newc | gzip > "$work/ready/flatcar_production_pxe_image.cpio.gz")
  echo "stand-in, not Flatcar: debian packages $package, busybox-static" > "$work/ready/SOURCE"
  (cd "$work/ready" && sha256sum flatcar_production_pxe.vmlinuz flatcar_production_pxe_image.cpio.gz > SHA256SUMS)
  echo "$recipe" > "$work/ready/RECIPE"
  chmod 755 "$work/ready"
  rm -rf "$target"
  mv "$work/ready" "$target"
fi
echo "$target"
