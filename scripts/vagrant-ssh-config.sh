#!/bin/sh
# Prints an ssh_config for the Vagrant boxes: `vagrant ssh-config`, with each host's address of the inventory beside its name.
#   vagrant-ssh-config.sh > ssh.config   (make vagrant)
set -eu
cd "$(dirname "$0")/.."
vagrant ssh-config | awk '
  FILENAME != "-" { for (i = 2; i <= NF; i++) if (sub(/^ansible_host=/, "", $i)) address[$1] = $i; next }
  $1 == "Host" && $2 in address { print $1, $2, address[$2]; next }
  { print }
' inventories/vagrant.ini -
