/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/pages.c - one request from its path to its page.
 *
 * Owns:       nothing.
 * Called by:  admin/cgi/main.c.
 * Blocks:     as pages do.
 */
#include "admin/cgi/page.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"

#define FILE_CHUNK 65536

/* The files that pages refer to. They hold nothing that a stranger may not see. */
static const struct {
	const char *path, *type;
} files[] = { { "/style.css", "text/css; charset=utf-8" }, { "/icon.svg", "image/svg+xml" } };

static void
serve_file(struct page_ctx *p, size_t i)
{
	const char *dir = p->rt->settings->pages_dir;
	const char *path = arena_printf(p->arena, "%s%s",
	    dir[0] == '\0' ? ANVIL_DATADIR "/pages" : dir, files[i].path);
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(p->arena, FILE_CHUNK);
	ssize_t n;

	p->an->type = files[i].type;
	if (fd < 0 || text == NULL) {
		p->an->status = 404;
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((n = read(fd, text, FILE_CHUNK)) > 0)
		strbuf_add(&p->an->body, text, (size_t)n);
	close(fd);
	p->an->cacheable = true;
}

/*
 * A browser says what a request is for. Scripts of an object in some bucket share
 * our origin: they may neither read a page nor send a form, only a person may.
 */
static bool
is_person(const struct http_request *rq)
{
	bool post = strcmp(rq->method, "POST") == 0;

	if (rq->fetch_dest[0] != '\0' && strcmp(rq->fetch_dest, "document") != 0)
		return false;
	if (rq->fetch_mode[0] != '\0' && strcmp(rq->fetch_mode, "navigate") != 0)
		return false;
	if (post && rq->fetch_site[0] != '\0')
		return strcmp(rq->fetch_site, "same-origin") == 0;
	/* By plain HTTP browsers do not say that; they do say where the form was. */
	if (post && rq->origin[0] != '\0' && rq->host[0] != '\0') {
		const char *host = strstr(rq->origin, "://");

		return host != NULL && strcmp(host + 3, rq->host) == 0;
	}
	return true;
}

static void
show_page(struct page_ctx *p)
{
	struct err err = { 0 };

	scope_text(p->root, "title", p->page->title);
	if (p->page->role == ROLE_ADMIN && !p->may_change) {
		page_problem(p, 403, "Not for you",
		    "This page is for operators with the role \"admin\".");
		return;
	}
	if (strcmp(p->rq->method, "POST") == 0 && post_action(p))
		return;
	if (p->page->fn(p, &err) == 0) {
		page_render(p, p->page->template);
		return;
	}
	if (status_of(err.code) == 500)
		log_event(NULL, EV_REQUEST_FAILED, LS("page", p->page->path),
		    LS("detail", err.detail), LS("where", err.where == NULL ? "" : err.where));
	page_problem(p, status_of(err.code), p->page->title, err.detail);
}

static void
serve_path(struct page_ctx *p, const char *path)
{
	struct err err = { 0 };
	bool post = strcmp(p->rq->method, "POST") == 0;
	int in;

	if (strcmp(path, "login") == 0 && post) {
		gate_login(p);
		return;
	}
	p->page = page_find(path);
	in = gate_enter(p, &err);
	if (in < 0) {
		p->page = NULL;
		page_nobody_now(p, &err);
		return;
	}
	if (in == 0)
		return;
	if (strcmp(path, "login") == 0)
		http_redirect(p->an, p->rq, "");
	else if (strcmp(path, "logout") == 0 && post &&
	    csrf_check(&p->keys, p->token, param_get(&p->rq->form, "csrf")))
		gate_logout(p);
	else if (p->page == NULL)
		page_problem(p, 404, "There is no such page", "The address may be wrong.");
	else
		show_page(p);
}

static const char *
words_of(int status)
{
	switch (status) {
	case 405:
		return "This is not a method that pages know.";
	case 411:
	case 413:
		return "The form is too long, or does not say how long it is.";
	case 414:
		return "The address is too long.";
	case 415:
		return "That is not a form.";
	default:
		return "The request is not as browsers send it.";
	}
}

void
page_serve(struct runtime *rt, const char *conf, bool is_fastcgi, const struct http_request *rq,
    struct http_answer *an)
{
	struct page_ctx p = { .rt = rt, .conf = conf, .rq = rq, .an = an, .arena = rq->arena,
		.is_fastcgi = is_fastcgi };
	struct err err = { 0 };
	size_t file = 0;

	p.root = scope_new(rq->arena, NULL);
	p.now_us = clock_wall_us();
	if (runtime_open(rt, conf, NEED_GLOBAL, &err) != 0) {
		log_event(NULL, EV_FATAL, LS("detail", err.detail));
		page_problem(&p, 500, "Anvil is not set up", "The log of the web server says what is wrong with anvil.conf.");
		return;
	}
	session_keys_init(&p.keys, &rt->settings->master);
	while (file < ARRAY_LEN(files) && strcmp(rq->path, files[file].path) != 0)
		file++;
	if (rq->refused != 0)
		page_problem(&p, rq->refused, "Not understood", words_of(rq->refused));
	else if (rq->path[0] == '\0')
		http_redirect(an, rq, "");
	else if (file < ARRAY_LEN(files))
		serve_file(&p, file);
	else if (!is_person(rq))
		page_problem(&p, 403, "Only for people",
		    "These pages answer a browser's window, not scripts or frames.");
	else
		serve_path(&p, rq->path + 1);
	crypto_wipe(&p.keys, sizeof(p.keys));
	http_forget_form(rq);
}
