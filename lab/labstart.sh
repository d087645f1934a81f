#!/bin/sh
# Joins the cgroups of one lab host and becomes its supervisor: the parent, on the controller, of the host's init.
# It must not fork before `unshare`: the lab knows the supervisor by its process id.
set -eu
if [ "${LAB_SCOPE:-}" = 1 ]; then                 # started by systemd-run in a delegated scope
  own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
  mkdir -p "$own/supervisor" "$own/payload"
  LAB_JOIN=$own/payload
fi
IFS='
'
for dir in $LAB_JOIN; do echo $$ > "$dir/cgroup.procs"; done
unset IFS
exec setsid unshare --mount --uts --ipc --net --pid --cgroup --fork --propagation private -- /bin/sh "$LAB_BIN/labinit.sh"
