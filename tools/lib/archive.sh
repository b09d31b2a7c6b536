# Sourced by the scripts in tools/: packages of this machine's Debian release for other
# architectures, and its sources, from the mirror that apt uses here. Needs no root and changes
# nothing of the system: apt works on lists of its own, as if nothing were installed.

# open_archive FOLDER ARCHITECTURE: sets the array `apt`. FOLDER is for apt's own use.
open_archive() {
    local release mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    release=$(. /etc/os-release && printf '%s' "${ID:-}:${VERSION_CODENAME:-}")
    [[ $release == debian:* ]] || return 1
    release=${release#debian:}
    mirror=$(apt-get indextargets --format '$(CODENAME) $(RELEASE) $(REPO_URI)' \
        'Created-By: Packages' | awk -v release="$release" '$1 == release || $2 == release {
            print $3; exit}')
    [[ $mirror ]] || return 1
    mkdir -p "$1"/{lists,cache/archives}/partial
    : >"$1/status"
    printf '%s [signed-by=%s] %s %s main\n' deb "$keyring" "$mirror" "$release" \
        deb-src "$keyring" "$mirror" "$release" >"$1/sources.list"
    apt=(apt-get --quiet=2 --yes --no-install-recommends
        -o "Dir::Etc::SourceList=$1/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$1/lists" -o "Dir::State::Status=$1/status"
        -o "Dir::Cache=$1/cache" -o "APT::Architecture=$2" -o "APT::Architectures=$2"
        -o APT::Sandbox::User= -o Debug::NoLocking=true
        -o Acquire::Languages=none -o Acquire::Retries=1 -o APT::Update::Error-Mode=any)
    "${apt[@]}" update
}
