/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/faults/proxy.c - the network between the parts of a lab: every link is a
 * loopback port here, and can be cut, stalled, delayed or refused, each way.
 *
 * Owns:       all connections, and the lab's processes when the lab itself dies.
 * Called by:  tests/faults/lab.py, over standard input and output.
 * Blocks:     in epoll.
 * Invariant:  bytes of one direction arrive in their order, or the connection ends.
 *
 * Commands, a line each, answered by a line "ok" or "error ...":
 *   listen NAME PORT TARGET    127.0.0.1:PORT leads to 127.0.0.1:TARGET. NAME is "from>to"; with
 *                              "?" for from, whoever connects is looked up among the own processes
 *   target PATTERN PORT        what connects by a matching link from now on is led there
 *   rule PATTERN WAY MODE MS   links whose name matches (fnmatch): WAY is "there", "back" or "both",
 *                              MODE one of
 *       pass     as without a rule         delay    MS later
 *       stall    nothing moves, nothing ends; it goes on where it stood afterwards
 *       cut      as stall, but what was open in that time ends when the rule does
 *       refuse   connections end at once, new ones too
 *   heal PATTERN               forgets the rules made with exactly this pattern; "*" forgets all
 *   own PID NAME               a process of the lab and its group: known by name, and ended
 *                              when standard input ends
 *   disown PID
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"

#define NAME_LEN 96
#define LISTENERS_MAX 128
#define RULES_MAX 128
#define OWN_MAX 128
#define CHUNK 65536
#define QUEUED_MAX (4 << 20) /* bytes of one direction that wait for their time */

enum mode { PASS, DELAY, STALL, CUT, REFUSE };
static const char *const mode_names[] = { "pass", "delay", "stall", "cut", "refuse" };
enum { THERE, BACK, WAYS };

enum fd_kind { FD_COMMANDS, FD_LISTENER, FD_END };
struct handler { /* what an epoll event is about */
	enum fd_kind kind;
};

struct listener {
	struct handler h;
	char name[NAME_LEN], to[NAME_LEN];
	int fd, port, target;
};

struct rule {
	char pattern[NAME_LEN];
	enum mode mode[WAYS];
	bool set[WAYS];
	int64_t delay_us;
};

struct chunk {
	struct chunk *next;
	int64_t due_us;
	size_t len, sent;
	char bytes[];
};

struct conn;
struct end { /* one socket of a connection; queue: what is to be written to it */
	struct handler h;
	struct conn *conn;
	int fd;
	uint32_t watched;
	bool connecting, eof; /* eof: it will send no more */
	bool shut;            /* told that the other will send no more */
	struct chunk *first, **last;
	size_t queued;
	enum mode mode;       /* of the way that leads to this end */
	int64_t delay_us;
};

struct conn {
	struct conn *next, *prev;
	char name[NAME_LEN];
	struct end end[2];    /* 0: who connected; 1: the target */
	bool doomed, dead;
};

struct own {
	pid_t pid;
	char name[NAME_LEN];
};

static struct listener listeners[LISTENERS_MAX];
static size_t n_listeners;
static struct rule rules[RULES_MAX];
static size_t n_rules;
static struct own owned[OWN_MAX];
static size_t n_owned;
static struct conn *conns;
static int ep;

static void
die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool
name_copy(char to[NAME_LEN], const char *from)
{
	return snprintf(to, NAME_LEN, "%s", from) < NAME_LEN;
}

/* ---- connections ---- */

static void
watch(struct end *e)
{
	struct end *other = &e->conn->end[e == &e->conn->end[0]];
	struct epoll_event ev = { .events = 0, .data.ptr = e };

	if (e->fd < 0)
		return;
	/* What it says goes to the other end, by the other's way. */
	if (!e->eof && !e->connecting && other->mode < STALL && other->queued < QUEUED_MAX)
		ev.events |= EPOLLIN;
	if (e->connecting || (e->first != NULL && e->mode < STALL && e->first->due_us <= clock_mono_us()))
		ev.events |= EPOLLOUT;
	if (ev.events == e->watched)
		return;
	e->watched = ev.events;
	if (epoll_ctl(ep, EPOLL_CTL_MOD, e->fd, &ev) != 0)
		die("epoll_ctl");
}

static void
conn_end(struct conn *c, bool reset)
{
	struct linger now = { 1, 0 };

	for (int i = 0; i < 2 && !c->dead; i++)
		if (c->end[i].fd >= 0) {
			if (reset)
				(void)setsockopt(c->end[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			close(c->end[i].fd);
			c->end[i].fd = -1;
		}
	c->dead = true; /* freed when no event can name it any more */
}

static void
conn_free(struct conn *c)
{
	for (int i = 0; i < 2; i++)
		for (struct chunk *k = c->end[i].first, *next; k != NULL; k = next) {
			next = k->next;
			free(k);
		}
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
}

static void
flush(struct end *e)
{
	struct conn *c = e->conn;
	struct end *other = &c->end[e == &c->end[0]];
	int64_t now = clock_mono_us();

	while (e->first != NULL && e->mode < STALL && !e->connecting && e->first->due_us <= now) {
		struct chunk *k = e->first;
		ssize_t n = send(e->fd, k->bytes + k->sent, k->len - k->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			conn_end(c, true);
			return;
		}
		k->sent += (size_t)n;
		e->queued -= (size_t)n;
		if (k->sent < k->len)
			break;
		e->first = k->next;
		if (e->first == NULL)
			e->last = &e->first;
		free(k);
	}
	if (other->eof && e->first == NULL && !e->shut && !e->connecting && e->mode < STALL) {
		shutdown(e->fd, SHUT_WR);
		e->shut = true;
	}
	if (c->end[0].shut && c->end[1].shut)
		conn_end(c, false);
	if (!c->dead) {
		watch(e);
		watch(other);
	}
}

/* e said something: it is for the other. */
static void
take(struct end *e)
{
	struct conn *c = e->conn;
	struct end *to = &c->end[e == &c->end[0]];
	struct chunk *k = malloc(sizeof(*k) + CHUNK);
	ssize_t n;

	if (k == NULL)
		die("malloc");
	n = recv(e->fd, k->bytes, CHUNK, MSG_DONTWAIT);
	if (n <= 0) {
		free(k);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			conn_end(c, true);
		else
			e->eof = true;
		if (!c->dead)
			flush(to);
		return;
	}
	k = realloc(k, sizeof(*k) + (size_t)n);
	if (k == NULL)
		die("realloc");
	*k = (struct chunk){ .due_us = to->mode == DELAY ? clock_mono_us() + to->delay_us : 0, .len = (size_t)n };
	*to->last = k;
	to->last = &k->next;
	to->queued += (size_t)n;
	flush(to);
}

/* ---- rules ---- */

/* The last rule that matches decides, each way for itself. */
static void
judge(struct conn *c)
{
	enum mode mode[WAYS] = { PASS, PASS };
	int64_t delay[WAYS] = { 0, 0 };

	for (size_t i = 0; i < n_rules; i++)
		for (int w = 0; w < WAYS; w++)
			if (rules[i].set[w] && fnmatch(rules[i].pattern, c->name, 0) == 0) {
				mode[w] = rules[i].mode[w];
				delay[w] = rules[i].delay_us;
			}
	for (int w = 0; w < WAYS; w++) {
		struct end *to = &c->end[w == THERE ? 1 : 0];

		if (to->mode == CUT && mode[w] != CUT)
			c->doomed = true;
		to->mode = mode[w];
		to->delay_us = delay[w];
	}
	if (mode[THERE] == REFUSE || mode[BACK] == REFUSE || (c->doomed && mode[THERE] != CUT && mode[BACK] != CUT))
		conn_end(c, true);
}

static void
judge_all(void)
{
	for (struct conn *c = conns; c != NULL; c = c->next) {
		if (c->dead)
			continue;
		judge(c);
		for (int i = 0; i < 2 && !c->dead; i++)
			flush(&c->end[i]);
	}
}

/* ---- who connects ---- */

/* The inode of the socket that is bound to `port` and connected to `to`; 0 = none. */
static unsigned long
inode_of(int port, int to)
{
	FILE *f = fopen("/proc/net/tcp", "r");
	unsigned long inode, found = 0;
	unsigned a, b;
	char line[512];

	while (f != NULL && found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %*s %*s %*s %*s %*s %lu", &a, &b, &inode) == 3 && (int)a == port &&
		    (int)b == to)
			found = inode;
	if (f != NULL)
		fclose(f);
	return found;
}

static const char *
owner_of(unsigned long inode)
{
	char path[64], want[64], link[64];

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	for (size_t i = 0; inode != 0 && i < n_owned; i++) {
		struct dirent *d;
		DIR *dir;
		bool found = false;

		if (strstr(owned[i].name, "/inv") == NULL)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd", (int)owned[i].pid);
		dir = opendir(path);
		while (dir != NULL && !found && (d = readdir(dir)) != NULL) {
			ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);

			link[n < 0 ? 0 : n] = '\0';
			found = strcmp(link, want) == 0;
		}
		if (dir != NULL)
			closedir(dir);
		if (found)
			return owned[i].name;
	}
	return "?";
}

static void
end_init(struct conn *c, int which, int fd)
{
	struct end *e = &c->end[which];
	struct epoll_event ev = { .events = 0, .data.ptr = e };
	int one = 1;

	*e = (struct end){ .h = { FD_END }, .conn = c, .fd = fd };
	e->last = &e->first;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl");
}

static void
accept_one(struct listener *l)
{
	struct sockaddr_in from = { 0 }, to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->target) };
	socklen_t len = sizeof(from), code_len = sizeof(int);
	int code = 0;
	int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC), target;
	struct conn *c;

	if (fd < 0)
		return;
	target = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	c = calloc(1, sizeof(*c));
	if (c == NULL || target < 0)
		die("no more connections");
	c->next = conns;
	if (conns != NULL)
		conns->prev = c;
	conns = c;
	end_init(c, 0, fd);
	end_init(c, 1, target);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* On loopback a refusal is known at once: who dials a dead peer again and again is not looked up, which costs much. */
	if ((connect(target, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) ||
	    getsockopt(target, SOL_SOCKET, SO_ERROR, &code, &code_len) != 0 || code != 0) {
		conn_end(c, true);
		return;
	}
	if (l->name[0] == '?')
		snprintf(c->name, sizeof(c->name), "%.40s>%.50s", owner_of(inode_of(ntohs(from.sin_port), l->port)), l->to);
	else
		(void)name_copy(c->name, l->name);
	c->end[1].connecting = true;
	judge(c);
	for (int i = 0; i < 2 && !c->dead; i++)
		watch(&c->end[i]);
}

static void
connected(struct end *e)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0 || code != 0) {
		conn_end(e->conn, true);
		return;
	}
	e->connecting = false;
	flush(e);
}

/* ---- commands ---- */

static const char *
command_listen(const char *name, int port, int target)
{
	struct listener *l = &listeners[n_listeners];
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };
	int one = 1;

	if (n_listeners == LISTENERS_MAX || strchr(name, '>') == NULL)
		return "error no room, or no name";
	*l = (struct listener){ .h = { FD_LISTENER }, .port = port, .target = target };
	(void)name_copy(l->name, name);
	(void)name_copy(l->to, strchr(l->name, '>') + 1);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(l->fd, 1024) != 0) {
		close(l->fd);
		return "error the port is in use";
	}
	if (epoll_ctl(ep, EPOLL_CTL_ADD, l->fd, &ev) != 0)
		die("epoll_ctl");
	n_listeners++;
	return "ok";
}

static const char *
command_rule(const char *pattern, const char *way, const char *mode, int ms)
{
	struct rule *r = NULL;
	int m = -1;

	for (size_t i = 0; i < n_rules; i++)
		if (strcmp(rules[i].pattern, pattern) == 0)
			r = &rules[i];
	for (int i = 0; i < (int)ARRAY_LEN(mode_names); i++)
		if (strcmp(mode, mode_names[i]) == 0)
			m = i;
	if (m < 0 || (r == NULL && n_rules == RULES_MAX))
		return "error no such mode, or no room";
	if (r == NULL) {
		r = &rules[n_rules++];
		*r = (struct rule){ .delay_us = 0 };
		(void)name_copy(r->pattern, pattern);
	}
	for (int w = 0; w < WAYS; w++)
		if (strcmp(way, "both") == 0 || strcmp(way, w == THERE ? "there" : "back") == 0) {
			r->mode[w] = (enum mode)m;
			r->set[w] = true;
		}
	r->delay_us = ms * US_PER_MS;
	judge_all();
	return "ok";
}

static const char *
command_heal(const char *pattern)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_rules; i++)
		if (strcmp(pattern, "*") != 0 && strcmp(pattern, rules[i].pattern) != 0)
			rules[kept++] = rules[i];
	n_rules = kept;
	judge_all();
	return "ok";
}

static const char *
command_target(const char *pattern, int port)
{
	for (size_t i = 0; i < n_listeners; i++)
		if (fnmatch(pattern, listeners[i].name, 0) == 0)
			listeners[i].target = port;
	return "ok";
}

static const char *
command_own(const char *name, int pid)
{
	if (n_owned == OWN_MAX)
		return "error no room";
	owned[n_owned].pid = pid;
	(void)name_copy(owned[n_owned++].name, name);
	return "ok";
}

static const char *
command_disown(int pid)
{
	for (size_t i = 0; i < n_owned; i++)
		if (owned[i].pid == pid) {
			owned[i] = owned[--n_owned];
			break;
		}
	return "ok";
}

static const char *
command(const char *line)
{
	char name[NAME_LEN], way[16], mode[16];
	int a, b;

	if (sscanf(line, "listen %95s %d %d", name, &a, &b) == 3)
		return command_listen(name, a, b);
	if (sscanf(line, "target %95s %d", name, &a) == 2)
		return command_target(name, a);
	if (sscanf(line, "rule %95s %15s %15s %d", name, way, mode, &a) == 4)
		return command_rule(name, way, mode, a);
	if (sscanf(line, "heal %95s", name) == 1)
		return command_heal(name);
	if (sscanf(line, "own %d %95s", &a, name) == 2)
		return command_own(name, a);
	if (sscanf(line, "disown %d", &a) == 1)
		return command_disown(a);
	return "error no such command";
}

/* The lab is gone, however it went: so are its processes. */
static void
leave(void)
{
	for (size_t i = 0; i < n_owned; i++) {
		(void)kill(-owned[i].pid, SIGKILL);
		(void)kill(owned[i].pid, SIGKILL);
	}
	exit(0);
}

static void
read_commands(void)
{
	static char buf[4096];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, buf + len, sizeof(buf) - len - 1);
	char *line = buf, *end;

	if (n <= 0)
		leave();
	len += (size_t)n;
	buf[len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		puts(command(line));
		line = end + 1;
	}
	fflush(stdout);
	len = strlen(line);
	memmove(buf, line, len);
}

/* ---- the loop ---- */

/* Sends what has become due; tells how long until the next is, in ms; -1 = nothing waits. */
static int
send_due(void)
{
	int64_t now = clock_mono_us(), next = INT64_MAX;

	for (struct conn *c = conns, *after; c != NULL; c = after) {
		after = c->next;
		for (int i = 0; i < 2 && !c->dead; i++) {
			struct end *e = &c->end[i];

			if (e->first == NULL || e->mode >= STALL || e->connecting)
				continue;
			if (e->first->due_us <= now)
				flush(e);
			if (!c->dead && e->first != NULL && e->first->due_us > now && e->first->due_us < next)
				next = e->first->due_us;
		}
		if (c->dead)
			conn_free(c);
	}
	return next == INT64_MAX ? -1 : (int)((next - now) / US_PER_MS) + 1;
}

static void
handle(struct handler *h, uint32_t events)
{
	struct end *e = (struct end *)(void *)h;

	if (h->kind == FD_COMMANDS) {
		read_commands();
		return;
	}
	if (h->kind == FD_LISTENER) {
		accept_one((struct listener *)(void *)h);
		return;
	}
	if (e->conn->dead)
		return;
	if (e->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
		connected(e);
		return;
	}
	if ((events & EPOLLOUT) != 0)
		flush(e);
	if (e->conn->dead)
		return;
	if ((events & EPOLLIN) != 0)
		take(e);
	else if ((events & (EPOLLERR | EPOLLHUP)) != 0) /* told even when nothing is watched */
		conn_end(e->conn, true);
}

int
main(void)
{
	static struct handler commands = { FD_COMMANDS };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &commands }, got[64];

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* the lab ends in its own way */
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev) != 0)
		die("epoll");
	for (;;) {
		int n = epoll_wait(ep, got, (int)ARRAY_LEN(got), send_due());

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			handle(got[i].data.ptr, got[i].events);
	}
}
