/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/uri.h - from the raw request target and Host to bucket, key and query,
 * and back into percent-encoding.
 *
 * The raw target is what names the key: it is decoded exactly once and nothing
 * normalises it ("//", "." and ".." are bytes of the key). In a path "+" is a plus.
 * In a query "+" is a blank, as in S3: its canonical query writes "%20" for it,
 * so whoever signs "a+b" has signed "a%20b", and a plus is sent as "%2B".
 */
#ifndef ANVIL_S3_URI_H
#define ANVIL_S3_URI_H

#include "base/strbuf.h"
#include "s3/problem.h"

#define S3_KEY_MAX 1024
#define S3_TARGET_MAX 16384
#define S3_PARAMS_MAX 256

struct s3_param {
	struct span name, value; /* decoded; may hold any byte but NUL */
	bool has_value;          /* a "=" was there */
};

struct s3_query {
	const struct s3_param *p; /* in the order of the request */
	size_t n;
};

enum s3_style {
	S3_STYLE_PATH,
	S3_STYLE_VHOST
};

struct s3_uri {
	struct span raw_path;  /* as it came, begins with "/", without query */
	struct span raw_query; /* as it came, without "?"; empty if none */
	struct span path;      /* raw_path decoded once: what is signed */
	struct span bucket;    /* decoded, empty = none named; its form is not checked here */
	struct span key;       /* decoded, UTF-8, at most S3_KEY_MAX bytes; empty = none named */
	struct span host;      /* lower case, without port or last dot */
	struct span domain;    /* VHOST: which of ours it was */
	enum s3_style style;
	struct s3_query query;
};

/*
 * Take a request target and Host apart.
 *
 * target   borrows for as long as *out is used; origin-form or absolute-form
 * host     the Host header as it came; may be empty
 * domains  NULL-terminated, the domains under which buckets are host names;
 *          NULL = path style only. The longest that fits wins.
 *
 * A host that is none of ours (an address, localhost) means path style.
 * An absolute-form target must name the same host as Host does: the signature
 * covers Host, so a bucket taken from elsewhere would be unsigned.
 *
 * Returns 0, or -1 with pr: InvalidURI, KeyTooLongError, InvalidBucketName
 * ("//key" names no bucket).
 */
MUST_CHECK int s3_uri_parse(struct arena *a, struct span target, struct span host, const char *const *domains,
    struct s3_uri *out, struct s3_problem *pr);

/*
 * A custom domain: a host that is none of `domains`, no address, and could name
 * a bucket. The name in *bucket borrows from the arena. Whether there is such a
 * bucket is for the caller to find out; then s3_uri_parse_custom takes the
 * target apart: the bucket is the host, the whole path is the key, the domain empty.
 */
bool s3_host_is_custom(struct arena *a, struct span host, const char *const *domains, struct span *bucket);
MUST_CHECK int s3_uri_parse_custom(struct arena *a, struct span target, struct span host, struct s3_uri *out,
    struct s3_problem *pr);

/* Is the host a bucket's under one of `website`, with no longer one of `domains` that fits? Then s3_uri_parse takes `website`. */
bool s3_host_is_website(struct arena *a, struct span host, const char *const *domains, const char *const *website);

/* Only the query. -1: InvalidURI. */
MUST_CHECK int s3_query_parse(struct arena *a, struct span raw, struct s3_query *out, struct s3_problem *pr);
/* The first of that name (case matters, as in S3), or NULL. */
const struct s3_param *s3_query_find(const struct s3_query *q, const char *name);
/* Its value; p is NULL when the parameter is not there, "" when it has none. */
struct span s3_query_get(const struct s3_query *q, const char *name);

/* Everything but A-Z a-z 0-9 - . _ ~ becomes %XX (upper case); uri_path leaves "/" too. */
void uri_path(struct strbuf *sb, struct span s);
void uri_query(struct strbuf *sb, struct span s);
/* Decode %XX once ("+" to blank if asked) into `out` of s.len bytes. The length, -1 when malformed. */
ssize_t uri_decode(struct span s, bool plus_is_blank, char *out);

#endif
