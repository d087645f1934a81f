#!/bin/sh
# Builds ignition-check from Go modules: Ignition's own parser and Butane, to check what the role pxe writes.
#   ignition.sh      prints the program
set -eu
. "$(dirname "$0")/artifacts/common.sh"
folder=$artifacts/ignition-$(pinned ignition github.com/coreos/ignition/v2)
recipe=$(cat "$modules/ignition/main.go" "$modules/ignition/go.mod" | sha256sum)
if [ "$(cat "$folder/RECIPE" 2>/dev/null)" != "$recipe" ]; then
  mkdir -p "$artifacts"
  work=$(mktemp -d "$artifacts/.ignition.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && go_build ignition '' .)
  mv "$work/ignition" "$work/ignition-check"
  echo "Go modules github.com/coreos/ignition/v2 v$(pinned ignition github.com/coreos/ignition/v2), github.com/coreos/butane v$(pinned ignition github.com/coreos/butane), $(go env GOVERSION)" > "$work/SOURCE"
  (cd "$work" && sha256sum ignition-check > SHA256SUMS)
  echo "$recipe" > "$work/RECIPE"
  chmod 755 "$work"
  rm -rf "$folder"
  mv "$work" "$folder"
fi
echo "$folder/ignition-check"
