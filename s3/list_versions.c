/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/list_versions.c - ListObjectVersions.
 *
 * Source: S3 API Reference, ListObjectVersions.
 */
#include "s3/list_versions.h"

#include "base/parse.h"
#include "s3/errors.h"
#include "s3/xml.h"

int
list_versions_params_parse(struct arena *a, const struct s3_query *q,
    struct list_versions_params *out, struct s3_problem *pr)
{
	if (list_params_parse(a, q, false, &out->list, pr) != 0)
		return -1;
	out->key_marker = s3_query_get(q, "key-marker");
	out->version_marker = s3_query_get(q, "version-id-marker");
	if (!utf8_valid(out->key_marker) || out->key_marker.len > S3_KEY_MAX)
		return s3_problem_argument(
		    pr, "The key marker is no key", "key-marker", SPAN(""));
	if (out->version_marker.len > 0 && out->key_marker.len == 0)
		return s3_problem_argument(pr,
		    "A version-id marker cannot be specified without a key marker.",
		    "version-id-marker", out->version_marker);
	return 0;
}

void
list_versions_xml_begin(struct strbuf *sb, const struct list_versions_params *p,
    struct span bucket, const struct list_versions_end *e)
{
	bool url = p->list.url;

	xml_begin(sb, "ListVersionsResult");
	xml_text(sb, "Name", bucket);
	list_key_element(sb, "Prefix", p->list.prefix, url);
	list_key_element(sb, "KeyMarker", p->key_marker, url);
	xml_text(sb, "VersionIdMarker", p->version_marker);
	if (e->truncated) {
		list_key_element(sb, "NextKeyMarker", e->key, url);
		xml_str(sb, "NextVersionIdMarker", e->version);
	}
	xml_int(sb, "MaxKeys", p->list.max_keys);
	if (p->list.delimiter.len > 0)
		list_key_element(sb, "Delimiter", p->list.delimiter, url);
	if (url)
		xml_str(sb, "EncodingType", "url");
	xml_bool(sb, "IsTruncated", e->truncated);
}

void
list_versions_xml_item(struct strbuf *sb, const struct list_versions_params *p,
    const struct version_item *v)
{
	const struct list_item *it = &v->item;
	const char *name = v->is_marker ? "DeleteMarker" : "Version";

	if (it->is_prefix) {
		xml_open(sb, "CommonPrefixes");
		list_key_element(sb, "Prefix", it->key, p->list.url);
		xml_close(sb, "CommonPrefixes");
		return;
	}
	xml_open(sb, name);
	list_key_element(sb, "Key", it->key, p->list.url);
	xml_str(sb, "VersionId", v->version);
	xml_bool(sb, "IsLatest", v->is_latest);
	xml_time(sb, "LastModified", it->mtime_us);
	if (!v->is_marker) {
		xml_etag(sb, "ETag", it->etag);
		xml_str(sb, "ChecksumAlgorithm", it->checksum_algorithm);
		xml_str(sb, "ChecksumType", it->checksum_type);
		xml_int(sb, "Size", it->size);
		xml_str(sb, "StorageClass", it->storage_class);
	}
	xml_open(sb, "Owner");
	xml_str(sb, "ID", it->owner_id);
	xml_str(sb, "DisplayName", it->owner_name);
	xml_close(sb, "Owner");
	xml_close(sb, name);
}

void
list_versions_xml_end(struct strbuf *sb)
{
	xml_close(sb, "ListVersionsResult");
}
