# shellcheck shell=bash disable=SC2154,SC2034
# Throw-away hosts: one sshd per host on a loopback port of its own, keys and all in one directory.
# Sourced by run.sh; wants $work, gives hosts_up COUNT and hosts_down.

sshd_pids=()

# the ports of this machine that nobody listens on
free_port() {
    local port
    for _ in $(seq 200); do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    echo "bench: no free port found" >&2
    return 1
}

hosts_up() {
    local count=$1 sshd port i
    sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || { echo "bench: needs sshd (openssh-server)" >&2; return 1; }
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$work/login_key"
    echo '[hosts]' >"$work/hosts.ini"
    for i in $(seq "$count"); do
        port=$(free_port) || return 1
        # an empty home of its own: what stands in somebody's .bashrc is not to be measured
        mkdir -p "$work/home/h$i"
        cat >"$work/sshd_$i.conf" <<CONF
ListenAddress 127.0.0.1:$port
HostKey $work/host_key
AuthorizedKeysFile $work/login_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 200
MaxSessions 50
SetEnv HOME=$work/home/h$i
Subsystem sftp internal-sftp
CONF
        "$sshd" -D -e -f "$work/sshd_$i.conf" 2>"$work/sshd_$i.log" &
        sshd_pids+=($!)
        echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$work/host_key.pub")" >>"$work/known_hosts"
        echo "h$i ansible_host=127.0.0.1 ansible_port=$port dir=$work/hosts/h$i" >>"$work/hosts.ini"
    done
    # the real interpreter: a shim of pyenv's in front of it would slow ansible-core down
    cat >>"$work/hosts.ini" <<INI
[hosts:vars]
ansible_user=$(id -un)
large=$work/large
ansible_ssh_private_key_file=$work/login_key
ansible_python_interpreter=$(python3 -c "import sys; print(sys.executable)")
INI
    wait_for_hosts
}

# until the last sshd answers; one that ended says why
wait_for_hosts() {
    local port i=0
    while read -r port; do
        until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
            kill -0 "${sshd_pids[$i]}" 2>/dev/null || { cat "$work/sshd_$((i + 1)).log" >&2; return 1; }
            sleep 0.05
        done
        i=$((i + 1))
    done < <(sed -n 's/.*ansible_port=\([0-9]*\).*/\1/p' "$work/hosts.ini")
}

hosts_down() {
    [ ${#sshd_pids[@]} = 0 ] || kill "${sshd_pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
}
