#!/bin/sh
# Makes what is missing of a private PKI, renews what is about to expire or names other hosts than it should.
#   certificates.sh DIR KEY_TYPE CA_DAYS DAYS RENEW_DAYS < list
# A line of the list: NAME CA SUBJECT USAGE SAN[,SAN...]; CA `-` is a CA itself, USAGE: ca, server, client, both, key.
# Prints a line for each file that was made, and nothing when all is well. Keys are 0600, files are replaced whole.
set -eu
umask 077
dir=$1 key_type=$2 ca_days=$3 days=$4 renew=$5
mkdir -p "$dir"
cd "$dir"
work=$(mktemp -d .work.XXXXXX)
trap 'rm -rf "$work"' EXIT HUP INT TERM

make_key() {
  case $key_type in
    rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/key" ;;
    *) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key" ;;
  esac
  mv "$work/key" "$1.key"
  echo "made $1.key"
}

extensions() {
  case $1 in
    ca) printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n' ;;
    server) printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n' ;;
    client) printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth\n' ;;
    *) printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n' ;;
  esac
  if [ -n "$2" ]; then printf 'subjectAltName=%s\n' "$2"; fi
}

# The certificate is for the wanted subject, names, CA and key, and lasts long enough.
good() {
  name=$1 ca=$2 wanted=$3
  [ -s "$name.crt" ] && [ -s "$name.wanted" ] && [ "$(cat "$name.wanted")" = "$wanted" ] || return 1
  openssl x509 -in "$name.crt" -noout -checkend $((renew * 86400)) >/dev/null || return 1
  openssl verify -CAfile "$ca.crt" "$name.crt" >/dev/null 2>&1 || return 1
  [ "$(openssl x509 -in "$name.crt" -noout -pubkey)" = "$(openssl pkey -in "$name.key" -pubout)" ]
}

while read -r name ca subject usage names; do
  [ -n "$name" ] || continue
  [ -s "$name.key" ] || make_key "$name"
  if [ "$usage" = key ]; then
    if [ ! -s "$name.pub" ]; then
      openssl pkey -in "$name.key" -pubout -out "$work/pub"
      mv "$work/pub" "$name.pub"
      echo "made $name.pub"
    fi
    continue
  fi
  issuer=$ca
  [ "$ca" != - ] || issuer=$name
  wanted="$issuer $subject $usage $names"
  if good "$name" "$issuer" "$wanted"; then continue; fi
  extensions "$usage" "$names" > "$work/ext"
  openssl req -new -key "$name.key" -subj "$subject" -out "$work/csr"
  if [ "$ca" = - ]; then
    openssl x509 -req -in "$work/csr" -signkey "$name.key" -days "$ca_days" -extfile "$work/ext" -out "$work/crt" 2>/dev/null
  else
    openssl x509 -req -in "$work/csr" -CA "$ca.crt" -CAkey "$ca.key" -set_serial "0x$(openssl rand -hex 16)" \
      -days "$days" -extfile "$work/ext" -out "$work/crt" 2>/dev/null
  fi
  chmod 644 "$work/crt"
  mv "$work/crt" "$name.crt"
  printf '%s\n' "$wanted" > "$work/wanted"
  mv "$work/wanted" "$name.wanted"
  echo "made $name.crt"
done
