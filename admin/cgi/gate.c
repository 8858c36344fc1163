/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/gate.c - who is it: sessions, logging in and out.
 *
 * Owns:       the cookies anvil_session and anvil_login.
 * Called by:  admin/cgi/pages.c, before any page.
 * Blocks:     on the global database; on the password's hash.
 * Invariant:  nothing but the login page is answered before the cookie is
 *             proved and the operator's row agrees with it.
 */
#include "admin/cgi/page.h"

#include "admin/cgi/limiter.h"
#include "admin/password.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"

#define LOGIN_WORD_LEN 32
#define US_PER_HOUR (3600 * US_PER_S)
#define NAME_SHOWN 64

/* The word that binds a login form to this browser. Made when there is none. */
static const char *
login_word(struct page_ctx *p)
{
	const char *word = http_cookie(p->rq, LOGIN_COOKIE);
	uint8_t bytes[LOGIN_WORD_LEN / 2];
	char *fresh;

	if (word != NULL && strlen(word) == LOGIN_WORD_LEN)
		return word;
	fresh = arena_alloc(p->arena, LOGIN_WORD_LEN + 1);
	if (fresh == NULL)
		return "";
	crypto_random(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), fresh);
	http_set_cookie(p->an, p->rq, LOGIN_COOKIE, fresh, -1);
	return fresh;
}

/* Where the browser wanted to go: only a place of ours. */
static const char *
wanted(const struct page_ctx *p)
{
	const char *then = param_get(&p->rq->form, "then");
	const char *here;

	if (then == NULL && strcmp(p->rq->method, "POST") != 0 && p->page != NULL) {
		here = arena_printf(p->arena, "%s%s%s", p->page->path,
		    p->rq->query[0] == '\0' ? "" : "?", p->rq->query);
		then = here;
	}
	return then != NULL && page_is_place(then) ? then : "";
}

static void
show_login(struct page_ctx *p, int status, const char *problem, const char *name)
{
	char csrf[CSRF_LEN + 1];

	csrf_make(&p->keys, login_word(p), csrf);
	p->an->status = status;
	scope_text(p->root, "title", "Log in");
	scope_text(p->root, "problem", problem);
	scope_text(p->root, "login_name", name);
	scope_text(p->root, "csrf", arena_strdup(p->arena, csrf));
	scope_text(p->root, "then", wanted(p));
	page_render(p, "login");
}

/* 1 found and as the cookie says, 0 not, -1 with err. */
static int
session_operator(struct page_ctx *p, const struct session *s, struct err *err)
{
	if (registry_operator_by_id(p->rt->thread, p->arena, &s->operator_id, &p->who, err) != 0) {
		if (err->code != ERR_NOT_FOUND)
			return -1;
		err_clear(err);
		return 0;
	}
	return p->who.enabled && p->who.session == s->number;
}

int
gate_enter(struct page_ctx *p, struct err *err)
{
	const char *token = http_cookie(p->rq, SESSION_COOKIE);
	struct session s;
	int known = 0;

	if (token != NULL && session_read(&p->keys, token, p->now_us, &s)) {
		known = session_operator(p, &s, err);
		if (known < 0)
			return -1;
	}
	if (known) {
		p->token = token;
		p->may_change = strcmp(p->who.role, "admin") == 0;
		return 1;
	}
	if (token != NULL)
		http_set_cookie(p->an, p->rq, SESSION_COOKIE, "", 0);
	if (strcmp(p->rq->method, "POST") == 0)
		show_login(p, 403, "Your session has ended. Nothing was changed; log in and do it again.", "");
	else
		show_login(p, 200, "", "");
	return 0;
}

int
gate_give_session(struct page_ctx *p, const struct operator_info *who, struct err *err)
{
	int64_t life_us = p->rt->settings->session_hours * US_PER_HOUR;
	const char *token = session_make(&p->keys, p->arena, &who->id, who->session,
	    p->now_us + life_us);

	if (token == NULL)
		return FAIL(err, ERR_LIMIT, "no room for a session");
	http_set_cookie(p->an, p->rq, SESSION_COOKIE, token, life_us / US_PER_S);
	p->token = token;
	return 0;
}

static void
audit_login(struct page_ctx *p, const char *action, const char *name)
{
	struct audit_entry e = { .actor = name, .via = "page", .region = p->rt->settings->region,
		.action = action, .target = name, .ok = true };
	struct err err = { 0 };

	e.detail = arena_printf(p->arena, "from=%s", p->rq->remote_addr);
	if (e.detail == NULL)
		e.detail = "";
	log_event(NULL, EV_ADMIN, LS("actor", name), LS("via", "page"), LS("action", action),
	    LS("from", p->rq->remote_addr));
	if (registry_audit_append(p->rt->thread, &e, &err) != 0)
		log_event(NULL, EV_ADMIN, LS("action", action), LS("detail", err.detail));
}

/* 1 let in (p->who is the operator), 0 refused, -1 with err. */
static int
check_password(struct page_ctx *p, const char *name, const char *password, struct err *err)
{
	const char *hash = NULL;
	bool there = false;

	if (registry_operator_find(p->rt->thread, p->arena, name, &p->who, err) == 0) {
		there = p->who.enabled;
		hash = p->who.password_hash;
	} else if (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID) {
		return -1;
	}
	err_clear(err);
	/* The hash is computed for a name that is not there, too: the time tells nothing. */
	return password_matches(p->arena, password, hash) && there;
}

void
gate_login(struct page_ctx *p)
{
	const char *name = param_get(&p->rq->form, "name");
	const char *password = param_get(&p->rq->form, "password");
	const char *dir = p->rt->settings->state_dir, *word = http_cookie(p->rq, LOGIN_COOKIE);
	struct err err = { 0 };
	int64_t wait_s;
	int let_in;

	if (name == NULL || password == NULL || strlen(name) > NAME_SHOWN || strlen(password) > 256) {
		show_login(p, 400, "Give a name and a password.", "");
		return;
	}
	if (word == NULL || !csrf_check(&p->keys, word, param_get(&p->rq->form, "csrf"))) {
		show_login(p, 403, "The form was too old, or the browser keeps no cookies. Try again.", name);
		return;
	}
	wait_s = limiter_try(dir, p->rq->remote_addr, name, p->now_us);
	if (wait_s > 0) {
		http_header(p->an, "Retry-After", arena_printf(p->arena, "%" PRId64, wait_s));
		show_login(p, 429, "Too many tries. Wait some minutes.", name);
		return;
	}
	let_in = check_password(p, name, password, &err);
	if (let_in > 0 && gate_give_session(p, &p->who, &err) != 0)
		let_in = -1;
	if (let_in < 0) {
		page_nobody_now(p, &err);
		return;
	}
	if (!let_in) {
		log_event(NULL, EV_LOGIN_FAILED, LS("name", name), LS("from", p->rq->remote_addr));
		show_login(p, 403, "Name or password is wrong.", name);
		return;
	}
	limiter_undo(dir, p->rq->remote_addr, name);
	if (registry_operator_logged_in(p->rt->thread, name, &err) != 0)
		err_clear(&err);
	audit_login(p, "login", name);
	http_set_cookie(p->an, p->rq, LOGIN_COOKIE, "", 0);
	http_redirect(p->an, p->rq, wanted(p));
}

void
gate_logout(struct page_ctx *p)
{
	audit_login(p, "logout", p->who.name);
	http_set_cookie(p->an, p->rq, SESSION_COOKIE, "", 0);
	http_set_cookie(p->an, p->rq, FLASH_COOKIE, "", 0);
	http_redirect(p->an, p->rq, "");
}
