/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/access_log.c - server access logging: configuration, lines and keys.
 *
 * Owns:      nothing.
 * Called by: fcgi/access_log.c, fcgi/ops/bucket_logging.c, admin/access_log.c.
 * Source:    S3 User Guide, "Amazon S3 server access log format", "Enabling Amazon S3 server access logging".
 */
#include "s3/access_log.h"

#include "base/clock.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"

#define PREFIX_MAX 800 /* with what follows it, a key */

/* ---- the document ---- */

static const struct xml_rule rules_partitioned[] = { { "PartitionDateSource", 0, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_simple[] = { { NULL, 0, 0, NULL } };
static const struct xml_rule rules_format[] = {
	{ "SimplePrefix", 0, 1, rules_simple },
	{ "PartitionedPrefix", 0, 1, rules_partitioned },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_enabled[] = {
	{ "TargetBucket", 1, 1, NULL },
	{ "TargetPrefix", 1, 1, NULL },
	{ "TargetGrants", 0, 1, acl_rules_list },
	{ "TargetObjectKeyFormat", 0, 1, rules_format },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_status[] = { { "LoggingEnabled", 0, 1, rules_enabled }, { NULL, 0, 0, NULL } };

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedXML, NULL);
}

static int
read_format(const struct xml_node *enabled, struct access_logging *out, struct s3_problem *pr)
{
	const struct xml_node *n = xml_child(enabled, "TargetObjectKeyFormat");
	struct span source;

	out->partition = ACCESS_SIMPLE;
	if (n == NULL)
		return 0;
	if (n->child == NULL || n->child->next != NULL)
		return malformed(pr);
	if (strcmp(n->child->name, "SimplePrefix") == 0)
		return 0;
	source = xml_at(n, "PartitionedPrefix/PartitionDateSource");
	out->partition = ACCESS_BY_DELIVERY;
	if (source.p == NULL || span_eq(source, SPAN("DeliveryTime")))
		return 0;
	out->partition = ACCESS_BY_EVENT;
	return span_eq(source, SPAN("EventTime")) ? 0 : malformed(pr);
}

static int
read_grants(struct arena *a, const struct xml_node *enabled, struct access_logging *out, struct s3_problem *pr)
{
	const struct xml_node *n = xml_child(enabled, "TargetGrants");
	struct acl *acl;

	if (n == NULL || n->child == NULL)
		return 0;
	acl = ARENA_NEW(a, struct acl);
	if (acl == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	acl->owner = (struct acl_owner){ "", "" };
	out->grants = acl;
	if (acl_from_grants(a, n, acl, pr) != 0)
		return -1;
	return acl->n <= ACL_OTHERS_MAX ? 0 : s3_problem_set(pr, S3_InvalidRequest, "There are at most 99 target grants.");
}

/* out->bucket.p NULL: nothing is logged. */
static int
read_status(struct arena *a, struct span doc, const struct xml_node **tree, struct access_logging *out, struct s3_problem *pr)
{
	const struct xml_node *root = s3_config_read(a, doc, "BucketLoggingStatus", rules_status, pr), *n;

	*tree = root;
	*out = (struct access_logging){ .partition = ACCESS_SIMPLE };
	if (root == NULL)
		return -1;
	n = xml_child(root, "LoggingEnabled");
	if (n == NULL)
		return s3_config_trim(root->text).len == 0 ? 0 : malformed(pr);
	out->bucket = xml_at(n, "TargetBucket");
	out->prefix = xml_at(n, "TargetPrefix");
	if (out->bucket.len == 0)
		return malformed(pr);
	if (out->prefix.len > PREFIX_MAX)
		return s3_problem_argument(pr, "The target prefix is too long.", "TargetPrefix", out->prefix);
	return read_format(n, out, pr) != 0 || read_grants(a, n, out, pr) != 0 ? -1 : 0;
}

/* As it came, but the grants: who is granted something is told by an attribute, which xml_document leaves out. */
static void
write_status(struct strbuf *sb, const struct xml_node *root, const struct access_logging *l)
{
	xml_begin(sb, root->name);
	xml_open(sb, "LoggingEnabled");
	for (const struct xml_node *n = xml_child(root, "LoggingEnabled")->child; n != NULL; n = n->next) {
		xml_open(sb, n->name);
		if (l->grants != NULL && strcmp(n->name, "TargetGrants") == 0)
			acl_grants_xml(sb, l->grants);
		else
			xml_inside(sb, n);
		xml_close(sb, n->name);
	}
	xml_close(sb, "LoggingEnabled");
	xml_close(sb, root->name);
}

int
s3_logging_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	const struct xml_node *tree;
	struct access_logging l;
	struct strbuf sb;

	*stored = NULL;
	if (read_status(a, given, &tree, &l, pr) != 0)
		return -1;
	if (l.bucket.p == NULL)
		return 0;
	strbuf_init(&sb, a, S3_CONFIG_WRITTEN_MAX);
	write_status(&sb, tree, &l);
	return s3_config_written(&sb, stored, pr);
}

bool
access_logging_read(struct arena *a, const char *stored, struct access_logging *out)
{
	const struct xml_node *tree;
	struct s3_problem pr = { 0 };

	return read_status(a, span_of(stored), &tree, out, &pr) == 0 && out->bucket.p != NULL;
}

/* ---- a line ---- */

/* Subresources whose name in the log is not their own in capitals. */
static const struct {
	const char *query, *bucket, *object;
} resources[] = {
	{ "list-type", "BUCKET", NULL },
	{ "logging", "LOGGING_STATUS", NULL },
	{ "object-lock", "OBJECT_LOCK_CONFIGURATION", NULL },
	{ "policy", "BUCKETPOLICY", NULL },
	{ "tagging", "TAGGING", "OBJECT_TAGGING" },
	{ "versions", "BUCKETVERSIONS", NULL },
	{ "delete", "MULTI_OBJECT_DELETE", NULL },
};

/* "publicAccessBlock" to "PUBLIC_ACCESS_BLOCK". */
static void
capitals(struct strbuf *sb, struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			strbuf_ch(sb, '_');
		else if (c >= 'a' && c <= 'z')
			c = (char)(c - ('a' - 'A'));
		else if (c == '-')
			c = '_';
		strbuf_ch(sb, c);
	}
}

static void
resource(struct strbuf *sb, const struct s3_operation *op)
{
	bool object = (op->levels & S3_LEVEL_OBJECT) != 0;
	struct span name = op->query == NULL ? SPAN("") : span_of(op->query);
	const char *word = NULL;

	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '&' || name.p[i] == '=')
			name.len = i;
	if (name.len == 0)
		word = object ? "OBJECT" : "BUCKET";
	else if (span_eq(name, SPAN("uploadId")))
		word = strstr(op->query, "partNumber") != NULL ? "PART" : "UPLOAD";
	for (size_t i = 0; word == NULL && i < ARRAY_LEN(resources); i++)
		if (span_eq(name, span_of(resources[i].query)))
			word = object && resources[i].object != NULL ? resources[i].object : resources[i].bucket;
	if (word != NULL)
		strbuf_str(sb, word);
	else
		capitals(sb, name);
}

void
access_operation(struct strbuf *sb, const struct access_record *r)
{
	if (r->batch) {
		strbuf_str(sb, "BATCH.DELETE.OBJECT");
		return;
	}
	strbuf_str(sb, r->website ? "WEBSITE." : "REST.");
	if (r->op == OP_CopyObject || r->op == OP_UploadPartCopy)
		strbuf_str(sb, "COPY");
	else
		strbuf_str(sb, s3_method_parse(r->method) == S3_METHOD_OTHER ? "OTHER" : s3_method_name(s3_method_parse(r->method)));
	strbuf_ch(sb, '.');
	if (r->op == OP_CorsPreflight)
		strbuf_str(sb, "PREFLIGHT");
	else if (r->op == OP_NONE || r->op >= S3_OP_COUNT)
		strbuf_str(sb, r->key.len > 0 || r->website ? "OBJECT" : "BUCKET");
	else
		resource(sb, s3_operation(r->op));
}

/* A field without quotes: one word. */
static void
word(struct strbuf *sb, struct span s)
{
	strbuf_ch(sb, ' ');
	if (s.len == 0)
		strbuf_ch(sb, '-');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == '"' || c == 0x7f)
			strbuf_printf(sb, "%%%02X", c);
		else
			strbuf_ch(sb, (char)c);
	}
}

static void
text(struct strbuf *sb, const char *s)
{
	word(sb, s == NULL ? SPAN("") : span_of(s));
}

static void
number(struct strbuf *sb, int64_t n)
{
	if (n < 0)
		strbuf_str(sb, " -");
	else
		strbuf_printf(sb, " %" PRId64, n);
}

/* Blanks stay; a quote would end the field. */
static void
within_quotes(struct strbuf *sb, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == '"' || c == 0x7f)
			strbuf_printf(sb, "%%%02X", c);
		else
			strbuf_ch(sb, (char)c);
	}
}

static void
quoted(struct strbuf *sb, struct span s)
{
	strbuf_str(sb, " \"");
	within_quotes(sb, s.len == 0 ? SPAN("-") : s);
	strbuf_ch(sb, '"');
}

static void
event_time(struct strbuf *sb, int64_t us)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct clock_utc t;

	clock_utc(us, &t);
	strbuf_printf(sb, " [%02d/%s/%04d:%02d:%02d:%02d +0000]", t.day, months[t.month - 1], t.year, t.hour, t.minute, t.second);
}

/* The key as it stands in a URL. */
static void
key(struct strbuf *sb, struct span k)
{
	strbuf_ch(sb, ' ');
	if (k.len == 0)
		strbuf_ch(sb, '-');
	uri_path(sb, k);
}

static void
request_uri(struct strbuf *sb, const struct access_record *r)
{
	strbuf_str(sb, " \"");
	within_quotes(sb, r->method);
	strbuf_ch(sb, ' ');
	within_quotes(sb, r->target);
	strbuf_ch(sb, ' ');
	within_quotes(sb, r->protocol.len > 0 ? r->protocol : SPAN("HTTP/1.1"));
	strbuf_ch(sb, '"');
}

void
access_line(struct strbuf *sb, const struct access_record *r)
{
	strbuf_str(sb, r->owner);
	text(sb, r->bucket);
	event_time(sb, r->time_us);
	text(sb, r->remote_ip);
	text(sb, r->requester);
	text(sb, r->request_id);
	strbuf_ch(sb, ' ');
	access_operation(sb, r);
	key(sb, r->key);
	if (r->batch)
		strbuf_str(sb, " -");
	else
		request_uri(sb, r);
	number(sb, r->status > 0 ? r->status : -1);
	text(sb, r->error);
	number(sb, r->bytes_sent > 0 ? r->bytes_sent : -1);
	number(sb, r->object_size);
	number(sb, r->total_us < 0 ? -1 : r->total_us / US_PER_MS);
	number(sb, r->first_us < 0 ? -1 : r->first_us / US_PER_MS);
	quoted(sb, r->referer);
	quoted(sb, r->user_agent);
	word(sb, r->version);
	text(sb, r->host_id);
	text(sb, r->is_signed ? "SigV4" : NULL);
	text(sb, r->cipher);
	text(sb, r->auth);
	word(sb, r->host);
	text(sb, r->tls);
	strbuf_str(sb, " - -"); /* access points are not built; whether a list decided is not told */
	text(sb, r->source_region);
	strbuf_ch(sb, '\n');
}

/* ---- objects ---- */

void
access_object_key(struct strbuf *sb, const struct access_logging *l, const struct access_object *o)
{
	struct clock_utc t, day;

	clock_utc(o->delivered_us, &t);
	strbuf_span(sb, l->prefix);
	if (l->partition != ACCESS_SIMPLE) {
		clock_utc(l->partition == ACCESS_BY_EVENT ? o->day_us : o->delivered_us, &day);
		strbuf_printf(sb, "%s/%s/%s/%04d/%02d/%02d/", o->owner, o->region, o->bucket, day.year, day.month, day.day);
		/* S3: of events the day alone is told. */
		if (l->partition == ACCESS_BY_EVENT) {
			t = day;
			t.hour = t.minute = t.second = 0;
		}
	}
	strbuf_printf(sb, "%04d-%02d-%02d-%02d-%02d-%02d-%s", t.year, t.month, t.day, t.hour, t.minute, t.second, o->unique);
}
