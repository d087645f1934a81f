#!/bin/bash
# The boot server on a real host: the role, then a client in a network namespace of its own that asks as machines do which boot from the network:
# DHCP with and without iPXE's user class, TFTP, HTTP, Ignition. A virtual machine boots as far as iPXE's script where there is qemu. Needs root.
#   pxe-test.sh RPLAY
# LAB_ID and LAB_SUBNET choose another lab, KEEP=1 leaves it.
set -u
rplay=$(realpath "${1:?usage: pxe-test.sh RPLAY}")
cd "$(dirname "$0")/.." || exit 1
id=${LAB_ID:-pxe}
subnet=${LAB_SUBNET:-10.87.0.0/24}
net=${subnet%.*}
work=$(mktemp -d)
client=rplay-$id-client

# shellcheck source=scripts/checks.sh
. scripts/checks.sh
lab() { "$rplay" lab "$1" --file lab/pxe.yml --id "$id" --subnet "$subnet" "${@:2}"; }
finish() {
  local status=$?
  trap - EXIT
  for pid in "$work"/*.pid; do [ ! -e "$pid" ] || kill "$(cat "$pid")" 2> /dev/null; done
  ip netns del "$client" 2> /dev/null
  ip link del "$id-tap" 2> /dev/null
  if [ -n "${started:-}" ] && [ -z "${KEEP:-}" ]; then lab clean > "$work/clean" 2>&1 || fail "the lab can be removed" "$work/clean"; fi
  rm -rf "$work"
  echo "$passed passed, $failed failed"
  [ "$status" = 0 ] && [ "$failed" = 0 ]
  exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if [ "$(id -u)" != 0 ]; then echo "skipped: hosts need root; run this as root to boot from one"; exit; fi
for program in curl perl openssl; do
  command -v "$program" > /dev/null || { echo "skipped: this machine has no $program"; exit; }
done
if ! ip netns add "$client" 2> "$work/out"; then echo "skipped: this machine gives no network namespace: $(head -n 1 "$work/out")"; exit; fi

ipxe=$(sh lab/ipxe.sh 2> "$work/out") || { fail "iPXE comes out of Debian's package" "$work/out"; exit 1; }
echo "lab: up (a first base image takes a minute or two)"
started=1
if ! { lab clean && lab up boot-01; } > "$work/out" 2>&1; then fail "the lab starts" "$work/out"; exit 1; fi
pass "the lab starts"
bridge=$(ip -o link show type bridge | sed -n "s/^[0-9]*: \(rplab-$id\):.*/\1/p")
server=$net.101
on_server() { lab exec boot-01 "$@"; }

# Stand-ins for what a worker downloads: programs that print their name, and for Flatcar Debian's kernel with a little initrd where that can be made.
kernel=
if ! command -v cpio > /dev/null; then echo "skipped: no kernel boots, because there is no cpio to make its initrd"
elif ! kernel=$(sh lab/standin.sh 2> "$work/out"); then fail "a stand-in for Flatcar is made of Debian's packages" "$work/out"; fi
mkdir -p "$work/artifacts/images" "$work/flatcar-standin" "$work/inventory" "$work/files"
version() { sed -n "s/^  $1: \([0-9].*\)/\1/p; s/^cluster_$1_version: //p" roles/cluster/defaults/main/versions.yml; }
stand_in() { # COMPONENT PROGRAM...
  local folder program
  folder=$work/artifacts/$1-$(version "$1")
  mkdir -p "$folder"
  for program in "${@:2}"; do printf '#!/bin/sh\necho stand-in for %s\n' "$program" > "$folder/$program"; done
  chmod 755 "$folder"/*
}
stand_in kubernetes kubelet kube-proxy
stand_in containerd containerd containerd-shim-runc-v2 ctr
stand_in runc runc
stand_in cni bandwidth bridge firewall host-local loopback portmap tuning
stand_in flannel flannel
echo "registry.k8s.io/pause:$(version pause): pause-standin.tar" > "$work/artifacts/images/index.yml"
echo "no image" > "$work/artifacts/images/pause-standin.tar"
if [ -n "$kernel" ]; then cp "$kernel"/flatcar_* "$work/flatcar-standin/"
else
  cp "$ipxe/ipxe.lkrn" "$work/flatcar-standin/flatcar_production_pxe.vmlinuz"
  echo "no initrd" > "$work/flatcar-standin/flatcar_production_pxe_image.cpio.gz"
fi
printf 'of the controller\n' > "$work/files/motd"
printf 'ssh-ed25519 CCCC two\nssh-ed25519 DDDD three\n' > "$work/files/keys.pub"
printf '[Service]\nUser=core\n' > "$work/files/dropin.conf"
printf '[Service]\nExecStart=/bin/true\n' > "$work/files/two.service"
cp lab/sample.bu "$work/files/"

# An authority and an upstream of the cache that nobody else has.
upstream() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=upstream.example" \
    -addext "subjectAltName=DNS:upstream.example,DNS:$net.1" -keyout "$work/upstream.key" -out "$work/upstream.crt" 2> /dev/null
  mkdir -p "$work/upstream/v2/thing/manifests"
  echo "from upstream" > "$work/upstream/file"
  echo "a tag" > "$work/upstream/v2/thing/manifests/latest"
  (cd "$work/upstream" && exec openssl s_server -quiet -accept 8443 -WWW -key "$work/upstream.key" -cert "$work/upstream.crt" > "$work/upstream.log" 2>&1) &
  echo $! > "$work/upstream.pid"
  # and one that leads elsewhere; its files are whole answers
  mkdir "$work/moved"
  printf 'HTTP/1.0 302 Found\r\nLocation: https://%s:8443/file\r\n\r\n' "$net.1" > "$work/moved/there"
  printf 'HTTP/1.0 307 Temporary Redirect\r\nLocation: http://%s/boot.ipxe\r\n\r\n' "$server" > "$work/moved/plain"
  (cd "$work/moved" && exec openssl s_server -quiet -accept 8444 -HTTP -key "$work/upstream.key" -cert "$work/upstream.crt" > "$work/moved.log" 2>&1) &
  echo $! > "$work/moved.pid"
}
upstream
on_server tee /etc/ssl/upstream-test.crt < "$work/upstream.crt" > /dev/null

cp "$(lab path)/inventory.ini" "$work/inventory/hosts.ini"
cat > "$work/inventory/machines.ini" <<END
[kube-master]
kube-master-01 ansible_host=$net.111
[kube-worker]
kube-worker-01 ansible_host=$net.121 pxe_mac=52:54:00:87:01:21
kube-worker-02 ansible_host=$net.122 pxe_mac='["52:54:00:87:01:22", "52:54:00:87:02:22"]'
[others]
old-01 ansible_host=$net.131 pxe_mac=52:54:00:87:01:31 pxe_provision=cloud-config
sample-01 ansible_host=$net.132 pxe_mac=52:54:00:87:01:32
END
mkdir "$work/inventory/host_vars"
cat > "$work/inventory/host_vars/sample-01.yml" <<'END'
sample: "{{ lookup('file', pxe_files_dir ~ '/sample.bu') | from_yaml }}"
pxe_host_butane: >-
  {{ sample | combine({'storage': {'files': sample.storage.files[2:]}, 'passwd': {'users': sample.passwd.users[1:]}}, recursive=true) }}
END
cat > "$work/inventory/group_vars.yml" <<END
all:
  vars:
    ssl_dir: $work/pki
    cluster_source: directory
    cluster_source_dir: $work/artifacts
    cluster_network: flannel
    pxe_packages: [dnsmasq, nginx-light, curl]
    pxe_ipxe_source: directory
    pxe_ipxe_dir: $ipxe
    pxe_flatcar_source: directory
    pxe_flatcar_dir: $work/flatcar-standin
    pxe_flatcar_version: standin
    pxe_files_dir: $work/files
    pxe_ssh_keys: [ssh-ed25519 AAAA admin]
    pxe_routers: [$net.1]
    pxe_name_servers: [$net.1, $net.2]
    pxe_domain: boot.example
    pxe_butane:
      storage:
        files:
          - {path: /etc/motd, mode: "0640", contents: {local: motd}}
    pxe_cache_ca: /etc/ssl/upstream-test.crt
    pxe_cache_resolvers: [$net.1]
    pxe_cache_upstreams:
      - {name: upstream.example, url: "https://$net.1:8443", tls_name: upstream.example, registry: true}
      - {name: moved.example, url: "https://$net.1:8444", tls_name: upstream.example}
      - {name: other.example, url: "https://$net.1:8443", tls_name: other.example}
END

# NAME ARGUMENT...: runs pxe.yml, its output is $work/NAME
play() {
  local name=$1 status
  shift
  echo "pxe.yml: $name"
  SECONDS=0
  "$rplay" -i "$work/inventory" pxe.yml "$@" > "$work/$name" 2>&1
  status=$?
  echo "  $SECONDS s"
  if [ "$status" = 0 ]; then pass "$name: ends well"; else fail "$name: ends with $status" "$work/$name"; fi
}
none() { # NAME KEY
  if sed -n '/^PLAY RECAP/,$p' "$work/$1" | grep -q "^boot-01 .* $2=0 "; then pass "$1: $2=0"; else fail "$1: $2=0" "$work/$1" 100; fi
}
refused() { # NAME WORDS ARGUMENT...: pxe.yml fails and says why
  local name=$1 words=$2
  shift 2
  if "$rplay" -i "$work/inventory" pxe.yml "$@" > "$work/$name" 2>&1; then fail "$name: ends well" "$work/$name"
  elif grep -qF "$words" "$work/$name"; then pass "$name: says why"
  else fail "$name: does not say: $words" "$work/$name"; fi
}

play fresh-check --check --diff
none fresh-check failed
check "fresh-check: no certificate was made" test ! -e "$work/pki"
play first
none first failed
play second
none second changed
play converged-check --check --diff
none converged-check changed
play tests --tags test
none tests changed
refused bad-butane 'butane.storage has no key tree here' -e '{"pxe_butane": {"storage": {"tree": []}}}'
refused bad-mode 'butane.storage.files[17].mode is a mode like 0644, not "0899"' -e '{"pxe_butane": {"storage": {"files": [{"path": "/x", "mode": "0899"}]}}}'
refused bad-old 'cloud-config has nothing for butane.storage.links' -e '{"pxe_butane": {"storage": {"links": [{"path": "/x", "target": "/y"}]}}}'

# The client: a network namespace on the lab's bridge with the machine's address.
ip link add "$id-client" type veth peer name eth0 netns "$client"
ip link set "$id-client" master "$bridge" up
ip -n "$client" link set lo up
ip -n "$client" link set eth0 up
in_client() { ip netns exec "$client" "$@"; }
# MAC ARCHITECTURE CLASS: what DHCP gives, as one line
dhcp() {
  local class=()
  [ -z "${3:-}" ] || class=("$3")
  in_client perl lab/dhcp-client.pl eth0 "$1" "$2" "${class[@]}" 2>&1 | grep -E '^(answer|address|next|file|no answer)' | tr '\n' ' '
}
one=52:54:00:87:01:21
same "DHCP: a BIOS gets iPXE for BIOS" "answer=ack address=$net.121 next=$server file=undionly.kpxe " "$(dhcp "$one" 0)"
same "DHCP: UEFI gets iPXE for UEFI" "answer=ack address=$net.121 next=$server file=ipxe.efi " "$(dhcp "$one" 7)"
same "DHCP: UEFI with the other number too" "answer=ack address=$net.121 next=$server file=ipxe.efi " "$(dhcp "$one" 9)"
same "DHCP: iPXE gets the script" "answer=ack address=$net.121 next=$server file=http://$server/boot.ipxe " "$(dhcp "$one" 0 iPXE)"
same "DHCP: iPXE of UEFI too" "answer=ack address=$net.121 next=$server file=http://$server/boot.ipxe " "$(dhcp "$one" 7 iPXE)"
same "DHCP: a machine's second interface" "answer=ack address=$net.122 next=$server file=undionly.kpxe " "$(dhcp 52:54:00:87:02:22 0)"
same "DHCP: a machine that is not in the inventory gets nothing" "no answer to discover " "$(dhcp 52:54:00:00:00:01 0)"
in_client perl lab/dhcp-client.pl eth0 "$one" 0 > "$work/out" 2>&1
same "DHCP: routers, name servers, name and domain" "netmask=255.255.255.0 router=$net.1 dns=$net.1,$net.2 server=$server name=kube-worker-01 domain=boot.example " \
  "$(grep -E '^(netmask|router|dns|server|name|domain)=' "$work/out" | tr '\n' ' ')"

# As kube-worker-01, with the address that it was given: the chain.
ip -n "$client" addr add "$net.121/24" dev eth0
get() { in_client curl --fail --silent --show-error --max-time 30 "$@"; }
status() { in_client curl --silent --output /dev/null --write-out '%{http_code}' --max-time 30 "$@"; }
for file in undionly.kpxe ipxe.efi; do
  check "TFTP: $file" get -o "$work/$file" "tftp://$server/$file"
  check "TFTP: $file is Debian's" cmp "$work/$file" "$ipxe/$file"
done
check "HTTP: boot.ipxe" get -o "$work/boot.ipxe" "http://$server/boot.ipxe"
check "HTTP: boot.ipxe leads to the machine's script" grep -qF "hosts/\${netX/mac:hexhyp}.ipxe" "$work/boot.ipxe"
check "HTTP: the machine's script" get -o "$work/host.ipxe" "http://$server/hosts/${one//:/-}.ipxe"
check "HTTP: its kernel gets Ignition" grep -qF " flatcar.first_boot=1 ignition.config.url=http://$server/ignition/kube-worker-01.json " "$work/host.ipxe"
base=$(sed -n 's/^set base //p' "$work/host.ipxe")
for file in $(sed -n 's,^kernel ${base}/\([^ ]*\).*,\1,p; s,^initrd ${base}/,,p' "$work/host.ipxe"); do
  check "HTTP: $file" get -o "$work/$file" "$base/$file"
  check "HTTP: $file is what it should be" cmp "$work/$file" "$work/flatcar-standin/$file"
done
check "Ignition: its own machine gets it" get -o "$work/kube-worker-01.json" "http://$server/ignition/kube-worker-01.json"
same "Ignition: another machine does not" 403 "$(status "http://$server/ignition/kube-worker-02.json")"
same "Ignition: nor a machine that is none" 403 "$(status "http://$server/ignition/nobody.json")"
same "Ignition: folders show nothing" 403 "$(status "http://$server/ignition/")"
for machine in kube-worker-01 kube-worker-02 sample-01; do on_server cat "/srv/pxe/http/ignition/$machine.json" > "$work/$machine.ign"; done
check "Ignition: HTTP gives what was written" cmp "$work/kube-worker-01.json" "$work/kube-worker-01.ign"

if ! command -v go > /dev/null; then
  echo "skipped: Ignition is not validated, because there is no Go to build its parser and Butane with"
elif ! ignition=$(sh lab/ignition.sh 2> "$work/out"); then
  fail "Ignition's parser builds" "$work/out"
else
  for machine in kube-worker-01 kube-worker-02 sample-01; do check "Ignition: its own parser takes $machine's" "$ignition" validate "$work/$machine.ign"; done
  sed 's/"3[.]4[.]0"/"3.4.0", "nonsense": 1/' "$work/sample-01.ign" > "$work/wrong.ign"
  if "$ignition" validate "$work/wrong.ign" > "$work/out" 2>&1; then fail "Ignition: the parser sees what is wrong"; else pass "Ignition: the parser sees what is wrong"; fi
  "$ignition" butane "$work/files/sample.bu" > "$work/butane.json" 2> "$work/out" || fail "Butane takes the sample" "$work/out"
  "$ignition" show "$work/sample-01.ign" > "$work/ours.json" 2> "$work/out" || fail "the sample's Ignition is JSON" "$work/out"
  check "Ignition: what Butane makes of the sample" diff "$work/butane.json" "$work/ours.json"
fi

# What is in it, as files; the worker's own script then downloads the programs, to folders of this test.
check "Ignition: unpacks" perl lab/ignition-unpack.pl "$work/kube-worker-01.json" "$work/root"
same "Ignition: the name of the machine" kube-worker-01 "$(cat "$work/root/etc/hostname")"
same "Ignition: a file of the controller, with its mode" "640 of the controller" "$(stat -c %a "$work/root/etc/motd") $(cat "$work/root/etc/motd")"
check "Ignition: the certificate is the kubelet's" openssl verify -CAfile "$work/pki/ca.crt" "$work/root/etc/kubernetes/pki/kubelet.crt"
same "Ignition: its key is its own" "$(openssl x509 -in "$work/root/etc/kubernetes/pki/kubelet.crt" -noout -pubkey)" \
  "$(openssl pkey -in "$work/root/etc/kubernetes/pki/kubelet.key" -pubout)"
check "Ignition: the token is the cluster's" grep -qF "$(cat "$work/pki/bootstrap-token.key")" "$work/root/etc/kubernetes/bootstrap-kubelet.conf"

sed -i "s, /opt/, $work/root/opt/," "$work/root/etc/kubernetes/download.list"
sed -i "s,< /etc/,< $work/root/etc/," "$work/root/etc/kubernetes/download.sh"
check "Worker: downloads its programs" in_client sh "$work/root/etc/kubernetes/download.sh"
same "Worker: the kubelet is there" "stand-in for kubelet" "$("$work/root/opt/bin/kubelet")"
same "Worker: as many as the list says" "$(wc -l < "$work/root/etc/kubernetes/download.list")" "$(find "$work/root/opt" -type f | wc -l)"
echo broken > "$work/root/opt/bin/runc"
check "Worker: what is broken comes again" in_client sh "$work/root/etc/kubernetes/download.sh"
same "Worker: and is good then" "stand-in for runc" "$("$work/root/opt/bin/runc")"
on_server sh -c "echo other > /srv/pxe/http/programs/runc-$(version runc)/runc"
rm "$work/root/opt/bin/runc"
if in_client sh "$work/root/etc/kubernetes/download.sh" > "$work/out" 2>&1 || [ -e "$work/root/opt/bin/runc" ]; then fail "Worker: refuses another program" "$work/out"
else pass "Worker: refuses another program"; fi

# The old way.
ip -n "$client" addr flush dev eth0
ip -n "$client" addr add "$net.131/24" dev eth0
check "cloud-config: the machine's script" get -o "$work/old.ipxe" "http://$server/hosts/52-54-00-87-01-31.ipxe"
check "cloud-config: its kernel gets it" grep -qF " cloud-config-url=http://$server/cloud-config/old-01.yml " "$work/old.ipxe"
check "cloud-config: its own machine gets it" get -o "$work/old.yml" "http://$server/cloud-config/old-01.yml"
same "cloud-config: as it begins" "#cloud-config" "$(head -n 1 "$work/old.yml")"
check "cloud-config: the file of the controller" grep -qF "content: $(base64 "$work/files/motd")" "$work/old.yml"

# The cache: asks once, by TLS, and only who shows the right certificate.
cached() { in_client curl --silent --max-time 30 --dump-header - "http://$server:3142/$1" | tr -d '\r' | sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p; s/^X-Cache: //p' | tr '\n' ' '; }
same "cache: the first asks" "200 MISS " "$(cached upstream.example/file)"
same "cache: the second does not" "200 HIT " "$(cached upstream.example/file)"
same "cache: a tag" "200 MISS " "$(cached upstream.example/v2/thing/manifests/latest)"
same "cache: a redirection is followed" "200 MISS " "$(cached moved.example/there)"
same "cache: and what it leads to is kept" "200 HIT " "$(cached moved.example/there)"
same "cache: as it is" "from upstream" "$(get "http://$server:3142/moved.example/there")"
same "cache: a redirection away from TLS is refused" 502 "$(status "http://$server:3142/moved.example/plain")"
same "cache: a certificate of another name is refused" 502 "$(status "http://$server:3142/other.example/file")"
same "cache: an upstream that is none" 404 "$(status "http://$server:3142/elsewhere.example/file")"
same "cache: only reads" 403 "$(status --data x "http://$server:3142/upstream.example/file")"
for name in upstream moved; do
  kill "$(cat "$work/$name.pid")"
  rm "$work/$name.pid"
done
same "cache: without its upstream" "200 HIT " "$(cached upstream.example/file)"

. scripts/pxe-boot.sh

# Other ways to hand out addresses. runc was broken above and is made good again by these.
play range -e pxe_dhcp=range -e '{"pxe_range": ["'"$net"'.200", "'"$net"'.209"]}'
same "range: a machine of the inventory keeps its address" "answer=ack address=$net.121 next=$server file=undionly.kpxe " "$(dhcp "$one" 0)"
got=$(dhcp 52:54:00:00:00:01 0 iPXE)
if [[ $got == "answer=ack address=$net.20"[0-9]" next=$server file=http://$server/boot.ipxe " ]]; then pass "range: another gets one of the range"
else echo "$got" > "$work/out"; fail "range: another gets one of the range" "$work/out"; fi
play proxy -e pxe_dhcp=proxy
same "proxy: the address is the machine's own; it gets iPXE" "answer=proxy address=$net.131 next=$server file=undionly.kpxe " "$(dhcp "$one" 0)"
same "proxy: for UEFI" "answer=proxy address=0.0.0.0 next=$server file=ipxe.efi " "$(dhcp "$one" 7)"
same "proxy: iPXE gets the script" "answer=proxy address=0.0.0.0 next=$server file=http://$server/boot.ipxe " "$(dhcp "$one" 0 iPXE)"
play none -e pxe_dhcp=none
same "none: no answer" "no answer to discover " "$(dhcp "$one" 0)"

# A machine that leaves the inventory leaves nothing behind; a service that stopped is named.
sed -i '/^kube-worker-02/d' "$work/inventory/machines.ini"
play fewer
check "fewer: nothing is left of the machine" on_server sh -c '! find /srv/pxe/http -name "kube-worker-02*" -o -name "52-54-00-87-0?-22*" | grep .'
on_server systemctl stop nginx
refused nginx-stopped 'nginx does not run on boot-01' --tags test
on_server systemctl start nginx
on_server systemctl stop dnsmasq
refused dnsmasq-stopped 'dnsmasq does not run on boot-01' --tags test
