/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/post.c - what a form asks for: an action of admin/actions.def with
 * PAGE. Done: the browser is sent on (POST, redirect, GET) and told there what
 * became of it. Not done: the page is shown again with the reason.
 *
 * Owns:       nothing.
 * Called by:  admin/cgi/pages.c, once gate.c knows who it is.
 * Blocks:     as the action does.
 * Invariant:  no action runs before the form's token is proved.
 */
#include "admin/cgi/page.h"

#include "admin/password.h"
#include "base/html.h"
#include "base/log.h"

#define PLACE_MAX 512

int
status_of(int err_code)
{
	switch (err_code) {
	case ERR_NONE:
		return 200;
	case ERR_INVALID:
	case ERR_LIMIT:
		return 422;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_EXISTS:
	case ERR_CONFLICT:
		return 409;
	case ERR_DENIED:
		return 403;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return 503;
	default:
		return 500;
	}
}

/* Blanks around what was typed are nobody's wish, but of a key, which nobody types; a document's lines end as ours do. */
static const char *
tidy(struct arena *a, const struct arg_row *r, const char *s)
{
	struct strbuf sb;

	if (arg_is_hidden(r) || r->type == ARG_KEY)
		return s;
	while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
		s++;
	strbuf_init(&sb, a, BODY_MAX);
	for (; *s != '\0'; s++)
		if (!(s[0] == '\r' && s[1] == '\n'))
			strbuf_ch(&sb, *s);
	while (sb.len > 0 && strchr(" \t\r\n", sb.buf[sb.len - 1]) != NULL)
		strbuf_trim(&sb, sb.len - 1);
	return strbuf_cstr(&sb);
}

/* Several in one field, with blanks or commas between; a name may have a comma itself. */
static void
set_many(struct args *args, const struct arg_row *r, const char *s)
{
	const char *between = r->type == ARG_NAME ? " \n\t" : " ,\n\t";

	while (*s != '\0') {
		size_t len;

		s += strspn(s, between);
		len = strcspn(s, between);
		if (len > 0)
			args_set(args, r->name, arena_strndup(args->arena, s, len));
		s += len;
	}
}

static void
args_of_form(struct args *args, const struct http_request *rq)
{
	const struct params *form = &rq->form;

	for (size_t i = 0; i < form->n; i++) {
		const struct arg_row *r = action_arg(args->act, form->p[i].name);
		const char *value;

		if (r == NULL)
			continue;
		value = tidy(args->arena, r, form->p[i].value);
		if (value[0] == '\0')
			continue;
		if (r->flags & ARG_IS_MANY)
			set_many(args, r, value);
		else
			args_set(args, r->name, value);
	}
}

static const char *
first_value(const struct args *args)
{
	return args->n > 0 && args->v[0].n > 0 ? args->v[0].values[0] : "";
}

/* `then` of the form; one that ends in "=" goes on with what it was done to. */
static const char *
place_after(const struct page_ctx *p, const struct args *args)
{
	const char *then = param_get(&p->rq->form, "then");
	struct strbuf sb;

	if (then == NULL || !page_is_place(then))
		return p->page->path;
	strbuf_init(&sb, p->arena, PLACE_MAX);
	strbuf_str(&sb, then);
	if (then[0] != '\0' && then[strlen(then) - 1] == '=')
		url_component(&sb, first_value(args));
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : p->page->path;
}

static bool
is_own_account(const struct page_ctx *p, const struct action *act, const struct args *args)
{
	return strcmp(act->noun, "operator") == 0 &&
	    (strcmp(act->verb, "password") == 0 || strcmp(act->verb, "logout") == 0) &&
	    strcmp(p->page->path, "account") == 0 &&
	    strcmp(first_value(args), p->who.name) == 0;
}

/* Whoever sits at an open browser must not be able to take the account over. */
static bool
knows_own_password(struct page_ctx *p, struct err *err)
{
	const char *current = param_get(&p->rq->form, "current");
	struct operator_info who;

	if (registry_operator_find(p->rt->thread, p->arena, p->who.name, &who, err) != 0)
		return false;
	if (current != NULL && password_matches(p->arena, current, who.password_hash))
		return true;
	FAIL(err, ERR_DENIED, "your current password is wrong");
	return false;
}

static int
run(struct page_ctx *p, const struct action *act, struct args *args, struct result *result, struct err *err)
{
	bool own = is_own_account(p, act, args);
	struct runner who = { .rt = p->rt, .conf = p->conf, .actor = p->who.name, .via = "page",
		.origin = p->rq->remote_addr,
		.role = p->may_change || own ? ROLE_ADMIN : ROLE_VIEWER };

	if (own && strcmp(act->verb, "password") == 0 && !knows_own_password(p, err))
		return -1;
	if (action_run(&who, act, args, p->arena, result, err) != 0)
		return -1;
	/* The change ended this session, too; who changed the own password goes on in a new one. */
	if (own && strcmp(act->verb, "password") == 0) {
		struct operator_info now;

		if (registry_operator_find(p->rt->thread, p->arena, p->who.name, &now, err) != 0)
			return -1;
		return gate_give_session(p, &now, err);
	}
	return 0;
}

static void
refuse(struct page_ctx *p, const struct action *act, struct args *args, int status, const char *why)
{
	p->an->status = status;
	p->refused = act;
	p->refused_args = args;
	p->refused_why = why;
}

/* What destroys is asked again on a page of its own; a form that comes without that answer is sent there. */
static bool
ask_first(struct page_ctx *p, const struct action *act, const struct args *args)
{
	const char *sure = param_get(&p->rq->form, "sure");
	struct strbuf sb;

	if (!(act->flags & ACT_DESTROYS) || (sure != NULL && strcmp(sure, "yes") == 0))
		return false;
	strbuf_init(&sb, p->arena, PLACE_MAX);
	strbuf_printf(&sb, "confirm?action=%s", action_name(act, p->arena));
	for (size_t i = 0; i < args->n; i++)
		for (size_t k = 0; k < args->v[i].n; k++) {
			strbuf_printf(&sb, "&%s=", args->v[i].row->name);
			url_component(&sb, args->v[i].values[k]);
		}
	http_redirect(p->an, p->rq, strbuf_ok(&sb) ? strbuf_cstr(&sb) : "");
	return true;
}

bool
post_action(struct page_ctx *p)
{
	const char *name = param_get(&p->rq->form, "action");
	const struct action *act = name == NULL ? NULL : action_by_name(name);
	struct args *args = ARENA_NEW(p->arena, struct args);
	struct result *result = ARENA_NEW(p->arena, struct result);
	struct err err = { 0 };

	if (!csrf_check(&p->keys, p->token, param_get(&p->rq->form, "csrf"))) {
		page_problem(p, 403, "Nothing was changed",
		    "The form is not one that these pages gave to you in this session. Go back, load the page again, and repeat it.");
		return true;
	}
	if (act == NULL || !(act->flags & ACT_PAGE) || args == NULL || result == NULL) {
		page_problem(p, 400, "Nothing was changed", "There is no such action.");
		return true;
	}
	args_init(args, p->arena, act);
	args_of_form(args, p->rq);
	if (!args_check(args)) {
		refuse(p, act, args, 422, "Nothing was changed: look at the fields marked below.");
		return false;
	}
	if (ask_first(p, act, args))
		return true;
	result_init(result, p->arena);
	if (run(p, act, args, result, &err) != 0) {
		if (status_of(err.code) >= 500)
			log_event(NULL, EV_REQUEST_FAILED, LS("action", name), LS("detail", err.detail),
			    LS("where", err.where == NULL ? "" : err.where));
		refuse(p, act, args, status_of(err.code),
		    arena_printf(p->arena, "Not done: %s.", err.detail));
		return false;
	}
	page_say_later(p, result, act->doc);
	http_redirect(p->an, p->rq, place_after(p, args));
	return true;
}
