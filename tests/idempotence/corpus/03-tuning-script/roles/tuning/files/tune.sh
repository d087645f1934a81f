#!/bin/sh
# tune.sh FOLDER WORKERS: notes how many workers this host shall have
set -eu
echo "workers=$2" > "$1/tuning.env"
