# How fast recovery is: WAL that pgbench has made is replayed after a crash, three times.
#
#   source tools/lib/setup.sh; make_scratch; source tools/lib/recovery_speed.sh
#   read -r elapsed cpu megabytes < <(recovery_speed fork 1000)
#
# KIND is postgres (PostgreSQL 15), fork or coroutine. The figures are seconds per GB of WAL, as the
# server's own line "redo done" tells them: the least of three, and the CPU time of the same.

# Settings that keep all WAL and start no checkpoint before the crash.
recovery_settings() {
  cat <<END
listen_addresses = ''
unix_socket_directories = '$1'
log_timezone = 'UTC'
fsync = off
autovacuum = off
shared_buffers = 128MB
max_wal_size = 100GB
checkpoint_timeout = 1d
END
}

# recovery_start KIND DIRECTORY: returns when the server takes connections.
recovery_start() {
  local options='' programs=$SCRATCH/bin
  if [[ $1 == postgres ]]; then programs=$PG_BIN; else options=--mode=$1; fi
  as_server_user "$programs/pg_ctl" start -s -w -t 3600 -D "$2/data" -l "$2/log" -o "$options"
}

# recovery_crash DIRECTORY: the whole server is gone at once.
recovery_crash() {
  local postmaster children
  postmaster=$(head -n 1 "$1/data/postmaster.pid")
  kill -STOP "$postmaster"
  children=$(pgrep -P "$postmaster" || true)
  # shellcheck disable=SC2086
  kill -KILL $children "$postmaster" || true
  while kill -0 "$postmaster" 2> /dev/null; do sleep 0.1; done
  rm -f "$1/data/postmaster.pid"
}

recovery_speed() {
  local kind=$1 megabytes=$2 directory=$SCRATCH/recovery-$1 start programs=$SCRATCH/bin
  [[ $kind != postgres ]] || programs=$PG_BIN
  as_server_user mkdir "$directory"
  as_server_user "$programs/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C \
    -N -k > /dev/null
  recovery_settings "$directory" >> "$directory/data/postgresql.conf"
  recovery_start "$kind" "$directory"
  local client=(-h "$directory" -U postgres)
  "$PG_BIN/pgbench" "${client[@]}" -i -q -s 10 postgres > /dev/null 2>&1
  "$PG_BIN/psql" "${client[@]}" -q -c checkpoint postgres
  position() { "$PG_BIN/psql" "${client[@]}" -At -c "select $1" postgres; }
  start=$(position 'pg_current_wal_insert_lsn()')
  local made=0
  while [[ $made -lt $megabytes ]]; do
    "$PG_BIN/pgbench" "${client[@]}" -n -M prepared -c 8 -t 2000 postgres > /dev/null
    made=$(position "((pg_current_wal_insert_lsn() - '$start') / 1048576)::int")
  done
  recovery_crash "$directory"
  as_server_user cp -a "$directory/data" "$directory/crashed"
  local round
  for round in 1 2 3; do
    recovery_start "$kind" "$directory"
    recovery_crash "$directory"
    rm -rf "$directory/data"
    as_server_user cp -a "$directory/crashed" "$directory/data"
  done
  sed -n 's/.*redo done at .* user: \([0-9.]*\) s, system: \([0-9.]*\) s, elapsed: \([0-9.]*\) s.*/\3 \1 \2/p' \
    "$directory/log" | sort -n | head -n 1 |
    awk -v mb="$made" '{ printf "%.2f %.2f %d\n", $1 * 1024 / mb, ($2 + $3) * 1024 / mb, mb }'
  rm -rf "$directory"
}
