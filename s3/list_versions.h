/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/list_versions.h - ListObjectVersions: its parameters and its answer, written
 * piece by piece like those of the other lists (s3/listing.h).
 */
#ifndef ANVIL_S3_LIST_VERSIONS_H
#define ANVIL_S3_LIST_VERSIONS_H

#include "s3/listing.h"

struct list_versions_params {
	struct list_params list;   /* max_keys, url, prefix, delimiter */
	struct span key_marker, version_marker; /* as sent; p NULL = none */
};
/* -1 with pr as list_params_parse; InvalidArgument for a version marker without a key's. Its form is the caller's to check. */
MUST_CHECK int list_versions_params_parse(struct arena *a, const struct s3_query *q, struct list_versions_params *out,
    struct s3_problem *pr);

struct version_item {
	struct list_item item;
	const char *version;
	bool is_latest, is_marker;
};
/* What the next page begins behind, when there is one; version NULL: a common prefix. */
struct list_versions_end {
	bool truncated;
	struct span key;
	const char *version;
};
void list_versions_xml_begin(struct strbuf *sb, const struct list_versions_params *p, struct span bucket,
    const struct list_versions_end *e);
void list_versions_xml_item(struct strbuf *sb, const struct list_versions_params *p, const struct version_item *it);
void list_versions_xml_end(struct strbuf *sb);

#endif
