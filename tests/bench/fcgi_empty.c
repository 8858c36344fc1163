/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/fcgi_empty.c - a FastCGI worker that does nothing: the limit that
 * the web server and libfcgi set, beside which ours is measured. With --echo it
 * answers the variables that the web server gave it, one a line, and how many
 * bytes of body came: to see what a web server makes of a request.
 *
 * Blocks:     in accept.
 * Invariant:  no state between requests.
 */
#include "base/base.h"

#include <pthread.h>
#include <signal.h>

#include <fcgiapp.h>

#include "base/parse.h"

#define BACKLOG 1024
#define ANSWER_MAX 1048576

struct empty {
	int fd;
	int bytes;
	bool echo;
	char *body;
};

static void
answer_echo(FCGX_Request *fr)
{
	char buf[65536];
	int64_t n = 0;
	int got;

	while ((got = FCGX_GetStr(buf, (int)sizeof(buf), fr->in)) > 0)
		n += got;
	FCGX_PutS("Content-Type: text/plain\r\n\r\n", fr->out);
	for (char **e = fr->envp; *e != NULL; e++)
		FCGX_FPrintF(fr->out, "%s\n", *e);
	FCGX_FPrintF(fr->out, "BODY_BYTES=%ld\n", (long)n);
}

static void
answer_empty(const struct empty *e, FCGX_Request *fr)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n", e->bytes);

	FCGX_PutStr(head, n, fr->out);
	FCGX_PutStr(e->body, e->bytes, fr->out);
}

static void *
serve(void *arg)
{
	const struct empty *e = arg;
	FCGX_Request fr;

	if (FCGX_InitRequest(&fr, e->fd, 0) != 0)
		return NULL;
	while (FCGX_Accept_r(&fr) == 0) {
		if (e->echo)
			answer_echo(&fr);
		else
			answer_empty(e, &fr);
		FCGX_Finish_r(&fr);
	}
	return NULL;
}

static int
number(const char *text, int max)
{
	int64_t n;

	if (!parse_i64(span_of(text), 1, max, &n)) {
		fprintf(stderr, "fcgi_empty: \"%s\" is not a number from 1 to %d\n", text, max);
		exit(2);
	}
	return (int)n;
}

int
main(int argc, char **argv)
{
	struct empty e = { .fd = 0, .bytes = 4096 };
	int threads = 16, processes = 1;
	const char *path = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--echo") == 0)
			e.echo = true;
		else if (i + 1 < argc && strcmp(argv[i], "--socket") == 0)
			path = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--threads") == 0)
			threads = number(argv[++i], 1024);
		else if (i + 1 < argc && strcmp(argv[i], "--processes") == 0)
			processes = number(argv[++i], 64);
		else if (i + 1 < argc && strcmp(argv[i], "--bytes") == 0)
			e.bytes = number(argv[++i], ANSWER_MAX);
		else {
			fprintf(stderr, "usage: fcgi_empty [--echo] [--socket PATH] [--processes N] [--threads N] [--bytes N]\n");
			return 2;
		}
	}
	e.body = calloc(1, (size_t)e.bytes);
	if (e.body == NULL || FCGX_Init() != 0)
		return 1;
	memset(e.body, 'x', (size_t)e.bytes);
	if (path != NULL && (e.fd = FCGX_OpenSocket(path, BACKLOG)) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < processes; i++)
		if (fork() == 0)
			break;
	for (int i = 1; i < threads; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, serve, &e) != 0)
			return 1;
	}
	serve(&e);
	return 0;
}
