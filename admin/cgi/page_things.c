/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/page_things.c - the pages about buckets, uploads, tenants, keys, policies and webhooks.
 *
 * Owns:       nothing.
 * Called by:  admin/cgi/pages.c.
 * Blocks:     on the global database; those about uploads and webhooks also on the regional one.
 */
#include "admin/cgi/page.h"

#define PAGE_ROWS "50"
#define CHOICES "1000"

/* Choices for a form: a column of a list that is made for it alone. */
static const char *const *
choices(struct page_ctx *p, const char *action, const char *table, const char *column)
{
	static const char *const none[] = { NULL };
	const struct action *act = action_by_name(action);
	const struct result *r = NULL;
	struct scope *root = p->root;
	struct err err = { 0 };
	int rc;

	if (!p->may_change)
		return none;
	p->root = scope_new(p->arena, NULL); /* not the page's own table of that name */
	rc = action_arg(act, "limit") == NULL ? page_run(p, &err, &r, action, NULL)
	    : page_run(p, &err, &r, action, "limit", CHOICES, NULL);
	p->root = root;
	return rc != 0 ? none : fill_column(p->arena, result_find(r, table), column);
}

/* The query of the page's list with another `after`. */
static void
search_texts(struct page_ctx *p)
{
	scope_text(p->root, "search", page_arg(p, "search"));
	scope_text(p->root, "tenant_wanted", page_arg(p, "tenant"));
	scope_text(p->root, "region_wanted", page_arg(p, "region"));
	scope_text(p->root, "after", page_arg(p, "after"));
	scope_flag(p->root, "filtered", page_arg(p, "search")[0] != '\0' ||
	    page_arg(p, "tenant")[0] != '\0' || page_arg(p, "region")[0] != '\0');
}

int
page_buckets(struct page_ctx *p, struct err *err)
{
	const char *const *tenants = choices(p, "tenant.list", "tenants", "name");
	const char *const *regions = choices(p, "region.list", "regions", "name");
	struct scope *form;

	search_texts(p);
	form = page_form(p, "bucket.create", "bucket?name=", "?tenant", page_arg(p, "tenant"),
	    "?region", p->rt->settings->region, NULL);
	form_choices(p, form, "tenant", tenants);
	form_choices(p, form, "region", regions);
	return page_run(p, err, NULL, "bucket.list", "search", page_arg(p, "search"), "tenant",
	    page_arg(p, "tenant"), "region", page_arg(p, "region"), "after",
	    page_arg(p, "after"), "limit", PAGE_ROWS, NULL);
}

/* As it would be typed: "50G" for what is so many whole GiB. */
static const char *
limit_text(struct page_ctx *p, const struct cell *c, bool is_size)
{
	static const char units[] = "KMGTP";
	int64_t n = c == NULL ? 0 : c->n;
	size_t i = 0;

	if (c == NULL || c->kind != CELL_NUMBER)
		return "none";
	while (is_size && n > 0 && n % 1024 == 0 && i < strlen(units)) {
		n /= 1024;
		i++;
	}
	return arena_printf(p->arena, "%" PRId64 "%.1s", n, i == 0 ? "" : &units[i - 1]);
}

/* What the bucket may hold; and in its home, what it holds. */
static void
page_quota(struct page_ctx *p, const struct table *t, const char *name, const char *here, bool at_home)
{
	const char *bytes = limit_text(p, table_cell(t, 0, "quota_bytes"), true);
	const char *objects = limit_text(p, table_cell(t, 0, "quota_objects"), false);
	const char *const *kinds = table_cell(t, 0, "configurations")->list;
	bool has = false;

	for (size_t i = 0; kinds[i] != NULL; i++)
		has = has || strcmp(kinds[i], "quota") == 0;
	scope_flag(p->root, "has_quota", has);
	if (has && at_home)
		page_try(p, "usage_problem", "bucket.usage", "name", name, NULL);
	page_form(p, "bucket.quota", here, "name", name, "?bytes", has ? bytes : "", "?objects", has ? objects : "", NULL);
}

int
page_bucket(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name");
	const char *here = page_place(p, "bucket?name=", name);
	const struct result *r = NULL;
	const struct cell *mode, *policy;
	const struct table *t;
	bool at_home;

	if (page_run(p, err, &r, "bucket.show", "name", name, NULL) != 0)
		return -1;
	scope_text(p->root, "title", arena_printf(p->arena, "Bucket %s", name));
	t = result_find(r, "bucket");
	at_home = strcmp(table_cell(t, 0, "region")->s, p->rt->settings->region) == 0;
	scope_flag(p->root, "at_home", at_home);
	mode = table_cell(t, 0, "routing");
	policy = table_cell(t, 0, "policy");
	page_quota(p, t, name, here, at_home);
	page_form(p, "bucket.routing", here, "name", name, "?mode",
	    mode != NULL && mode->kind == CELL_TEXT ? mode->s : "default", NULL);
	page_form(p, "bucket.policy", here, "name", name, "?document",
	    fill_document(p->arena, policy), NULL);
	return 0;
}

int
page_moves(struct page_ctx *p, struct err *err)
{
	bool only_open = page_arg(p, "open")[0] != '\0';

	scope_text(p->root, "bucket_wanted", page_arg(p, "bucket"));
	scope_flag(p->root, "only_open", only_open);
	return page_run(p, err, NULL, "bucket.moves", "all", only_open ? NULL : "1", "bucket", page_arg(p, "bucket"), "limit",
	    PAGE_ROWS, NULL);
}

int
page_uploads(struct page_ctx *p, struct err *err)
{
	scope_text(p->root, "bucket_wanted", page_arg(p, "bucket"));
	scope_text(p->root, "older_wanted", page_arg(p, "older"));
	scope_text(p->root, "after", page_arg(p, "after"));
	scope_flag(p->root, "filtered", page_arg(p, "bucket")[0] != '\0' || page_arg(p, "older")[0] != '\0');
	return page_run(p, err, NULL, "upload.list", "bucket", page_arg(p, "bucket"), "older", page_arg(p, "older"), "after",
	    page_arg(p, "after"), "limit", PAGE_ROWS, NULL);
}

int
page_tenants(struct page_ctx *p, struct err *err)
{
	scope_text(p->root, "after", page_arg(p, "after"));
	page_form(p, "tenant.create", "tenant?name=", NULL);
	return page_run(p, err, NULL, "tenant.list", "after", page_arg(p, "after"), "limit",
	    PAGE_ROWS, NULL);
}

int
page_tenant(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name"), *here = page_place(p, "tenant?name=", name);
	const struct result *r = NULL;
	const struct table *t;
	struct scope *form;

	if (page_run(p, err, &r, "tenant.show", "name", name, NULL) != 0)
		return -1;
	scope_text(p->root, "title", arena_printf(p->arena, "Tenant %s", name));
	t = result_find(r, "tenant");
	page_form(p, "tenant.limits", here, "name", name, "?buckets", limit_text(p, table_cell(t, 0, "max_buckets"), false),
	    "?bucket-bytes", limit_text(p, table_cell(t, 0, "bucket_bytes"), true),
	    "?bucket-objects", limit_text(p, table_cell(t, 0, "bucket_objects"), false), NULL);
	form = page_form(p, "app.create", here, "tenant", name, NULL);
	form_choices(p, form, "policy", choices(p, "policy.list", "policies", "name"));
	page_try(p, "buckets_problem", "bucket.list", "tenant", name, "limit", "20", NULL);
	return page_run(p, err, NULL, "app.list", "tenant", name, "after", page_arg(p, "after"),
	    "limit", PAGE_ROWS, NULL);
}

int
page_key(struct page_ctx *p, struct err *err)
{
	const char *key = page_arg(p, "key");
	struct scope *form;

	if (page_run(p, err, NULL, "app.show", "key", key, NULL) != 0)
		return -1;
	form = page_form(p, "app.attach", page_place(p, "key?key=", key), "key", key, NULL);
	form_choices(p, form, "policy", choices(p, "policy.list", "policies", "name"));
	return 0;
}

int
page_policies(struct page_ctx *p, struct err *err)
{
	static const char example[] =
	    "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n"
	    "      \"Effect\": \"Allow\",\n"
	    "      \"Action\": [\"s3:GetObject\", \"s3:ListBucket\"],\n"
	    "      \"Resource\": [\"arn:aws:s3:::photos\", \"arn:aws:s3:::photos/*\"]\n"
	    "    }\n  ]\n}";

	scope_text(p->root, "after", page_arg(p, "after"));
	page_form(p, "policy.create", "policy?name=", "?document", example, NULL);
	return page_run(p, err, NULL, "policy.list", "after", page_arg(p, "after"), "limit",
	    PAGE_ROWS, NULL);
}

int
page_policy(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name");
	const struct result *r = NULL;
	const struct cell *document;

	if (page_run(p, err, &r, "policy.show", "name", name, NULL) != 0)
		return -1;
	scope_text(p->root, "title", arena_printf(p->arena, "Policy %s", name));
	document = table_cell(result_find(r, "policy"), 0, "document");
	page_form(p, "policy.update", page_place(p, "policy?name=", name), "name",
	    name, "?document", fill_document(p->arena, document), NULL);
	return 0;
}

int
page_webhooks(struct page_ctx *p, struct err *err)
{
	const char *const *tenants = choices(p, "tenant.list", "tenants", "name");

	scope_text(p->root, "after", page_arg(p, "after"));
	form_choices(p, page_form(p, "webhook.create", "webhook?name=", NULL), "tenant", tenants);
	return page_run(p, err, NULL, "webhook.list", "after", page_arg(p, "after"), "limit", PAGE_ROWS, NULL);
}

int
page_webhook(struct page_ctx *p, struct err *err)
{
	const char *name = page_arg(p, "name");
	const struct result *r = NULL;

	if (page_run(p, err, &r, "webhook.show", "name", name, NULL) != 0)
		return -1;
	scope_text(p->root, "title", arena_printf(p->arena, "Webhook %s", name));
	page_form(p, "webhook.update", page_place(p, "webhook?name=", name), "name", name, "?url",
	    table_cell(result_find(r, "webhook"), 0, "url")->s, NULL);
	return 0;
}
