#!/bin/sh
# Takes etcd and etcdctl out of Debian's packages (bookworm: etcd 3.4), for hosts that cannot download anything.
#   etcd.sh [CACHE]      prints the folder with the two programs
set -eu
command -v fetch >/dev/null || . "$(dirname "$0")/debian.sh"
target=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/rplay}/etcd
if [ ! -e "$target/VERSION" ]; then
  mkdir -p "$target"
  work=$(mktemp -d "$target/work.XXXXXX"); trap 'rm -rf "$work"' EXIT
  fetch bookworm "$work" etcd-server etcd-client
  cp "$work/root/usr/bin/etcd" "$work/root/usr/bin/etcdctl" "$target/"
  dpkg-deb -f "$work"/debs/etcd-server_*.deb Version > "$work/VERSION"
  (cd "$target" && sha256sum etcd etcdctl > SHA256SUMS)
  mv "$work/VERSION" "$target/VERSION"
fi
echo "$target"
