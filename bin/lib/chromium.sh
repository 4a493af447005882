# shellcheck shell=bash
# A Chromium for the browser tests: the machine's own, else Debian's package with its libraries unpacked into
# $HOME_DIR/chromium (bookworm's, because it runs on every system we support).
chromium_bin() {
  local name
  for name in chromium google-chrome google-chrome-stable; do
    # on Ubuntu "chromium-browser" is a stub that asks for snap, so it is not in the list
    if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then command -v "$name"; return; fi
  done
  [ ! -x "$HOME_DIR/chromium/run" ] || printf '%s\n' "$HOME_DIR/chromium/run"
}
provision_chromium() {
  local a arch dest file packages
  [ -z "$(chromium_bin)" ] || return 0
  arch=$(dpkg --print-architecture)
  a=$(debian_apt chromium "$arch" bookworm)
  mapfile -t packages < <(apt-get -q -c "$a/apt.conf" -s --no-install-recommends install chromium fonts-dejavu-core |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -vE '^(libc6|libc-bin|libgcc-s1|gcc-.*-base|dpkg|perl.*|libperl.*|adduser|passwd|tar|debconf|systemd.*|init.*|dbus.*)$')
  [ ${#packages[@]} -gt 0 ] || die "no Chromium is to be had here: apt-get install chromium"
  (cd "$a/archives" && apt-get -qq -c "$a/apt.conf" download "${packages[@]}" >&2) || die "Chromium could not be downloaded: apt-get install chromium"
  dest=$HOME_DIR/chromium.new
  rm -rf "$dest"; mkdir "$dest"
  for file in "$a"/archives/*.deb; do unpack "$file" "$dest"; done
  rm -f "$a"/archives/*.deb
  cat >"$dest/run" <<'RUN'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu/pulseaudio "$here"/lib/*-linux-gnu "$here"/usr/lib/chromium | tr ' ' ':')
export LD_LIBRARY_PATH
export FONTCONFIG_FILE="${FONTCONFIG_FILE:-$here/fonts.conf}"
exec "$here/usr/lib/chromium/chromium" "$@"
RUN
  chmod +x "$dest/run"
  write_fonts_conf "$dest/fonts.conf" "$HOME_DIR/chromium/usr/share/fonts"
  "$dest/run" --version >/dev/null || die "the unpacked Chromium does not start (see above): apt-get install chromium"
  rm -rf "$HOME_DIR/chromium"; mv "$dest" "$HOME_DIR/chromium"
}
# write_fonts_conf FILE FOLDER…: so that a machine without desktop fonts shows pages as a desktop would
write_fonts_conf() {
  local file=$1 dir; shift
  {
    echo '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
    for dir in "$@" "$ODOO_ROOT/usr/share/fonts" /usr/share/fonts; do echo "<dir>$dir</dir>"; done
    echo "<cachedir>$HOME_DIR/home/fontconfig</cachedir>"
    echo '<alias><family>sans-serif</family><prefer><family>Roboto</family><family>DejaVu Sans</family></prefer></alias>'
    echo '<alias><family>system-ui</family><prefer><family>Roboto</family></prefer></alias></fontconfig>'
  } >"$file"
}
