/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/main.c - anvil-admin.cgi: the operators' pages, as CGI (one request
 * a process) or FastCGI (descriptor 0 is a listening socket).
 *
 * Owns:       the process.
 * Called by:  a web server, spawn-fcgi, systemd.
 * Blocks:     one request at a time; run several for several operators.
 */
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>

#include "admin/cgi/page.h"
#include "base/log.h"

#define ARENA_CAP ((size_t)48 << 20)

static const char *
env_of_cgi(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static ssize_t
body_of_cgi(void *arg, char *buf, size_t len)
{
	(void)arg;
	return read(STDIN_FILENO, buf, len);
}

static const char *
env_of_fastcgi(void *arg, const char *name)
{
	const FCGX_Request *fr = arg;

	return FCGX_GetParam(name, fr->envp);
}

static ssize_t
body_of_fastcgi(void *arg, char *buf, size_t len)
{
	const FCGX_Request *fr = arg;

	return FCGX_GetStr(buf, (int)len, fr->in);
}

static void
serve(struct runtime *rt, const char *conf, struct arena *a, bool is_fastcgi, env_fn env, body_fn body, void *arg,
    struct strbuf *out)
{
	struct http_request *rq = ARENA_NEW(a, struct http_request);
	struct http_answer an;

	ASSERT(rq != NULL);
	http_read(rq, a, env, body, arg);
	http_answer_init(&an, a);
	page_serve(rt, conf, is_fastcgi, rq, &an);
	strbuf_init(out, a, PAGE_BYTES_MAX * 2);
	http_put(&an, rq, out);
}

static int
serve_cgi(struct runtime *rt, const char *conf, struct arena *a)
{
	struct strbuf out;
	size_t done = 0;

	serve(rt, conf, a, false, env_of_cgi, body_of_cgi, NULL, &out);
	while (done < out.len) {
		ssize_t n = write(STDOUT_FILENO, out.buf + done, out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		done += (size_t)n;
	}
	return strbuf_ok(&out) ? 0 : 1;
}

static volatile sig_atomic_t stopping;

static void
on_stop(int sig)
{
	(void)sig;
	stopping = 1;
	FCGX_ShutdownPending();
}

static int
serve_fastcgi(struct runtime *rt, const char *conf, struct arena *a)
{
	struct sigaction sa = { .sa_handler = on_stop }; /* without SA_RESTART: accept returns */
	FCGX_Request fr;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fr, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return 1;
	while (!stopping && FCGX_Accept_r(&fr) == 0) {
		struct strbuf out;

		serve(rt, conf, a, true, env_of_fastcgi, body_of_fastcgi, &fr, &out);
		FCGX_PutStr(strbuf_cstr(&out), (int)out.len, fr.out);
		FCGX_Finish_r(&fr);
		arena_reset(a);
	}
	FCGX_Free(&fr, 1);
	return 0;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct runtime rt = { 0 };
	const char *conf = NULL;
	struct err err = { 0 };
	int rc;

	/* Web servers turn a query without "=" into arguments of a CGI: whoever asks must not choose the configuration. */
	if (getenv("REQUEST_METHOD") != NULL || getenv("GATEWAY_INTERFACE") != NULL)
		argc = 1;
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		conf = argv[2];
	else if (argc > 1) {
		fprintf(stderr, "Usage: anvil-admin.cgi [-c FILE], by a web server (see anvil-admin.cgi(8))\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Before the configuration is read, lines go to the web server's error log. */
	if (log_open("anvil-admin.cgi", LOG_INFO, NULL) != 0)
		return 1;
	if (runtime_open(&rt, conf, NEED_CONF, &err) == 0 && rt.settings->log_file[0] != '\0' &&
	    log_open("anvil-admin.cgi", LOG_INFO, rt.settings->log_file) != 0 &&
	    log_open("anvil-admin.cgi", LOG_INFO, NULL) != 0)
		return 1;
	rc = FCGX_IsCGI() ? serve_cgi(&rt, conf, a) : serve_fastcgi(&rt, conf, a);
	runtime_close(&rt);
	arena_free(a);
	return rc;
}
