/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/supervisor.c - keeps worker processes running on one listening socket.
 *
 * Owns:       the socket's path, the workers' process ids.
 * Called by:  main.c, with --socket.
 * Blocks:     yes, on signals; it serves nothing itself.
 * Invariant:  it holds no connection and no thread, so that fork is safe at any time.
 */
#include "fcgi/supervisor.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fcgi/worker.h"

#define BACKLOG 1024
#define PROCESSES_MAX 256
#define SHORT_LIFE_US (2 * US_PER_S)   /* dead sooner than this: wait before the next */
#define BACKOFF_MIN_US (100 * US_PER_MS)
#define BACKOFF_MAX_US (10 * US_PER_S)
#define DRAIN_GRACE_S 5                /* what a worker gets beyond drain_s before SIGKILL */

struct slot {
	pid_t pid;             /* 0: not running */
	int64_t started_us;
	int64_t start_at_us;   /* not before */
	int64_t backoff_us;
};

static int
listen_unix(const char *path, unsigned int mode, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t before;
	int fd, rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return FAIL(err, ERR_INVALID, "socket path \"%s\" is longer than %zu bytes", path,
		    sizeof(sa.sun_path) - 1);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FAIL(err, ERR_INTERNAL, "could not make a socket: %s", strerror(errno));
	/* A socket that nobody listens on any more is in the way; one that answers is somebody's. */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		(void)close(fd);
		return FAIL(err, ERR_EXISTS, "another program listens on \"%s\"", path);
	}
	if (errno == ECONNREFUSED)
		(void)unlink(path);
	before = umask((mode_t)(~mode & 0777));
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(before);
	if (rc != 0 || chmod(path, (mode_t)mode) != 0 || listen(fd, BACKLOG) != 0) {
		FAIL(err, ERR_UNAVAILABLE, "could not listen on \"%s\": %s", path, strerror(errno));
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
listen_tcp(const char *where, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *ai = NULL;
	const char *colon = strrchr(where, ':');
	char host[256];
	size_t len;
	int fd = -1, rc, one = 1;

	if (colon == NULL || (size_t)(colon - where) >= sizeof(host))
		return FAIL(err, ERR_INVALID, "\"%s\" is neither a path nor HOST:PORT", where);
	len = (size_t)(colon - where);
	if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	memcpy(host, where, len);
	host[len] = '\0';
	rc = getaddrinfo(len == 0 ? NULL : host, colon + 1, &hints, &ai);
	if (rc != 0)
		return FAIL(err, ERR_INVALID, "could not resolve \"%s\": %s", where, gai_strerror(rc));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		FAIL(err, ERR_UNAVAILABLE, "could not listen on \"%s\": %s", where, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

int
supervisor_listen(const char *where, unsigned int mode, struct err *err)
{
	return strchr(where, '/') != NULL ? listen_unix(where, mode, err) : listen_tcp(where, err);
}

/* The child's part of start_one: never returns. */
static void __attribute__((noreturn))
worker_child(const struct settings *s, int fd, pid_t supervisor)
{
	sigset_t none;

	/* a killed supervisor must not leave workers that nobody minds */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != supervisor)
		_exit(0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	exit(worker_run(s, fd));
}

static void
start_one(const struct settings *s, int fd, struct slot *slot)
{
	pid_t me = getpid();
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		worker_child(s, fd, me);
	slot->started_us = clock_mono_us();
	if (pid < 0) {
		log_event(NULL, EV_FATAL, LS("what", "could not fork a worker"), LS("error", strerror(errno)));
		slot->start_at_us = slot->started_us + BACKOFF_MAX_US;
		return;
	}
	slot->pid = pid;
}

/* A worker ended: when may the next one start? */
static void
note_end(struct slot *slot, int status, bool stopping)
{
	int64_t now = clock_mono_us();
	bool was_short = now - slot->started_us < SHORT_LIFE_US;

	if (!stopping)
		log_event(NULL, EV_FATAL, LS("what", "a worker ended and is replaced"), LI("pid", slot->pid),
		    LI("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		    LI("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		    LI("lived_ms", (now - slot->started_us) / US_PER_MS));
	if (!was_short)
		slot->backoff_us = 0;
	else if (slot->backoff_us == 0)
		slot->backoff_us = BACKOFF_MIN_US;
	else if (slot->backoff_us < BACKOFF_MAX_US)
		slot->backoff_us *= 2;
	slot->start_at_us = now + slot->backoff_us;
	slot->pid = 0;
}

static void
reap(struct slot *slots, int n, bool stopping)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < n; i++)
			if (slots[i].pid == pid)
				note_end(&slots[i], status, stopping);
}

static int
signal_all(const struct slot *slots, int n, int sig)
{
	int running = 0;

	for (int i = 0; i < n; i++)
		if (slots[i].pid > 0) {
			(void)kill(slots[i].pid, sig);
			running++;
		}
	return running;
}

/* Ask, wait, and then insist. */
static void
stop_all(const struct settings *s, struct slot *slots, int n, const sigset_t *signals)
{
	int64_t end = clock_mono_us() + (s->drain_s + DRAIN_GRACE_S) * US_PER_S;
	struct timespec tick = { .tv_nsec = 50000000 };

	(void)signal_all(slots, n, SIGTERM);
	while (clock_mono_us() < end) {
		reap(slots, n, true);
		if (signal_all(slots, n, 0) == 0)
			return;
		(void)sigtimedwait(signals, NULL, &tick);
	}
	(void)signal_all(slots, n, SIGKILL);
}

int
supervisor_run(const struct settings *s, int fd, const char *where, int processes)
{
	struct slot slots[PROCESSES_MAX] = { { 0 } };
	struct timespec tick = { .tv_nsec = 100000000 };
	sigset_t signals;

	if (processes > PROCESSES_MAX)
		processes = PROCESSES_MAX;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	metric_set(M_THREADS_BUSY, 0); /* what workers that were killed left */
	log_event(NULL, EV_START, LS("what", "supervisor"), LS("socket", where), LI("processes", processes));
	for (;;) {
		int sig;

		reap(slots, processes, false);
		for (int i = 0; i < processes; i++)
			if (slots[i].pid == 0 && clock_mono_us() >= slots[i].start_at_us)
				start_one(s, fd, &slots[i]);
		sig = sigtimedwait(&signals, NULL, &tick);
		if (sig == SIGTERM || sig == SIGINT)
			break;
		if (sig == SIGHUP) {
			log_reopen();
			(void)signal_all(slots, processes, SIGHUP);
		}
	}
	/* Ours no more: the next supervisor may listen there while the last requests end. */
	if (strchr(where, '/') != NULL)
		(void)unlink(where);
	(void)close(fd);
	stop_all(s, slots, processes, &signals);
	log_event(NULL, EV_STOP, LS("what", "supervisor"));
	return 0;
}
