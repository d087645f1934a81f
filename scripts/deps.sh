#!/bin/sh
# Installs what a bare Debian lacks to build, lint and test this project, and to run the lab. Nothing happens when all is there.
#   deps.sh              (make deps)
set -eu

# program or file                      package
needed='
gcc                                    build-essential
make                                   build-essential
pkg-config                             pkg-config
/usr/include/openssl/ssl.h             libssl-dev
/usr/include/zlib.h                    zlib1g-dev
git                                    git
rsync                                  rsync
ssh                                    openssh-client
sshd                                   openssh-server
sudo                                   sudo
ip                                     iproute2
unshare                                util-linux
mount                                  mount
mmdebstrap                             mmdebstrap
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
openssl                                openssl
curl                                   curl
bzip2                                  bzip2
xz                                     xz-utils
/usr/share/doc/python3-venv            python3-venv
'
PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin

missing=$(echo "$needed" | while read -r what package; do
  case $what in
    '') ;;
    /usr/share/doc/python3-venv) python3 -c 'import ensurepip' 2>/dev/null || echo "$package" ;;
    /usr/include/openssl/*) [ -e "$what" ] || [ -n "$(find /usr/include -path "*/openssl/ssl.h" -print -quit)" ] || echo "$package" ;;
    /*) [ -e "$what" ] || echo "$package" ;;
    *) command -v "$what" >/dev/null || echo "$package" ;;
  esac
done | sort -u)

if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # a list of words
  set -- $missing
  echo "deps: installing $*"
  command -v apt-get >/dev/null || { echo "error: this is no Debian or Ubuntu; install these yourself: $*" >&2; exit 1; }
  if [ "$(id -u)" = 0 ]; then sudo=; elif command -v sudo >/dev/null; then sudo=sudo
  else echo "error: run as root: apt-get install $*" >&2; exit 1; fi
  export DEBIAN_FRONTEND=noninteractive
  # without a package list, or with an old one, the first attempt fails
  $sudo apt-get install -y -q --no-install-recommends "$@" || { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends "$@"; }
fi

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml" | head -n 1)
found=$(rustc --version 2>/dev/null | cut -d' ' -f2) || found=
case $found in
  '') rust='there is none' ;;
  *) [ "$(printf '%s\n%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" = "$wanted" ] && rust= || rust="this is $found" ;;
esac
if [ -n "$rust" ]; then
  cat >&2 <<END
error: Rust $wanted or newer is needed, and $rust; Debian's own may be too old.
  help: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && . "\$HOME/.cargo/env"
END
  exit 1
fi

# ansible-lint reads our roles and playbooks; it lives outside of the project and is used by nothing else
lint=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/lint
if [ ! -x "$lint/bin/ansible-lint" ]; then
  echo "deps: installing ansible-lint into $lint (about 30 s, once)"
  rm -rf "$lint"
  python3 -m venv "$lint"
  "$lint/bin/pip" install --quiet --disable-pip-version-check ansible-lint
fi
# the collections that our roles name, out of PyPI's package of all of them: ansible-lint wants to know their modules
if [ ! -d "$lint/collections/ansible_collections/kubernetes/core" ]; then
  echo "deps: fetching the collections kubernetes.core, ansible.posix and community.general for ansible-lint (54 MB, once)"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$lint/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$work" 'ansible==12.*'
  "$lint/bin/python3" - "$work"/ansible-*.whl "$work/collections" <<'END'
import sys, zipfile
wanted = tuple(f"ansible_collections/{name}/" for name in ("kubernetes/core", "ansible/posix", "community/general"))
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
END
  rm -rf "$lint/collections"
  mv "$work/collections" "$lint/collections"
fi
echo "deps: everything is there (Rust $found, ansible-lint in $lint)"
