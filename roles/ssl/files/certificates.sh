#!/bin/sh
# Makes what is missing of a private PKI, renews what is about to expire or names other hosts than it should.
#   certificates.sh plan|make DIR KEY_TYPE CA_DAYS DAYS RENEW_DAYS < list
# A line of the list: NAME CA SUBJECT USAGE SAN[,SAN...]; CA `-` is a CA itself, USAGE: ca, server, client, both; or no certificate but
# key (NAME.key and NAME.pub), secret (NAME.key: 32 random bytes in base64), token (NAME.key: a bootstrap token of Kubernetes).
# Prints the name of each file that is made, or with `plan` would be, and nothing when all is well.
# Keys are 0600, files are replaced whole. Beside each certificate, NAME.wanted says what it was made for.
set -eu
umask 077
mode=$1 dir=$2 key_type=$3 ca_days=$4 days=$5 renew=$6
if [ "$mode" = make ]; then
  mkdir -p "$dir"
  work=$(mktemp -d "$dir/.work.XXXXXX")
else
  work=$(mktemp -d)
  [ -d "$dir" ] || dir=$work
fi
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"

make_key() {
  case $key_type in
    rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/key" 2>/dev/null ;;
    *) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key" ;;
  esac
  mv "$work/key" "$1.key"
}

make_secret() {
  openssl rand -base64 32 > "$work/key"
  mv "$work/key" "$1.key"
}

make_token() {
  letters=$(openssl rand -base64 256 | tr -dc 'a-z0-9' | cut -c 1-22)
  [ ${#letters} = 22 ]
  printf '%.6s.%s\n' "$letters" "${letters#??????}" > "$work/key"
  mv "$work/key" "$1.key"
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

make_certificate() { # NAME CA SUBJECT USAGE SANS
  extensions "$4" "$5" > "$work/ext"
  openssl req -new -key "$1.key" -subj "$3" -out "$work/csr"
  if [ "$2" = - ]; then
    openssl x509 -req -in "$work/csr" -signkey "$1.key" -days "$ca_days" -extfile "$work/ext" -out "$work/crt" 2>/dev/null
  else
    openssl x509 -req -in "$work/csr" -CA "$2.crt" -CAkey "$2.key" -set_serial "0x$(openssl rand -hex 16)" \
      -days "$days" -extfile "$work/ext" -out "$work/crt" 2>/dev/null
  fi
  chmod 644 "$work/crt"
  mv "$work/crt" "$1.crt"
}

# Names of certificates that are of a CA, and will still be good when it would be time to renew them.
verified() { # CA
  [ ! -s "$1.crt" ] || openssl verify -attime "$soon" -CAfile "$1.crt" -- *.crt 2>/dev/null | sed -n "s/^\\(.*\\)[.]crt: OK$/$1:\\1/p"
}

# The certificate was made for this, is of this CA and this key, and lasts long enough.
good() { # NAME CA WANTED
  [ -s "$1.wanted" ] && read -r made < "$1.wanted" && [ "$made" = "$3" ] || return 1
  case $planned in *" $1.key "* | *" $2.key "*) return 1 ;; esac
  case $lasting in *" $2:$1 "*) ;; *) return 1 ;; esac
  [ "$(openssl x509 -in "$1.crt" -noout -pubkey)" = "$(openssl pkey -in "$1.key" -pubout)" ]
}

list=$(cat)
soon=$(($(date +%s) + renew * 86400))
lasting=" $(echo "$list" | while read -r name ca _; do [ "$ca" != - ] || verified "$name"; done | tr '\n' ' ')"
planned=' '
need() { # FILE COMMAND...: prints the file, and makes it unless this is only a plan
  echo "$1"
  planned="$planned$1 "
  [ "$mode" = make ] || return 0
  shift
  "$@"
}

while read -r name ca subject usage names; do
  [ -n "$name" ] || continue
  case $usage in
    secret | token)
      [ -s "$name.key" ] || need "$name.key" "make_$usage" "$name"
      continue
      ;;
  esac
  [ -s "$name.key" ] || need "$name.key" make_key "$name"
  if [ "$usage" = key ]; then
    case $planned in *" $name.key "*) ;; *) [ ! -s "$name.pub" ] || continue ;; esac
    need "$name.pub" openssl pkey -in "$name.key" -pubout -out "$name.pub"
    continue
  fi
  issuer=$ca
  [ "$ca" != - ] || issuer=$name
  wanted="$issuer $subject $usage${names:+ $names}"
  if good "$name" "$issuer" "$wanted"; then continue; fi
  need "$name.crt" make_certificate "$name" "$ca" "$subject" "$usage" "$names"
  if [ "$mode" = make ]; then printf '%s\n' "$wanted" > "$name.wanted"; fi
done <<END
$list
END
