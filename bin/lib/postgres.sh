# shellcheck shell=bash
# A private PostgreSQL on a unix socket, unless the environment names a server (PGHOST).
PG_DIR=$HOME_DIR/pg
PG_ROOT=$HOME_DIR/pgroot
if [ "$(id -u)" = 0 ] && [ "$DROP" = 0 ]; then
  PG_DIR=/var/lib/facturiere-$(printf %s "$HOME_DIR" | cksum | cut -d' ' -f1)   # the service user cannot enter the checkout
  PG_ROOT=$PG_DIR/pgroot
fi
if [ -n "${PGHOST:-}" ]; then PG_PRIVATE=0; else PG_PRIVATE=1; fi

if [ "$PG_PRIVATE" = 1 ]; then
  PG_SOCKET=$PG_DIR/run
  # the path of a unix socket has at most 107 bytes
  [ ${#PG_SOCKET} -lt 90 ] || PG_SOCKET=/tmp/facturiere-pg-$(printf %s "$HOME_DIR" | cksum | cut -d' ' -f1)
  export PGHOST=$PG_SOCKET PGPORT=5432 PGUSER=odoo
fi

postgres_bin() {
  { ls -d /usr/lib/postgresql/*/bin/postgres "$PG_ROOT"/usr/lib/postgresql/*/bin/postgres 2>/dev/null || :; } |
    sort -V | tail -1 | xargs -r dirname
}
fetch_postgres() {
  local a version packages file
  a=$(host_apt)
  version=$(apt-cache -c "$a/apt.conf" depends postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' | head -1)
  [ -n "$version" ] || die "PostgreSQL is missing: apt-get install postgresql, or name a server in PGHOST"
  # llvm is only for JIT, which we switch off
  mapfile -t packages < <(apt-get -q -c "$a/apt.conf" -s --no-install-recommends install "$version" |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -E '^(postgresql-(client-)?[0-9]+|lib.*|tzdata)$' | grep -vE 'perl|llvm|libz3')
  (cd "$a/archives" && apt-get -qq -c "$a/apt.conf" download "${packages[@]}" >&2) || die "PostgreSQL could not be downloaded: apt-get install postgresql"
  mkdir -p "$PG_ROOT"
  for file in "$a"/archives/*.deb; do unpack "$file" "$PG_ROOT"; done
  rm -f "$a"/archives/*.deb
}
pg_tool() { # pg_tool initdb|pg_ctl …
  local bin lib=
  bin=$(postgres_bin)
  case $bin in "$PG_ROOT"/*) lib=$(printf '%s:' "$PG_ROOT"/usr/lib/*-linux-gnu) ;; esac
  (cd / && as_service env ${lib:+LD_LIBRARY_PATH="$lib"} "$bin/$1" "${@:2}")
}
start_postgres() {
  local options
  if [ "$PG_PRIVATE" = 0 ]; then return; fi
  [ -n "$(postgres_bin)" ] || fetch_postgres
  mkdir -p "$PG_DIR" "$PG_SOCKET"
  if [ "$(id -u)" = 0 ]; then chown "$SERVICE_USER" "$PG_DIR" "$PG_SOCKET"; fi
  if [ ! -e "$PG_DIR/ready" ]; then
    as_service rm -rf "$PG_DIR/data"   # an interrupted initdb leaves a folder that cannot be used
    pg_tool initdb -D "$PG_DIR/data" -U odoo -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    as_service touch "$PG_DIR/ready"
  fi
  if ! pg_tool pg_ctl -D "$PG_DIR/data" status >/dev/null; then
    # a development cluster: speed over durability
    options="-k $PG_SOCKET -p $PGPORT -c listen_addresses= -c unix_socket_permissions=0700 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c jit=off -c shared_buffers=256MB"
    if [ "$DROP" = 0 ] && [ "$(id -u)" = 0 ]; then options=${options/0700/0777}; fi
    pg_tool pg_ctl -D "$PG_DIR/data" -w -l "$PG_DIR/log" start -o "$options" >/dev/null </dev/null 9>&- ||
      die "PostgreSQL does not start; the end of $PG_DIR/log tells why"
  fi
}
stop_postgres() {
  if [ "$PG_PRIVATE" = 1 ] && [ -e "$PG_DIR/ready" ]; then pg_tool pg_ctl -D "$PG_DIR/data" -m fast stop >/dev/null 2>&1 || :; fi
}
