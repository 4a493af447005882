#!/bin/bash
# Backups of the database and of its files (Odoo's filestore).
#   backup.sh once       makes one now
#   backup.sh nightly    one every night at $BACKUP_AT, and at once when the last night's is missing; the service "backup"
#   backup.sh check      exit 0 if the last one is younger than 26 hours (or there is no database yet)
# A backup is a folder $BACKUP_DIR/<UTC time>Z with database.dump (pg_dump -Fc), filestore.tar.gz and SHA256SUMS. It gets
# its name only when it is complete. Kept: the last $KEEP_DAILY, and the first of each of the last $KEEP_MONTHLY months.
set -euo pipefail
umask 027

BACKUP_DIR=${BACKUP_DIR:-/var/backups/facturiere}
FILESTORE=${FILESTORE:-/var/lib/odoo/filestore}
BACKUP_AT=${BACKUP_AT:-02:30}
KEEP_DAILY=${KEEP_DAILY:-14}
KEEP_MONTHLY=${KEEP_MONTHLY:-12}
: "${PGDATABASE:?}"

say() { printf '%s backup: %s\n' "$(date '+%F %T')" "$*"; }
database_exists() {
  [ "$(psql -X -At -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = '$PGDATABASE'")" = 1 ]
}
# the backups, newest first
backups() { find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' -printf '%f\n' | sort -r; }

make_backup() (
  exec 9>"$BACKUP_DIR/.lock"
  flock -n 9 || { say "another backup is running"; exit 1; }
  name=$(date -u +%Y-%m-%dT%H%M%SZ)
  while [ -e "$BACKUP_DIR/$name" ]; do sleep 1; name=$(date -u +%Y-%m-%dT%H%M%SZ); done
  work=$BACKUP_DIR/.partial-$name
  rm -rf "$BACKUP_DIR"/.partial-*
  mkdir "$work"
  trap 'rm -rf "$work"' EXIT
  # The database first: files are only ever added while Odoo runs, so each one the dump names is still there afterwards.
  pg_dump --format=custom --file="$work/database.dump"
  pg_restore --list "$work/database.dump" >/dev/null
  mkdir -p "$work/empty"
  folder=$FILESTORE/$PGDATABASE
  [ -d "$folder" ] || folder=$work/empty   # nothing has been attached yet
  status=0
  tar -C "$folder" --warning=no-file-changed -czf "$work/filestore.tar.gz" . || status=$?
  # 1: a file came or went meanwhile, which is as it should be; more is an error
  [ "$status" -le 1 ] || { say "tar ended with $status"; exit 1; }
  rmdir "$work/empty"
  (cd "$work" && sha256sum database.dump filestore.tar.gz >SHA256SUMS && sync database.dump filestore.tar.gz SHA256SUMS)
  mv -T "$work" "$BACKUP_DIR/$name"
  touch "$BACKUP_DIR/last-success"
  say "$name: $(du -sh "$BACKUP_DIR/$name" | cut -f1)"
)

prune() {
  local name month i=0 first=() keep=" "
  local -A oldest=()
  while read -r name; do
    oldest[${name:0:7}]=$name   # newest first, so the last one met is the month's first
    if ((i++ < KEEP_DAILY)); then keep+="$name "; fi
  done < <(backups)
  mapfile -t first < <(printf '%s\n' "${!oldest[@]}" | sort -r | head -n "$KEEP_MONTHLY")
  for month in "${first[@]}"; do
    if [ -n "$month" ]; then keep+="${oldest[$month]} "; fi
  done
  while read -r name; do
    [[ $keep == *" $name "* ]] || { rm -rf "${BACKUP_DIR:?}/$name"; say "$name: removed, past its time"; }
  done < <(backups)
}

nightly() {
  local now due last pause
  trap 'exit 0' TERM INT
  while :; do
    now=$(date +%s)
    due=$(date -d "today $BACKUP_AT" +%s)
    [ "$due" -le "$now" ] || due=$(date -d "yesterday $BACKUP_AT" +%s)
    pause=$((due + 86400 - now))
    last=$(stat -c %Y "$BACKUP_DIR/last-success" 2>/dev/null || echo 0)
    if [ "$last" -ge "$due" ]; then
      :
    elif ! database_exists; then
      say "there is no database $PGDATABASE yet"
      pause=600
    elif ! "${BASH_SOURCE[0]}" once; then   # a process of its own: "set -e" does not reach into conditions
      say "FAILED; the next try is in an hour"
      pause=3600
    fi
    sleep $((pause > 60 ? pause : 60)) &
    wait $!
  done
}

case "${1:-}" in
  once)
    database_exists || { say "there is no database $PGDATABASE"; exit 1; }
    make_backup
    prune
    ;;
  nightly) nightly ;;
  check) [ -n "$(find "$BACKUP_DIR/last-success" -mmin -1560 2>/dev/null)" ] || ! database_exists ;;
  *) sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
