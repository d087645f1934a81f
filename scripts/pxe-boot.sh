# Virtual machines that boot from the lab's server, a step of pxe-test.sh, which reads this. Software emulation: slow, but any machine can do it.
#   machine NAME MAC QEMU-ARGUMENT...       starts one
#   until_request NAME PATTERN SECONDS      waits for nginx's log
machine() {
  local name=$1 mac=$2
  shift 2
  ip link show "$id-tap" > /dev/null 2>&1 || { ip tuntap add "$id-tap" mode tap && ip link set "$id-tap" master "$bridge" up; } || return 1
  on_server sh -c ': > /var/log/nginx/pxe.log'
  qemu-system-x86_64 -accel tcg -m 512 -display none -serial "file:$work/$name.serial" -no-reboot -boot n -pidfile "$work/$name.pid" -daemonize \
    -netdev "tap,id=net,ifname=$id-tap,script=no,downscript=no" "$@" || return 1
}
until_request() {
  local left
  for left in $(seq "$3"); do
    on_server cat /var/log/nginx/pxe.log > "$work/requests"
    if grep -qF "$2" "$work/requests"; then
      echo "  $1: after $left s"
      return 0
    fi
    sleep 1
  done
  cat "$work/requests"
  on_server journalctl --no-pager -n 20 -u dnsmasq
  return 1
}
off() {
  [ ! -e "$work/$1.pid" ] || kill "$(cat "$work/$1.pid")" 2> /dev/null
  rm -f "$work/$1.pid"
  sleep 1
}
loaded() { # NAME ADDRESS PATH...: iPXE asked for these
  local name=$1 address=$2 path
  shift 2
  for path in "$@"; do check "$name: iPXE loads $path" grep -E "^$address .*\"GET /$path HTTP/1.1\" 200 .*iPXE" "$work/requests"; done
}
# TITLE NAME SECONDS: the stand-in for Flatcar, if there is one, fetches its Ignition and ends
boots() {
  if [ -n "$kernel" ]; then
    check "$1: the kernel fetches its Ignition" until_request "$2" "GET /ignition/kube-worker-01.json" "$3"
    loaded "$1" "$net.121" "${chain[@]}"
    check "$1: and gets it" grep "^$net.121 .*GET /ignition/kube-worker-01.json HTTP/1.0\" 200 .*stand-in" "$work/requests"
    sleep 2
    check "$1: it has its name and address" grep "stand-in: kube-worker-01 has $net.121" "$work/$2.serial"
  else
    check "$1: it comes to the kernel" until_request "$2" vmlinuz "$3"
    loaded "$1" "$net.121" "${chain[@]:0:3}"
  fi
  off "$2"
}
chain=("boot.ipxe" "hosts/${one//:/-}.ipxe" flatcar/standin/flatcar_production_pxe.vmlinuz flatcar/standin/flatcar_production_pxe_image.cpio.gz)
uefi=$(find /usr/share/ovmf /usr/share/OVMF -name OVMF.fd 2> /dev/null | head -n 1)

if ! command -v qemu-system-x86_64 > /dev/null; then
  echo "skipped: no virtual machine boots, because there is no qemu-system-x86_64 (packages qemu-system-x86, ipxe-qemu, ovmf)"
else
  # A network card that has iPXE itself: it asks with the user class at once.
  check "BIOS: the machine starts" machine bios "$one" -device "virtio-net-pci,netdev=net,mac=$one"
  boots BIOS bios 200
  # UEFI's own PXE knows no iPXE: DHCP's first answer, ipxe.efi by TFTP, and then the same.
  if [ -z "$uefi" ]; then
    echo "skipped: no machine with UEFI boots, because there is no OVMF (package ovmf)"
  else
    check "UEFI: the machine starts" machine uefi "$one" -bios "$uefi" -device "virtio-net-pci,netdev=net,mac=$one,romfile="
    boots UEFI uefi 300
    on_server journalctl --no-pager -u dnsmasq > "$work/journal"
    check "UEFI: it had iPXE by TFTP" grep "sent .*/ipxe.efi to $net.121" "$work/journal"
  fi
  # A machine that the inventory does not have, where others get addresses too: the menu's entry.
  play menu -e pxe_dhcp=range -e '{"pxe_range": ["'"$net"'.200", "'"$net"'.209"], "pxe_menu_default": 1, "pxe_menu_seconds": 2,
    "pxe_menu": [{"title": "A live system", "kernel": "http://'"$server"'/flatcar/standin/flatcar_production_pxe.vmlinuz", "arguments": ["quiet"]}]}'
  stranger=52:54:00:00:00:02
  check "menu: the machine starts" machine stranger "$stranger" -device "e1000,netdev=net,mac=$stranger"
  check "menu: it boots the entry" until_request menu vmlinuz 120
  off stranger
fi
