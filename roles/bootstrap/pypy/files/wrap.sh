#!/bin/sh
# Puts unpack.sh in front of an archive: one file that the `script` action can carry to a host.
#   wrap.sh ARCHIVE SCRIPT
# Prints the script's path when it had to be made.
set -eu
archive=$1 script=$2
here=$(dirname "$0")
[ -f "$archive" ] || { echo "$archive does not exist" >&2; exit 1; }
[ -z "$(find "$script" -newer "$archive" -newer "$here/unpack.sh" -newer "$0" 2>/dev/null)" ] || exit 0

made=$(mktemp "$script.XXXXXX")
trap 'rm -f "$made"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck disable=SC2016 # the script that is made expands them
{
  echo '#!/bin/sh'
  echo 'archive=$(mktemp)'
  echo "tail -c $(wc -c < "$archive") \"\$0\" > \"\$archive\""
  echo 'set -- "$1" "$2" "$archive"'
  cat "$here/unpack.sh"
  echo 'exit 0'
  cat "$archive"
} > "$made"
chmod 0755 "$made"
mv "$made" "$script"
echo "$script"
