/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/post_policy.c - reading the conditions and holding the fields against them.
 *
 * Owns:       the JSON tree during one call.
 * Called by:  fcgi/ops/post_object.c, after the signature of the policy was found right.
 * Invariant:  a field that no condition names is refused, so that whoever signed
 *             the policy has decided about everything that is obeyed.
 * Source:     S3 API Reference, "Creating a POST Policy".
 */
#include "s3/post_policy.h"

#include <jansson.h>

#include "base/parse.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/headers.h"

#define CONDITIONS_MAX 256

enum relation { EQUAL, STARTS_WITH };

struct check {
	struct arena *arena;
	const struct post_form *form;
	struct span bucket;
	struct post_policy *out;
	struct s3_problem *pr;
	bool *covered;  /* for each field of the form: a condition names it */
	bool bucket_covered;
};

static int
invalid(struct check *c, const char *text)
{
	const char *message = arena_printf(c->arena, "Invalid Policy: %s", text);

	return s3_problem_set(c->pr, S3_InvalidPolicyDocument, message);
}

static int
failed(struct check *c, const char *before, struct span what, const char *after)
{
	const char *message = arena_printf(c->arena, "Invalid according to Policy: %s%.*s%s", before,
	    (int)(what.len > 1024 ? 1024 : what.len), what.len > 0 ? what.p : "", after);

	return s3_problem_set(c->pr, S3_AccessDenied, message);
}

static struct span
string_of(const json_t *j)
{
	return (struct span){ json_string_value(j), json_string_length(j) };
}

/* ---- conditions ---- */

/* The value that a condition speaks of; what the form does not say is empty. */
static struct span
field_value(struct check *c, const char *name)
{
	const struct post_field *fields;
	struct span value = SPAN("");
	size_t n;

	fields = post_form_fields(c->form, &n);
	for (size_t i = 0; i < n; i++)
		if (s3_ieq(fields[i].name, span_of(name))) {
			c->covered[i] = true;
			value = fields[i].value;
			break;
		}
	if (!s3_ieq(span_of(name), SPAN("bucket")))
		return value;
	/* Where it was sent to counts, whatever a field says. */
	c->bucket_covered = true;
	return c->bucket;
}

static bool
starts_with(struct span s, struct span head)
{
	return s.len >= head.len && (head.len == 0 || memcmp(s.p, head.p, head.len) == 0);
}

/* Of a list of content types each must begin so. */
static bool
each_starts_with(struct span list, struct span head)
{
	struct span item;

	if (list.len == 0)
		return head.len == 0;
	while (s3_list_next(&list, ',', &item))
		if (!starts_with(item, head))
			return false;
	return true;
}

static int
compare(struct check *c, enum relation relation, const char *name, struct span want)
{
	static const char *const words[] = { "eq", "starts-with" };
	struct span have = field_value(c, name);
	bool fits;

	if (relation == EQUAL)
		fits = span_eq(have, want);
	else if (s3_ieq(span_of(name), SPAN("content-type")))
		fits = each_starts_with(have, want);
	else
		fits = starts_with(have, want);
	if (fits)
		return 0;
	return failed(c, arena_printf(c->arena, "Policy Condition failed: [\"%s\", \"$%.256s\", \"", words[relation], name),
	    want, "\"]");
}

/* { "field": "value" } */
static int
simple_condition(struct check *c, const json_t *j)
{
	const char *name;
	json_t *value;

	if (json_object_size(j) != 1)
		return invalid(c, "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
	json_object_foreach((json_t *)(uintptr_t)j, name, value)
	{
		if (!json_is_string(value))
			return invalid(c, "Invalid Simple-Condition: value must be a string.");
		return compare(c, EQUAL, name, string_of(value));
	}
	return 0;
}

static bool
size_value(const json_t *j, int64_t *out)
{
	if (json_is_integer(j)) {
		*out = json_integer_value(j);
		return *out >= 0;
	}
	return json_is_string(j) && parse_i64(string_of(j), 0, INT64_MAX, out);
}

/* Several ranges narrow each other. */
static int
size_condition(struct check *c, const json_t *j)
{
	int64_t min, max;

	if (json_array_size(j) != 3 || !size_value(json_array_get(j, 1), &min) || !size_value(json_array_get(j, 2), &max))
		return invalid(c, "Invalid content-length-range condition.");
	if (min > c->out->size_min)
		c->out->size_min = min;
	if (max < c->out->size_max)
		c->out->size_max = max;
	return 0;
}

/* [ "eq", "$field", "value" ] */
static int
array_condition(struct check *c, const json_t *j)
{
	const json_t *word = json_array_get(j, 0), *name = json_array_get(j, 1), *value = json_array_get(j, 2);
	enum relation relation;

	if (!json_is_string(word))
		return invalid(c, "Invalid Condition: the operator must be a string.");
	if (s3_ieq(string_of(word), SPAN("content-length-range")))
		return size_condition(c, j);
	if (s3_ieq(string_of(word), SPAN("eq")))
		relation = EQUAL;
	else if (s3_ieq(string_of(word), SPAN("starts-with")))
		relation = STARTS_WITH;
	else
		return invalid(c, "Invalid Condition: unknown operation.");
	if (json_array_size(j) != 3 || !json_is_string(name) || !json_is_string(value))
		return invalid(c, "Invalid Condition: three strings are expected.");
	if (json_string_value(name)[0] != '$')
		return invalid(c, "Invalid Condition: the field's name must begin with '$'.");
	return compare(c, relation, json_string_value(name) + 1, string_of(value));
}

static int
conditions(struct check *c, const json_t *list)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return invalid(c, "Policy must contain a list of conditions.");
	if (n > CONDITIONS_MAX)
		return invalid(c, "Too many conditions.");
	for (size_t i = 0; i < n; i++) {
		const json_t *j = json_array_get(list, i);
		int rc = json_is_object(j) ? simple_condition(c, j) :
		    json_is_array(j)   ? array_condition(c, j) :
					 invalid(c, "Invalid Condition: an object or a list is expected.");

		if (rc != 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ---- */

/* The rest of what a form needs, what asks for nothing, and what can only make us stricter: the browser hashes the file. */
static bool
needs_no_condition(struct span name)
{
	return s3_ieq(name, SPAN("policy")) || s3_ieq(name, SPAN("x-amz-signature")) || s3_istarts(name, "x-ignore-") ||
	    s3_istarts(name, "x-amz-checksum-");
}

static int
nothing_else(struct check *c)
{
	size_t n;
	const struct post_field *fields = post_form_fields(c->form, &n);

	for (size_t i = 0; i < n; i++)
		if (!c->covered[i] && !needs_no_condition(fields[i].name))
			return failed(c, "Extra input fields: ", fields[i].name, "");
	if (!c->bucket_covered)
		return failed(c, "Extra input fields: ", SPAN("bucket"), "");
	return 0;
}

static int
expiration(struct check *c, const json_t *j, int64_t now_us)
{
	int64_t until_us;

	if (j == NULL)
		return invalid(c, "Policy must contain an expiration.");
	if (!json_is_string(j) || !date_parse_iso(string_of(j), &until_us))
		return invalid(c, "Invalid 'expiration' value.");
	if (now_us > until_us)
		return failed(c, "Policy expired.", SPAN(""), "");
	return 0;
}

/* The policy without white space that a page may have wrapped it with. */
static struct span
unwrapped(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < s.len; i++)
		if (strchr(" \t\r\n", s.p[i]) == NULL)
			p[n++] = s.p[i];
	return (struct span){ p, n };
}

/* "\$" stands for "$" there, which JSON does not know. */
static size_t
without_escaped_dollars(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len) {
			if (text[i + 1] != '$')
				text[n++] = text[i];
			i++;
		}
		text[n++] = text[i];
	}
	return n;
}

static int
check_document(struct check *c, const json_t *j, int64_t now_us)
{
	if (!json_is_object(j))
		return invalid(c, "Invalid JSON.");
	if (expiration(c, json_object_get(j, "expiration"), now_us) != 0)
		return -1;
	if (conditions(c, json_object_get(j, "conditions")) != 0)
		return -1;
	return nothing_else(c);
}

int
post_policy_check(struct arena *a, struct span policy, const struct post_form *f, struct span bucket, int64_t now_us,
    struct post_policy *out, struct s3_problem *pr)
{
	struct check c = { .arena = a, .form = f, .bucket = bucket, .out = out, .pr = pr };
	char *text = arena_alloc(a, policy.len + 1);
	json_error_t error;
	size_t n_fields;
	ssize_t len;
	json_t *j;
	int rc;

	*out = (struct post_policy){ 0, INT64_MAX };
	(void)post_form_fields(f, &n_fields);
	c.covered = arena_array(a, n_fields + 1, sizeof(*c.covered));
	if (text == NULL || c.covered == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	policy = unwrapped(a, policy);
	if (policy.p == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	len = base64_decode(policy, (uint8_t *)text, policy.len + 1);
	if (len <= 0)
		return invalid(&c, "Invalid base64.");
	len = (ssize_t)without_escaped_dollars(text, (size_t)len);
	j = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &error);
	rc = check_document(&c, j, now_us);
	json_decref(j);
	return rc;
}

int
post_policy_size(struct arena *a, const struct post_policy *p, int64_t size, bool whole, struct s3_problem *pr)
{
	bool large = size > p->size_max;
	const char *proposed, *limit;

	if (!large && !(whole && size < p->size_min))
		return 0;
	(void)s3_problem_set(pr, large ? S3_EntityTooLarge : S3_EntityTooSmall, NULL);
	proposed = arena_printf(a, "%" PRId64, size);
	limit = arena_printf(a, "%" PRId64, large ? p->size_max : p->size_min);
	if (proposed == NULL || limit == NULL)
		return -1;
	s3_problem_extra(pr, "ProposedSize", span_of(proposed));
	s3_problem_extra(pr, large ? "MaxSizeAllowed" : "MinSizeAllowed", span_of(limit));
	return -1;
}
