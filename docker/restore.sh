#!/bin/bash
# Brings back a backup made by backup.sh. Nothing is ever deleted that was not made here.
#   restore.sh list              the backups there are, and whether their checksums are right
#   restore.sh drill [NAME]      restores into a second database, checks it, tells its figures, drops it; the live one goes on
#   restore.sh replace NAME      restores beside the live database, checks, then swaps them; "web" and "jobs" must be stopped.
#                                The old database and its files stay as <database>_before_<time>.
# NAME is a folder's name, or "latest".
set -euo pipefail

BACKUP_DIR=${BACKUP_DIR:-/var/backups/facturiere}
FILESTORE=${FILESTORE:-/var/lib/odoo/filestore}
: "${PGDATABASE:?}"

die() { printf 'restore: %s\n' "$*" >&2; exit 1; }
say() { printf 'restore: %s\n' "$*"; }
usage() { sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
server() { psql -X -At -v ON_ERROR_STOP=1 -d postgres "$@"; }
exists() { [ "$(server -c "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ]; }
backups() { find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' -printf '%f\n' | sort -r; }
intact() { (cd "$BACKUP_DIR/$1" && sha256sum --check --status SHA256SUMS); }

# a backup's name -> its folder
find_backup() {
  local name=$1
  if [ "$name" = latest ]; then name=$(backups | sed -n 1p); fi
  if [ -z "$name" ] || [ ! -f "$BACKUP_DIR/$name/database.dump" ]; then die "there is no backup $1; restore.sh list names them"; fi
  intact "$name" || die "$name is damaged: its checksums do not match"
  printf '%s\n' "$BACKUP_DIR/$name"
}

discard() { # a database made here, and its files
  server -c "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" >/dev/null 2>&1
  rm -rf "${FILESTORE:?}/$1"
}

# restore_into FOLDER DATABASE: all of it or nothing
restore_into() {
  local folder=$1 database=$2
  exists "$database" && die "database $database is there already"
  trap 'discard "$database"' EXIT
  server -c "CREATE DATABASE \"$database\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'" >/dev/null
  pg_restore --dbname="$database" --no-owner --no-privileges --exit-on-error --jobs=2 "$folder/database.dump"
  mkdir -p "$FILESTORE/$database"
  tar -C "$FILESTORE/$database" -xzf "$folder/filestore.tar.gz"
  check "$database"
  trap - EXIT
}

# what a person recognises, and every attached file present
check() {
  local name names missing=0
  names=$(psql -X -At -v ON_ERROR_STOP=1 -d "$1" -c "SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL")
  while read -r name; do
    [ -f "$FILESTORE/$1/$name" ] || missing=$((missing + 1))
  done < <(printf '%s' "${names:+$names$'\n'}")
  [ "$missing" = 0 ] || die "$missing attached files are missing from the backup"
  if [ "$(psql -X -At -d "$1" -c "SELECT to_regclass('account_move') IS NOT NULL")" = t ]; then
    psql -X -At -v ON_ERROR_STOP=1 -d "$1" -F ' ' -c "
      SELECT 'entries posted: ' || count(*) || ', last of ' || coalesce(max(date)::text, '-') FROM account_move WHERE state = 'posted';
      SELECT 'ledger difference: ' || coalesce(sum(balance), 0) FROM account_move_line WHERE parent_state = 'posted'"
  fi
  psql -X -At -v ON_ERROR_STOP=1 -d "$1" -c "SELECT 'attachments: ' || count(*) FROM ir_attachment"
}

case "${1:-}" in
  list)
    while read -r name; do
      if intact "$name"; then state=whole; else state=DAMAGED; fi
      printf '%s  %s  %s\n' "$name" "$(du -sh "$BACKUP_DIR/$name" | cut -f1)" "$state"
    done < <(backups)
    ;;
  drill)
    folder=$(find_backup "${2:-latest}")
    target=${PGDATABASE}_drill
    if exists "$target"; then discard "$target"; fi   # left by an interrupted drill
    say "$(basename "$folder") into $target …"
    restore_into "$folder" "$target"
    discard "$target"
    say "the drill succeeded"
    ;;
  replace)
    [ -n "${2:-}" ] || usage
    folder=$(find_backup "$2")
    users=$(server -c "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name LIKE 'odoo%'")
    [ "$users" = 0 ] || die "Odoo is still connected to $PGDATABASE: docker compose stop web jobs"
    before=${PGDATABASE}_before_$(date -u +%Y%m%dT%H%M%SZ)
    target=${PGDATABASE}_restored
    if exists "$target"; then discard "$target"; fi   # left by an interrupted restore
    say "$(basename "$folder") into $target …"
    restore_into "$folder" "$target"
    swap="ALTER DATABASE \"$target\" RENAME TO \"$PGDATABASE\";"
    if exists "$PGDATABASE"; then swap="ALTER DATABASE \"$PGDATABASE\" RENAME TO \"$before\"; $swap"; fi
    server --single-transaction -c "$swap" >/dev/null   # both names change, or neither
    if [ -d "$FILESTORE/$PGDATABASE" ]; then mv "$FILESTORE/$PGDATABASE" "$FILESTORE/$before"; fi
    mv "$FILESTORE/$target" "$FILESTORE/$PGDATABASE"
    say "$PGDATABASE is now $(basename "$folder"); what was there before: $before"
    ;;
  *) usage ;;
esac
