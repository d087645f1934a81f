#!/bin/sh
[ "$1" = --list ] || exit 3
cat <<J
{"_meta": {"hostvars": {"a": {"x": 1, "t": "{{ y }}"}, "unused": {"z": 1}}},
 "g": {"hosts": ["a", "b"], "vars": {"v": 1}, "children": ["h"]},
 "h": {"hosts": ["c"]}, "old": ["d", "a"]}
J
