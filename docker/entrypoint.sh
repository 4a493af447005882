#!/bin/bash
# Entry point of every container of our image. Reads the secrets from files, waits for PostgreSQL, then runs
#   odoo …            Odoo with these arguments (the default)
#   install           the first start: makes the database; may be run again after an interruption
#   update            after a new version: updates our addons and what they stand on
#   anything else     that command, with access to the database
set -euo pipefail

SECRETS=${FACTURIERE_SECRETS:-/run/secrets}
RUN=${FACTURIERE_RUN:-/run/facturiere}
HOME_DIR=${FACTURIERE_ROOT:-/opt/facturiere}
CONF=${FACTURIERE_CONF:-/etc/odoo/odoo.conf}

die() { printf 'facturiere: %s\n' "$*" >&2; exit 1; }

# 1. the password of the database, for libpq (Odoo, psql, pg_dump): a file of this container's memory, not the environment
[ -r "$SECRETS/db_password" ] ||
  die "the secret db_password cannot be read: see docker/secrets/README"
password=$(tr -d '\r\n' <"$SECRETS/db_password")
[ -n "$password" ] || die "the secret db_password is empty"
password=${password//\\/\\\\}
export PGPASSFILE=${PGPASSFILE:-$RUN/pgpass}
(umask 077 && printf '*:*:*:*:%s\n' "${password//:/\\:}" >"$PGPASSFILE")
unset password

# 2. Odoo's settings, with a master password that nobody knows
[ -r "$CONF" ] || die "$CONF cannot be read"
(
  umask 077
  random=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  sed "s/^\[options\]$/&\nadmin_passwd = $random/" "$CONF" >"$RUN/odoo.conf"
)
export ODOO_RC=$RUN/odoo.conf

# 3. PostgreSQL may still be starting
for ((i = 0; ; i++)); do
  if pg_isready -q -d postgres; then break; fi
  [ "$i" -lt 60 ] || die "PostgreSQL does not answer on $PGHOST"
  sleep 1
done

modules() {
  local manifest
  printf queue_job
  for manifest in "$HOME_DIR"/addons/*/__manifest__.py; do
    printf ,%s "$(basename "$(dirname "$manifest")")"
  done
}
initialised() {
  [ "$(psql -X -At -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$PGDATABASE'")" = 1 ] &&
    [ "$(psql -X -At -c "SELECT 1 FROM ir_module_module WHERE name = 'base' AND state = 'installed'" 2>/dev/null)" = 1 ]
}
# Odoo ends well even when it left a module out
all_installed() {
  local missing
  missing=$(psql -X -At -c "SELECT string_agg(name, ', ') FROM unnest(string_to_array('$(modules)', ',')) AS name
    WHERE name NOT IN (SELECT name FROM ir_module_module WHERE state = 'installed')")
  [ -z "$missing" ] || die "not installed: $missing (see the messages above)"
}
once() { odoo "$@" --no-http --stop-after-init --workers=0 --max-cron-threads=0; }

case "${1:-odoo}" in
  install)
    [ -n "${FACTURIERE_URL:-}" ] || die "FACTURIERE_URL is not set (docker/.env)"
    [ -s "$SECRETS/admin_password" ] || die "the secret admin_password is missing or empty"
    # the country before our addons: it decides the chart of accounts that comes with "account"
    initialised || once -i base --load-language=fr_FR --without-demo
    odoo shell --no-http <"$HOME_DIR/bin/first_setup.py"
    once -i "$(modules)" --without-demo
    all_installed
    printf 'facturiere: ready; start everything with: docker compose up -d\n'
    ;;
  update)
    initialised || die "there is no database $PGDATABASE yet: use install"
    for before in "$HOME_DIR"/addons/*/migrations/before-update.sql; do
      psql -X -q -v ON_ERROR_STOP=1 -f "$before" || die "the database could not be prepared (see above)"
    done
    once -i "$(modules)" -u base --without-demo   # what stands on base is updated with it
    all_installed
    ;;
  odoo)
    shift || :
    exec odoo "$@"
    ;;
  -*) exec odoo "$@" ;;
  *) exec "$@" ;;
esac
