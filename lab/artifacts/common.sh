# What the scripts of this folder share; each reads it. They run in the folder they fill.
#   lab/artifacts.sh calls   COMPONENT.sh release|modules MODULE-FOLDER VERSION
# shellcheck shell=sh disable=SC2034,SC2154
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $here in */artifacts) ;; *) here=$here/artifacts ;; esac
artifacts=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/artifacts
modules=$here/go
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# pinned FOLDER MODULE: the version, without its v, that the folder's go.mod requires
pinned() { sed -n "s|^\(require\)*[[:space:]]*$2 v\([^ ]*\).*|\2|p" "$modules/$1/go.mod" | head -n 1; }

# published URL [SUMS]: downloads a file and compares it with the SHA-256 its publisher gives (default: URL.sha256)
published() {
  host=${1#https://}; host=${host%%/*}; file=${1##*/}
  case " ${UPSTREAM:-} " in *" $host "*) ;; *) fail "no answer from $host" ;; esac
  curl -fsSL --connect-timeout 10 --retry 2 -o "$file" "$1" || fail "$1 cannot be fetched"
  curl -fsSL --connect-timeout 10 --retry 2 -o .sums "${2:-$1.sha256}" || fail "${2:-$1.sha256} cannot be fetched"
  sum=$(awk -v name="$file" 'NF == 1 || $2 == name || $2 == "*" name { print $1; exit }' .sums)
  rm -f .sums
  [ -n "$sum" ] || fail "the publisher lists no SHA-256 of $file"
  [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$sum" ] || fail "$file has not the SHA-256 that its publisher lists"
}

# go_build FOLDER LDFLAGS PACKAGE...: builds packages of the module in FOLDER (a name in go/, or a path) into the current folder
go_build() {
  case $1 in /*) module=$1 ;; *) module=$modules/$1 ;; esac
  flags=$2 out=$PWD; shift 2
  command -v go >/dev/null || fail 'there is no Go; it builds what cannot be downloaded'
  (cd "$module" && CGO_ENABLED="${CGO_ENABLED:-0}" GOFLAGS="-buildvcs=false -mod=readonly" "${GO:-go}" build -trimpath \
    ${TAGS:+-tags "$TAGS"} -ldflags "-s -w $flags" -o "$out/" "$@")
}
