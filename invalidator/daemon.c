/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/daemon.c - what a daemon owes its starter: a background process
 * that says when it is ready, a pid file, and systemd's notices (one datagram
 * each; the protocol is sd_notify(3)'s, without its library).
 *
 * Blocks:    daemon_fork's parent, until the child is ready or ends.
 */
#include "invalidator/inv.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/parse.h"

static int ready_fd = -1; /* the parent waits at the other end */

int
daemon_fork(struct err *err)
{
	int ends[2], null_fd;
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return FAIL(err, ERR_INTERNAL, "could not go to the background: errno=%d", errno);
	if (pid > 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : 1); /* the child has said why */
	}
	close(ends[0]);
	ready_fd = ends[1];
	(void)setsid();
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		close(null_fd);
	}
	return 0;
}

void
daemon_ready(void)
{
	daemon_notify("READY=1");
	if (ready_fd < 0)
		return;
	if (write(ready_fd, "", 1) != 1)
		ASSERT(errno == EPIPE); /* whoever started us did not wait */
	close(ready_fd);
	ready_fd = -1;
}

void
daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len < 2 || len >= sizeof(sa.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nobody there is no fault of ours. */
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

int64_t
daemon_watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t n;

	if (us == NULL || !parse_i64(span_of(us), 1, INT64_MAX, &n))
		return 0;
	if (pid != NULL) {
		int64_t whose;

		if (!parse_i64(span_of(pid), 1, INT64_MAX, &whose) || whose != (int64_t)getpid())
			return 0;
	}
	return n / 2;
}

int
daemon_pid_file(const char *path, struct err *err)
{
	FILE *f = fopen(path, "we");

	if (f == NULL || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0)
		return FAIL(err, ERR_INVALID, "could not write the pid file \"%s\": errno=%d", path, errno);
	return 0;
}
