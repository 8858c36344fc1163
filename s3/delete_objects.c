/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/delete_objects.c - many deletes in one document.
 *
 * Source: S3 API Reference, DeleteObjects.
 */
#include "s3/delete_objects.h"

#include "base/parse.h"
#include "s3/condition.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/xml.h"

static const struct xml_rule rules_object[] = {
	{ "Key", 1, 1, NULL },
	{ "VersionId", 0, 1, NULL },
	{ "ETag", 0, 1, NULL },
	{ "LastModifiedTime", 0, 1, NULL },
	{ "Size", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_delete[] = {
	{ "Quiet", 0, 1, NULL },
	{ "Object", 1, DELETE_OBJECTS_MAX, rules_object },
	{ NULL, 0, 0, NULL },
};

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedXML, NULL);
}

static int
read_item(const struct xml_node *n, int64_t now_us, struct delete_item *it,
    struct s3_problem *pr)
{
	struct span etag = xml_at(n, "ETag");
	struct span mtime = s3_trim(xml_at(n, "LastModifiedTime"));
	struct span size = s3_trim(xml_at(n, "Size"));

	*it = (struct delete_item){ .key = xml_at(n, "Key"),
		.version = xml_at(n, "VersionId"),
		.has_mtime = mtime.p != NULL,
		.has_size = size.p != NULL };
	if (it->key.len == 0)
		return malformed(pr);
	if (it->version.len == 0)
		it->version.p = NULL;
	if (etag.p != NULL && !condition_etag(etag, &it->etag))
		return malformed(pr);
	if (it->has_mtime && !date_parse_iso(mtime, &it->mtime_us) &&
	    !date_parse_http(mtime, now_us, &it->mtime_us))
		return malformed(pr);
	if (it->has_size && !parse_i64(size, 0, INT64_MAX, &it->size))
		return malformed(pr);
	return 0;
}

int
delete_objects_parse(struct arena *a, struct span document, int64_t now_us,
    struct delete_objects *out, struct s3_problem *pr)
{
	const struct xml_node *root =
	    xml_parse(a, document, "Delete", &XML_LIMITS_LISTS, pr);
	const struct xml_node *object;
	struct span quiet;

	*out = (struct delete_objects){ .n = 0 };
	if (root == NULL || xml_conforms(root, rules_delete, pr) != 0)
		return -1;
	quiet = s3_trim(xml_at(root, "Quiet"));
	out->quiet = s3_ieq(quiet, SPAN("true"));
	object = xml_child(root, "Object");
	out->items = arena_array(a, DELETE_OBJECTS_MAX, sizeof(*out->items));
	if (out->items == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (; object != NULL; object = xml_again(object))
		if (read_item(object, now_us, &out->items[out->n++], pr) != 0)
			return -1;
	return 0;
}

static void
key_and_version(struct strbuf *sb, const struct delete_item *it)
{
	xml_text(sb, "Key", it->key);
	if (it->version.p != NULL)
		xml_text(sb, "VersionId", it->version);
}

void
delete_objects_deleted(struct strbuf *sb, const struct delete_item *it,
    const struct delete_done *d)
{
	xml_open(sb, "Deleted");
	key_and_version(sb, it);
	if (d->marker) {
		xml_bool(sb, "DeleteMarker", true);
		xml_str(sb, "DeleteMarkerVersionId", d->marker_version);
	}
	xml_close(sb, "Deleted");
}

void
delete_objects_error(struct strbuf *sb, const struct delete_item *it, int code,
    const char *message)
{
	const struct s3_error *e = s3_error_find(code);

	xml_open(sb, "Error");
	key_and_version(sb, it);
	xml_str(sb, "Code", e->name);
	xml_str(sb, "Message", message != NULL ? message : e->message);
	xml_close(sb, "Error");
}
