# A virtual machine that boots from the lab's server, a step of pxe-test.sh, which reads this. qemu's network card brings iPXE (package ipxe-qemu) that asks
# DHCP and loads boot.ipxe, its script, the kernel and the initrd; nginx's log says so. Software emulation: slow, but any machine can do it.
boot_machine() {
  ip tuntap add "$id-tap" mode tap && ip link set "$id-tap" master "$bridge" up || return 1
  on_server sh -c ': > /var/log/nginx/pxe.log'
  qemu-system-x86_64 -accel tcg -m 256 -display none -no-reboot -boot n -pidfile "$work/qemu.pid" -daemonize \
    -serial "file:$work/serial" -nic "tap,ifname=$id-tap,script=no,downscript=no,mac=$one,model=e1000" || return 1
  local left
  for left in $(seq 90); do
    on_server cat /var/log/nginx/pxe.log > "$work/requests"
    if grep -q initrd "$work/requests" || grep -q 'cpio.gz' "$work/requests"; then break; fi
    sleep 1
  done
  echo "  requests after $left s"
}
if ! command -v qemu-system-x86_64 > /dev/null; then
  echo "skipped: a virtual machine does not boot, because there is no qemu-system-x86_64 (packages qemu-system-x86, ipxe-qemu)"
else
  check "qemu: starts" boot_machine
  for path in boot.ipxe "hosts/${one//:/-}.ipxe" flatcar/standin/flatcar_production_pxe.vmlinuz flatcar/standin/flatcar_production_pxe_image.cpio.gz; do
    check "qemu: iPXE loads $path" grep -E "^$net.121 .*\"GET /$path HTTP/1.1\" 200 .*iPXE" "$work/requests"
  done
  [ ! -e "$work/qemu.pid" ] || kill "$(cat "$work/qemu.pid")"
  rm -f "$work/qemu.pid"
fi
