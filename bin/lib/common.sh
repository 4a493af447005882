# shellcheck shell=bash
# Sourced by every script of bin/. Everything the project fetches or makes lives in $HOME_DIR (ignored by git);
# nothing is installed on the system.
set -euo pipefail
umask 022
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HOME_DIR=${FACTURIERE_HOME:-$ROOT/.odoo}

die() { printf 'error: %s\n' "$*" >&2; exit 1; }
note() { printf '%s\n' "$*" >&2; }
# step "what happens" command…: says what it does, and how long it took
step() {
  local what=$1 start=$SECONDS; shift
  printf '· %s …\n' "$what" >&2
  "$@"
  printf '  %s: %d s\n' "$what" $((SECONDS - start)) >&2
}

mkdir -p "$HOME_DIR" 2>/dev/null || die "cannot write $HOME_DIR: set FACTURIERE_HOME to a folder of yours"
[ -O "$HOME_DIR" ] || [ "$(id -u)" = 0 ] || die "$HOME_DIR belongs to $(stat -c %U "$HOME_DIR"): run as that user, or set FACTURIERE_HOME"

# As root, PostgreSQL (which refuses root) and Odoo run as an unprivileged user, where that user can reach the checkout.
SERVICE_USER=$(id -un)
DROP=0
if [ "$(id -u)" = 0 ]; then
  SERVICE_USER=postgres
  id postgres >/dev/null 2>&1 || SERVICE_USER=nobody
fi
as_service() {
  if [ "$(id -u)" = 0 ]; then
    HOME=$HOME_DIR/home setpriv --reuid="$SERVICE_USER" --regid="$(id -g "$SERVICE_USER")" --init-groups "$@"
  else
    "$@"
  fi
}
if [ "$(id -u)" = 0 ] && as_service test -x "$HOME_DIR" -a -r "$ROOT/bin/lib/common.sh"; then DROP=1; fi
# the user Odoo and the tests run as
as_odoo() { if [ "$DROP" = 1 ]; then as_service "$@"; else "$@"; fi; }
# a folder that the service user may write
service_dir() {
  mkdir -p "$@"
  if [ "$DROP" = 1 ]; then chown "$SERVICE_USER" "$@"; fi
}
service_dir "$HOME_DIR"/{home,data,pycache}

# apt with private state, cache and sources: works as any user, leaves the system alone. private_apt NAME [apt.conf lines]
private_apt() {
  local a=$HOME_DIR/apt/$1
  mkdir -p "$a"/{lists/partial,archives/partial,etc}
  cat >"$a/apt.conf" <<CONF
Dir::State::Lists "$a/lists"; Dir::Cache "$a"; Dir::Cache::archives "$a/archives";
Acquire::Languages "none"; Acquire::Retries "3"; APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke; #clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
${2:-}
CONF
  printf '%s\n' "$a"
}
# the machine's own package lists, fetched once a day at the most
host_apt() {
  local a
  a=$(private_apt host)
  if [ -z "$(find "$a/updated" -mtime -1 2>/dev/null)" ]; then
    apt-get -qq -c "$a/apt.conf" update >&2 || die "the package lists of this machine cannot be fetched (see above)"
    touch "$a/updated"
  fi
  printf '%s\n' "$a"
}
# debian_apt NAME ARCHITECTURES SUITE…: the Debian archive, signatures checked against bin/lib/keys, beside the machine's own
debian_apt() {
  local name=$1 arch=$2 a mirror; shift 2
  # the machine's own: by its origin, or, where no list was ever fetched (a bare container), as its sources name it
  mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null |
    awk '$1 == "Debian" && $2 ~ /\/debian\/?$/ {print $2; exit}')}
  mirror=${mirror:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    grep -v '^ *#' | grep -oE '[a-z+]+://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ' || :)}
  mirror=${mirror:-$(sed -n 's/^BaseURI: *//p' /usr/share/python-apt/templates/Debian.info 2>/dev/null | head -1)}
  [ -n "$mirror" ] || die "no Debian archive is known to this machine: set DEBIAN_MIRROR to one"
  a=$(private_apt "$name" "$(
    b=$HOME_DIR/apt/$name
    printf 'Dir::State "%s"; Dir::State::status "%s/status"; Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "%s/etc";\n' "$b" "$b" "$b"
    printf 'Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "/dev/null"; Dir::Etc::Trusted "/dev/null"; Dir::Etc::TrustedParts "/dev/null";\n'
  )")
  cat "$ROOT"/bin/lib/keys/*.asc >"$a/keys.asc"
  : >"$a/status"
  for suite in "$@"; do
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: %s\nSigned-By: %s\n\n' "$mirror" "$suite" "$arch" "$a/keys.asc"
  done >"$a/etc/debian.sources"
  apt-get -qq -c "$a/apt.conf" update --error-on=any >&2 || die "the Debian archive cannot be read, or its signature is wrong (see above)"
  printf '%s\n' "$a"
}
unpack() { dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner "${@:3}"; }

for tool in apt-get dpkg-deb tar setpriv flock; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install apt dpkg tar util-linux"
done
