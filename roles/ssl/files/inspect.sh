#!/bin/sh
# Looks at the certificates of a host, changes nothing.
#   inspect.sh check DIR DAYS FILE=CA...   prints a line for each certificate that is not good for DAYS more days
#   inspect.sh report DIR DAYS FILE=CA...  prints a line for each certificate that is there: who uses it, until when, whose it is, and
#                                          that it is to be renewed when it has fewer than DAYS days left
# FILE and CA are names in DIR, or whole paths; a CA that is empty is not looked at.
set -u
mode=$1 days=$3
[ "$mode" = check ] || [ -d "$2" ] || exit 0
cd "$2" || exit 1
shift 3

component() {
  case ${1##*/} in
    apiserver* | front-proxy*) echo kube-apiserver ;;
    etcd-*) echo etcd ;;
    controller-manager*) echo kube-controller-manager ;;
    scheduler*) echo kube-scheduler ;;
    kubelet*) echo kubelet ;;
    kube-proxy*) echo kube-proxy ;;
    admin*) echo administrator ;;
    *) echo cluster ;;
  esac
}

check() { # FILE CA
  if [ ! -s "$1" ]; then echo "is missing"; return; fi
  if ! openssl x509 -in "$1" -noout 2>/dev/null; then echo "is no certificate"; return; fi
  end=$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)
  if ! openssl x509 -in "$1" -noout -checkend 0 >/dev/null; then echo "expired on $end"; return; fi
  if ! openssl x509 -in "$1" -noout -checkend $((days * 86400)) >/dev/null; then echo "expires on $end, in less than $days days"; return; fi
  if [ -n "$2" ] && ! openssl verify -CAfile "$2" "$1" >/dev/null 2>&1; then echo "is not signed by ${2##*/}"; return; fi
  if [ -s "${1%.crt}.key" ] && [ "$(openssl x509 -in "$1" -noout -pubkey)" != "$(openssl pkey -in "${1%.crt}.key" -pubout)" ]; then
    echo "is not of the key ${1%.crt}.key"
  fi
}

report() { # FILE
  [ -s "$1" ] || return 0
  end=$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)
  left=$((($(date -u -d "$end" +%s) - $(date +%s)) / 86400))
  mark=
  [ "$left" -ge "$days" ] || mark='  RENEW'
  [ "$left" -ge 0 ] || mark='  EXPIRED'
  printf '%-24s %-28s %5d days  %s  %s%s\n' "$(component "$1")" "${1##*/}" "$left" "$(date -u -d "$end" +%Y-%m-%d)" \
    "$(openssl x509 -in "$1" -noout -subject -nameopt RFC2253 | sed 's/^subject=//')" "$mark"
}

for pair; do
  file=${pair%%=*}
  if [ "$mode" = report ]; then report "$file"; continue; fi
  problem=$(check "$file" "${pair#*=}")
  [ -z "$problem" ] || echo "$(component "$file"): $file $problem"
done
