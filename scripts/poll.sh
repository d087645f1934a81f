#!/bin/bash
# A client of a service: ten times a second it asks the next of some addresses, whether the last has answered or not, until FILE.stop is there.
# FILE has a line for each: `answered`, or `lost TIME ADDRESS REASON` where none came within two seconds.
#   poll.sh FILE URL...
set -u
file=$1
shift
ask() {
  local reason
  if reason=$(curl --silent --fail --output /dev/null --max-time 2 --write-out '%{errormsg}' "$2"); then echo answered
  else echo "lost $1 $2 $reason"; fi
}
: > "$file"
while [ ! -e "$file.stop" ]; do
  for url; do
    ask "$(date +%T.%1N)" "$url" >> "$file" &
    sleep 0.1
  done
done
wait
