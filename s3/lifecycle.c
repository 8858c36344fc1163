/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/lifecycle.c - lifecycle rules, read, checked and asked.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/ops/bucket_config.c, fcgi/ops/expiration.c, admin/lifecycle.c.
 * Source:    S3 API Reference, PutBucketLifecycleConfiguration; User Guide, "Lifecycle configuration elements".
 */
#include "s3/lifecycle.h"

#include "base/parse.h"
#include "s3/bucket_config.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"

#define ID_MAX 255
#define DAYS_MAX INT32_MAX
#define NEWER_MAX 100
#define NEVER_DAYS 2500000 /* beyond the year 8000: what no date is written for */

static const struct xml_rule rules_tag[] = { { "Key", 1, 1, NULL }, { "Value", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_and[] = {
	{ "Prefix", 0, 1, NULL },
	{ "Tag", 0, 0, rules_tag },
	{ "ObjectSizeGreaterThan", 0, 1, NULL },
	{ "ObjectSizeLessThan", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_filter[] = {
	{ "Prefix", 0, 1, NULL },
	{ "Tag", 0, 1, rules_tag },
	{ "ObjectSizeGreaterThan", 0, 1, NULL },
	{ "ObjectSizeLessThan", 0, 1, NULL },
	{ "And", 0, 1, rules_and },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_expiration[] = {
	{ "Days", 0, 1, NULL },
	{ "Date", 0, 1, NULL },
	{ "ExpiredObjectDeleteMarker", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_noncurrent[] = {
	{ "NoncurrentDays", 1, 1, NULL },
	{ "NewerNoncurrentVersions", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_abort[] = { { "DaysAfterInitiation", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_transition[] = {
	{ "Days", 0, 1, NULL },
	{ "Date", 0, 1, NULL },
	{ "NoncurrentDays", 0, 1, NULL },
	{ "NewerNoncurrentVersions", 0, 1, NULL },
	{ "StorageClass", 1, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_rule[] = {
	{ "ID", 0, 1, NULL },
	{ "Prefix", 0, 1, NULL },
	{ "Filter", 0, 1, rules_filter },
	{ "Status", 1, 1, NULL },
	{ "Expiration", 0, 1, rules_expiration },
	{ "NoncurrentVersionExpiration", 0, 1, rules_noncurrent },
	{ "AbortIncompleteMultipartUpload", 0, 1, rules_abort },
	{ "Transition", 0, 0, rules_transition },
	{ "NoncurrentVersionTransition", 0, 0, rules_transition },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_lifecycle[] = { { "Rule", 1, LIFECYCLE_RULES_MAX, rules_rule }, { NULL, 0, 0, NULL } };

static int
invalid(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidArgument, message);
}

static int
contradicts(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidRequest, message);
}

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedXML, NULL);
}

/* ---- which objects ---- */

static int
read_size(const struct xml_node *n, const char *name, int64_t *out, struct s3_problem *pr)
{
	struct span text = xml_at(n, name);

	*out = -1;
	if (text.p == NULL || parse_i64(s3_config_trim(text), 0, INT64_MAX, out))
		return 0;
	return malformed(pr);
}

static int
read_tags(struct arena *a, const struct xml_node *n, struct s3_tags *out, struct s3_problem *pr)
{
	size_t count = 0;

	for (const struct xml_node *t = xml_child(n, "Tag"); t != NULL; t = xml_again(t))
		count++;
	*out = (struct s3_tags){ .v = arena_array(a, count + 1, sizeof(*out->v)), .n = 0 };
	if (out->v == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (const struct xml_node *t = xml_child(n, "Tag"); t != NULL; t = xml_again(t)) {
		if (s3_tags_get(out, xml_at(t, "Key")).p != NULL)
			return s3_problem_set(pr, S3_InvalidRequest, "Duplicate Tag Keys are not allowed.");
		out->v[out->n++] = (struct s3_tag){ xml_at(t, "Key"), xml_at(t, "Value") };
	}
	return s3_tags_check(out->v, out->n, S3_OBJECT_TAGS_MAX, pr);
}

/* What stands in Filter or in its And. */
static int
read_conditions(struct arena *a, const struct xml_node *n, struct lifecycle_rule *r, struct s3_problem *pr)
{
	r->prefix = xml_at(n, "Prefix");
	if (read_tags(a, n, &r->tags, pr) != 0 || read_size(n, "ObjectSizeGreaterThan", &r->larger, pr) != 0 ||
	    read_size(n, "ObjectSizeLessThan", &r->smaller, pr) != 0)
		return -1;
	if (r->larger >= 0 && r->smaller >= 0 && r->smaller <= r->larger)
		return contradicts(pr, "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
	return 0;
}

static int
read_filter(struct arena *a, const struct xml_node *rule, struct lifecycle_rule *r, struct s3_problem *pr)
{
	const struct xml_node *filter = xml_child(rule, "Filter"), *and = filter == NULL ? NULL : xml_child(filter, "And");
	bool old = xml_child(rule, "Prefix") != NULL;

	r->larger = r->smaller = -1;
	/* Either as it was before there were filters, or a filter of one condition or one And. */
	if (old == (filter != NULL) || (filter != NULL && filter->child != NULL && filter->child->next != NULL) ||
	    (and != NULL && (and->child == NULL || and->child->next == NULL)))
		return malformed(pr);
	if (old)
		r->prefix = xml_at(rule, "Prefix");
	else if (read_conditions(a, and != NULL ? and : filter, r, pr) != 0)
		return -1;
	if (r->prefix.len > S3_KEY_MAX)
		return contradicts(pr, "The maximum size of a prefix is 1024");
	return 0;
}

/* ---- what of them ---- */

/* 0: not there. */
static int
read_count(const struct xml_node *n, const char *path, int64_t max, const char *refusal, int64_t *out, struct s3_problem *pr)
{
	struct span text = xml_at(n, path);

	*out = 0;
	if (text.p == NULL)
		return 0;
	if (!parse_i64(s3_config_trim(text), INT64_MIN, INT64_MAX, out))
		return malformed(pr);
	return *out >= 1 && *out <= max ? 0 : invalid(pr, refusal);
}

static int
read_expiration(const struct xml_node *rule, struct lifecycle_rule *r, struct s3_problem *pr)
{
	const struct xml_node *n = xml_child(rule, "Expiration");
	struct span date = xml_at(rule, "Expiration/Date"), marker = xml_at(rule, "Expiration/ExpiredObjectDeleteMarker");

	r->date_us = -1;
	if (n == NULL)
		return 0;
	if (n->child == NULL || n->child->next != NULL)
		return malformed(pr);
	if (date.p != NULL && !date_parse_iso(s3_config_trim(date), &r->date_us))
		return malformed(pr);
	if (date.p != NULL && r->date_us % LIFECYCLE_DAY_US != 0)
		return invalid(pr, "'Date' must be at midnight GMT");
	if (marker.p != NULL && !s3_config_bool(marker, &r->expired_marker))
		return malformed(pr);
	return read_count(rule, "Expiration/Days", DAYS_MAX, "'Days' for Expiration action must be a positive integer", &r->days, pr);
}

static int
check_together(const struct xml_node *rule, const struct lifecycle_rule *r, struct s3_problem *pr)
{
	bool narrow = r->tags.n > 0 || r->larger >= 0 || r->smaller >= 0;

	if (xml_child(rule, "Transition") != NULL || xml_child(rule, "NoncurrentVersionTransition") != NULL)
		return s3_problem_set(pr, S3_NotImplemented, "Transitions between storage classes are not implemented.");
	if (xml_child(rule, "Expiration") == NULL && r->noncurrent_days == 0 && r->abort_days == 0)
		return contradicts(pr, "At least one action needs to be specified in a rule");
	if (r->expired_marker && narrow)
		return contradicts(pr, "ExpiredObjectDeleteMarker cannot be specified with Tags or object sizes.");
	if (r->abort_days > 0 && narrow)
		return contradicts(pr, "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.");
	return 0;
}

static int
read_rule(struct arena *a, const struct xml_node *rule, struct lifecycle_rule *r, struct s3_problem *pr)
{
	struct span status = s3_config_trim(xml_at(rule, "Status"));

	r->id = xml_at(rule, "ID");
	if (r->id.len > ID_MAX)
		return invalid(pr, "ID length should not exceed allowed limit of 255");
	r->enabled = span_eq(status, SPAN("Enabled"));
	if (!r->enabled && !span_eq(status, SPAN("Disabled")))
		return malformed(pr);
	if (read_filter(a, rule, r, pr) != 0 || read_expiration(rule, r, pr) != 0 ||
	    read_count(rule, "NoncurrentVersionExpiration/NoncurrentDays", DAYS_MAX,
		"'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer", &r->noncurrent_days, pr) != 0 ||
	    read_count(rule, "NoncurrentVersionExpiration/NewerNoncurrentVersions", NEWER_MAX,
		"'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive integer between 1 and 100",
		&r->newer_noncurrent, pr) != 0 ||
	    read_count(rule, "AbortIncompleteMultipartUpload/DaysAfterInitiation", DAYS_MAX,
		"'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer", &r->abort_days, pr) != 0)
		return -1;
	return check_together(rule, r, pr);
}

static bool
has_id(const struct lifecycle *lc, struct span id)
{
	for (size_t i = 0; i < lc->n; i++)
		if (span_eq(lc->v[i].id, id))
			return true;
	return false;
}

static int
read_rules(struct arena *a, struct span doc, const struct xml_node **tree, struct lifecycle *out, struct s3_problem *pr)
{
	const struct xml_node *root = s3_config_read(a, doc, "LifecycleConfiguration", rules_lifecycle, pr);

	*tree = root;
	*out = (struct lifecycle){ NULL, 0 };
	if (root == NULL)
		return -1;
	out->v = arena_zalloc(a, LIFECYCLE_RULES_MAX * sizeof(*out->v));
	if (out->v == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (const struct xml_node *n = root->child; n != NULL; n = n->next) {
		struct lifecycle_rule *r = &out->v[out->n];

		if (read_rule(a, n, r, pr) != 0)
			return -1;
		if (r->id.len > 0 && has_id(out, r->id))
			return invalid(pr, "Rule ID must be unique. Found same ID for more than one rule");
		out->n++;
	}
	return 0;
}

/* ---- the document ---- */

/* The rule with an ID that none has yet. */
static struct xml_node *
named(struct arena *a, const struct lifecycle *lc, const struct xml_node *rule, size_t place)
{
	struct xml_node *copy = ARENA_NEW(a, struct xml_node), *id = ARENA_NEW(a, struct xml_node);
	const char *text = arena_printf(a, "rule-%zu", place);

	while (text != NULL && has_id(lc, span_of(text)))
		text = arena_printf(a, "%s-%zu", text, place);
	if (copy == NULL || id == NULL || text == NULL)
		return NULL;
	*copy = *rule;
	*id = (struct xml_node){ .name = "ID", .text = span_of(text), .next = rule->child };
	copy->child = id;
	return copy;
}

int
s3_lifecycle_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	struct xml_node root = { .name = "LifecycleConfiguration" }, **tail = &root.child;
	const struct xml_node *tree;
	struct lifecycle lc;
	size_t place = 0;

	if (read_rules(a, given, &tree, &lc, pr) != 0)
		return -1;
	for (const struct xml_node *n = tree->child; n != NULL; n = n->next) {
		struct xml_node *copy;

		place++;
		if (xml_child(n, "ID") == NULL)
			copy = named(a, &lc, n, place);
		else {
			copy = ARENA_NEW(a, struct xml_node);
			if (copy != NULL)
				*copy = *n;
		}
		if (copy == NULL)
			return s3_problem_set(pr, S3_InternalError, NULL);
		copy->next = NULL;
		*tail = copy;
		tail = &copy->next;
	}
	return s3_config_write(a, &root, stored, pr);
}

void
lifecycle_read(struct arena *a, const char *stored, struct lifecycle *out)
{
	const struct xml_node *tree;
	struct s3_problem pr = { 0 };

	*out = (struct lifecycle){ NULL, 0 };
	if (stored != NULL && read_rules(a, span_of(stored), &tree, out, &pr) != 0)
		*out = (struct lifecycle){ NULL, 0 };
}

/* ---- what it says ---- */

static bool
has_tags(const struct lifecycle_rule *r, const struct s3_tags *tags)
{
	for (size_t i = 0; i < r->tags.n; i++) {
		struct span value = s3_tags_get(tags, r->tags.v[i].key);

		if (value.p == NULL || !span_eq(value, r->tags.v[i].value))
			return false;
	}
	return true;
}

bool
lifecycle_matches(const struct lifecycle_rule *r, struct span key, int64_t size, const struct s3_tags *tags)
{
	return r->enabled && key.len >= r->prefix.len &&
	    (r->prefix.len == 0 || memcmp(key.p, r->prefix.p, r->prefix.len) == 0) && (r->larger < 0 || size > r->larger) &&
	    (r->smaller < 0 || size < r->smaller) && (tags == NULL || has_tags(r, tags));
}

int64_t
lifecycle_after(int64_t from_us, int64_t days, int64_t day_us)
{
	if (days > NEVER_DAYS)
		return INT64_MAX;
	if (day_us != LIFECYCLE_DAY_US)
		return from_us + days * day_us;
	return (from_us / day_us + (from_us % day_us > 0 ? 1 : 0) + days) * day_us;
}

int64_t
lifecycle_end(const struct lifecycle_rule *r, int64_t mtime_us, int64_t day_us)
{
	if (r->days > 0)
		return lifecycle_after(mtime_us, r->days, day_us);
	return r->date_us >= 0 ? r->date_us : INT64_MAX;
}

bool
lifecycle_header(struct strbuf *sb, const struct lifecycle *lc, struct span key, int64_t size, const struct s3_tags *tags,
    int64_t mtime_us)
{
	const struct lifecycle_rule *first = NULL;
	int64_t first_end = 0;
	char date[DATE_HTTP_SIZE];

	for (size_t i = 0; i < lc->n; i++) {
		const struct lifecycle_rule *r = &lc->v[i];
		int64_t end = lifecycle_end(r, mtime_us, LIFECYCLE_DAY_US);

		if (!lifecycle_matches(r, key, size, tags) || end == INT64_MAX || (first != NULL && end >= first_end))
			continue;
		first = r;
		first_end = end;
	}
	if (first == NULL)
		return false;
	date_http(first_end, date);
	strbuf_printf(sb, "expiry-date=\"%s\", rule-id=\"", date);
	uri_query(sb, first->id);
	strbuf_ch(sb, '"');
	return strbuf_ok(sb);
}

bool
lifecycle_wants_tags(const struct lifecycle *lc)
{
	for (size_t i = 0; i < lc->n; i++)
		if (lc->v[i].enabled && lc->v[i].tags.n > 0)
			return true;
	return false;
}
