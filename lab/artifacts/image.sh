# Functions that put a container image together and write it as an archive that `ctr images import` and `docker load` take.
# Used by images.sh; $PWD is its working folder: debian/ holds unpacked packages, root/ becomes the image's only layer.
# shellcheck shell=sh disable=SC2034,SC2154
root=$PWD/root
triplet=$(uname -m)-linux-gnu

# skeleton: the folders and the users that programs expect
skeleton() {
  mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib/$triplet" "$root/usr/lib64" "$root/etc" "$root/root" "$root/tmp" "$root/var/tmp" "$root/run"
  chmod 1777 "$root/tmp" "$root/var/tmp"
  for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
  ln -s ../run "$root/var/run"
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' > "$root/etc/group"
  printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
}

# program COMPONENT-VERSION NAME...: static programs of the cache
program() {
  component=$1; shift
  for name; do
    [ -e "$artifacts/$component/$name" ] || fail "$component has not been made"
    install -m 755 "$artifacts/$component/$name" "$root/usr/bin/$name"
  done
}

# packages SUITE NAME...: unpacks Debian packages, and notes their versions
packages() {
  # one package list for all images of a run
  mkdir -p "$artifacts/.apt/$1" debian
  ln -s "$artifacts/.apt/$1" debian/apt
  suite=$1; shift
  fetch "$suite" "$PWD/debian" "$@"
  for package; do
    echo "Debian $suite $package $(dpkg-deb -f "$(find debian/debs -name "${package}_*.deb" | head -n 1)" Version)" >> SOURCES
  done
}

# take FOLDER FILE...: copies programs of the packages (paths below their root) with the libraries they need
take() {
  folder=$1; shift
  mkdir -p "$root/$folder"
  for file; do
    found=
    for path in "$PWD/debian/root/$file" "$PWD/debian/root/usr/$file"; do [ ! -e "$path" ] || found=$path; done
    [ -n "$found" ] || fail "the packages have no $file"
    cp -L "$found" "$root/$folder/"
    libraries "$found"
  done
}

# libraries FILE: what FILE links, from the packages and nothing else
libraries() {
  loader=$(find "$PWD/debian/root" -name 'ld-linux*.so.*' | head -n 1)
  [ -e "$root/usr/lib64/${loader##*/}" ] || cp -L "$loader" "$root/usr/lib64/"
  path=$PWD/debian/root/usr/lib/$triplet:$PWD/debian/root/lib/$triplet:$PWD/debian/root/usr/lib/$triplet/nginx
  "$loader" --inhibit-cache --library-path "$path" --list "$1" > .needed || fail "the libraries of $1 cannot be found"
  while read -r name _ library _; do
    case $name in */*) continue ;; esac # the loader itself
    case $library in
      "$PWD"/debian/*) [ -e "$root/usr/lib/$triplet/$name" ] || cp -L "$library" "$root/usr/lib/$triplet/$name" ;;
      /* | found) fail "$1 needs $name, which no listed package has" ;;
    esac
  done < .needed
  rm .needed
}

# busybox: the shell and its tools
busybox() {
  take usr/bin bin/busybox
  "$loader" --library-path "$path" "$root/usr/bin/busybox" --list > .applets
  while read -r applet; do [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"; done < .applets
  rm .applets
}

# write FILE FULL-NAME ENTRYPOINT [CMD]: the archive; ENTRYPOINT and CMD are JSON lists. $USER_ID: who runs it (root)
write() {
  tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf layer.tar .
  layer=$(sha256sum layer.tar | cut -d' ' -f1)
  epoch=1970-01-01T00:00:00Z
  cat > config.json <<END
{"created":"$epoch","architecture":"$arch","os":"linux",
"config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"User":"${USER_ID:-}","WorkingDir":"/","Entrypoint":$3,"Cmd":${4:-null}},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},
"history":[{"created":"$epoch","created_by":"lab/artifacts/images.sh"}]}
END
  config=$(sha256sum config.json | cut -d' ' -f1)
  mv config.json "$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]\n' "$config" "$2" > manifest.json
  tar --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$1" manifest.json "$config.json" layer.tar
}
