/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/lib/scratch.c - services of a test's own, ended with it.
 *
 * Owns:       a folder, and the processes it started.
 * Blocks:     while a service starts or ends.
 * Note:       shell commands are made here with names that we chose ourselves;
 *             a test's SQL goes through a file, never through the shell.
 */
#include "tests/lib/scratch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/parse.h"

#define MEMCACHED_MAX 8

struct scratch {
	struct arena *arena;
	pid_t owner;             /* a forked test's exit is not ours */
	char *dir;
	const char *pg_dsn;      /* NULL until started */
	char *pg_socket_dir;
	char *standby_socket_dir; /* NULL until started */
	int n_memcached;
	pid_t memcached[MEMCACHED_MAX];
	const char *memcached_path[MEMCACHED_MAX], *memcached_args[MEMCACHED_MAX];
	int reaper;              /* the write end of its pipe */
	struct scratch *next;
};
static struct scratch *all;

static __attribute__((noreturn)) void
give_up(const char *what, int status)
{
	fprintf(stderr, "scratch: %s\n", what);
	exit(status);
}

static void
free_all(void)
{
	while (all != NULL) {
		if (all->owner != getpid())
			return;
		scratch_free(all);
	}
}

/* The environment gives the source folder to `make check`; else we look upwards. */
static const char *
pg_sh(void)
{
	static char path[PATH_MAX];
	const char *src = getenv("ANVIL_SRCDIR");

	if (src == NULL)
		src = ANVIL_TESTS_SRCDIR;
	snprintf(path, sizeof(path), "%s/tests/lib/pg.sh", src);
	return path;
}

/*
 * A test that fails ends with _exit (Check), one that is killed ends at once: a
 * process of its own waits for that, ends the services and removes the folder.
 * It is told of each service: a pid, or its negative when that has ended.
 */
static void
reap(int from, const char *dir)
{
	pid_t pids[2 * MEMCACHED_MAX] = { 0 }, pid;
	char cmd[PATH_MAX * 2];
	size_t i;

	setpgid(0, 0); /* Check kills the test's group */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	for (int fd = 1; fd < 64; fd++)
		if (fd != from)
			close(fd); /* nobody waits for us at the end of a pipe */
	while (read(from, &pid, sizeof(pid)) == (ssize_t)sizeof(pid)) {
		pid_t slot = pid > 0 ? 0 : -pid;

		for (i = 0; i < ARRAY_LEN(pids) - 1 && pids[i] != slot; i++)
			continue;
		pids[i] = pid > 0 ? pid : 0;
	}
	for (i = 0; i < ARRAY_LEN(pids); i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	snprintf(cmd, sizeof(cmd), "test ! -d '%s' || { for d in standby pg; do test ! -d '%s'/$d || '%s' stop '%s'/$d; done; rm -rf '%s'; }",
	    dir, dir, pg_sh(), dir, dir);
	execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
	_exit(127);
}

static int
reaper_start(const char *dir)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		give_up("no process", 1);
	if (pid == 0) {
		if (fork() == 0) /* nobody's child: no test waits for it */
			reap(ends[0], dir);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(ends[0]);
	return ends[1];
}

static void
reaper_tell(const struct scratch *s, pid_t pid)
{
	if (write(s->reaper, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		give_up("the reaper is gone", 1);
}

struct scratch *
scratch_new(void)
{
	struct arena *a = arena_new(1 << 20);
	struct scratch *s = ARENA_NEW(a, struct scratch);
	const char *tmp = getenv("TMPDIR");

	if (s == NULL)
		give_up("no memory", 1);
	s->arena = a;
	s->owner = getpid();
	s->dir = arena_printf(a, "%s/anvil-test.XXXXXX", tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp);
	if (mkdtemp(s->dir) == NULL || chmod(s->dir, 0755) != 0)
		give_up("could not make a folder below TMPDIR", 1);
	s->reaper = reaper_start(s->dir);
	if (all == NULL)
		atexit(free_all);
	s->next = all;
	all = s;
	return s;
}

const char *
scratch_dir(const struct scratch *s)
{
	return s->dir;
}

/* Runs a command, its first line of output into out. The exit status. */
static int
command(const char *cmd, char *out, size_t size)
{
	FILE *f = popen(cmd, "r");
	int st;

	if (f == NULL)
		return -1;
	if (out != NULL && size > 0) {
		if (fgets(out, (int)size, f) == NULL)
			out[0] = '\0';
		out[strcspn(out, "\n")] = '\0';
	}
	while (fgetc(f) != EOF)
		;
	st = pclose(f);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

const char *
scratch_pg(struct scratch *s, const char *const *options)
{
	char cmd[PATH_MAX * 2], line[512];
	size_t n;
	int st;

	if (s->pg_dsn != NULL)
		return s->pg_dsn;
	n = (size_t)snprintf(cmd, sizeof(cmd), "'%s' start '%s/pg'", pg_sh(), s->dir);
	for (; options != NULL && *options != NULL && n < sizeof(cmd); options++)
		n += (size_t)snprintf(cmd + n, sizeof(cmd) - n, " '%s'", *options);
	st = command(cmd, line, sizeof(line));
	if (st != 0)
		give_up("PostgreSQL did not start", st == 77 ? 77 : 1);
	s->pg_dsn = arena_strdup(s->arena, line);
	/* "host=/tmp/... user=..." */
	s->pg_socket_dir = arena_strndup(s->arena, line + 5, strcspn(line + 5, " "));
	return s->pg_dsn;
}

const char *
scratch_database(struct scratch *s, const char *name)
{
	char sql[128];

	(void)scratch_pg(s, NULL);
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
	if (!scratch_sql(s, "postgres", sql))
		give_up("could not create a database", 1);
	return arena_printf(s->arena, "host=%s user=postgres dbname=%s", s->pg_socket_dir, name);
}

static int
run_sql(struct scratch *s, const char *host, const char *database, const char *sql, const char *flags, char *out, size_t size)
{
	char cmd[PATH_MAX * 2], path[PATH_MAX];
	FILE *f;
	int st;

	snprintf(path, sizeof(path), "%s/sql.XXXXXX", s->dir);
	st = mkstemp(path);
	f = st < 0 ? NULL : fdopen(st, "w");
	if (f == NULL || fputs(sql, f) == EOF || fclose(f) != 0)
		give_up("could not write a file of SQL", 1);
	snprintf(cmd, sizeof(cmd), "psql -X -q -v ON_ERROR_STOP=1 -h '%s' -U postgres -d '%s' %s -f '%s'%s",
	    host, database, flags, path, out == NULL ? " >/dev/null" : "");
	st = command(cmd, out, size);
	unlink(path);
	return st;
}

bool
scratch_sql(struct scratch *s, const char *database, const char *sql)
{
	return run_sql(s, s->pg_socket_dir, database, sql, "", NULL, 0) == 0;
}

static const char *
query(struct scratch *s, const char *host, const char *database, const char *sql)
{
	static _Thread_local char out[4096];

	if (run_sql(s, host, database, sql, "-At", out, sizeof(out)) != 0)
		return "(failed)";
	return out;
}

const char *
scratch_query(struct scratch *s, const char *database, const char *sql)
{
	return query(s, s->pg_socket_dir, database, sql);
}

const char *
scratch_standby_query(struct scratch *s, const char *database, const char *sql)
{
	return query(s, s->standby_socket_dir, database, sql);
}

const char *
scratch_standby(struct scratch *s, const char *name)
{
	char cmd[PATH_MAX * 2], line[512];

	snprintf(cmd, sizeof(cmd), "'%s' standby '%s/standby' '%s/pg'", pg_sh(), s->dir, s->dir);
	if (s->standby_socket_dir == NULL) {
		if (command(cmd, line, sizeof(line)) != 0)
			give_up("the standby did not start", 1);
		s->standby_socket_dir = arena_strndup(s->arena, line + 5, strcspn(line + 5, " "));
	}
	return arena_printf(s->arena, "host=%s user=postgres dbname=%s", s->standby_socket_dir, name);
}

static void
pg_verb(struct scratch *s, const char *folder, const char *verb)
{
	char cmd[PATH_MAX * 2];

	snprintf(cmd, sizeof(cmd), "KEEP_SOCKET_DIR=1 '%s' %s '%s/%s'", pg_sh(), verb, s->dir, folder);
	if (command(cmd, NULL, 0) != 0)
		give_up(cmd, 1);
}

void
scratch_pg_verb(struct scratch *s, const char *verb)
{
	pg_verb(s, "pg", verb);
}

void
scratch_standby_verb(struct scratch *s, const char *verb)
{
	pg_verb(s, "standby", verb);
}

/* The postmaster and, by ps(1), its children. */
static void
pg_signal(struct scratch *s, const char *folder, int sig)
{
	char cmd[PATH_MAX * 2];
	const char *name = sig == SIGSTOP ? "STOP" : sig == SIGCONT ? "CONT" : "TERM";

	snprintf(cmd, sizeof(cmd), "p=$(head -1 '%s/%s/data/postmaster.pid') && kill -%s $p && "
	    "for c in $(ps -o pid= --ppid $p); do kill -%s $c 2>/dev/null || true; done", /* a child may have ended */
	    s->dir, folder, name, name);
	if (command(cmd, NULL, 0) != 0)
		give_up("could not signal PostgreSQL", 1);
}

void
scratch_pg_signal(struct scratch *s, int sig)
{
	pg_signal(s, "pg", sig);
}

void
scratch_standby_signal(struct scratch *s, int sig)
{
	pg_signal(s, "standby", sig);
}

/* An address as in the settings: a socket's path, or 127.0.0.1:PORT. */
static int
connect_to(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool tcp = address[0] != '/';
	int64_t port = 0;
	int fd, rc;

	if (tcp && !parse_i64(span_of(strchr(address, ':') + 1), 1, 65535, &port))
		give_up(address, 1);
	in.sin_port = htons((uint16_t)port);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", address);
	fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = tcp ? connect(fd, (const struct sockaddr *)&in, sizeof(in)) : connect(fd, (const struct sockaddr *)&un, sizeof(un));
	if (fd >= 0 && rc != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
answers(const char *address)
{
	int fd = connect_to(address);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int
free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&in, len) != 0 || getsockname(fd, (struct sockaddr *)&in, &len) != 0)
		give_up("no free port", 1);
	close(fd);
	return ntohs(in.sin_port);
}

static void
launch_memcached(struct scratch *s, int i)
{
	const char *path = s->memcached_path[i];
	char cmd[PATH_MAX * 3], where[PATH_MAX + 16];
	pid_t pid;

	if (path[0] == '/')
		snprintf(where, sizeof(where), "-s '%s'", path);
	else
		snprintf(where, sizeof(where), "-l 127.0.0.1 -p %s", strchr(path, ':') + 1);
	snprintf(cmd, sizeof(cmd), "exec memcached %s %s %s </dev/null >/dev/null 2>&1", getuid() == 0 ? "-u nobody" : "", where,
	    s->memcached_args[i]);
	pid = fork();
	if (pid == 0) {
		int fd = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		give_up("fork", 1);
	s->memcached[i] = pid;
	reaper_tell(s, pid);
	for (int k = 0; k < 3000 && !answers(path) && waitpid(pid, NULL, WNOHANG) == 0; k++)
		clock_sleep_us(10 * US_PER_MS);
	if (!answers(path))
		give_up("memcached did not start", 1);
}

static const char *
start_memcached(struct scratch *s, bool tcp, const char *args)
{
	char which[PATH_MAX];
	int i = s->n_memcached;

	if (i == MEMCACHED_MAX)
		give_up("too many memcached servers", 1);
	if (command("command -v memcached", which, sizeof(which)) != 0)
		give_up("memcached is missing: apt-get install memcached", 77);
	if (getuid() == 0 && chmod(s->dir, 0777) != 0)
		give_up("chmod", 1);
	s->memcached_path[i] = tcp ? arena_printf(s->arena, "127.0.0.1:%d", free_port()) :
	    arena_printf(s->arena, "%s/mc%d", s->dir, i);
	s->memcached_args[i] = arena_strdup(s->arena, args == NULL ? "" : args);
	s->n_memcached++;
	launch_memcached(s, i);
	return s->memcached_path[i];
}

const char *
scratch_memcached(struct scratch *s, const char *args)
{
	return start_memcached(s, false, args);
}

const char *
scratch_memcached_tcp(struct scratch *s, const char *args)
{
	return start_memcached(s, true, args);
}

static void
end_memcached(struct scratch *s, int i)
{
	if (s->memcached[i] <= 0)
		return;
	kill(s->memcached[i], SIGKILL);
	waitpid(s->memcached[i], NULL, 0);
	reaper_tell(s, -s->memcached[i]);
	s->memcached[i] = 0;
}

void
scratch_memcached_verb(struct scratch *s, int i, const char *verb)
{
	end_memcached(s, i);
	if (strcmp(verb, "kill") != 0)
		launch_memcached(s, i);
}

pid_t
scratch_memcached_pid(const struct scratch *s, int i)
{
	return i < s->n_memcached ? s->memcached[i] : -1;
}

/* A signal works a moment after kill(2) returned. */
static bool
stands_still(pid_t pid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		give_up("memcached is gone", 1);
	fclose(f);
	state = strrchr(line, ')');
	return state != NULL && state[1] == ' ' && state[2] == 'T';
}

void
scratch_memcached_signal(const struct scratch *s, int i, int sig)
{
	kill(s->memcached[i], sig);
	while (sig == SIGSTOP && !stands_still(s->memcached[i]))
		clock_sleep_us(US_PER_MS);
}

void
scratch_free(struct scratch *s)
{
	char cmd[PATH_MAX * 2];

	if (s == NULL)
		return;
	for (int i = 0; i < s->n_memcached; i++)
		end_memcached(s, i);
	if (s->standby_socket_dir != NULL) {
		snprintf(cmd, sizeof(cmd), "'%s' stop '%s/standby'", pg_sh(), s->dir);
		(void)command(cmd, NULL, 0);
	}
	if (s->pg_dsn != NULL) {
		snprintf(cmd, sizeof(cmd), "'%s' stop '%s/pg'", pg_sh(), s->dir);
		(void)command(cmd, NULL, 0);
	}
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", s->dir);
	(void)command(cmd, NULL, 0);
	close(s->reaper);
	for (struct scratch **p = &all; *p != NULL; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			break;
		}
	arena_free(s->arena);
}
