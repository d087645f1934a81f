#!/bin/sh
# Records what ansible-core makes of every case: record.sh DIRECTORY-OF-ANSIBLE-INVENTORY
# A case is a folder with `sources` (one a line; without it the file `hosts*` or `inv*`), perhaps `password`.
cd "$(dirname "$0")/cases" || exit 1
bin=${1:?}
export ANSIBLE_CONFIG=/nowhere.cfg ANSIBLE_DEPRECATION_WARNINGS=0 ANSIBLE_LOCALHOST_WARNING=0 HOME=/nowhere
for case in */; do
    (
        cd "$case" || exit 1
        [ -f sources ] && list=$(cat sources) || list=$(ls -d hosts* inv* 2>/dev/null)
        set --
        IFS='
'
        for source in $list; do set -- "$@" -i "$source"; done
        [ -f password ] && set -- "$@" --vault-password-file password
        "$bin/ansible-inventory" "$@" --list >list.json 2>/dev/null
        "$bin/ansible-inventory" "$@" --list --export >export.json 2>/dev/null
        "$bin/ansible-inventory" "$@" --list --yaml >list.yaml 2>/dev/null
        "$bin/ansible-inventory" "$@" --graph >graph.txt 2>/dev/null
    )
done
