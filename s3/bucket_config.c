/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/bucket_config.c - reading, checking and writing the smaller documents of a bucket.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/ops/bucket_config.c, fcgi/access.c.
 * Invariant: what a check stores, the reader of its kind understands.
 */
#include "s3/bucket_config.h"

#include "s3/errors.h"
#include "s3/headers.h"

/* ---- for all checks ---- */

const struct xml_node *
s3_config_read(struct arena *a, struct span given, const char *root, const struct xml_rule *rules, struct s3_problem *pr)
{
	const struct xml_node *n = xml_parse(a, given, root, &XML_LIMITS_CONFIG, pr);

	return n == NULL || xml_conforms(n, rules, pr) != 0 ? NULL : n;
}

int
s3_config_written(struct strbuf *sb, const char **stored, struct s3_problem *pr)
{
	if (!strbuf_ok(sb))
		return s3_problem_set(pr, S3_MaxMessageLengthExceeded, NULL);
	*stored = strbuf_cstr(sb);
	return 0;
}

int
s3_config_write(struct arena *a, const struct xml_node *root, const char **stored, struct s3_problem *pr)
{
	struct strbuf sb;

	strbuf_init(&sb, a, S3_CONFIG_WRITTEN_MAX);
	xml_document(&sb, root);
	return s3_config_written(&sb, stored, pr);
}

bool
s3_config_word(struct span text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_eq(text, span_of(*words)))
			return true;
	return false;
}

bool
s3_config_bool(struct span text, bool *out)
{
	text = s3_config_trim(text);
	*out = s3_ieq(text, SPAN("true")) || span_eq(text, SPAN("1"));
	return *out || s3_ieq(text, SPAN("false")) || span_eq(text, SPAN("0"));
}

struct span
s3_config_trim(struct span s)
{
	while (s.len > 0 && xml_blank(s.p[0]))
		s.p++, s.len--;
	while (s.len > 0 && xml_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* A document of one element that is one of some words. */
static int
check_word(struct arena *a, struct span given, const char *root, const char *element, const char *const *words,
    struct span *word, struct s3_problem *pr)
{
	const struct xml_rule rules[] = { { element, 1, 1, NULL }, { NULL, 0, 0, NULL } };
	const struct xml_node *n = s3_config_read(a, given, root, rules, pr);

	if (n == NULL)
		return -1;
	*word = s3_config_trim(n->child->text);
	return s3_config_word(*word, words) ? 0 : s3_problem_set(pr, S3_MalformedXML, NULL);
}

/* ---- answers that change nothing here ---- */

int
s3_accelerate_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	static const char *const words[] = { "Enabled", "Suspended", NULL };
	struct span word;

	if (check_word(a, given, "AccelerateConfiguration", "Status", words, &word, pr) != 0)
		return -1;
	if (span_eq(word, SPAN("Enabled")))
		return s3_problem_set(pr, S3_NotImplemented, "Transfer acceleration is not implemented.");
	*stored = NULL;
	return 0;
}

int
s3_request_payment_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	static const char *const words[] = { "BucketOwner", "Requester", NULL };
	struct span word;

	if (check_word(a, given, "RequestPaymentConfiguration", "Payer", words, &word, pr) != 0)
		return -1;
	if (span_eq(word, SPAN("Requester")))
		return s3_problem_set(pr, S3_NotImplemented, "Requests that the requester pays for are not implemented.");
	*stored = NULL;
	return 0;
}

/* ---- public access block ---- */

static const struct {
	const char *name;
	size_t at;
} blocks[] = {
	{ "BlockPublicAcls", offsetof(struct s3_access_block, block_acls) },
	{ "IgnorePublicAcls", offsetof(struct s3_access_block, ignore_acls) },
	{ "BlockPublicPolicy", offsetof(struct s3_access_block, block_policy) },
	{ "RestrictPublicBuckets", offsetof(struct s3_access_block, restrict_buckets) },
};
static const struct xml_rule rules_blocks[] = {
	{ "BlockPublicAcls", 0, 1, NULL },
	{ "IgnorePublicAcls", 0, 1, NULL },
	{ "BlockPublicPolicy", 0, 1, NULL },
	{ "RestrictPublicBuckets", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};

/* What is not said is false. */
static int
parse_blocks(struct arena *a, struct span given, struct s3_access_block *out, struct s3_problem *pr)
{
	const struct xml_node *n = s3_config_read(a, given, "PublicAccessBlockConfiguration", rules_blocks, pr);

	*out = (struct s3_access_block){ 0 };
	for (size_t i = 0; n != NULL && i < ARRAY_LEN(blocks); i++) {
		struct span text = xml_at(n, blocks[i].name);

		if (text.p != NULL && !s3_config_bool(text, (bool *)((char *)out + blocks[i].at)))
			return s3_problem_set(pr, S3_MalformedXML, NULL);
	}
	return n == NULL ? -1 : 0;
}

int
s3_access_block_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	struct s3_access_block b;
	struct strbuf sb;

	if (parse_blocks(a, given, &b, pr) != 0)
		return -1;
	strbuf_init(&sb, a, 1024);
	xml_begin(&sb, "PublicAccessBlockConfiguration");
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		xml_bool(&sb, blocks[i].name, *(const bool *)((const char *)&b + blocks[i].at));
	xml_close(&sb, "PublicAccessBlockConfiguration");
	*stored = strbuf_cstr(&sb);
	return strbuf_ok(&sb) ? 0 : s3_problem_set(pr, S3_InternalError, NULL);
}

void
s3_access_block_read(struct arena *a, const char *stored, struct s3_access_block *out)
{
	struct s3_problem pr = { 0 };

	*out = (struct s3_access_block){ 0 };
	if (stored != NULL && parse_blocks(a, span_of(stored), out, &pr) != 0)
		*out = (struct s3_access_block){ true, true, true, true };
}

/* ---- ownership ---- */

static const char *const ownerships[] = { "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter", NULL };
static const struct xml_rule rules_ownership[] = { { "ObjectOwnership", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_ownerships[] = { { "Rule", 1, 1, rules_ownership }, { NULL, 0, 0, NULL } };

bool
s3_ownership_word(struct span word, enum s3_ownership *out)
{
	for (int i = 0; ownerships[i] != NULL; i++)
		if (span_eq(word, span_of(ownerships[i]))) {
			*out = (enum s3_ownership)i;
			return true;
		}
	return false;
}

const char *
s3_ownership_name(enum s3_ownership o)
{
	return ownerships[o];
}

const char *
s3_ownership_document(struct arena *a, enum s3_ownership o)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 1024);
	xml_begin(&sb, "OwnershipControls");
	xml_open(&sb, "Rule");
	xml_str(&sb, "ObjectOwnership", ownerships[o]);
	xml_close(&sb, "Rule");
	xml_close(&sb, "OwnershipControls");
	return strbuf_cstr(&sb);
}

static int
parse_ownership(struct arena *a, struct span given, enum s3_ownership *out, struct s3_problem *pr)
{
	const struct xml_node *n = s3_config_read(a, given, "OwnershipControls", rules_ownerships, pr);

	if (n == NULL)
		return -1;
	return s3_ownership_word(s3_config_trim(xml_at(n, "Rule/ObjectOwnership")), out)
	    ? 0 : s3_problem_set(pr, S3_MalformedXML, NULL);
}

int
s3_ownership_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	enum s3_ownership o;

	if (parse_ownership(a, given, &o, pr) != 0)
		return -1;
	*stored = o == S3_OWNER_ENFORCED ? NULL : s3_ownership_document(a, o);
	return 0;
}

enum s3_ownership
s3_ownership_read(struct arena *a, const char *stored)
{
	struct s3_problem pr = { 0 };
	enum s3_ownership o;

	if (stored != NULL && strcmp(stored, S3_OWNERSHIP_NONE) == 0)
		return S3_OWNER_WRITER;
	return stored != NULL && parse_ownership(a, span_of(stored), &o, &pr) == 0 ? o : S3_OWNER_ENFORCED;
}
