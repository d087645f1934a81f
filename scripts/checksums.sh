#!/bin/sh
# Fetches the SHA-256 that publishers give for the archives our roles download, into inventories/group_vars/all/checksums.yml.
#   checksums.sh [FILE]      (make checksums)
# The versions are those of the roles' defaults. Nothing is written unless every sum was found.
set -eu
cd "$(dirname "$0")/.."
file=${1:-inventories/group_vars/all/checksums.yml}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "error: $*" >&2
  echo "  help: run this where that address can be reached, or set the sum yourself after reading it from its publisher" >&2
  exit 1
}
default() { # ROLE VARIABLE: its plain value
  value=$(sed -n "s/^$2: *//p" "roles/$1/defaults/main.yml" | tr -d '"')
  [ -n "$value" ] || fail "roles/$1/defaults/main.yml has no $2"
  echo "$value"
}
get() { # URL FILE
  if command -v curl >/dev/null; then curl -fsSL --connect-timeout 15 --max-time 120 -o "$2" "$1" || fail "$1 cannot be fetched"
  else wget -q -T 15 -O "$2" "$1" || fail "$1 cannot be fetched"; fi
}
# FILE NAME: the sum on the line that ends with the archive's name; pages in HTML count too
sum() {
  found=$(sed 's/<[^>]*>/ /g' "$1" | awk -v name="$2" '{
    for (i = 1; i <= NF; i++) { if ($i == name || $i == "*" name) here = 1; if ($i ~ /^[0-9a-f]+$/ && length($i) == 64) sum = $i }
    if (here && sum) { print sum; exit } here = 0; sum = ""
  }')
  [ -n "$found" ] || fail "no SHA-256 of $2 was found in what its publisher lists"
  echo "$found"
}

etcd=$(default etcd etcd_version)
etcd_archive=etcd-v$etcd-linux-$(default etcd etcd_arch).tar.gz
get "https://github.com/etcd-io/etcd/releases/download/v$etcd/SHA256SUMS" "$work/etcd"
etcd_sum=$(sum "$work/etcd" "$etcd_archive")

pypy_archive=pypy$(default bootstrap/pypy pypy_version)-$(default bootstrap/pypy pypy_platform).tar.bz2
get https://pypy.org/checksums.html "$work/pypy"
pypy_sum=$(sum "$work/pypy" "$pypy_archive")

mkdir -p "$(dirname "$file")"
cat > "$work/sums" <<END
---
# Written by \`make checksums\` from what the publishers list.
# $etcd_archive
etcd_sha256: $etcd_sum
# $pypy_archive
pypy_sha256: $pypy_sum
END
cp "$work/sums" "$file"
echo "$file:"
grep sha256 "$file"
