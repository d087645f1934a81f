#!/bin/sh
# runc. It is the one program that needs a C compiler (gcc and libc6-dev); libseccomp comes from Debian's packages.
set -eu
. "$(dirname "$0")/common.sh"
case $1 in
release)
  url=https://github.com/opencontainers/runc/releases/download/v$3
  published "$url/runc.$arch" "$url/runc.sha256sum"
  mv "runc.$arch" runc; chmod 755 runc
  echo "upstream release v$3, https://github.com/opencontainers/runc" > SOURCE ;;
modules)
  . "$here/../debian.sh"
  fetch bookworm "$PWD/.debian" libseccomp-dev
  library=$(dirname "$(find "$PWD/.debian/root" -name libseccomp.a)")
  seccomp=$(dpkg-deb -f .debian/debs/libseccomp-dev_*.deb Version)
  export PKG_CONFIG_PATH="$library/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$PWD/.debian/root"
  export CGO_ENABLED=1 CGO_LDFLAGS="-L$library" TAGS='seccomp netgo osusergo urfave_cli_no_docs'
  go_build "$2" '-extldflags -static' github.com/opencontainers/runc
  rm -r .debian
  echo "Go module github.com/opencontainers/runc v$3 with Debian's libseccomp $seccomp, static, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
