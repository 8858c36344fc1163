# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# contrib/lib.sh - what quickstart and test share: words for a person, Debian's
# packages, processes that are kept below one folder. Sourced by bash.
#
# A process we keep has a name ("eu/memcached"), a file run/eu-memcached.pid with
# its pid and start time (so that a reboot or a reused pid deceives nobody) and a
# log. It leads a session of its own, so that its children end with it.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
me=${0##*/}

# shellcheck disable=SC2034 # some are for those who source this
if [ -t 1 ]; then
	c_ok=$'\e[32m' c_no=$'\e[31m' c_dim=$'\e[2m' c_bold=$'\e[1m' c_off=$'\e[0m'
else
	c_ok='' c_no='' c_dim='' c_bold='' c_off=''
fi

step_open=''
# One clear line that says what to do; then the end.
die() {
	[ -z "$step_open" ] || printf '%sfailed%s\n' "$c_no" "$c_off"
	step_open=''
	printf '%s%s: %s%s\n' "$c_no" "$me" "$*" "$c_off" >&2
	exit 1
}
say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$c_dim" "$*" "$c_off"; }
# step TEXT ... done_step [RESULT]: a line of progress with the time it took.
step() {
	step_open=1 step_start=$SECONDS
	printf '  %-44s ' "$1"
}
done_step() {
	local took=$((SECONDS - step_start))
	step_open=''
	if [ $took -gt 1 ]; then
		printf '%s%s%s %s(%d s)%s\n' "$c_ok" "${1:-done}" "$c_off" "$c_dim" $took "$c_off"
	else
		printf '%s%s%s\n' "$c_ok" "${1:-done}" "$c_off"
	fi
}

# ---- users ----

# run_user: who the services are. Set by choose_user; never root.
run_user=''
# build_user: who owns the source, and so what is built from it.
build_user=''
as() { # USER COMMAND...
	local user=$1
	shift
	if [ "$(id -u)" -ne 0 ] || [ "$user" = root ]; then
		"$@"
	else
		setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- env -C / "$@"
	fi
}
choose_user() { # SOURCE DIR
	build_user=$(stat -c %U "$1")
	[ "$build_user" != UNKNOWN ] || build_user=root
	if [ "$(id -u)" -ne 0 ]; then
		run_user=$(id -un) build_user=$run_user
		return
	fi
	if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
		run_user=$SUDO_USER
	elif [ -e "$2" ] && [ "$(stat -L -c %U "$2")" != root ] && [ "$(stat -L -c %U "$2")" != UNKNOWN ]; then
		run_user=$(stat -L -c %U "$2")
	else
		run_user=daemon
	fi
}
# Can this user enter every folder on the way to PATH (which may not exist yet)?
user_reaches() { # USER PATH
	local dir=$2
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	as "$1" test -x "$dir"
}

# ---- Debian's packages ----

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
# The libraries are named in configure.ac; a list here would only go stale.
library_packages() { # SOURCE
	sed -n 's/.*ANVIL_PKG(\[[A-Z]*\], \[[^]]*\], \[\([a-z0-9.+-]*\)\]).*/\1/p; s/.*anvil_missing \(lib[a-z0-9.+-]*-dev\)"\].*/\1/p' \
		"$1/configure.ac" | sort -u
}
need_packages() { # LOG PACKAGE...
	local log=$1 missing=() p sudo=()
	shift
	command -v dpkg-query >/dev/null || die "this is made for Debian 12 and its relatives (no dpkg here): install by hand what README.md names"
	for p in "$@"; do installed "$p" || missing+=("$p"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "packages are missing; as root: apt-get install ${missing[*]}"
		sudo=(sudo)
	fi
	step "Installing ${#missing[@]} Debian packages"
	# Debian starts a service as it is installed; ours are private, its are not wanted.
	local policy=/usr/sbin/policy-rc.d
	# shellcheck disable=SC2016
	"${sudo[@]}" sh -c '
		policy=$1; shift
		if [ ! -e "$policy" ]; then
			printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"
			trap "rm -f \"$policy\"" EXIT
		fi
		export DEBIAN_FRONTEND=noninteractive
		opts="-y -q -o Acquire::Retries=2 -o Dpkg::Use-Pty=0 --no-install-recommends"
		# shellcheck disable=SC2086
		apt-get install $opts "$@" || { apt-get update -q && apt-get install $opts "$@"; }
	' sh "$policy" "${missing[@]}" >>"$log" 2>&1 </dev/null || {
		local why
		why=$(grep -E '^(E|W|Err):? ' "$log" | tail -1)
		if grep -qE 'Could not resolve|Temporary failure|Failed to fetch|Could not connect|Unable to connect' "$log"; then
			die "no network to fetch packages from ($why): connect, or install by hand: apt-get install ${missing[*]}"
		fi
		die "apt-get could not install (${why:-see $log}): try yourself: apt-get install ${missing[*]}"
	}
	done_step "${#missing[@]} installed"
}

# ---- ports, folders, space ----

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
need_space() { # DIR MEGABYTES
	local dir=$1 free
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] || die "only $free MB are free in $dir, $2 are needed: choose a folder on another disk with --dir"
}
check_path() { # PATH WHAT
	case $1 in
	*[!A-Za-z0-9_./+@,=-]*) die "$2 \"$1\" has a character that make cannot take (a blank, a quote): move it, or choose another" ;;
	esac
}

# ---- processes ----

# Set by the caller: $run (pid files and sockets), $logs, $dir (their home).
run='' logs='' dir=''
pid_file() { printf '%s/%s.pid' "$run" "${1//\//-}"; }
log_of() { printf '%s/%s.log' "$logs" "${1//\//-}"; }
start_time() { # PID: in ticks since boot, field 22; the name in field 2 may hold anything
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086
	set -- $stat
	[ "$1" != Z ] && printf '%s' "${20}"
}
# The pid of a part that runs; 1 when it does not.
part_pid() {
	local pid since now
	{ read -r pid since <"$(pid_file "$1")"; } 2>/dev/null || return 1
	now=$(start_time "$pid") || return 1
	[ "$now" = "$since" ] && printf '%s' "$pid"
}
part_start() { # NAME COMMAND...
	local name=$1 log pid
	shift
	log=$(log_of "$name")
	if [ ! -e "$log" ]; then
		: >"$log"
		[ "$(id -u)" -ne 0 ] || chown "$run_user" "$log"
	fi
	log_mark=$(stat -c %s "$log")
	(
		cd / || exit
		ulimit -n 8192 2>/dev/null || true
		umask 077
		if [ "$(id -u)" -eq 0 ]; then
			set -- setpriv --reuid "$run_user" --regid "$(id -g "$run_user")" --init-groups -- "$@"
		fi
		exec setsid env -i PATH="$PATH" HOME="$dir" LANG=C.UTF-8 TZ=UTC \
			${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} ${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
			"$@" >>"$log" 2>&1 </dev/null 3>&- 9>&-
	) &
	pid=$!
	for _ in 1 2 3 4 5; do
		start_time $pid >/dev/null && break
		sleep 0.02
	done
	printf '%s %s\n' $pid "$(start_time $pid || echo 0)" >"$(pid_file "$name")"
	disown $pid 2>/dev/null || true
	return 0
}
# Waits until COMMAND succeeds; dies with the log's last word if the part ends or SECONDS pass.
part_wait() { # NAME SECONDS COMMAND...
	local name=$1 end=$((SECONDS + $2)) log why
	shift 2
	log=$(log_of "$name")
	until "$@" >/dev/null 2>&1; do
		if ! part_pid "$name" >/dev/null || [ $SECONDS -ge $end ]; then
			why=$(tail -c "+$((log_mark + 1))" "$log" 2>/dev/null | grep -v '^[[:space:]]*$' | tail -1 | cut -c1-300)
			die "$name did not start${why:+: $why} (log: $log)"
		fi
		sleep 0.05
	done
}
# Asks a part to end (SIGNAL, then KILL to its whole session), and waits.
part_stop() { # NAME [SIGNAL [SECONDS]]
	local name=$1 pid tries=$((${3:-10} * 20))
	if pid=$(part_pid "$name"); then
		kill "-${2:-TERM}" "$pid" 2>/dev/null || true
		while [ $tries -gt 0 ] && start_time "$pid" >/dev/null; do
			sleep 0.05
			tries=$((tries - 1))
		done
		# What is left of its session: children of one that was killed, or the one that does not end.
		kill -KILL -- "-$pid" 2>/dev/null || true
		while start_time "$pid" >/dev/null; do sleep 0.02; done
	fi
	rm -f "$(pid_file "$name")"
}
