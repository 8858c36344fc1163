/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_config.c - documents that buckets and objects carry.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/parse.h"
#include "s3/access_log.h"
#include "s3/acl.h"
#include "s3/bucket_config.h"
#include "s3/cors.h"
#include "s3/lifecycle.h"
#include "s3/notification.h"
#include "s3/uri.h"
#include "s3/website.h"

/* What a check stores is one form: it is taken again, and stays as it is. */
static const char *
stays(struct arena *a, struct span in, s3_config_check check)
{
	struct s3_problem pr = { 0 };
	const char *stored = NULL, *again = NULL;

	if (check(a, in, &stored, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return NULL;
	}
	if (stored == NULL)
		return NULL;
	if (check(a, span_of(stored), &again, &pr) != 0)
		FUZZ_CHECK(arena_overflowed(a) || pr.code != 0);
	else
		FUZZ_CHECK(strcmp(stored, again) == 0);
	return stored;
}

static void
one_line(struct arena *a, const struct website_redirect *to, struct span prefix, const struct website_request *rq)
{
	struct strbuf sb;

	strbuf_init(&sb, a, WEBSITE_LOCATION_MAX);
	website_location(&sb, to, prefix, rq);
	for (size_t i = 0; i < sb.len; i++)
		FUZZ_CHECK(sb.buf[i] > ' ' && sb.buf[i] < 0x7f);
}

/* First line: a key; then the document. */
void
fuzz_website(struct arena *a, struct span in)
{
	struct span key = fuzz_line(&in);
	struct website_request rq = { "http", SPAN("example.org:80"), key, key };
	const char *stored = stays(a, in, s3_website_check);
	const struct website_rule *rule;
	struct website w;

	if (stored == NULL || !website_read(a, stored, &w))
		return;
	FUZZ_CHECK(w.all || w.index.len > 0);
	FUZZ_CHECK(w.n_rules <= WEBSITE_RULES_MAX);
	if (w.all) {
		one_line(a, &w.to, SPAN(""), &rq);
		return;
	}
	for (int error = 0; error <= 404; error += 404) {
		rule = website_match(&w, key, error);
		if (rule != NULL)
			one_line(a, &rule->to, rule->prefix, &rq);
	}
}

/* First line: which of the small ones; then the document. */
void
fuzz_bucket_config(struct arena *a, struct span in)
{
	static const s3_config_check checks[] = { s3_accelerate_check, s3_request_payment_check, s3_access_block_check,
		s3_ownership_check, s3_logging_check };
	uint8_t which = fuzz_byte(&in);
	const char *stored;
	struct s3_access_block b;

	(void)fuzz_line(&in);
	stored = stays(a, in, checks[which % ARRAY_LEN(checks)]);
	s3_access_block_read(a, stored, &b);
	FUZZ_CHECK(s3_ownership_name(s3_ownership_read(a, stored)) != NULL);
}

/* First line: a key; then the document. No two configurations are told of one event, whatever was taken. */
void
fuzz_notification(struct arena *a, struct span in)
{
	static const char *const events[] = { "ObjectCreated:Put", "ObjectRemoved:Delete", "ObjectAcl:Put" };
	struct span key = fuzz_line(&in);
	const char *stored = stays(a, in, s3_notification_check);
	struct notification_event e = { .region = "", .bucket = "", .owner_id = "", .principal = "", .address = "", .request_id = "",
		.host_id = "", .key = key };
	struct notification_configs c;

	notification_read(a, stored, &c);
	FUZZ_CHECK(c.n <= NOTIFICATIONS_MAX && (stored != NULL || c.n == 0));
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		const struct notification_config *m = notification_match(&c, events[i], key);
		struct notification_configs rest = { m == NULL ? NULL : (struct notification_config *)(uintptr_t)m + 1,
			m == NULL ? 0 : c.n - (size_t)(m - c.v) - 1 };

		FUZZ_CHECK(notification_match(&rest, events[i], key) == NULL);
		if (m == NULL || !utf8_valid(key))
			continue;
		FUZZ_CHECK(m->webhook.len > 0 && m->id.len > 0);
		e.event = events[i];
		e.config_id = arena_strndup(a, m->id.p, m->id.len);
		FUZZ_CHECK(e.config_id == NULL || key.len > 1024 || notification_json(a, &e, 1) != NULL || arena_overflowed(a));
	}
}

/* First line: an origin; second: a method; third: headers; then the document. */
void
fuzz_cors(struct arena *a, struct span in)
{
	struct cors_request rq = { .origin = fuzz_line(&in), .method = fuzz_line(&in), .headers = fuzz_line(&in) };
	const char *stored = stays(a, in, s3_cors_check);
	struct cors_answer answer;

	if (stored == NULL || !s3_cors_match(a, stored, &rq, &answer))
		return;
	FUZZ_CHECK(answer.methods != NULL && answer.max_age_s >= -1);
	FUZZ_CHECK(answer.credentials ? span_eq(answer.origin, rq.origin) : true);
}

/* First line: a key; then the document. */
void
fuzz_lifecycle(struct arena *a, struct span in)
{
	static const struct s3_tags none = { .n = 0 };
	struct span key = fuzz_line(&in);
	const char *stored = stays(a, in, s3_lifecycle_check);
	struct lifecycle lc;
	struct strbuf sb;

	lifecycle_read(a, stored, &lc);
	FUZZ_CHECK(lc.n <= LIFECYCLE_RULES_MAX && (stored != NULL || lc.n == 0));
	for (size_t i = 0; i < lc.n; i++) {
		(void)lifecycle_matches(&lc.v[i], key, 100, NULL);
		(void)lifecycle_matches(&lc.v[i], key, 100, &none);
		FUZZ_CHECK(lifecycle_end(&lc.v[i], 0, LIFECYCLE_DAY_US) >= 0);
	}
	(void)lifecycle_wants_tags(&lc);
	strbuf_init(&sb, a, 4096);
	(void)lifecycle_header(&sb, &lc, key, 100, &none, INT64_C(1767225600) * US_PER_S);
}

static void
list_comes_back(struct arena *a, const struct acl_subject *s, const struct acl *acl)
{
	struct acl *again = ARENA_NEW(a, struct acl);
	struct s3_problem pr = { 0 };
	struct strbuf sb;

	strbuf_init(&sb, a, ACL_XML_MAX);
	acl_xml(&sb, acl);
	if (again == NULL || !strbuf_ok(&sb))
		return;
	FUZZ_CHECK(acl_from_xml(a, s, (struct span){ sb.buf, sb.len }, again, &pr) == 0 || arena_overflowed(a));
	FUZZ_CHECK(again->n == acl->n || arena_overflowed(a));
	FUZZ_CHECK(acl_is_public(again) == acl_is_public(acl));
	FUZZ_CHECK(acl_grants(again, "c0ffee", ACL_READ, false) == acl_grants(acl, "c0ffee", ACL_READ, false));
}

/* Headers, an empty line, then the document. */
void
fuzz_acl(struct arena *a, struct span in)
{
	struct s3_headers h = fuzz_headers(a, &in);
	struct acl_subject s = { .is_bucket = in.len % 2 == 0, .owner = { "c0ffee", "me" }, .bucket_owner = { "beef", "host" } };
	struct acl *acl = ARENA_NEW(a, struct acl);
	struct s3_problem pr = { 0 };
	struct span word = { 0 };

	if (acl == NULL)
		return;
	if (acl_from_headers(a, &s, &h, &word, acl, &pr) != 0)
		FUZZ_REFUSED(&pr);
	else if (acl->n > 0)
		list_comes_back(a, &s, acl);
	*acl = (struct acl){ .n = 0 };
	pr = (struct s3_problem){ 0 };
	if (acl_from_xml(a, &s, in, acl, &pr) != 0)
		FUZZ_REFUSED(&pr);
	else
		list_comes_back(a, &s, acl);
}

/* However a request is made, its line has the fields that the format has, and ends once. */
static void
one_record(struct arena *a, struct span s)
{
	struct access_record r = { .owner = "o", .bucket = "b", .op = OP_GetObject, .method = s, .key = s, .target = s, .protocol = s,
		.referer = s, .user_agent = s, .version = s, .host = s };
	size_t quotes = 0;
	struct strbuf sb;

	strbuf_init(&sb, a, ACCESS_LINE_MAX);
	access_line(&sb, &r);
	for (size_t i = 0; i < sb.len; i++) {
		FUZZ_CHECK((uint8_t)sb.buf[i] >= ' ' || i == sb.len - 1);
		quotes += sb.buf[i] == '"';
	}
	FUZZ_CHECK(!strbuf_ok(&sb) || quotes == 6);
}

/* First line: what a request says of itself; then the document. */
void
fuzz_access_log(struct arena *a, struct span in)
{
	struct access_object o = { "owner", "eu", "bucket", 0, INT64_C(1549411238000000), "0123456789ABCDEF" };
	struct span said = fuzz_line(&in);
	const char *stored = stays(a, in, s3_logging_check);
	struct access_logging l;
	struct strbuf sb;

	one_record(a, said);
	if (stored == NULL || !access_logging_read(a, stored, &l))
		return;
	strbuf_init(&sb, a, S3_KEY_MAX);
	access_object_key(&sb, &l, &o);
	FUZZ_CHECK(strbuf_ok(&sb) || arena_overflowed(a));
}
