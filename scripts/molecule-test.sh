#!/bin/bash
# The scenarios of molecule-compat/scenarios, three ways: `rplay molecule test`, Molecule that calls rplay, Molecule that calls Ansible.
# Each way must pass, and take the same steps with the same outcomes. Needs root, and PyPI the first time; says so and passes over it without.
#   molecule-test.sh RPLAY [SCENARIO...]
# WAYS="own links ansible" chooses ways. Molecule stays in ~/.cache/rplay/molecule.
set -u
rplay=$(realpath "${1:?usage: molecule-test.sh RPLAY [SCENARIO...]}")
shift
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
# shellcheck source=scripts/checks.sh
. scripts/checks.sh
trap 'rm -rf "$work"; echo "$passed passed, $failed failed"; [ "$failed" = 0 ]; exit' EXIT
trap 'exit 130' INT TERM HUP
skip() { echo "skipped: $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "lab hosts need root"
scenarios=("$@")
[ $# -gt 0 ] || mapfile -t scenarios < <(find molecule-compat/scenarios -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2> "$work/out" | sort)
[ ${#scenarios[@]} -gt 0 ] || skip "molecule-compat/scenarios has no scenarios"

# Molecule, with Ansible's programs in a folder of their own: under their names in its bin stands something that only tells on who calls it.
cache=${XDG_CACHE_HOME:-$HOME/.cache}
venv=$cache/rplay/molecule
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet 'molecule==26.*' 'ansible-core==2.19.*'; } > "$work/pip" 2>&1; then
    rm -rf "$venv"
    skip "Molecule cannot be installed from PyPI: $(tail -n 1 "$work/pip")"
  fi
  mkdir "$venv/ansible" "$venv/molecule"
  for program in "$venv"/bin/ansible*; do
    mv "$program" "$venv/ansible/"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho "$0 $*" >> "${CALLED:-/dev/null}"\nexit 97\n' > "$program"
    chmod 755 "$program"
  done
  ln -s ../bin/molecule "$venv/molecule/molecule"
  touch "$venv/complete"
fi
"$rplay" links "$work/links" > "$work/out" || { fail "rplay links" "$work/out"; exit; }
export RPLAY=$rplay CALLED=$work/called NO_COLOR=1
unset ANSIBLE_CONFIG

# PATH of a way: Ansible's programs are rplay's links, or Ansible's own.
# A run: WAY SCENARIO; what was said is in $work/WAY-SCENARIO
run() {
  local out=$work/$1-$2
  mkdir -p "$work/home"
  cd "molecule-compat/scenarios/$2" || return 1
  case $1 in
    own) "$rplay" molecule test ;;
    links) HOME=$work/home XDG_CACHE_HOME=$cache PATH=$work/links:$venv/molecule:$venv/bin:$PATH molecule test ;;
    ansible) HOME=$work/home SCENARIO_PYTHON=yes XDG_CACHE_HOME=$cache PATH=$venv/ansible:$venv/molecule:$venv/bin:$PATH molecule test ;;
  esac > "$out" 2>&1
  local status=$?
  cd - > /dev/null || return 1
  return $status
}
# The steps of a run and how they came out, a line each, of either's report.
steps() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^(DETAILS|SCENARIOS)/ { on = 1; next }
    on && $2 ~ /^(➜|>)$/ { step = $3; sub(":", "", step); how = /[Mm]issing/ ? "nothing" : /Successful/ ? "ok" : /Skipped|Disabled/ ? "skipped" : "failed"; print step, how; next }
    on && /^  [a-z]/ { step = $1; gsub("-", "_", step); how = $2 == "nothing" ? "nothing" : $2 == "ok" ? "ok" : $2 == "skipped" ? "skipped" : "failed"; print step, how; next }
    on && /^SCENARIO RECAP/ { on = 0 }'
}
: > "$CALLED"
for scenario in "${scenarios[@]}"; do
  before=
  for way in ${WAYS:-own links ansible}; do
    if [ "$way" = own ] && ! "$rplay" molecule --help > "$work/out" 2>&1; then echo "skipped: $scenario: rplay has no molecule"; continue; fi
    if run "$way" "$scenario"; then pass "$scenario ($way): passes"; else fail "$scenario ($way): ends with $?" "$work/$way-$scenario"; fi
    steps "$work/$way-$scenario" > "$work/steps-$way"
    if [ ! -s "$work/steps-$way" ]; then fail "$scenario ($way): tells its steps" "$work/$way-$scenario" 20; continue; fi
    [ -z "$before" ] || same "$scenario: the same steps and outcomes ($before, $way)" "$(cat "$work/steps-$before")" "$(cat "$work/steps-$way")"
    before=$way
  done
done
same "no program of Ansible's was called in place of rplay" "" "$(cat "$CALLED")"
