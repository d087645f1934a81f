#!/bin/bash
# Times rplay against ansible-core on the same books and hosts: bench/run.sh RPLAY. README.md says what, and how to read it.
#   ANSIBLE_PLAYBOOK=path   an ansible-playbook of your own (else ansible-core 2.19 in a venv below CACHE)
#   N=3                     runs of which the median counts; ansible-core's long books run once
#   QUICK=1                 fewer books, every one once
#   FULL=1                  also the hundred tasks on ten hosts (ansible-core takes minutes)
set -eu -o pipefail
# times are read and printed with a point
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
if [ $# != 1 ] || [ ! -x "$1" ]; then
    echo "usage: bench/run.sh RPLAY (an executable; make bench does it)" >&2
    exit 2
fi
# shellcheck disable=SC2034
rplay=$(realpath "$1")
QUICK=${QUICK:-} FULL=${FULL:-} N=${N:-3}
[ -z "$QUICK" ] || N=1

work=$(mktemp -d "${TMPDIR:-/tmp}/rplay-bench.XXXXXX")
# shellcheck source=bench/sshd.sh
. "$here/sshd.sh"
# shellcheck source=bench/measure.sh
. "$here/measure.sh"
trap 'close_masters; hosts_down; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# an ansible-core to compare with
if [ -z "${ANSIBLE_PLAYBOOK:-}" ]; then
    venv=${CACHE:-$HOME/.cache/rplay}/bench-ansible-2.19
    if [ ! -x "$venv/bin/ansible-playbook" ]; then
        echo "bench: installing ansible-core 2.19 in $venv" >&2
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q 'ansible-core>=2.19,<2.20'
    fi
    ANSIBLE_PLAYBOOK=$venv/bin/ansible-playbook
fi

cat >"$work/ansible.cfg" <<CFG
[defaults]
nocows = True
retry_files_enabled = False
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=$work/known_hosts -F none
control_path_dir = $work/cp
CFG
export ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_NOCOLOR=1
unset ANSIBLE_FORCE_COLOR SSH_AUTH_SOCK
hosts_up 10
large_file

about
heading
compare startup startup.yml 1 "$N"
compare "raw50" raw50.yml 1 "$N"
compare "facts" facts.yml 1 "$N"
if [ -n "$QUICK" ]; then
    compare_twice "mixed20" mixed20.yml 1 1
    compare "loop 1000 debug" loop1000.yml 1 1
    compare "facts" facts.yml 10 1
else
    compare_twice "mixed100" mixed100.yml 1 1
    compare "loop 1000 debug" loop1000.yml 1 1
    compare "loop 50 copy" loopcopy50.yml 1 1
    compare_twice "200 MB" copybig.yml 1 1
    compare_twice "200 MB" copybig.yml 3 1
    compare "raw50" raw50.yml 10 1
    compare "facts" facts.yml 10 1
    compare_twice "mixed20" mixed20.yml 10 1
fi
[ -z "$FULL" ] || compare_twice "mixed100" mixed100.yml 10 1
footer
