#!/bin/sh
# Makes one container image from programs of the cache, small programs of our own and Debian packages.
#   images.sh FILE FULL-NAME     in an empty folder; writes FILE there, and SOURCE, a line that says what is in it
# The names are those of upstream's images, so that roles need no others; what only stands in for one says so in its name.
set -eu
. "$(dirname "$0")/common.sh"
. "$here/../debian.sh"
. "$here/image.sh"
output=$1 full=$2
image=${full##*/}; tag=${image##*:}; image=${image%:*}
: > SOURCES
# what programs that set up networks need, in the versions of the hosts' own
network='libc6 iptables libxtables12 libmnl0 libnftnl11 libnetfilter-conntrack3 libnfnetlink0 nftables libnftables1 libjansson4 libgmp10
libedit2 libtinfo6 libbsd0 libmd0 conntrack ipset libipset13 iproute2 libbpf1 libelf1 zlib1g libcap2 busybox'

own() { # NAME: builds one of our programs into the image
  go_build lab '' "./$1"
  install -m 755 "$1" "$root/$1"; rm "$1"
  echo "our own program, lab/artifacts/go/lab/$1" >> SOURCES
}
from() { # COMPONENT PROGRAM PATH: a program of the cache, at PATH
  program "$1-${tag#v}" "$2"
  [ "$3" = "usr/bin/$2" ] || { mkdir -p "$root/$(dirname "$3")"; mv "$root/usr/bin/$2" "$root/$3"; }
  cat "$artifacts/$1-${tag#v}/SOURCE" >> SOURCES
}
# iptables, nft, ipset, ip, conntrack and their libraries; iptables speaks nft, as on the hosts
networking() {
  # shellcheck disable=SC2086 # a list of words
  packages bookworm $network
  take usr/sbin usr/sbin/xtables-nft-multi usr/sbin/nft sbin/ipset usr/sbin/conntrack bin/ip
  for link in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -s xtables-nft-multi "$root/usr/sbin/$link"; ln -s xtables-nft-multi "$root/usr/sbin/${link%%-*}-nft${link#"${link%%-*}"}"
  done
  # shellcheck disable=SC2046 # paths without blanks
  take "usr/lib/$triplet/xtables" $(cd debian/root && find . -path '*/xtables/*.so')
  busybox
  printf 'tcp 6 TCP\nudp 17 UDP\nicmp 1 ICMP\nsctp 132 SCTP\n' > "$root/etc/protocols"
}

skeleton
case $image in
pause) own pause; write "$output" "$full" '["/pause"]' ;;
kube-apiserver | kube-controller-manager | kube-scheduler) from kubernetes "$image" "usr/local/bin/$image"; write "$output" "$full" null "[\"$image\"]" ;;
coredns) from coredns coredns coredns; write "$output" "$full" '["/coredns"]' ;;
metrics-server) from metrics-server metrics-server metrics-server; USER_ID=65534 write "$output" "$full" '["/metrics-server"]' ;;
local-path-provisioner) from local-path-provisioner local-path-provisioner usr/bin/local-path-provisioner; write "$output" "$full" '["local-path-provisioner"]' ;;
flannel) networking; from flannel flanneld opt/bin/flanneld; write "$output" "$full" '["/opt/bin/flanneld"]' ;;
node)
  networking
  tag=${tag%-modules}
  from calico calico-node usr/bin/calico-node
  install -m 755 "$here/calico-node.sh" "$root/usr/sbin/start_runit"
  write "$output" "$full" null '["start_runit"]' ;;
cni)
  tag=${tag%-modules}
  for file in calico calico-ipam install; do from calico $file opt/cni/bin/$file; done
  write "$output" "$full" null '["/opt/cni/bin/install"]' ;;
kube-controllers)
  tag=${tag%-modules}
  from calico check-status usr/bin/check-status
  from calico kube-controllers usr/bin/kube-controllers
  USER_ID=65534 write "$output" "$full" '["/usr/bin/kube-controllers"]' ;;
guestbook-standin) own guestbook; write "$output" "$full" '["/guestbook"]' ;;
headlamp-standin) own headlamp; USER_ID=65534 write "$output" "$full" '["/headlamp"]' ;;
busybox)
  packages trixie libc6 busybox
  busybox
  mkdir -p "$root/home" "$root/var/www"
  write "$output" "$full" null '["sh"]' ;;
nginx)
  packages trixie libc6 libcrypt1 libpcre2-8-0 libssl3t64 zlib1g libzstd1 nginx nginx-common busybox
  take usr/sbin usr/sbin/nginx
  busybox
  mkdir -p "$root/etc/nginx/conf.d" "$root/usr/share/nginx/html" "$root/var/log/nginx" "$root/var/lib/nginx"
  cp debian/root/etc/nginx/mime.types "$root/etc/nginx/"
  echo '<!doctype html><title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>' > "$root/usr/share/nginx/html/index.html"
  printf 'server {\n  listen 80;\n  location / { root /usr/share/nginx/html; index index.html; }\n}\n' > "$root/etc/nginx/conf.d/default.conf"
  cat > "$root/etc/nginx/nginx.conf" <<'END'
user nobody nogroup;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  include /etc/nginx/conf.d/*.conf;
}
END
  write "$output" "$full" '["nginx"]' '["-g","daemon off;"]' ;;
redis)
  packages trixie libc6 libgcc-s1 libstdc++6 libatomic1 libjemalloc2 liblua5.1-0 liblzf1 libssl3t64 libsystemd0 libcap2 libzstd1 zlib1g \
    libhiredis1.1.0 lua-bitop lua-cjson redis-server redis-tools busybox
  take usr/bin usr/bin/redis-server usr/bin/redis-cli
  busybox
  # reached from other pods without a password, as with upstream's image
  write "$output" "$full" '["redis-server","--protected-mode","no"]' ;;
*) fail "no image is called $image" ;;
esac
sort -u SOURCES | paste -sd';' | sed 's/;/; /g' > SOURCE
