# shellcheck shell=bash
# Python 3.11 to 3.13 and the locked packages, in $HOME_DIR/venv. The OCA addons land in site-packages/odoo/addons,
# where Odoo finds them by itself (namespace package).
VENV=$HOME_DIR/venv
PY=$VENV/bin/python

usable_python() {
  as_odoo "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}
pip_install() { # quiet unless it fails
  local log=$HOME_DIR/pip.log
  env -u PYTHONPATH "$PY" -m pip install -q --disable-pip-version-check --require-hashes --no-deps "$@" >"$log" 2>&1 || { tail -20 "$log" >&2; return 1; }
}

provision_python() { # provision_python odoo oca [dev]: the lock files to install
  local python candidate set sum a pip
  if ! [ -x "$PY" ] || ! usable_python "$PY"; then
    for candidate in ${PYTHON:-} python3 python3.12 python3.11 python3.13 /usr/bin/python3 ""; do
      [ -z "$candidate" ] || ! command -v "$candidate" >/dev/null || ! usable_python "$(command -v "$candidate")" || break
    done
    [ -n "$candidate" ] || die "Python 3.11, 3.12 or 3.13 is needed$([ "$DROP" = 0 ] || echo ", which user $SERVICE_USER can run"): apt-get install python3"
    python=$(command -v "$candidate")
    rm -rf "$VENV" "$HOME_DIR"/python-*.stamp
    if ! "$python" -m venv "$VENV" >/dev/null 2>&1; then
      # Debian and Ubuntu without python3-venv: pip comes from the distribution's own wheel
      "$python" -m venv --clear --without-pip "$VENV" >/dev/null 2>&1 || die "Python's venv module is missing: apt-get install python3-venv"
      a=$(host_apt)
      (cd "$a/archives" && apt-get -qq -c "$a/apt.conf" download python3-pip-whl >&2) || die "pip is missing: apt-get install python3-venv"
      mkdir -p "$HOME_DIR/whl"
      for pip in "$a"/archives/python3-pip-whl*.deb; do unpack "$pip" "$HOME_DIR/whl"; done
      pip=$(find "$HOME_DIR/whl" -name 'pip-*.whl' | sort | tail -1)
      "$PY" "$pip/pip" install -q --no-index --find-links "$(dirname "$pip")" pip >&2
    fi
  fi
  for set in "$@"; do
    sum=$(sha256sum <"$ROOT/requirements/$set.txt")
    [ "$(cat "$HOME_DIR/python-$set.stamp" 2>/dev/null)" != "$sum" ] || continue
    pip_install -r "$ROOT/requirements/$set.txt" || die "the Python packages of requirements/$set.txt could not be installed (see above)"
    printf '%s\n' "$sum" >"$HOME_DIR/python-$set.stamp"
  done
}
