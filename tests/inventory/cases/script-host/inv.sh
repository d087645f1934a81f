#!/bin/sh
case $1 in
--list) echo '{"g": {"hosts": ["a", "b"]}, "lone": {"x": 5}}' ;;
--host) [ "$2" = a ] && echo '{"n": "a"}' || true ;;
esac
