/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/page.h - a page is one row of admin/cgi/pages.def, one function and
 * one template. The function runs actions that only look (page_run) and says
 * which forms the page has (page_form); what a form changes is an action, run by
 * admin/cgi/post.c, which sends the browser on or shows the page again with
 * what was wrong beside the form.
 */
#ifndef ANVIL_ADMIN_CGI_PAGE_H
#define ANVIL_ADMIN_CGI_PAGE_H

#include "admin/cgi/http.h"
#include "admin/cgi/session.h"
#include "admin/run.h"
#include "base/template.h"
#include "meta/registry.h"

struct page_ctx;
typedef int (*page_fn)(struct page_ctx *p, struct err *err);
struct page {
	const char *path, *template, *title, *label;
	enum act_role role;
	page_fn fn;
};
extern const struct page pages[]; /* path NULL ends */
const struct page *page_find(const char *path);

struct page_ctx {
	struct runtime *rt;
	const char *conf;
	const struct http_request *rq;
	struct http_answer *an;
	struct arena *arena;
	int64_t now_us;
	struct session_keys keys;
	const char *token; /* the session's; NULL = nobody */
	struct operator_info who;
	bool may_change;   /* an admin */
	bool is_fastcgi;   /* lives longer than this request */
	const struct page *page;
	struct scope *root;
	/* the form that came and was refused, to be shown again */
	const struct action *refused;
	struct args *refused_args;
	const char *refused_why;
};

#define PAGE(path, template, title, label, role, fn) int fn(struct page_ctx *p, struct err *err);
#include "admin/cgi/pages.def"
#undef PAGE

/* One request, answered whole. Never fails. */
void page_serve(struct runtime *rt, const char *conf, bool is_fastcgi, const struct http_request *rq,
    struct http_answer *an);

/* ---- for the functions of pages ---- */

/* The page's query argument; "" when it was not given. */
const char *page_arg(const struct page_ctx *p, const char *name);
/*
 * Runs an action that changes nothing, with name, value, ... NULL (a NULL or empty value is left out), and puts its
 * tables into the page's scope. *out may be NULL.
 */
MUST_CHECK int page_run(struct page_ctx *p, struct err *err, const struct result **out, const char *action, ...)
    __attribute__((sentinel));
/* The same, but what goes wrong becomes the text `problem_name` of the page instead. */
void page_try(struct page_ctx *p, const char *problem_name, const char *action, ...) __attribute__((sentinel));
/* Tables of a result as lists and texts (admin/cgi/fill.c says how they are named). */
void fill_result(struct scope *s, const struct result *r);
/* A document's cell over several lines, for a form; "" for null. */
const char *fill_document(struct arena *a, const struct cell *c);
/* A list of words from one column of a table. Ends in NULL. */
const char *const *fill_column(struct arena *a, const struct table *t, const char *key);

/*
 * A form for an action, as the section form_NOUN_VERB of the page; nothing when the operator may not change.
 * then: where to go when it is done; ends in "=" to have the first argument put behind it.
 * preset: name, value, ... NULL: hidden fields with that value (a name that begins with "?" is shown and only filled in).
 */
struct scope *page_form(struct page_ctx *p, const char *action, const char *then, ...) __attribute__((sentinel));
/* The field is a choice of these words (several for an argument that may be repeated). */
void form_choices(struct page_ctx *p, struct scope *form, const char *field, const char *const *words);

/* admin/cgi/gate.c: who is it? 1 = logged in, 0 = answered already (login page, redirect), -1 with err. */
MUST_CHECK int gate_enter(struct page_ctx *p, struct err *err);
/* The login form's POST, and logging out. */
void gate_login(struct page_ctx *p);
void gate_logout(struct page_ctx *p);
/* A new cookie for the operator as he is now. */
MUST_CHECK int gate_give_session(struct page_ctx *p, const struct operator_info *who, struct err *err);

/* admin/cgi/post.c: the form of a page. true = answered; false = show the page again. */
bool post_action(struct page_ctx *p);
/* The status of a page that shows this failure. */
int status_of(int err_code);

/* admin/cgi/page_common.c */
void page_render(struct page_ctx *p, const char *template);
void page_problem(struct page_ctx *p, int status, const char *title, const char *detail);
/* Before anyone is known to be an operator: what is wrong goes to the log alone. */
void page_nobody_now(struct page_ctx *p, const struct err *err);
/* Said once after the next redirect: "" or "secret" lines (see page_common.c). */
void page_say_later(struct page_ctx *p, const struct result *r, const char *otherwise);
/* "tenant?name=" with the value behind it, as a URL has it. */
const char *page_place(const struct page_ctx *p, const char *where, const char *value);
/* Is it a page of ours with a plain query ("tenant?name=x")? Where to go after a form. */
bool page_is_place(const char *where);

#endif
