#!/bin/sh
# ansible-lint's production profile over roles and playbooks, from the venv that `make deps` made.
set -eu
venv="${RPLAY_LINT_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/rplay/lint}"
if [ ! -x "$venv/bin/ansible-lint" ]; then
  echo "ansible-lint is missing: run make deps" >&2
  exit 1
fi
PATH="$venv/bin:$PATH"
export PATH ANSIBLE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}/rplay/ansible-home" ANSIBLE_COLLECTIONS_PATH="$venv/collections"
exec ansible-lint --offline --profile production roles playbooks
