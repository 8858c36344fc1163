/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/page_common.c - what every page has: its frame, notices that were
 * left for it before a redirect, problems, and running actions that only look.
 *
 * Owns:       the cookie anvil_flash: lines "i TEXT", "w TEXT" (notices) and
 *             "k LABEL<tab>VALUE" (a secret that is shown once).
 * Called by:  pages, admin/cgi/post.c, admin/cgi/gate.c.
 * Blocks:     as actions and template files do.
 */
#include "admin/cgi/page.h"

#include "base/html.h"
#include "base/log.h"

#define FLASH_SECONDS 120
#define LAST_RESORT                                                            \
	"<!doctype html><html lang=\"en\"><title>Anvil</title>"                \
	"<h1>This page cannot be shown</h1><p>The log says why."

const struct page pages[] = {
#define PAGE(path, template, title, label, role, fn)                           \
	{ path, #template, title, label, ROLE_##role, fn },
#include "admin/cgi/pages.def"
#undef PAGE
	{ NULL, NULL, NULL, NULL, ROLE_ADMIN, NULL }
};

const struct page *
page_find(const char *path)
{
	for (const struct page *p = pages; p->path != NULL; p++)
		if (strcmp(p->path, path) == 0)
			return p;
	return NULL;
}

bool
page_is_place(const char *where)
{
	size_t len = strcspn(where, "?");
	bool ours = false;

	if (strlen(where) > 400)
		return false;
	for (const struct page *p = pages; p->path != NULL; p++)
		if (strlen(p->path) == len && memcmp(p->path, where, len) == 0)
			ours = true;
	for (const char *s = where; *s != '\0'; s++)
		if (*s <= ' ' || *s == '"' || *s == '\'' || *s == '<' || *s == '>' ||
		    *s == '\\' || (unsigned char)*s >= 0x7f)
			return false;
	return ours;
}

const char *
page_place(const struct page_ctx *p, const char *where, const char *value)
{
	struct strbuf sb;

	strbuf_init(&sb, p->arena, 2048);
	strbuf_str(&sb, where);
	url_component(&sb, value);
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : "";
}

const char *
page_arg(const struct page_ctx *p, const char *name)
{
	const char *s = param_get(&p->rq->args, name);

	return s == NULL ? "" : s;
}

/* ---- actions that only look ---- */

static int
run_look(struct page_ctx *p, struct err *err, struct result **out, const char *action, va_list ap)
{
	const struct action *act = action_by_name(action);
	struct runner who = { .rt = p->rt, .conf = p->conf, .actor = p->who.name, .via = "page",
		.origin = p->rq->remote_addr, .role = p->may_change ? ROLE_ADMIN : ROLE_VIEWER };
	struct args *args = ARENA_NEW(p->arena, struct args);
	struct result *r = ARENA_NEW(p->arena, struct result);
	const char *name;

	ASSERT(act != NULL && !(act->flags & ACT_CHANGES));
	if (args == NULL || r == NULL)
		return FAIL(err, ERR_LIMIT, "the page is too large");
	args_init(args, p->arena, act);
	result_init(r, p->arena);
	while ((name = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		if (value != NULL && value[0] != '\0')
			args_set(args, name, value);
	}
	if (!args_check(args)) {
		for (size_t i = 0; i < args->n; i++)
			if (args->v[i].problem != NULL)
				return FAIL(err, ERR_INVALID, "%s: %s", args->v[i].row->name,
				    args->v[i].problem);
		return FAIL(err, ERR_INVALID, "the address of this page is incomplete");
	}
	*out = r;
	return action_run(&who, act, args, p->arena, r, err);
}

int
page_run(struct page_ctx *p, struct err *err, const struct result **out, const char *action, ...)
{
	struct result *r = NULL;
	va_list ap;
	int rc;

	va_start(ap, action);
	rc = run_look(p, err, &r, action, ap);
	va_end(ap);
	if (rc == 0)
		fill_result(p->root, r);
	if (out != NULL)
		*out = r;
	return rc;
}

void
page_try(struct page_ctx *p, const char *problem_name, const char *action, ...)
{
	struct err err = { 0 };
	struct result *r = NULL;
	va_list ap;
	int rc;

	va_start(ap, action);
	rc = run_look(p, &err, &r, action, ap);
	va_end(ap);
	if (r != NULL) /* what is known all the same: doctor's lines */
		fill_result(p->root, r);
	scope_text(p->root, problem_name,
	    rc == 0 ? "" : arena_strdup(p->arena, err.detail));
}

/* ---- the frame ---- */

static void
fill_frame(struct page_ctx *p)
{
	char csrf[CSRF_LEN + 1];
	bool entered = p->token != NULL;

	scope_text(p->root, "this_region",
	    p->rt->settings == NULL ? "" : p->rt->settings->region);
	scope_text(p->root, "anvil_version", PACKAGE_VERSION);
	scope_text(p->root, "script", p->rq->script);
	scope_flag(p->root, "entered", entered);
	scope_text(p->root, "my_name", entered ? p->who.name : "");
	scope_text(p->root, "my_role", entered ? p->who.role : "");
	scope_flag(p->root, "may_change", p->may_change);
	scope_printf(p->root, "here", "%s%s%s", p->page == NULL ? "" : p->page->path,
	    p->rq->query[0] == '\0' ? "" : "?", p->rq->query);
	if (entered) {
		csrf_make(&p->keys, p->token, csrf);
		scope_text(p->root, "csrf", arena_strdup(p->arena, csrf));
	}
	for (const struct page *x = pages; entered && x->path != NULL; x++) {
		struct scope *item;

		if (x->label == NULL || (x->role == ROLE_ADMIN && !p->may_change))
			continue;
		item = scope_item(p->root, "nav");
		scope_text(item, "path", x->path[0] == '\0' ? "./" : x->path);
		scope_text(item, "label", x->label);
		scope_flag(item, "current", x == p->page ||
		    (p->page != NULL && p->page->label == NULL &&
			strncmp(x->path, p->page->path, 4) == 0));
	}
}

/* Notices that were left before the redirect are shown, and forgotten. */
static void
take_flash(struct page_ctx *p)
{
	const char *box = http_cookie(p->rq, FLASH_COOKIE), *text;

	if (box == NULL || p->token == NULL)
		return;
	http_set_cookie(p->an, p->rq, FLASH_COOKIE, "", 0);
	text = flash_read(&p->keys, p->arena, p->token, box);
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *tab = memchr(text, '\t', len);
		struct scope *item;

		if (len > 2 && text[0] == 'k' && tab != NULL) {
			scope_flag(p->root, "once_any", true);
			item = scope_item(p->root, "once");
			scope_text(item, "label",
			    arena_strndup(p->arena, text + 2, (size_t)(tab - text) - 2));
			scope_text(item, "value", arena_strndup(p->arena, tab + 1,
			    len - (size_t)(tab - text) - 1));
		} else if (len > 2) {
			item = scope_item(p->root, "notices");
			scope_text(item, "text", arena_strndup(p->arena, text + 2, len - 2));
			scope_text(item, "level", text[0] == 'w' ? "warn" : "done");
		}
		text += len;
		if (*text == '\n')
			text++;
	}
}

static void
add_once(struct strbuf *sb, const struct result *r)
{
	for (const struct table *t = r->tables; t != NULL; t = t->following)
		for (size_t c = 0; t->n_rows == 1 && c < t->n_cols; c++) {
			const struct cell *cell = &t->cells[c];

			if (cell->kind == CELL_TEXT)
				strbuf_printf(sb, "k %s\t%s\n", t->cols[c].title, cell->s);
		}
}

static bool
has_secret(const struct result *r)
{
	for (const struct table *t = r->tables; t != NULL; t = t->following)
		for (size_t c = 0; c < t->n_cols; c++)
			if (t->cols[c].type == COL_SECRET)
				return true;
	return false;
}

void
page_say_later(struct page_ctx *p, const struct result *r, const char *otherwise)
{
	struct strbuf sb;
	const char *box;

	strbuf_init(&sb, p->arena, FLASH_MAX);
	if (has_secret(r))
		add_once(&sb, r); /* the box says what its notice would */
	for (const struct message *m = r->messages; m != NULL; m = m->following)
		if (m->level != MSG_INFO || !has_secret(r))
			strbuf_printf(&sb, "%c %s\n", m->level == MSG_INFO ? 'i' : 'w', m->text);
	if (sb.len == 0)
		strbuf_printf(&sb, "i Done: %s\n", otherwise);
	if (p->token == NULL)
		return;
	box = flash_make(&p->keys, p->arena, p->token, strbuf_cstr(&sb));
	if (box != NULL)
		http_set_cookie(p->an, p->rq, FLASH_COOKIE, box, FLASH_SECONDS);
}

static const char *
pages_dir(const struct page_ctx *p)
{
	const char *dir = p->rt->settings == NULL ? "" : p->rt->settings->pages_dir;

	return dir[0] == '\0' ? ANVIL_DATADIR "/pages" : dir;
}

void
page_render(struct page_ctx *p, const char *template)
{
	struct templates set = { template_load_file, arena_strdup(p->arena, pages_dir(p)) };
	struct err err = { 0 };

	fill_frame(p);
	take_flash(p);
	if (set.arg != NULL && template_render(&p->an->body, &set, template, p->root, &err) == 0)
		return;
	log_event(NULL, EV_REQUEST_FAILED, LS("page", template), LS("detail", err.detail));
	p->an->status = 500;
	strbuf_clear(&p->an->body);
	strbuf_str(&p->an->body, LAST_RESORT);
}

void
page_problem(struct page_ctx *p, int status, const char *title, const char *detail)
{
	p->an->status = status;
	scope_text(p->root, "title", title);
	scope_text(p->root, "problem", detail);
	scope_flag(p->root, "again", status == 503);
	page_render(p, "problem");
}

void
page_nobody_now(struct page_ctx *p, const struct err *err)
{
	log_event(NULL, EV_REQUEST_FAILED, LS("page", "login"), LS("detail", err->detail),
	    LS("where", err->where == NULL ? "" : err->where));
	page_problem(p, status_of(err->code), "Nobody can be let in now",
	    err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT
		? "The global database does not answer."
		: "The log says why.");
}
