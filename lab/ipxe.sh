#!/bin/sh
# Takes iPXE's first stages out of Debian's package, for boot servers that cannot install it.
#   ipxe.sh [CACHE]      prints the folder: undionly.kpxe (BIOS), ipxe.efi (UEFI), ipxe.lkrn
set -eu
command -v fetch >/dev/null || . "$(dirname "$0")/debian.sh"
cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/rplay}/artifacts
found=$(find "$cache" -maxdepth 2 -path "$cache/ipxe-*/SOURCE" 2>/dev/null | sort | tail -n 1)
if [ -z "$found" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.ipxe.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  fetch bookworm "$work" ipxe
  version=$(dpkg-deb -f "$work"/debs/ipxe_*.deb Version)
  mkdir "$work/ready"
  cp -L "$work/root/usr/lib/ipxe/undionly.kpxe" "$work/root/boot/ipxe.efi" "$work/root/boot/ipxe.lkrn" "$work/ready/"
  (cd "$work/ready" && sha256sum undionly.kpxe ipxe.efi ipxe.lkrn > SHA256SUMS)
  echo "debian package ipxe $version" > "$work/ready/SOURCE"
  chmod 755 "$work/ready"
  mv "$work/ready" "$cache/ipxe-$version"
  found=$cache/ipxe-$version/SOURCE
fi
dirname "$found"
