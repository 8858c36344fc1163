/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/website.c - a website's document read and checked, its rules asked, Locations written.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/ops/bucket_config.c, fcgi/website.c.
 * Invariant: a Location is one line of printable ASCII.
 * Source:    S3 API Reference, PutBucketWebsite; User Guide, "Configuring a webpage redirect".
 */
#include "s3/website.h"

#include "base/parse.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"

static const struct xml_rule rules_all[] = { { "HostName", 1, 1, NULL }, { "Protocol", 0, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_index[] = { { "Suffix", 0, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_error[] = { { "Key", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_condition[] = {
	{ "HttpErrorCodeReturnedEquals", 0, 1, NULL },
	{ "KeyPrefixEquals", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_redirect[] = {
	{ "HostName", 0, 1, NULL },
	{ "HttpRedirectCode", 0, 1, NULL },
	{ "Protocol", 0, 1, NULL },
	{ "ReplaceKeyPrefixWith", 0, 1, NULL },
	{ "ReplaceKeyWith", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_rule[] = {
	{ "Condition", 0, 1, rules_condition },
	{ "Redirect", 1, 1, rules_redirect },
	{ NULL, 0, 0, NULL },
};
/* How many there may be is said in other words than the schema's. */
static const struct xml_rule rules_rules[] = { { "RoutingRule", 1, 0, rules_rule }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_website[] = {
	{ "ErrorDocument", 0, 1, rules_error },
	{ "IndexDocument", 0, 1, rules_index },
	{ "RedirectAllRequestsTo", 0, 1, rules_all },
	{ "RoutingRules", 0, 1, rules_rules },
	{ NULL, 0, 0, NULL },
};

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedXML, NULL);
}

static int
invalid(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidRequest, message);
}

/* ---- the document ---- */

static int
read_protocol(const struct xml_node *n, struct website_redirect *out, struct s3_problem *pr)
{
	out->protocol = xml_at(n, "Protocol");
	if (out->protocol.p == NULL || span_eq(out->protocol, SPAN("http")) || span_eq(out->protocol, SPAN("https")))
		return 0;
	return invalid(pr, "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.");
}

static int
read_all(const struct xml_node *root, const struct xml_node *n, struct website *out, struct s3_problem *pr)
{
	if (root->child->next != NULL)
		return s3_problem_argument(pr, "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
		    "RedirectAllRequestsTo", SPAN("not null"));
	out->all = true;
	out->to = (struct website_redirect){ .host = xml_at(n, "HostName"), .status = 301 };
	if (out->to.host.len == 0)
		return invalid(pr, "A host name must be provided to redirect all requests (e.g. \"example.com\").");
	return read_protocol(n, &out->to, pr);
}

/* A status that has to be between the two, ends included. */
static int
read_status(struct arena *a, const struct xml_node *n, const char *name, int min, int max, int *out, struct s3_problem *pr)
{
	struct span text = xml_at(n, name);
	int64_t v;

	if (text.p == NULL)
		return 0;
	if (!parse_i64(s3_config_trim(text), 0, 99999, &v) || !to_int(v, out))
		return malformed(pr);
	if (*out >= min && *out <= max)
		return 0;
	return invalid(pr, arena_printf(a, "The provided HTTP %s code (%d) is not valid. Valid codes are %s.",
	    min >= 400 ? "error" : "redirect", *out, min >= 400 ? "4XX or 5XX" : "3XX except 300"));
}

static int
read_condition(struct arena *a, const struct xml_node *rule, struct website_rule *out, struct s3_problem *pr)
{
	const struct xml_node *n = xml_child(rule, "Condition");

	out->prefix = SPAN("");
	if (n == NULL)
		return 0;
	if (n->child == NULL)
		return invalid(pr, "Condition cannot be empty. To redirect all requests without a condition, the condition element "
		    "shouldn't be present.");
	if (xml_child(n, "KeyPrefixEquals") != NULL)
		out->prefix = xml_at(n, "KeyPrefixEquals");
	return read_status(a, n, "HttpErrorCodeReturnedEquals", 400, 599, &out->error, pr);
}

static int
read_redirect(struct arena *a, const struct xml_node *rule, struct website_redirect *out, struct s3_problem *pr)
{
	const struct xml_node *n = xml_child(rule, "Redirect");

	out->status = 301;
	out->host = xml_at(n, "HostName");
	out->key = xml_at(n, "ReplaceKeyWith");
	out->key_prefix = xml_at(n, "ReplaceKeyPrefixWith");
	if (out->key.p != NULL && out->key_prefix.p != NULL)
		return invalid(pr, "You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
	if (read_protocol(n, out, pr) != 0)
		return -1;
	return read_status(a, n, "HttpRedirectCode", 301, 399, &out->status, pr);
}

static int
read_rules(struct arena *a, const struct xml_node *n, struct website *out, struct s3_problem *pr)
{
	size_t count = 0;

	for (const struct xml_node *rule = n->child; rule != NULL; rule = rule->next)
		count++;
	if (count > WEBSITE_RULES_MAX)
		return invalid(pr, arena_printf(a, "%zu routing rules provided, the number of routing rules in a website configuration is "
		    "limited to %d.", count, WEBSITE_RULES_MAX));
	out->rules = arena_zalloc(a, count * sizeof(*out->rules));
	if (out->rules == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (const struct xml_node *rule = n->child; rule != NULL; rule = rule->next) {
		struct website_rule *r = &out->rules[out->n_rules++];

		if (read_condition(a, rule, r, pr) != 0 || read_redirect(a, rule, &r->to, pr) != 0)
			return -1;
	}
	return 0;
}

static int
read_index(const struct xml_node *root, struct website *out, struct s3_problem *pr)
{
	if (xml_child(root, "IndexDocument") == NULL)
		return s3_problem_argument(pr, "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
		    "IndexDocument", SPAN("null"));
	out->index = xml_at(root, "IndexDocument/Suffix");
	if (out->index.len > 0 && out->index.len <= S3_KEY_MAX && memchr(out->index.p, '/', out->index.len) == NULL)
		return 0;
	return s3_problem_argument(pr, "The IndexDocument Suffix is not well formed", "IndexDocument",
	    out->index.p == NULL ? SPAN("null") : out->index);
}

static int
read_website(struct arena *a, struct span doc, const struct xml_node **tree, struct website *out, struct s3_problem *pr)
{
	const struct xml_node *root = s3_config_read(a, doc, "WebsiteConfiguration", rules_website, pr), *n;

	*tree = root;
	*out = (struct website){ .all = false };
	if (root == NULL)
		return -1;
	n = xml_child(root, "RedirectAllRequestsTo");
	if (n != NULL)
		return read_all(root, n, out, pr);
	if (read_index(root, out, pr) != 0)
		return -1;
	out->error = xml_at(root, "ErrorDocument/Key");
	if (out->error.p != NULL && (out->error.len == 0 || out->error.len > S3_KEY_MAX))
		return malformed(pr);
	n = xml_child(root, "RoutingRules");
	return n == NULL ? 0 : read_rules(a, n, out, pr);
}

int
s3_website_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	const struct xml_node *tree;
	struct website w;

	return read_website(a, given, &tree, &w, pr) != 0 ? -1 : s3_config_write(a, tree, stored, pr);
}

bool
website_read(struct arena *a, const char *stored, struct website *out)
{
	const struct xml_node *tree;
	struct s3_problem pr = { 0 };

	return read_website(a, span_of(stored), &tree, out, &pr) == 0;
}

/* ---- what it says ---- */

static bool
begins_with(struct span s, struct span prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

const struct website_rule *
website_match(const struct website *w, struct span key, int error)
{
	for (size_t i = 0; i < w->n_rules; i++)
		if (w->rules[i].error == error && begins_with(key, w->rules[i].prefix))
			return &w->rules[i];
	return NULL;
}

/* A piece of a URL that its owner wrote ("#!/", "a?b=c"): only what no URL may hold is written otherwise. */
static void
url_text(struct strbuf *sb, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > ' ' && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL)
			strbuf_ch(sb, (char)c);
		else
			strbuf_printf(sb, "%%%02X", c);
	}
}

void
website_location(struct strbuf *sb, const struct website_redirect *to, struct span prefix, const struct website_request *rq)
{
	url_text(sb, to->protocol.len > 0 ? to->protocol : span_of(rq->scheme));
	strbuf_str(sb, "://");
	url_text(sb, to->host.len > 0 ? to->host : rq->host);
	strbuf_ch(sb, '/');
	if (to->key.p != NULL)
		url_text(sb, to->key);
	else if (to->key_prefix.p != NULL && begins_with(rq->key, prefix)) {
		url_text(sb, to->key_prefix);
		uri_path(sb, (struct span){ rq->key.p + prefix.len, rq->key.len - prefix.len });
	} else
		uri_path(sb, rq->key);
	if (rq->raw_query.len > 0) {
		strbuf_ch(sb, '?');
		url_text(sb, rq->raw_query);
	}
}

void
website_folder(struct strbuf *sb, struct span key)
{
	strbuf_ch(sb, '/');
	uri_path(sb, key);
	strbuf_ch(sb, '/');
}
