#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/lib/pg.sh - a scratch PostgreSQL of one's own, as an unprivileged user.
#
#   pg.sh start DIR [OPTION=VALUE...]   a cluster in DIR (made when missing); prints its DSN
#   pg.sh standby DIR OF [OPTION=VALUE...]  a streaming hot standby of the running one in OF; prints its DSN
#   pg.sh stop DIR                      ends it at once; DIR is the caller's to remove
#   pg.sh kill DIR                      as a crash does (immediate shutdown)
#   pg.sh restart DIR                   after stop or kill, with the same data
#   pg.sh pid DIR                       the postmaster's process id
#   pg.sh psql DIR DB [ARGS...]         psql as the superuser
#
# It listens on a Unix socket in a short folder of its own below /tmp (socket
# paths are limited to 107 bytes). The superuser is "postgres", without
# password; fsync is off unless an option says otherwise. As root the server
# runs as "nobody". Exit status 77 when PostgreSQL is not installed.
set -eu

find_bin() {
	for d in "${PG_BIN:-}" /usr/lib/postgresql/*/bin /usr/local/bin /usr/bin; do
		if [ -x "$d/initdb" ]; then
			bin=$d
		fi
	done
	[ -n "${bin:-}" ] || { echo "pg.sh: PostgreSQL's server programs are missing: apt-get install postgresql" >&2; exit 77; }
}
as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$dir" "$@"
	else
		"$@"
	fi
}
launch() {
	as_user mkdir -p "$(cat "$dir/socket_dir")"
	as_user "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -s -w -t 60 start >/dev/null 2>&1 ||
		{ echo "pg.sh: PostgreSQL did not start, see $dir/log" >&2; tail -5 "$dir/log" >&2; exit 1; }
}

[ $# -ge 2 ] || { sed -n '3,18s/^# \{0,1\}//p' "$0" >&2; exit 2; }
verb=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
shift 2
find_bin
cd /
case $verb in
start)
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$dir"
	# The folders above may be closed to others; the server needs only its own.
	if ! as_user test -w "$dir"; then
		echo "pg.sh: $dir cannot be reached by the user \"nobody\"" >&2
		exit 1
	fi
	if [ ! -f "$dir/data/PG_VERSION" ]; then
		as_user "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 ||
			{ cat "$dir/initdb.log" >&2; exit 1; }
		as_user mktemp -d /tmp/anvil-pg.XXXXXX >"$dir/socket_dir"
		{
			echo "listen_addresses = ''"
			echo "unix_socket_directories = '$(cat "$dir/socket_dir")'"
			echo "fsync = off"
			echo "max_connections = 120"
			echo "shared_buffers = 32MB"
			echo "max_wal_size = 256MB"
			echo "autovacuum_naptime = 10s"
			echo "log_line_prefix = '%m [%p] %a '"
			for o in "$@"; do
				echo "${o%%=*} = '${o#*=}'"
			done
		} >>"$dir/data/postgresql.conf"
	fi
	launch
	echo "host=$(cat "$dir/socket_dir") user=postgres dbname=postgres"
	;;
standby)
	of=$(cd "$1" && pwd)
	shift
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$dir"
	as_user "$(dirname "$(readlink -f "$bin/initdb")")/pg_basebackup" -D "$dir/data" -h "$(cat "$of/socket_dir")" -U postgres -R -X stream -c fast >"$dir/initdb.log" 2>&1 ||
		{ cat "$dir/initdb.log" >&2; exit 1; }
	as_user mktemp -d /tmp/anvil-pg.XXXXXX >"$dir/socket_dir"
	{
		echo "unix_socket_directories = '$(cat "$dir/socket_dir")'"
		for o in "$@"; do
			echo "${o%%=*} = '${o#*=}'"
		done
	} >>"$dir/data/postgresql.conf"
	launch
	echo "host=$(cat "$dir/socket_dir") user=postgres dbname=postgres"
	;;
restart)
	launch
	;;
stop | kill)
	mode=fast
	[ "$verb" = stop ] || mode=immediate
	if [ -f "$dir/data/postmaster.pid" ]; then
		pid=$(head -1 "$dir/data/postmaster.pid")
		# A test may have stopped them.
		ps -o pid= --ppid "$pid" | xargs kill -CONT "$pid" 2>/dev/null || true
		as_user "$bin/pg_ctl" -D "$dir/data" -s -w -t 30 -m $mode stop >/dev/null 2>&1 || true
	fi
	if [ "$verb" = stop ] && [ -f "$dir/socket_dir" ] && [ "${KEEP_SOCKET_DIR:-}" = "" ]; then
		rmdir "$(cat "$dir/socket_dir")" 2>/dev/null || true
	fi
	;;
pid)
	head -1 "$dir/data/postmaster.pid"
	;;
psql)
	db=$1
	shift
	exec psql -X -q -v ON_ERROR_STOP=1 -h "$(cat "$dir/socket_dir")" -U postgres -d "$db" "$@"
	;;
*)
	echo "pg.sh: unknown verb \"$verb\"" >&2
	exit 2
	;;
esac
