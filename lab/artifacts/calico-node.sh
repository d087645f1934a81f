#!/bin/sh
# The command of the image calico/node: prepares the node, keeps Calico's small services running, and becomes Felix.
mkdir -p /var/lib/calico /var/run/calico /var/log/calico
calico-node -startup || exit 1
NODENAME=$(cat /var/lib/calico/nodename) || exit 1
export NODENAME FELIX_FELIXHOSTNAME="$NODENAME" FELIX_DATASTORETYPE="${DATASTORE_TYPE:-kubernetes}"
calico-node -allocate-tunnel-addrs -allocate-tunnel-addrs-run-once || exit 1
keep() { while :; do "$@" 2>&1; sleep 10; done; }
keep calico-node -status-reporter &
[ "${CALICO_MANAGE_CNI:-true}" = false ] || keep calico-node -monitor-token &
case ${CALICO_NETWORKING_BACKEND:-bird} in
none) ;;
vxlan)
  keep calico-node -allocate-tunnel-addrs &
  keep calico-node -monitor-addresses & ;;
*) echo 'this image has no BGP daemon: CALICO_NETWORKING_BACKEND can be none or vxlan' >&2; exit 1 ;;
esac
exec calico-node -felix
