/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/listing.h - ListObjects, ListObjectsV2 and ListBuckets: their parameters,
 * their continuation tokens, and their answers, written piece by piece so that a
 * page of 1,000 long keys needs no buffer of its size.
 */
#ifndef ANVIL_S3_LISTING_H
#define ANVIL_S3_LISTING_H

#include "base/strbuf.h"
#include "s3/uri.h"

#define LIST_MAX_KEYS 1000
#define LIST_MAX_BUCKETS 10000

struct list_params {
	bool v2;
	bool url;               /* encoding-type=url */
	bool fetch_owner;       /* always true for V1 */
	int max_keys;           /* 0..1000: what is asked, or less */
	struct span prefix, delimiter;
	struct span marker;     /* V1, as sent; p NULL = none */
	struct span start_after, token; /* V2, as sent; p NULL = none */
	struct span after;      /* where the page begins: greater than this; empty = the start */
};
/*
 * -1 with pr: InvalidArgument (max-keys, encoding-type, continuation-token, text that is
 * not UTF-8), KeyTooLongError.
 */
MUST_CHECK int list_params_parse(struct arena *a, const struct s3_query *q, bool v2, struct list_params *out,
    struct s3_problem *pr);

struct list_buckets_params {
	int max_buckets;        /* 1..10000; 0 = not asked: all, in one answer */
	struct span prefix, region, token; /* p NULL = none */
	struct span after;      /* names greater than this */
};
MUST_CHECK int list_buckets_params_parse(struct arena *a, const struct s3_query *q, struct list_buckets_params *out,
    struct s3_problem *pr);

/* Opaque, URL-safe and checked; holds the key after which the next page begins. NULL past the arena's cap. */
const char *list_token_encode(struct arena *a, struct span after);
/* false: it is none of ours. */
bool list_token_decode(struct arena *a, struct span token, struct span *after);

struct list_item {
	bool is_prefix;         /* then only key */
	struct span key;
	int64_t size, mtime_us;
	const char *etag;       /* without quotes */
	const char *storage_class;
	const char *checksum_algorithm, *checksum_type; /* NULL = none */
	const char *owner_id, *owner_name; /* written when asked for; NULL = none */
};
struct list_end {
	bool truncated;
	struct span next;       /* `after` of the next page */
	int count;              /* keys and common prefixes written */
};
/*
 * The answer: begin, one item each in order (keys and prefixes mixed as they come; S3's
 * clients take them in any order), end. Append to sb; the caller may send and clear it between calls.
 */
void list_xml_begin(struct strbuf *sb, const struct list_params *p, struct span bucket, const struct list_end *e);
void list_xml_item(struct strbuf *sb, const struct list_params *p, const struct list_item *it);
void list_xml_end(struct strbuf *sb);
/* Upper bound of what one item adds, for sizing a buffer. */
#define LIST_ITEM_XML_MAX 8192

void list_buckets_xml_begin(struct strbuf *sb, const char *owner_id, const char *owner_name);
void list_buckets_xml_item(struct strbuf *sb, const char *name, int64_t created_us, const char *region);
/* next: the last name of a page that is not the last; p NULL = that was all. */
void list_buckets_xml_end(struct strbuf *sb, const struct list_buckets_params *p, struct span next);

/* What encoding-type=url makes of a key: all but A-Z a-z 0-9 - _ . * and "/" as %XX. */
void list_url_encode(struct strbuf *sb, struct span s);
/* An element with a key, prefix, marker or delimiter; url: as encoding-type=url has it. */
void list_key_element(struct strbuf *sb, const char *name, struct span key, bool url);

#endif
