#!/bin/sh
# Makes a portable PyPy from Debian's packages, laid out as upstream's tarballs are: NAME/bin/pypy3, NAME/lib/...
#   pypy.sh [CACHE]      prints the tarball's path and its SHA-256, which also stands beside it in PATH.sha256
# The libraries it needs travel inside and are found by a relative path in the program, so nothing has to be set to run it.
# It runs where glibc is at least that of bookworm, 2.36.
set -eu
command -v fetch >/dev/null || . "$(dirname "$0")/debian.sh"
cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/rplay}/pypy
mkdir -p "$cache"
show() { printf '%s %s\n' "$1" "$(cut -d' ' -f1 "$1.sha256")"; exit 0; }
for ready in "$cache"/pypy3*.tar.bz2; do [ ! -e "$ready.sha256" ] || show "$ready"; done

work=$(mktemp -d "$cache/work.XXXXXX"); trap 'rm -rf "$work"' EXIT
fetch bookworm "$work" patchelf libstdc++6 libgcc-s1 pypy3 pypy3-lib libffi8 libexpat1 libbz2-1.0 libtinfo6 zlib1g libssl3 \
  libsqlite3-0 libgdbm6 libncursesw6 liblzma5
root=$work/root
version=$(dpkg-deb -f "$work"/debs/pypy3_*.deb Version | sed 's/+.*//')
case $(uname -m) in x86_64) machine=linux64 ;; *) machine=$(uname -m) ;; esac
python=$(basename "$root"/usr/bin/pypy3.*)
name=$python-v$version-$machine

echo "I: packing $name..." >&2
mkdir -p "$work/$name/bin" "$work/$name/lib"
cp "$root/usr/bin/$python" "$work/$name/bin/"
ln -s "$python" "$work/$name/bin/pypy3"; ln -s "$python" "$work/$name/bin/pypy"
cp -a "$root/usr/lib/$python" "$work/$name/lib/"
rm -rf "$work/$name/lib/$python/EXTERNALLY-MANAGED"
find "$root/lib" "$root/usr/lib" -maxdepth 2 -name '*.so*' ! -name 'libstdc*' -exec cp -a {} "$work/$name/lib/" \;
# DT_RPATH, unlike DT_RUNPATH, also counts for what the libraries load themselves
LD_LIBRARY_PATH=$(echo "$root"/usr/lib/*-linux-gnu):$(echo "$root"/lib/*-linux-gnu) \
  "$root/usr/bin/patchelf" --force-rpath --set-rpath "\$ORIGIN/../lib" "$work/$name/bin/$python"
"$work/$name/bin/pypy3" -c 'import ssl, ctypes, sqlite3, curses, lzma, bz2, fcntl, zlib, hashlib' >&2

# the same packages give the same bytes
find "$work/$name" -name __pycache__ -prune -exec rm -rf {} +
tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cjf "$work/$name.tar.bz2" "$name"
(cd "$work" && sha256sum "$name.tar.bz2" > "$cache/$name.tar.bz2.sha256")
mv "$work/$name.tar.bz2" "$cache/"
show "$cache/$name.tar.bz2"
