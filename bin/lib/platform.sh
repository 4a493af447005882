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
  base_template
  exec 9>&-
  if [ "$(id -u)" = 0 ] && [ "$DROP" = 0 ]; then
    note "note: user $SERVICE_USER cannot enter $ROOT, so Odoo itself runs as root here (a checkout under /srv or /opt avoids it)"
  fi
}

# what every Odoo process of the checkout needs to know; some subcommands take no options, so it stands in a file
ODOO_CONF=$HOME_DIR/odoo.conf
printf '[options]\naddons_path = %s\ndata_dir = %s\nwithout_demo = True\n' "$ROOT/addons" "$HOME_DIR/data" >"$ODOO_CONF"

# the environment of anything that imports Odoo
odoo_env() {
  as_odoo env ODOO_RC="$ODOO_CONF" PYTHONPATH="$ODOO_PATH" PYTHONPYCACHEPREFIX="$HOME_DIR/pycache" \
    PYTHONWARNINGS="${PYTHONWARNINGS:-ignore::DeprecationWarning}" FACTURIERE_ROOT="$ROOT" FACTURIERE_HOME="$HOME_DIR" \
    HOME="$HOME_DIR/home" "$@"
}
run_odoo() { # run_odoo [subcommand] arguments…
  local sub=()
  case "${1:-}" in shell | db | module | i18n | cloc | scaffold | neutralize | populate | deploy | obfuscate | upgrade_code)
    sub=("$1"); shift ;;
  esac
  odoo_env "$PY" "$ODOO_ROOT/usr/bin/odoo" "${sub[@]}" "$@"
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

own_addons() { (cd "$ROOT/addons" && printf '%s\n' */__manifest__.py | cut -d/ -f1 | paste -sd,); }
# a fresh database with our addons: install_addons NAME
install_addons() {
  local log=$HOME_DIR/home/install-$1.log
  database copy "$BASE_TEMPLATE" "$1"
  run_odoo -d "$1" -i "$(own_addons)" --no-http --stop-after-init --log-level=warn >"$log" 2>&1 || { cat "$log" >&2; die "our addons do not install (see above)"; }
  # a warning of ours (a missing translation source, a wrong view …) is a defect
  if grep -E ' (WARNING|ERROR|CRITICAL) ' "$log" >&2; then die "installing our addons logged the lines above"; fi
}
# the state of everything our addons are installed from
sources_key() {
  (cd "$ROOT" && find addons "$@" -type f -not -path '*/tests/*' -not -name '*.pyc' -not -name '*.md' -print0 | sort -z | xargs -0 sha256sum; echo "$BASE_TEMPLATE") |
    sha256sum | cut -c1-10
}
# keep_template PREFIX KEY command…: makes database PREFIX_KEY once, drops the ones of earlier keys
keep_template() {
  local name=$1_$2 old
  if database exists "$name"; then return; fi
  "${@:3}" "${name}_new"
  for old in $(database list | grep -E "^$1_[0-9a-f]{10}(_new)?$" | grep -v "^${name}_new$" || :); do database drop "$old"; done
  database rename "${name}_new" "$name"
}
addons_template() {
  base_template
  local key; key=$(sources_key data/ngap)
  ADDONS_TEMPLATE=${FACTURIERE_TEST_DB:-facturiere}_addons_$key
  keep_template "${FACTURIERE_TEST_DB:-facturiere}_addons" "$key" step "Database with our addons" install_addons
}
demo_template() {
  addons_template
  local key; key=$(sources_key data/ngap data/demo bin/lib/demo.py bin/lib/demo_collections.py)
  DEMO_TEMPLATE=${FACTURIERE_TEST_DB:-facturiere}_day_$key
  keep_template "${FACTURIERE_TEST_DB:-facturiere}_day" "$key" step "Database with the demo day" make_demo_template
}
make_demo_template() {
  database copy "$ADDONS_TEMPLATE" "$1"
  demo_day "$1" >"$HOME_DIR/home/demo-day.log" 2>&1 || { cat "$HOME_DIR/home/demo-day.log" >&2; die "the demo day could not be worked (see above)"; }
}
# demo_day DATABASE [--summary --port=N]: load and work the demo agency's day, or tell its summary
demo_day() {
  odoo_env "$PY" "$ROOT/bin/lib/demo.py" --database="$1" "${@:2}"
}
