# For the test scripts of this folder, which read it: what passes and fails is said and counted. They set $work, a folder of theirs.
# shellcheck shell=bash
passed=0
failed=0
export ANSIBLE_NOCOLOR=1

pass() { passed=$((passed + 1)); echo "ok: $1"; }
# NAME [FILE [LINES]]: with the end of a file
fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  [ -z "${2:-}" ] || sed 's/^/    /' "$2" | tail -n "${3:-60}"
}
# NAME COMMAND...: passes when the command does
check() {
  local name=$1
  shift
  if "$@" > "$work/out" 2>&1; then pass "$name"; else fail "$name" "$work/out"; fi
}
# NAME WANTED GOT
same() {
  if [ "$2" = "$3" ]; then pass "$1"; else printf 'wanted: %s\n   got: %s\n' "$2" "$3" > "$work/out"; fail "$1" "$work/out"; fi
}
