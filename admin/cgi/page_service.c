/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/page_service.c - the pages about the service itself: overview,
 * regions, cache, checks, operators, the audit log, one's own account.
 *
 * Owns:       nothing.
 * Called by:  admin/cgi/pages.c.
 * Blocks:     on databases and memcached; the checks page longest.
 */
#include "admin/cgi/page.h"

#include "base/html.h"

/* A process that lives on watches the pages of the cache all the time; one that does not cannot say what it trusts. */
#define NO_WATCH "0"

int
page_overview(struct page_ctx *p, struct err *err)
{
	(void)err;
	page_try(p, "status_problem", "status", NULL);
	page_try(p, "cache_problem", "cache.status", "watch-ms", NO_WATCH, NULL);
	return 0;
}

int
page_regions(struct page_ctx *p, struct err *err)
{
	page_form(p, "region.create", "region?name=", NULL);
	return page_run(p, err, NULL, "region.list", NULL);
}

int
page_region(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name");
	const struct result *r = NULL;
	const struct table *t;

	if (page_run(p, err, &r, "region.show", "name", name, NULL) != 0)
		return -1;
	t = result_find(r, "region");
	scope_text(p->root, "title", arena_printf(p->arena, "Region %s", name));
	page_form(p, "region.update", page_place(p, "region?name=", name), "name", name,
	    "?endpoint", table_cell(t, 0, "endpoint")->s, "?inv-pub", table_cell(t, 0, "inv_pub")->s,
	    "?inv-rep", table_cell(t, 0, "inv_rep")->s, NULL);
	return 0;
}

int
page_cache(struct page_ctx *p, struct err *err)
{
	page_form(p, "cache.flush", "cache", NULL);
	return page_run(p, err, NULL, "cache.status", "watch-ms", p->is_fastcgi ? NO_WATCH : "1500",
	    "pages", "1", NULL);
}

int
page_checks(struct page_ctx *p, struct err *err)
{
	(void)err;
	page_try(p, "checks_problem", "doctor", NULL);
	return 0;
}

int
page_operators(struct page_ctx *p, struct err *err)
{
	page_form(p, "operator.create", "operators", NULL);
	return page_run(p, err, NULL, "operator.list", NULL);
}

int
page_operator(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name");
	const struct result *r = NULL;
	const struct table *t;
	const char *here = page_place(p, "operator?name=", name);

	if (page_run(p, err, &r, "operator.list", NULL) != 0)
		return -1;
	t = result_find(r, "operators");
	for (size_t i = 0; i < t->n_rows; i++)
		if (strcmp(table_cell(t, i, "name")->s, name) == 0) {
			scope_text(p->root, "title", arena_printf(p->arena, "Operator %s", name));
			scope_text(p->root, "name", name);
			scope_flag(p->root, "is_active",
			    strcmp(table_cell(t, i, "state")->s, "active") == 0);
			page_form(p, "operator.password", here, "name", name, NULL);
			page_form(p, "operator.role", here, "name", name, "?role",
			    table_cell(t, i, "role")->s, NULL);
			return 0;
		}
	return FAIL(err, ERR_NOT_FOUND, "there is no operator \"%s\"", name);
}

int
page_audit(struct page_ctx *p, struct err *err)
{
	scope_text(p->root, "before", page_arg(p, "before"));
	return page_run(p, err, NULL, "audit.list", "before", page_arg(p, "before"), "limit", "50", NULL);
}

int
page_account(struct page_ctx *p, struct err *err)
{
	(void)err;
	page_form(p, "operator.password", "account", "name", p->who.name, NULL);
	return 0;
}

/* Where one lands after the thing is gone. */
static const char *
list_page(const struct action *act)
{
	static const char *const lists[][2] = { { "tenant", "tenants" }, { "app", "tenants" },
		{ "policy", "policies" }, { "bucket", "buckets" }, { "region", "regions" },
		{ "operator", "operators" }, { "webhook", "webhooks" }, { "upload", "uploads" } };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(act->noun, lists[i][0]) == 0)
			return lists[i][1];
	return "";
}

int
page_confirm(struct page_ctx *p, struct err *err)
{
	const struct action *act = action_by_name(page_arg(p, "action"));
	const char *then = page_arg(p, "then");
	struct strbuf title;

	if (act == NULL || !(act->flags & ACT_PAGE) || !(act->flags & ACT_DESTROYS))
		return FAIL(err, ERR_NOT_FOUND, "there is no such action");
	scope_text(p->root, "action", page_arg(p, "action"));
	scope_text(p->root, "action_doc", act->doc);
	scope_text(p->root, "noun", act->noun);
	scope_text(p->root, "verb", act->verb);
	scope_text(p->root, "then", then[0] != '\0' && page_is_place(then) ? then : list_page(act));
	scope_text(p->root, "back", then[0] != '\0' && page_is_place(then) ? then : list_page(act));
	scope_text(p->root, "confirm_error", p->refused == act ? p->refused_why : "");
	strbuf_init(&title, p->arena, 512);
	strbuf_printf(&title, "%c%s %s", act->verb[0] - 'a' + 'A', act->verb + 1, act->noun);
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		const char *value = page_arg(p, r->name);
		struct scope *item;

		if (value[0] == '\0')
			continue;
		item = scope_item(p->root, "values");
		scope_text(item, "name", r->name);
		scope_text(item, "value", value);
		scope_flag(item, "is_more", r != act->args);
		if (r == act->args)
			strbuf_printf(&title, " \"%s\"?", value);
	}
	scope_text(p->root, "title", strbuf_cstr(&title));
	return 0;
}
