#!/bin/sh
# Brings Debian's Python to a lab host, for runs of these scenarios with Ansible itself: python.sh LAB.yml HOST
# Lab hosts have no internet: the packages are fetched here (Debian or Ubuntu with apt) and unpacked there.
set -eu
lab=$(realpath "$1") host=$2
rplay=${RPLAY:-rplay}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rplay/debian-python
if "$rplay" lab exec --file "$lab" "$host" test -x /usr/bin/python3; then exit 0; fi
mkdir -p "$cache"
cd "$cache"
needed=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances python3 python3-apt |
  grep "^[a-z0-9]" | grep -vxE "libelogind0|install-info|mailcap|mime-support" | sort -u)
there=$("$rplay" lab exec --file "$lab" "$host" dpkg-query -W -f '${Package}\n')
debs=
for package in $needed; do
  if echo "$there" | grep -qx "$package"; then continue; fi
  set -- "$package"_*.deb
  [ -e "$1" ] || apt-get download -q "$package"
  debs="$debs $(ls "$package"_*.deb)"
done
# shellcheck disable=SC2086
tar cf - $debs | "$rplay" lab exec --file "$lab" "$host" sh -c 'mkdir -p /var/tmp/python && tar xf - -C /var/tmp/python && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends /var/tmp/python/*.deb && rm -r /var/tmp/python'
