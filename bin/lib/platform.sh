# shellcheck shell=bash
# All the pieces, and the two things every script does with them: provision, and run Odoo.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/bin/lib/odoo.sh"
. "$ROOT/bin/lib/python.sh"
. "$ROOT/bin/lib/postgres.sh"
. "$ROOT/bin/lib/chromium.sh"

provision() { # provision [dev]
  exec 9>"$HOME_DIR/lock"
  flock -n 9 || { note "another provision is at work here; waiting for it …"; flock 9; }
  step "Odoo 19 (Debian package, signature checked)" provision_odoo
  step "Python packages (locked)" provision_python odoo oca ${1:+dev}
  if [ "${1:-}" = dev ]; then step "Chromium" provision_chromium; fi
  step "PostgreSQL" start_postgres
  exec 9>&-
  if [ "$(id -u)" = 0 ] && [ "$DROP" = 0 ]; then
    note "note: user $SERVICE_USER cannot enter $ROOT, so Odoo itself runs as root here (a checkout under /srv or /opt avoids it)"
  fi
}

# the environment of anything that imports Odoo
odoo_env() {
  as_odoo env PYTHONPATH="$ODOO_PATH" PYTHONPYCACHEPREFIX="$HOME_DIR/pycache" \
    PYTHONWARNINGS="${PYTHONWARNINGS:-ignore::DeprecationWarning}" FACTURIERE_ROOT="$ROOT" FACTURIERE_HOME="$HOME_DIR" \
    HOME="$HOME_DIR/home" "$@"
}
run_odoo() { # run_odoo [subcommand] arguments…
  local sub=()
  case "${1:-}" in shell | db | module | i18n | cloc | scaffold | neutralize | populate | deploy | obfuscate | upgrade_code)
    sub=("$1"); shift ;;
  esac
  odoo_env "$PY" "$ODOO_ROOT/usr/bin/odoo" "${sub[@]}" --addons-path="$ROOT/addons" --data-dir="$HOME_DIR/data" "$@"
}
database() { odoo_env "$PY" "$ROOT/bin/lib/database.py" "$@"; }

# the modules ours depend on, read from the manifests, so that a prepared template database can hold them
base_modules() {
  odoo_env "$PY" - "$ROOT/addons" <<'PYTHON'
import ast, pathlib, sys
manifests = {p.parent.name: ast.literal_eval(p.read_text()) for p in pathlib.Path(sys.argv[1]).glob("*/__manifest__.py")}
# payment_demo: the demo and the browser tests pay through it
print(",".join(sorted({"payment_demo"} | {d for m in manifests.values() for d in m["depends"]} - set(manifests))))
PYTHON
}
# BASE_TEMPLATE: a database with those modules and French, made once per set of modules and versions
base_template() {
  local modules key
  modules=$(base_modules)
  key=$({ cat "$HOME_DIR/odoo.stamp" "$ROOT/requirements/odoo.txt" "$ROOT/requirements/oca.txt"; printf %s "$modules"; } | sha256sum | cut -c1-10)
  BASE_TEMPLATE=facturiere_base_$key
  if database exists "$BASE_TEMPLATE"; then return; fi
  step "Template database (Odoo, OCA addons, French)" make_base_template "$modules"
}
make_base_template() {
  database drop "${BASE_TEMPLATE}_new"
  run_odoo -d "${BASE_TEMPLATE}_new" -i "$1" --load-language=fr_FR --without-demo --no-http --stop-after-init --log-level=warn \
    >"$HOME_DIR/home/base.log" 2>&1 || { tail -30 "$HOME_DIR/home/base.log" >&2; die "the template database could not be made (see above)"; }
  database rename "${BASE_TEMPLATE}_new" "$BASE_TEMPLATE"
}
