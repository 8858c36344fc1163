/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/notification.c - notification configurations, read, checked and asked; events.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/ops/bucket_config.c, fcgi/notify.c, fcgi/deliver.c, admin/lifecycle.c.
 * Invariant: of one event of one key at most one configuration is told.
 * Source:    S3 API Reference, PutBucketNotificationConfiguration; User Guide, "Event message structure",
 *            "Supported event types", "Configuring event notifications using object key name filtering".
 */
#include "s3/notification.h"

#include <jansson.h>

#include "s3/bucket_config.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"

#define ROOT "NotificationConfiguration"
#define ID_MAX 255
#define NUMBER_DIGITS 18 /* of a sequencer, as AWS has */

/* What may be asked for. Those of archives, replication and tiers do not come to pass here. A row's place is its bit. */
static const char *const events[] = {
	"ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
	"ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated",
	"ObjectTagging:Put", "ObjectTagging:Delete",
	"ObjectAcl:Put",
	"LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated",
	"ObjectRestore:Post", "ObjectRestore:Completed", "ObjectRestore:Delete",
	"Replication:OperationFailedReplication", "Replication:OperationMissedThreshold",
	"Replication:OperationReplicatedAfterThreshold", "Replication:OperationNotTracked",
	"ReducedRedundancyLostObject", "LifecycleTransition", "IntelligentTiering",
};

static const struct xml_rule rules_filter_rule[] = { { "Name", 1, 1, NULL }, { "Value", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_key[] = { { "FilterRule", 0, 0, rules_filter_rule }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_filter[] = { { "S3Key", 0, 1, rules_key }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_queue[] = {
	{ "Id", 0, 1, NULL },
	{ "Queue", 1, 1, NULL },
	{ "Event", 1, 0, NULL },
	{ "Filter", 0, 1, rules_filter },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_topic[] = {
	{ "Id", 0, 1, NULL },
	{ "Topic", 1, 1, NULL },
	{ "Event", 1, 0, NULL },
	{ "Filter", 0, 1, rules_filter },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_all[] = {
	{ "TopicConfiguration", 0, 0, rules_topic },
	{ "QueueConfiguration", 0, 0, rules_queue },
	{ NULL, 0, 0, NULL },
};

static int
invalid(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidArgument, message);
}

static bool
starts(struct span s, struct span with)
{
	return s.len >= with.len && memcmp(s.p, with.p, with.len) == 0;
}

static bool
ends(struct span s, struct span with)
{
	return s.len >= with.len && memcmp(s.p + s.len - with.len, with.p, with.len) == 0;
}

/* The bits of "s3:ObjectCreated:*" or of one event; 0: there is no such. */
static uint32_t
event_bits(struct span text)
{
	bool all = ends(text, SPAN(":*"));
	uint32_t bits = 0;

	if (!starts(text, SPAN("s3:")))
		return 0;
	text = (struct span){ text.p + 3, text.len - 3 };
	if (all)
		text.len--;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		struct span name = span_of(events[i]);

		if (all ? text.len > 1 && starts(name, text) : span_eq(name, text))
			bits |= UINT32_C(1) << i;
	}
	return bits;
}

/* ---- one configuration ---- */

static bool
is_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return s.len > 0 && s.len <= 80;
}

/* arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME */
static int
read_arn(struct span arn, const char *service, const char *element, struct notification_config *c, struct s3_problem *pr)
{
	struct span part[6], rest = arn;
	size_t n = 0;

	for (; n < ARRAY_LEN(part); n++) {
		const char *colon = rest.len == 0 ? NULL : memchr(rest.p, ':', rest.len);

		part[n] = colon == NULL ? rest : (struct span){ rest.p, (size_t)(colon - rest.p) };
		if (colon == NULL)
			break;
		rest = (struct span){ colon + 1, rest.len - part[n].len - 1 };
	}
	if (n != ARRAY_LEN(part) - 1 || !span_eq(part[0], SPAN("arn")) || !starts(part[1], SPAN("aws")) ||
	    !span_eq(part[2], span_of(service)) || !is_name(part[5]))
		return s3_problem_argument(pr, "The ARN is not well formed", element, arn);
	c->arn = arn;
	c->webhook = part[5];
	return 0;
}

static int
read_filter(const struct xml_node *n, struct notification_config *c, struct s3_problem *pr)
{
	const struct xml_node *filter = xml_child(n, "Filter"), *key = filter == NULL ? NULL : xml_child(filter, "S3Key");

	c->prefix = c->suffix = SPAN("");
	for (const struct xml_node *r = key == NULL ? NULL : xml_child(key, "FilterRule"); r != NULL; r = xml_again(r)) {
		struct span name = s3_config_trim(xml_at(r, "Name")), value = xml_at(r, "Value"), *out;

		if (s3_ieq(name, SPAN("prefix")))
			out = &c->prefix;
		else if (s3_ieq(name, SPAN("suffix")))
			out = &c->suffix;
		else
			return s3_problem_argument(pr, "filter rule name must be either prefix or suffix", "FilterRule.Name", name);
		if (out->len > 0)
			return invalid(pr, out == &c->prefix ? "Cannot specify more than one prefix rule in a filter." :
			    "Cannot specify more than one suffix rule in a filter.");
		if (value.len > S3_KEY_MAX)
			return invalid(pr, "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation");
		*out = value;
	}
	return 0;
}

static int
read_config(const struct xml_node *n, struct notification_config *c, struct s3_problem *pr)
{
	bool topic = strcmp(n->name, "TopicConfiguration") == 0;

	*c = (struct notification_config){ .id = xml_at(n, "Id") };
	if (c->id.len > ID_MAX)
		return invalid(pr, "ID length should not exceed allowed limit of 255");
	if (read_arn(s3_config_trim(xml_at(n, topic ? "Topic" : "Queue")), topic ? "sns" : "sqs", topic ? "Topic" : "Queue", c, pr) != 0)
		return -1;
	for (const struct xml_node *e = xml_child(n, "Event"); e != NULL; e = xml_again(e)) {
		uint32_t bits = event_bits(s3_config_trim(e->text));

		if (bits == 0)
			return s3_problem_argument(pr, "A specified event is not supported for notifications", "Event",
			    s3_config_trim(e->text));
		c->events |= bits;
	}
	return read_filter(n, c, pr);
}

/* ---- all of them ---- */

static int
check_pair(const struct notification_config *x, const struct notification_config *y, struct s3_problem *pr)
{
	bool prefixes = starts(x->prefix, y->prefix) || starts(y->prefix, x->prefix);
	bool suffixes = ends(x->suffix, y->suffix) || ends(y->suffix, x->suffix);

	if (x->id.len > 0 && span_eq(x->id, y->id))
		return invalid(pr, "Same ID used for multiple configurations. IDs must be unique");
	if ((x->events & y->events) == 0 || !prefixes || !suffixes)
		return 0;
	if (x->suffix.len > 0 && y->suffix.len > 0)
		return invalid(pr, "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
		    "are overlapping for the same event type.");
	return invalid(pr, "Configurations overlap. Configurations on the same bucket cannot share a common event type.");
}

/* What is for others than queues and topics is known, and not built. */
static int
check_kinds(const struct xml_node *root, struct s3_problem *pr)
{
	if (xml_child(root, "CloudFunctionConfiguration") != NULL)
		return s3_problem_set(pr, S3_NotImplemented, "Notifications to Lambda functions are not implemented.");
	if (xml_child(root, "EventBridgeConfiguration") != NULL)
		return s3_problem_set(pr, S3_NotImplemented, "Notifications to EventBridge are not implemented.");
	if (root->child == NULL && s3_config_trim(root->text).len > 0)
		return s3_problem_set(pr, S3_MalformedXML, NULL);
	return 0;
}

static int
read_all(struct arena *a, struct span doc, const struct xml_node **tree, struct notification_configs *out, struct s3_problem *pr)
{
	const struct xml_node *root = xml_parse(a, doc, ROOT, &XML_LIMITS_CONFIG, pr);

	*tree = root;
	*out = (struct notification_configs){ NULL, 0 };
	if (root == NULL || check_kinds(root, pr) != 0 || xml_conforms(root, rules_all, pr) != 0)
		return -1;
	out->v = arena_array(a, NOTIFICATIONS_MAX, sizeof(*out->v));
	if (out->v == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (const struct xml_node *n = root->child; n != NULL; n = n->next) {
		struct notification_config *c = &out->v[out->n];

		if (out->n == NOTIFICATIONS_MAX)
			return invalid(pr, "The notification configuration has more than 100 configurations");
		if (read_config(n, c, pr) != 0)
			return -1;
		for (size_t i = 0; i < out->n; i++)
			if (check_pair(&out->v[i], c, pr) != 0)
				return -1;
		out->n++;
	}
	return 0;
}

void
notification_read(struct arena *a, const char *stored, struct notification_configs *out)
{
	struct s3_problem ignored = { 0 };
	const struct xml_node *tree;

	if (stored == NULL || read_all(a, span_of(stored), &tree, out, &ignored) != 0)
		*out = (struct notification_configs){ NULL, 0 };
}

const struct notification_config *
notification_match(const struct notification_configs *c, const char *event, struct span key)
{
	uint32_t bit = 0;

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (strcmp(events[i], event) == 0)
			bit = UINT32_C(1) << i;
	for (size_t i = 0; i < c->n; i++)
		if ((c->v[i].events & bit) != 0 && starts(key, c->v[i].prefix) && ends(key, c->v[i].suffix))
			return &c->v[i];
	return NULL;
}

bool
notification_whom(struct arena *a, const struct notification_configs *c, const char *event, struct span key, const char **webhook,
    const char **config_id)
{
	const struct notification_config *m = event == NULL ? NULL : notification_match(c, event, key);

	if (m == NULL)
		return false;
	*webhook = arena_strndup(a, m->webhook.p, m->webhook.len);
	*config_id = arena_strndup(a, m->id.p, m->id.len);
	return true;
}

/* ---- the stored form ---- */

/* An Id that none has yet; NULL: the arena is full. */
static const char *
new_id(struct arena *a, const struct notification_configs *c, size_t place)
{
	const char *text = arena_printf(a, "notification-%zu", place);

	for (size_t i = 0; text != NULL && i < c->n; i++)
		if (span_eq(c->v[i].id, span_of(text))) {
			text = arena_printf(a, "%s-%zu", text, place);
			i = SIZE_MAX; /* from the start */
		}
	return text;
}

static void
write_rule(struct strbuf *sb, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	xml_open(sb, "FilterRule");
	xml_str(sb, "Name", name);
	xml_text(sb, "Value", value);
	xml_close(sb, "FilterRule");
}

static void
write_config(struct strbuf *sb, const struct xml_node *n, const struct notification_config *c)
{
	xml_open(sb, n->name);
	xml_text(sb, "Id", c->id);
	xml_text(sb, strcmp(n->name, "TopicConfiguration") == 0 ? "Topic" : "Queue", c->arn);
	for (const struct xml_node *e = xml_child(n, "Event"); e != NULL; e = xml_again(e))
		xml_text(sb, "Event", s3_config_trim(e->text));
	if (c->prefix.len > 0 || c->suffix.len > 0) {
		xml_open(sb, "Filter");
		xml_open(sb, "S3Key");
		write_rule(sb, "prefix", c->prefix);
		write_rule(sb, "suffix", c->suffix);
		xml_close(sb, "S3Key");
		xml_close(sb, "Filter");
	}
	xml_close(sb, n->name);
}

int
s3_notification_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	struct notification_configs c;
	const struct xml_node *tree;
	struct strbuf sb;
	size_t i = 0;

	*stored = NULL;
	if (read_all(a, given, &tree, &c, pr) != 0)
		return -1;
	if (c.n == 0)
		return 0;
	strbuf_init(&sb, a, S3_CONFIG_WRITTEN_MAX);
	xml_begin(&sb, ROOT);
	for (const struct xml_node *n = tree->child; n != NULL; n = n->next, i++) {
		if (c.v[i].id.len == 0) {
			const char *id = new_id(a, &c, i + 1);

			c.v[i].id = span_of(id == NULL ? "" : id);
		}
		write_config(&sb, n, &c.v[i]);
	}
	xml_close(&sb, ROOT);
	return s3_config_written(&sb, stored, pr);
}

/* ---- events ---- */

/* As AWS encodes it: a blank is '+', '/' stays. */
static const char *
key_text(struct arena *a, struct span key)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 3 * S3_KEY_MAX);
	for (size_t i = 0; i < key.len; i++) {
		if (key.p[i] == ' ')
			strbuf_ch(&sb, '+');
		else
			uri_path(&sb, (struct span){ key.p + i, 1 });
	}
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : NULL;
}

/* As text in the arena; takes j. NULL: out of memory. */
static const char *
dump(struct arena *a, json_t *j)
{
	size_t len = j == NULL ? 0 : json_dumpb(j, NULL, 0, JSON_COMPACT);
	char *text = len == 0 ? NULL : arena_alloc(a, len + 1);

	if (text != NULL && json_dumpb(j, text, len, JSON_COMPACT) == len)
		text[len] = '\0';
	else
		text = NULL;
	json_decref(j);
	return text;
}

static json_t *
object_json(struct arena *a, const struct notification_event *v)
{
	const char *key = key_text(a, v->key);
	char number[NUMBER_DIGITS + 1];
	json_t *o;

	snprintf(number, sizeof(number), "%0*" PRIX64, NUMBER_DIGITS, (uint64_t)v->number);
	o = key == NULL ? NULL : json_pack("{s:s, s:s}", "key", key, "sequencer", number);
	if (o != NULL && v->etag != NULL)
		(void)json_object_update_new(o, json_pack("{s:I, s:s}", "size", (json_int_t)v->size, "eTag", v->etag));
	if (o != NULL && v->version != NULL)
		(void)json_object_set_new(o, "versionId", json_string(v->version));
	return o;
}

static json_t *
record_json(struct arena *a, const struct notification_event *v)
{
	char at[DATE_ISO_SIZE];

	date_iso_ms(v->at_us, at);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:{s:s, s:{s:s}, s:s+}, s:o}}",
	    "eventVersion", "2.1", "eventSource", "aws:s3", "awsRegion", v->region, "eventTime", at, "eventName", v->event,
	    "userIdentity", "principalId", v->principal, "requestParameters", "sourceIPAddress", v->address,
	    "responseElements", "x-amz-request-id", v->request_id, "x-amz-id-2", v->host_id,
	    "s3", "s3SchemaVersion", "1.0", "configurationId", v->config_id,
	    "bucket", "name", v->bucket, "ownerIdentity", "principalId", v->owner_id, "arn", "arn:aws:s3:::", v->bucket,
	    "object", object_json(a, v));
}

const char *
notification_json(struct arena *a, const struct notification_event *v, size_t n)
{
	json_t *records = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(records, record_json(a, &v[i])) != 0) {
			json_decref(records);
			return NULL;
		}
	return dump(a, json_pack("{s:o}", "Records", records));
}

const char *
notification_test_json(struct arena *a, const struct notification_event *v)
{
	char at[DATE_ISO_SIZE];

	date_iso_ms(v->at_us, at);
	return dump(a, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "Service", "Amazon S3", "Event", "s3:TestEvent", "Time", at,
	    "Bucket", v->bucket, "RequestId", v->request_id, "HostId", v->host_id));
}
