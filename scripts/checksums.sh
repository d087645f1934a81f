#!/bin/sh
# Writes the SHA-256 that publishers list for what our roles download, or of what they have where they list none (`computed`): roles/cluster/defaults/main/checksums.yml for the components of
# sources.yml beside it, inventories/group_vars/all/checksums.yml for PyPy.
#   checksums.sh [CLUSTER_FILE [PYPY_FILE]]      (make checksums)
# VERSIONS="kubernetes=1.36.4 ..." asks for other versions than versions.yml has. MIRROR=ADDRESS takes everything from ADDRESS/HOST/PATH.
# Sums of other versions stay in the file. Nothing is written unless every sum was found.
set -eu
cd "$(dirname "$0")/.."
roles=roles/cluster/defaults/main
file=${1:-$roles/checksums.yml}
pypy_file=${2:-inventories/group_vars/all/checksums.yml}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "error: $*" >&2
  echo "  help: run this where that address can be reached, or set the sum yourself after reading it from its publisher" >&2
  exit 1
}
get() { # URL FILE
  url=$1
  [ -z "${MIRROR:-}" ] || url=$MIRROR/${1#https://}
  if command -v curl >/dev/null; then curl -fsSL --connect-timeout 15 --max-time 120 -o "$2" "$url" 2>/dev/null || fail "$url cannot be fetched"
  else wget -q -T 15 -O "$2" "$url" || fail "$url cannot be fetched"; fi
}
# FILE NAME: the sum on the line that ends with the name, or the only one of the file; pages in HTML count too
sum() {
  found=$(sed 's/<[^>]*>/ /g' "$1" | awk -v name="$2" '{
    here = 0; sum = ""
    for (i = 1; i <= NF; i++) {
      part = $i; sub(/^[*]/, "", part); sub(/^.*\//, "", part)
      if (part == name) here = 1
      if ($i ~ /^[0-9a-f]+$/ && length($i) == 64) { sum = $i; last = $i; count++ }
    }
    words += NF
    if (here && sum) { print sum; last = ""; exit }
  } END { if (last && count == 1 && words == 1) print last }')
  [ -n "$found" ] || fail "no SHA-256 of $2 was found in what its publisher lists"
  echo "$found"
}

# `name=value` of each version
sed -n -e 's/^cluster_\([a-z]*\)_version: */\1=/p' -e 's/^  \([a-z_]*\): *"\{0,1\}\([0-9][^"# ]*\).*/\1=\2/p' $roles/versions.yml > "$work/versions"
for version in ${VERSIONS:-}; do
  grep -q "^${version%%=*}=" "$work/versions" || fail "VERSIONS names ${version%%=*}, which versions.yml does not have"
  sed -i "s/^${version%%=*}=.*/$version/" "$work/versions"
done
plain() { sed -n "s/^$1: *//p" $roles/sources.yml; }
{
  sed 's/^\([^=]*\)=\(.*\)/s|{{ *cluster_versions[.]\1 *}}|\2|g/' "$work/versions"
  echo "s|{{ *cluster_arch *}}|$(plain cluster_arch)|g"
  echo "s|{{ *cluster_github *}}|$(plain cluster_github)|g"
} > "$work/values"

# `component key value` of each component in sources.yml, with its addresses made of the values above
awk '
  function flush() { if (key != "") print component, key, value; key = "" }
  /^[^ #]/ { flush(); inside = ($1 == "cluster_releases:"); next }
  !inside || /^ *#/ { next }
  /^  [^ ]/ { flush(); component = $1; sub(/:$/, "", component); next }
  /^    [^ ]/ { flush(); key = $1; sub(/:$/, "", key); value = $0; sub(/^[^:]*: */, "", value); if (value ~ /^[>|]/) value = ""; next }
  { line = $0; sub(/^ */, "", line); value = value (value == "" ? "" : " ") line }
  END { flush() }
' $roles/sources.yml | sed -f "$work/values" | tr -d '"' > "$work/releases"
! grep -q '{{' "$work/releases" || fail "$roles/sources.yml has an address that this script cannot read: $(grep '{{' "$work/releases" | head -n 1)"
[ -s "$work/releases" ] || fail "$roles/sources.yml has no component"
of() { sed -n "s/^$1 $2 //p" "$work/releases"; }

cut -d' ' -f1 "$work/releases" | uniq > "$work/components"
while read -r component; do
  version=$(sed -n "s/^$component=//p" "$work/versions")
  if [ "$(of "$component" computed)" = true ]; then
    for program in $(of "$component" programs | tr -d '[],'); do
      get "$(of "$component" file)$program" "$work/content"
      echo "$component-$version/$program: $(sha256sum < "$work/content" | cut -d' ' -f1)"
    done
    continue
  fi
  sums=$(of "$component" sums)
  [ -n "$sums" ] || fail "$roles/sources.yml does not say where the publisher of $component lists sums"
  archive=$(of "$component" archive)
  if [ -n "$archive" ]; then
    get "$sums" "$work/sums"
    found=$(sum "$work/sums" "${archive##*/}")
    echo "$component-$version/${archive##*/}: $found"
    continue
  fi
  for program in $(of "$component" programs | tr -d '[],'); do
    get "$(echo "$sums" | sed "s/PROGRAM/$program/")" "$work/sums"
    found=$(sum "$work/sums" "$program$(of "$component" suffix)")
    echo "$component-$version/$program: $found"
  done
done < "$work/components" > "$work/found"

pypy() { sed -n "s/^$1: *//p" roles/bootstrap/pypy/defaults/main.yml | tr -d '"'; }
pypy_archive=pypy$(pypy pypy_version)-$(pypy pypy_platform).tar.bz2
get https://pypy.org/checksums.html "$work/sums"
pypy_sum=$(sum "$work/sums" "$pypy_archive")

: > "$work/kept"
[ ! -e "$file" ] || sed -n 's/^  \([^ ]*: [0-9a-f]\{64\}\)$/\1/p' "$file" | while read -r key rest; do
  grep -q "^$key " "$work/found" || echo "$key $rest"
done > "$work/kept"
{
  sed '/^cluster_checksums:/,$d' $roles/checksums.yml
  echo "cluster_checksums:"
  sort "$work/found" "$work/kept" | sed 's/^/  /'
} > "$work/file"
mkdir -p "$(dirname "$file")" "$(dirname "$pypy_file")"
cp "$work/file" "$file"
cat > "$pypy_file" <<END
---
# Written by \`make checksums\` from what the publisher lists.
# $pypy_archive
pypy_sha256: $pypy_sum
END
echo "$file:"
sed -n '/^  /p' "$file"
echo "$pypy_file:"
grep sha256 "$pypy_file"
