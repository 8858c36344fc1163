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

#include <fcntl.h>
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
	snprintf(cmd, sizeof(cmd), "test ! -d '%s' || { '%s' stop '%s/pg'; rm -rf '%s'; }", dir, pg_sh(), dir, dir);
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
run_sql(struct scratch *s, const char *database, const char *sql, const char *flags, char *out, size_t size)
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
	    s->pg_socket_dir, database, flags, path, out == NULL ? " >/dev/null" : "");
	st = command(cmd, out, size);
	unlink(path);
	return st;
}

bool
scratch_sql(struct scratch *s, const char *database, const char *sql)
{
	return run_sql(s, database, sql, "", NULL, 0) == 0;
}

const char *
scratch_query(struct scratch *s, const char *database, const char *sql)
{
	static _Thread_local char out[4096];

	if (run_sql(s, database, sql, "-At", out, sizeof(out)) != 0)
		return "(failed)";
	return out;
}

void
scratch_pg_verb(struct scratch *s, const char *verb)
{
	char cmd[PATH_MAX * 2];

	snprintf(cmd, sizeof(cmd), "KEEP_SOCKET_DIR=1 '%s' %s '%s/pg'", pg_sh(), verb, s->dir);
	if (command(cmd, NULL, 0) != 0)
		give_up(cmd, 1);
}

/* The postmaster and, by ps(1), its children. */
void
scratch_pg_signal(struct scratch *s, int sig)
{
	char cmd[PATH_MAX * 2];
	const char *name = sig == SIGSTOP ? "STOP" : sig == SIGCONT ? "CONT" : "TERM";

	snprintf(cmd, sizeof(cmd), "p=$(head -1 '%s/pg/data/postmaster.pid') && kill -%s $p && "
	    "for c in $(ps -o pid= --ppid $p); do kill -%s $c 2>/dev/null || true; done", /* a child may have ended */
	    s->dir, name, name);
	if (command(cmd, NULL, 0) != 0)
		give_up("could not signal PostgreSQL", 1);
}

static bool
answers(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	ok = fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void
launch_memcached(struct scratch *s, int i)
{
	const char *path = s->memcached_path[i];
	char cmd[PATH_MAX];
	pid_t pid;

	snprintf(cmd, sizeof(cmd), "exec memcached %s -s '%s' %s </dev/null >/dev/null 2>&1", getuid() == 0 ? "-u nobody" : "", path,
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
	for (int k = 0; k < 500 && !answers(path); k++)
		clock_sleep_us(10 * US_PER_MS);
	if (!answers(path))
		give_up("memcached did not start", 1);
}

const char *
scratch_memcached(struct scratch *s, const char *args)
{
	char which[PATH_MAX];
	int i = s->n_memcached;

	if (i == MEMCACHED_MAX)
		give_up("too many memcached servers", 1);
	if (command("command -v memcached", which, sizeof(which)) != 0)
		give_up("memcached is missing: apt-get install memcached", 77);
	if (getuid() == 0 && chmod(s->dir, 0777) != 0)
		give_up("chmod", 1);
	s->memcached_path[i] = arena_printf(s->arena, "%s/mc%d", s->dir, i);
	s->memcached_args[i] = arena_strdup(s->arena, args == NULL ? "" : args);
	s->n_memcached++;
	launch_memcached(s, i);
	return s->memcached_path[i];
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

void
scratch_free(struct scratch *s)
{
	char cmd[PATH_MAX * 2];

	if (s == NULL)
		return;
	for (int i = 0; i < s->n_memcached; i++)
		end_memcached(s, i);
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
