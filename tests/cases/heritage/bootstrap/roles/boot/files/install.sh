#!/bin/sh
echo "installed $1"
echo "$1" > "$2/$1.installed"
