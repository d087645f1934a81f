#!/bin/sh
# Fills a cache outside of the project with what the lab's cluster runs: programs, images, manifests.
#   artifacts.sh [WHAT...]      (make artifacts)  WHAT: names below or of images; default: everything that is missing;
#                               `cluster`: all but Calico, the earlier Kubernetes, which upgrades begin from, and static pods' images
# Each comes from the first source that works: its publisher's release, else Go modules pinned in artifacts/go; images also hold Debian's packages.
# What is there stays; a folder appears in the cache only when it is complete, so an interrupted run goes on where it was.
set -eu
. "$(dirname "$0")/artifacts/common.sh"

# component              folder in go/          module of its version, or =version                time to build on two idle cores
components='
etcd                    etcd                    go.etcd.io/etcd/server/v3                   1-minute
containerd              containerd              github.com/containerd/containerd/v2         2-minutes
runc                    runc                    github.com/opencontainers/runc              1-minute
cni                     cni                     github.com/containernetworking/plugins      1-minute
kubernetes              kubernetes              k8s.io/kubernetes                           8-minutes
coredns                 coredns                 github.com/coredns/coredns                  1-minute
flannel                 flannel                 github.com/flannel-io/flannel               1-minute
metrics-server          metrics-server          sigs.k8s.io/metrics-server                  1-minute
local-path-provisioner  local-path-provisioner  github.com/rancher/local-path-provisioner   1-minute
kubernetes              kubernetes-previous     k8s.io/kubernetes                           8-minutes
calico                  calico                  =3.28.5                                     3-minutes
'

# file         full name of the image                                         component it is made from
v() { pinned "$1" "$2"; }
images="
pause          registry.k8s.io/pause:3.10.2                                    -
coredns        registry.k8s.io/coredns/coredns:v$(v coredns github.com/coredns/coredns)  coredns
flannel        ghcr.io/flannel-io/flannel:v$(v flannel github.com/flannel-io/flannel)  flannel
metrics-server registry.k8s.io/metrics-server/metrics-server:v$(v metrics-server sigs.k8s.io/metrics-server)  metrics-server
local-path     docker.io/rancher/local-path-provisioner:v$(v local-path-provisioner github.com/rancher/local-path-provisioner)  local-path-provisioner
busybox        docker.io/library/busybox:1.37                                  -
nginx          docker.io/library/nginx:1.26                                    -
redis          docker.io/library/redis:8                                       -
calico-node    quay.io/calico/node:v3.28.5-modules                             calico
calico-cni     quay.io/calico/cni:v3.28.5-modules                              calico
calico-kube-controllers quay.io/calico/kube-controllers:v3.28.5-modules        calico
kube-apiserver registry.k8s.io/kube-apiserver:v$(v kubernetes k8s.io/kubernetes)  kubernetes
kube-controller-manager registry.k8s.io/kube-controller-manager:v$(v kubernetes k8s.io/kubernetes)  kubernetes
kube-scheduler registry.k8s.io/kube-scheduler:v$(v kubernetes k8s.io/kubernetes)  kubernetes
guestbook      docker.io/rplay/guestbook-standin:1                             -
headlamp       docker.io/rplay/headlamp-standin:1                              -
"

# one at a time: two runs would build the same things
mkdir -p "$artifacts"
exec 9> "$artifacts/.lock"
flock -n 9 || { say '== another run is at work: waiting for it'; flock 9; }

# which publishers answer; asked once, and only when something is missing
probe() {
  [ -z "${probed:-}" ] || return 0
  probed=yes UPSTREAM=
  for host in dl.k8s.io github.com; do
    if curl -fsSL --connect-timeout 3 --max-time 6 -o /dev/null "https://$host/" 2>/dev/null; then UPSTREAM="$UPSTREAM $host"; fi
  done
  export UPSTREAM
  if [ -n "$UPSTREAM" ]; then say "== publishers that answer:$UPSTREAM"
  else say "== no publisher answers (dl.k8s.io, github.com): building from Go modules"; fi
}

# present FOLDER RECIPE: whether the cache has it, made in this way
present() { [ -e "$1/SHA256SUMS" ] && [ "$(cat "$1/RECIPE" 2>/dev/null)" = "$2" ]; }

# component NAME FOLDER MODULE TIME
component() {
  case $3 in =*) version=${3#=} ;; *) version=$(pinned "$2" "$3") ;; esac
  target=$artifacts/$1-$version
  recipe=$(cat "$modules/$2"/go.* "$modules/$2"/*.go 2>/dev/null | sha256sum | cut -c1-16)
  ! present "$target" "$recipe" || return 0
  probe
  say "== $1 $version (about $(echo "$4" | tr - ' ') where it has to be built)"
  start=$(date +%s)
  for source in ${UPSTREAM:+release} modules; do
    rm -rf "$artifacts/.building"; mkdir "$artifacts/.building"
    if (cd "$artifacts/.building" && sh "$here/$1.sh" "$source" "$2" "$version") 2> "$artifacts/.log"; then
      (cd "$artifacts/.building" && sha256sum -- * | grep -v ' SOURCE$' > .sums && mv .sums SHA256SUMS && echo "$recipe" > RECIPE)
      rm -rf "$target"; mv "$artifacts/.building" "$target"
      say "   $(cat "$target/SOURCE"): $(($(date +%s) - start)) s, $(du -sm "$target" | cut -f1) MB"
      return 0
    fi
    sed 's/^/   /' "$artifacts/.log" | grep -v '^   I:' | tail -n 5
  done
  rm -rf "$artifacts/.building"
  failed="$failed $1-$version"
}

# image FILE FULL-NAME COMPONENT
image() {
  tag=${2##*:}; version=${tag#v}; version=${version%-modules}
  target=$artifacts/images/$1-${tag#v}.tar
  recipe=$( (cat "$here/images.sh" "$here/image.sh" "$modules"/lab/*.mod "$modules"/lab/*/*.go; echo "$2"
    [ "$3" != calico ] || cat "$here/calico-node.sh"
    [ "$3" = - ] || cat "$artifacts/$3-$version/SHA256SUMS" 2>&1) | sha256sum | cut -c1-16)
  if [ -e "$target" ] && [ "$(cat "$artifacts/images/.$1.recipe" 2>/dev/null)" = "$recipe" ]; then return 0; fi
  say "== image $2 (a few seconds)"
  start=$(date +%s)
  rm -rf "$artifacts/.building"; mkdir -p "$artifacts/.building" "$artifacts/images"
  if (cd "$artifacts/.building" && sh "$here/images.sh" "${target##*/}" "$2") 2> "$artifacts/.log"; then
    mv "$artifacts/.building/${target##*/}" "$target"
    mv "$artifacts/.building/SOURCE" "$target.SOURCE"
    echo "$recipe" > "$artifacts/images/.$1.recipe"
    say "   $(($(date +%s) - start)) s, $(du -sm "$target" | cut -f1) MB"
  else
    sed 's/^/   /' "$artifacts/.log" | tail -n 5
    failed="$failed $2"
  fi
  rm -rf "$artifacts/.building"
}

failed=
wanted=" $* "
all=$images
if [ "$wanted" = ' cluster ' ]; then
  components=$(echo "$components" | grep -v 'previous\|^calico')
  images=$(echo "$images" | grep -v '^calico\|^kube-')
  wanted='  '
fi
echo "$components" > "$artifacts/.components"
while read -r name folder module time; do
  case $name,$wanted in ,*) continue ;; *,'  ' | *" $name "*) component "$name" "$folder" "$module" "$time" 9>&- <&- ;; esac
done < "$artifacts/.components"

echo "$images" > "$artifacts/.images"
while read -r file name component; do
  case $file,$wanted in ,*) continue ;; *,'  ' | *" $file "*) image "$file" "$name" "$component" 9>&- <&- ;; esac
done < "$artifacts/.images"
# which file has which image: all that are there
mkdir -p "$artifacts/images"
echo "$all" > "$artifacts/.images"
while read -r file name component; do
  tag=${name##*:}
  [ -z "$file" ] || [ ! -e "$artifacts/images/$file-${tag#v}.tar" ] || echo "$name: $file-${tag#v}.tar"
done < "$artifacts/.images" > "$artifacts/.index"
if cmp -s "$artifacts/.index" "$artifacts/images/index.yml"; then rm "$artifacts/.index"; else mv "$artifacts/.index" "$artifacts/images/index.yml"; fi

# resources that modules bring, under one name whatever the version
calico=$(echo "$components" | sed -n 's/^calico .*=\([^ ]*\).*/\1/p')
if [ -e "$artifacts/calico-$calico/crds.yaml" ]; then
  mkdir -p "$artifacts/manifests"
  ln -sfn "../calico-$calico/crds.yaml" "$artifacts/manifests/calico-crds.yaml"
fi
rm -rf "$artifacts/.components" "$artifacts/.images" "$artifacts/.log" "$artifacts/.apt"

# what the roles ask for must be what was made
sed -n 's/^  *\([a-z_]*\): \([0-9.]*\)$/\1 \2/p; s/^cluster_\([a-z]*\)_version: \([0-9.]*\)$/\1 \2/p' \
  "$here/../../roles/cluster/defaults/main/versions.yml" > "$artifacts/.versions"
while read -r name version; do
  case $name in
  etcd | containerd | runc | cni | kubernetes | coredns | flannel) ;;
  metrics_server | local_path) name=$(echo "$name" | sed 's/_/-/; s/local-path/&-provisioner/') ;;
  *) continue ;;
  esac
  case $failed,$wanted in ,'  ') [ -e "$artifacts/$name-$version/SHA256SUMS" ] || failed=" $name-$version (roles/cluster asks for it; artifacts/go pins another)" ;; esac
done < "$artifacts/.versions"
rm -f "$artifacts/.versions"

if [ -n "$failed" ]; then fail "these could not be made:$failed"; fi
say "artifacts: complete in $artifacts"
