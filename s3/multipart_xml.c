/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/multipart_xml.c - what operations on uploads in parts answer.
 *
 * Source: S3 API Reference, CreateMultipartUpload, CompleteMultipartUpload,
 * ListMultipartUploads, ListParts: the order of elements is that of the examples.
 */
#include "s3/multipart.h"
#include "s3/xml.h"

static void
owner_element(struct strbuf *sb, const char *name, const struct multipart_owner *o)
{
	xml_open(sb, name);
	xml_str(sb, "ID", o->id);
	xml_str(sb, "DisplayName", o->name);
	xml_close(sb, name);
}

static void
sum_elements(struct strbuf *sb, const struct multipart_sum *s)
{
	if (!s->asked)
		return;
	xml_str(sb, "ChecksumAlgorithm", checksum_table[s->algo].name);
	xml_str(sb, "ChecksumType", checksum_type_name(s->type));
}

/* ---- uploads ---- */

void
list_uploads_xml_begin(struct strbuf *sb, const struct list_uploads_params *p, struct span bucket,
    const struct list_uploads_end *e)
{
	xml_begin(sb, "ListMultipartUploadsResult");
	xml_text(sb, "Bucket", bucket);
	list_key_element(sb, "KeyMarker", p->key_marker, p->url);
	xml_text(sb, "UploadIdMarker", p->id_marker);
	list_key_element(sb, "NextKeyMarker", e->key, p->url); /* there always; of the last that is listed */
	xml_str(sb, "NextUploadIdMarker", e->id);
	if (p->delimiter.len > 0)
		list_key_element(sb, "Delimiter", p->delimiter, p->url);
	list_key_element(sb, "Prefix", p->prefix, p->url);
	xml_int(sb, "MaxUploads", p->max);
	if (p->url)
		xml_str(sb, "EncodingType", "url");
	xml_bool(sb, "IsTruncated", e->truncated);
}

void
list_uploads_xml_item(struct strbuf *sb, const struct list_uploads_params *p, const struct upload_item *it)
{
	if (it->is_prefix) {
		xml_open(sb, "CommonPrefixes");
		list_key_element(sb, "Prefix", it->key, p->url);
		xml_close(sb, "CommonPrefixes");
		return;
	}
	xml_open(sb, "Upload");
	list_key_element(sb, "Key", it->key, p->url);
	xml_str(sb, "UploadId", it->id);
	owner_element(sb, "Initiator", &it->initiator);
	owner_element(sb, "Owner", &it->owner);
	xml_str(sb, "StorageClass", it->storage_class);
	xml_time(sb, "Initiated", it->started_us);
	sum_elements(sb, &it->sum);
	xml_close(sb, "Upload");
}

void
list_uploads_xml_end(struct strbuf *sb)
{
	xml_close(sb, "ListMultipartUploadsResult");
}

/* ---- parts ---- */

void
list_parts_xml_begin(struct strbuf *sb, const struct list_parts_params *p, struct span bucket, const struct upload_item *u,
    bool truncated, int next)
{
	xml_begin(sb, "ListPartsResult");
	xml_text(sb, "Bucket", bucket);
	xml_text(sb, "Key", u->key);
	xml_str(sb, "UploadId", u->id);
	owner_element(sb, "Initiator", &u->initiator);
	owner_element(sb, "Owner", &u->owner);
	xml_str(sb, "StorageClass", u->storage_class);
	xml_int(sb, "PartNumberMarker", p->marker);
	xml_int(sb, "NextPartNumberMarker", next);
	xml_int(sb, "MaxParts", p->max);
	xml_bool(sb, "IsTruncated", truncated);
}

void
list_parts_xml_item(struct strbuf *sb, const struct part_item *it)
{
	char text[CHECKSUM_TEXT_SIZE];

	xml_open(sb, "Part");
	xml_int(sb, "PartNumber", it->number);
	xml_time(sb, "LastModified", it->mtime_us);
	xml_etag(sb, "ETag", it->etag);
	xml_int(sb, "Size", it->size);
	if (it->sum.algo != CHECKSUM_NONE) {
		checksum_text(&it->sum, text);
		xml_str(sb, checksum_table[it->sum.algo].xml, text);
	}
	xml_close(sb, "Part");
}

void
list_parts_xml_end(struct strbuf *sb, const struct upload_item *u)
{
	sum_elements(sb, &u->sum);
	xml_close(sb, "ListPartsResult");
}

/* ---- an object's ---- */

void
object_parts_xml_begin(struct strbuf *sb, const struct list_parts_params *p, bool truncated, int next)
{
	xml_open(sb, "ObjectParts");
	xml_bool(sb, "IsTruncated", truncated);
	xml_int(sb, "MaxParts", p->max);
	xml_int(sb, "NextPartNumberMarker", next);
	xml_int(sb, "PartNumberMarker", p->marker);
}

void
object_parts_xml_item(struct strbuf *sb, const struct part_item *it)
{
	char text[CHECKSUM_TEXT_SIZE];

	xml_open(sb, "Part");
	if (it->sum.algo != CHECKSUM_NONE) {
		checksum_text(&it->sum, text);
		xml_str(sb, checksum_table[it->sum.algo].xml, text);
	}
	xml_int(sb, "PartNumber", it->number);
	xml_int(sb, "Size", it->size);
	xml_close(sb, "Part");
}

void
object_parts_xml_end(struct strbuf *sb, int count)
{
	xml_int(sb, "PartsCount", count);
	xml_close(sb, "ObjectParts");
}

void
object_checksum_xml(struct strbuf *sb, const struct checksum_stored *sum)
{
	char text[CHECKSUM_TEXT_SIZE];

	if (sum->algo == CHECKSUM_NONE)
		return;
	checksum_text(sum, text);
	text[strcspn(text, "-")] = '\0'; /* here S3 leaves out of how many parts a composite one is */
	xml_open(sb, "Checksum");
	xml_str(sb, checksum_table[sum->algo].xml, text);
	xml_str(sb, "ChecksumType", checksum_type_name(sum->type));
	xml_close(sb, "Checksum");
}

/* ---- one upload ---- */

void
multipart_created_xml(struct strbuf *sb, struct span bucket, struct span key, const char *id)
{
	xml_begin(sb, "InitiateMultipartUploadResult");
	xml_text(sb, "Bucket", bucket);
	xml_text(sb, "Key", key);
	xml_str(sb, "UploadId", id);
	xml_close(sb, "InitiateMultipartUploadResult");
}

void
multipart_completed_xml(struct strbuf *sb, const char *location, struct span bucket, struct span key, const char *etag,
    const struct checksum_stored *sum)
{
	char text[CHECKSUM_TEXT_SIZE];

	xml_begin(sb, "CompleteMultipartUploadResult");
	xml_str(sb, "Location", location);
	xml_text(sb, "Bucket", bucket);
	xml_text(sb, "Key", key);
	xml_etag(sb, "ETag", etag);
	if (sum->algo != CHECKSUM_NONE) {
		checksum_text(sum, text);
		xml_str(sb, checksum_table[sum->algo].xml, text);
		xml_str(sb, "ChecksumType", checksum_type_name(sum->type));
	}
	xml_close(sb, "CompleteMultipartUploadResult");
}
