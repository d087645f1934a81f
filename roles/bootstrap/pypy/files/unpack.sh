# Unpacks an archive into a folder, all or nothing, and removes the archive.
#   unpack.sh DIR SHA256 ARCHIVE
set -eu
dir=$1 sum=$2 archive=$3 work=
trap 'rm -rf "$archive" "$work"' EXIT
trap 'exit 1' HUP INT TERM
[ "$(sha256sum < "$archive")" = "$sum  -" ] || { echo "the SHA-256 of the archive is not $sum" >&2; exit 1; }
mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.XXXXXX")
tar -xf "$archive" -C "$work" --strip-components=1
"$work/bin/pypy3" -c ''
chmod 0755 "$work"
echo "$sum" > "$work/.sha256"
rm -rf "$dir"
mv "$work" "$dir"
