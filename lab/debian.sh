# Fetches Debian packages of a chosen suite, whatever this machine itself runs; root is not needed, nothing is installed.
#   fetch SUITE FOLDER PACKAGE...      unpacks them into FOLDER/root
# It is put in front of the scripts that use it, or read by them.
fetch() {
  suite=$1 folder=$2; shift 2
  command -v apt-get >/dev/null || { echo 'error: apt-get is needed to fetch Debian packages' >&2; return 1; }
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial" "$folder/debs" "$folder/root"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  signed=; [ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
  echo "deb $signed${LAB_MIRROR:-http://deb.debian.org/debian} $suite main" > "$folder/apt/sources.list"
  : > "$folder/apt/status"
  cat > "$folder/apt/apt.conf" <<END
Dir::Etc::SourceList "$folder/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$folder/apt/lists";
Dir::State::Status "$folder/apt/status";
Dir::Cache "$folder/apt";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
END
  echo "I: fetching $* of Debian $suite..." >&2
  (
    export APT_CONFIG="$folder/apt/apt.conf"
    apt-get -qq update >&2
    cd "$folder/debs" || exit
    apt-get -qq download "$@" >&2
  )
  for package in "$folder"/debs/*.deb; do dpkg -x "$package" "$folder/root"; done
}
