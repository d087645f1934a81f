#!/bin/sh
# Kubernetes' programs. Both releases that go/ pins come through here: the current one and, for upgrades, the one before.
set -eu
. "$(dirname "$0")/common.sh"
programs='kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl kubelet'
case $1 in
release)
  for program in $programs; do
    published "https://dl.k8s.io/release/v$3/bin/linux/$arch/$program"
    chmod 755 "$program"
  done
  echo "upstream release v$3, https://dl.k8s.io" > SOURCE ;;
modules)
  minor=${3#*.}; minor=${minor%%.*}
  date=$(cd "$modules/$2" && go list -m -f '{{.Time.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
  flags=
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=v$3 -X $package.gitMajor=${3%%.*} -X $package.gitMinor=$minor"
    flags="$flags -X $package.gitTreeState=archive -X $package.buildDate=$date"
  done
  # one after the other: what was built before stays in Go's cache when it is interrupted
  for program in $programs; do
    say "   $program"
    go_build "$2" "$flags" "k8s.io/kubernetes/cmd/$program"
  done
  echo "Go modules k8s.io/kubernetes v$3 and its staging modules v0.$minor.${3##*.}, $(go env GOVERSION)" > SOURCE ;;
*) fail "release or modules, not $1" ;;
esac
