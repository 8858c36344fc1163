/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_config.c - documents that a bucket carries.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

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
