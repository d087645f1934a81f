# shellcheck shell=bash disable=SC2154,SC2034
# One run, its recap, medians and the table. Sourced by run.sh; wants $work, $rplay, $ANSIBLE_PLAYBOOK and $N.

books=$here/books

# run WHO BOOK HOSTS: one cold run; prints "wall cpu", and leaves the output in $work/out.WHO
run() {
    local who=$1 book=$2 hosts=$3 program status=0 TIMEFORMAT='%R %U %S'
    case $who in rplay) program=$rplay ;; *) program=$ANSIBLE_PLAYBOOK ;; esac
    # the braces keep the program's own stderr away from what `time` says
    { time "$program" -i "$work/hosts.ini" --forks "$hosts" --limit "$(limit "$hosts")" "$books/$book" \
        >"$work/out.$who" 2>"$work/err.$who" </dev/null; } 2>"$work/time" || status=$?
    if [ "$status" != 0 ]; then
        { echo "bench: $who ended with status $status on $book"; tail -n 20 "$work/out.$who" "$work/err.$who"; } >&2
        return 1
    fi
    close_masters
    awk '{ printf "%.3f %.3f\n", $1, $2 + $3 }' "$work/time"
}

# h1 to hN; localhost is always within
limit() { printf 'localhost'; for i in $(seq "$1"); do printf ',h%s' "$i"; done; }

# every run logs in anew
close_masters() {
    local socket
    for socket in "$work"/cp/*; do
        [ -S "$socket" ] || continue
        ssh -o ControlPath="$socket" -O exit host 2>/dev/null || true
    done
}

# recap WHO: its counts, one line per host, sorted
recap() {
    sed -n '/^PLAY RECAP/,$p' "$work/out.$1" | grep -o '^[^ ]* *: ok=.*' | tr -s ' ' | sed 's/ *$//' | sort
}

same_recap() {
    local label=$1
    if ! diff <(recap ansible) <(recap rplay) >"$work/diff" || [ -z "$(recap rplay)" ]; then
        { echo "bench: on $label the recaps differ (< ansible-core, > rplay), so times mean nothing:"; cat "$work/diff"; } >&2
        exit 1
    fi
}

fresh_hosts() { rm -rf "$work/hosts"; for i in $(seq 10); do mkdir -p "$work/hosts/h$i"; done; }

# 200 MB of libraries, over and over where there are fewer
large_file() {
    local lib
    : >"$work/large"
    while [ "$(stat -c %s "$work/large")" -lt 200000000 ]; do
        for lib in /usr/lib/*/*.so.*; do cat "$lib"; done 2>/dev/null | head -c 200000000 >>"$work/large" || true
    done
    truncate -s 200000000 "$work/large"
}

# the median of a column of a file
median() { awk -v c="$1" '{ print $c }' "$2" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

heading() {
    echo "| book | hosts | ansible-core s | rplay s | ratio | ansible-core CPU s | rplay CPU s | ratio |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
}

# row LABEL HOSTS A R: the files hold a "wall cpu" line per run
row() {
    awk -v l="$1" -v h="$2" -v aw="$(median 1 "$3")" -v ac="$(median 2 "$3")" -v rw="$(median 1 "$4")" -v rc="$(median 2 "$4")" 'BEGIN {
        printf "| %s | %d | %.2f | %.3f | %s | %.2f | %.3f | %s |\n", l, h, aw, rw, times(aw, rw), ac, rc, times(ac, rc)
    }
    function times(a, r) { return r > 0 ? sprintf(a / r < 10 ? "%.1fx" : "%.0fx", a / r) : "-" }'
}

# compare LABEL BOOK HOSTS TIMES: TIMES runs of ansible-core, $N of rplay
compare() {
    local label=$1 book=$2 hosts=$3 times=$4
    rm -f "$work"/t.*
    for _ in $(seq "$times"); do fresh_hosts; run ansible "$book" "$hosts" >>"$work/t.a"; done
    for _ in $(seq "$N"); do
        fresh_hosts
        run rplay "$book" "$hosts" >>"$work/t.r"
        same_recap "$label"
    done
    row "$label" "$hosts" "$work/t.a" "$work/t.r"
}

# the same for a book that changes things and then finds nothing to change: two rows
compare_twice() {
    local label=$1 book=$2 hosts=$3 times=$4
    rm -f "$work"/t.*
    twice ansible "$book" "$hosts" "$times"
    twice rplay "$book" "$hosts" "$N"
    for pass in first second; do
        cp "$work/out.ansible.$pass" "$work/out.ansible"
        cp "$work/out.rplay.$pass" "$work/out.rplay"
        same_recap "$label, $pass run"
        row "$label, $pass run" "$hosts" "$work/t.ansible.$pass" "$work/t.rplay.$pass"
    done
    if ! diff -r "$work/tree.ansible" "$work/tree.rplay" >"$work/diff"; then
        { echo "bench: on $label the hosts' files differ (< ansible-core, > rplay):"; head -n 40 "$work/diff"; } >&2
        exit 1
    fi
}

# twice WHO BOOK HOSTS TIMES: changing and idempotent runs; keeps times, outputs and what stands on the hosts
twice() {
    local who=$1 book=$2 hosts=$3 times=$4
    for _ in $(seq "$times"); do
        fresh_hosts
        for pass in first second; do
            run "$who" "$book" "$hosts" >>"$work/t.$who.$pass"
            cp "$work/out.$who" "$work/out.$who.$pass"
        done
    done
    rm -rf "$work/tree.$who"
    cp -r "$work/hosts" "$work/tree.$who"
}

# what a reader must know about the numbers
about() {
    echo "$(date +%F), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1) ($(nproc) cores), $(uname -sr)"
    echo "$("$rplay" --version | head -1); ansible $("$ANSIBLE_PLAYBOOK" --version | sed -n '1s/.*\[\(.*\)\]/\1/p'); $(ssh -V 2>&1 | cut -d, -f1); $(python3 --version)"
    echo "runs: $N; load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
    echo
}

footer() {
    echo
    echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg); took $SECONDS s"
}
