#!/usr/bin/env bash
# A PostgreSQL cluster for tests, in a folder of its own, on loopback, never as root.
#   Tests/postgres.sh start FOLDER PORT [SETTING…]   makes it where there is none, with settings such as "fsync = off",
#                                                    starts it and waits until it answers
#   Tests/postgres.sh stop FOLDER [MODE]             ends it: fast (default), or immediate, which is a crash
set -euo pipefail

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "PostgreSQL's server programs are not installed" >&2; exit 1; }
action=$1 folder=$2

# PostgreSQL refuses to run as root.
as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}

case $action in
  start)
    port=$3
    if [ ! -f "$folder/data/PG_VERSION" ]; then
      mkdir -p "$folder"
      [ "$(id -u)" != 0 ] || chown nobody "$folder"
      as_user "$bin/initdb" --pgdata="$folder/data" --username=dwell --auth=trust --encoding=UTF8 --locale=C \
        >"/dev/null"
      as_user tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder'
max_connections = 500
CONF
      for setting in "${@:4}"; do printf '%s\n' "$setting"; done \
        | as_user tee -a "$folder/data/postgresql.conf" >/dev/null
    fi
    as_user "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/log" --wait --options="-p $port" start >/dev/null
    ;;
  stop)
    as_user "$bin/pg_ctl" --pgdata="$folder/data" --mode="${3:-fast}" --wait stop >/dev/null
    ;;
  *)
    echo "start or stop, not $action" >&2
    exit 64
    ;;
esac
