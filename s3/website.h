/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/website.h - a bucket's website: the document, and what it says of a request:
 * which key is meant, and where to go instead. Served by fcgi/website.c.
 */
#ifndef ANVIL_S3_WEBSITE_H
#define ANVIL_S3_WEBSITE_H

#include "s3/bucket_config.h"

#define WEBSITE_RULES_MAX 50
#define WEBSITE_LOCATION_MAX 16384

/* Where to instead; p NULL: as it was asked. */
struct website_redirect {
	struct span protocol, host;
	struct span key, key_prefix; /* the whole key, or what stands for the prefix of the condition: one of them at most */
	int status;                  /* 301 ... */
};
struct website_rule {
	struct span prefix;          /* of the key; empty: any */
	int error;                   /* the status that was to be answered; 0: before anything is looked up */
	struct website_redirect to;
};
struct website {
	bool all;                    /* redirects all requests: only `to` counts */
	struct website_redirect to;
	struct span index, error;    /* error: p NULL when there is none */
	struct website_rule *rules;
	size_t n_rules;
};

/* For a bucket's document (s3/bucket_config.h). */
MUST_CHECK int s3_website_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* Of a stored document; false: it cannot be read. */
MUST_CHECK bool website_read(struct arena *a, const char *stored, struct website *out);

/* The first rule for that key; error 0: of those that ask for no error, else of those that ask for this one. */
const struct website_rule *website_match(const struct website *w, struct span key, int error);
/* Of a request, as the client sent it. */
struct website_request {
	const char *scheme;          /* "http" */
	struct span host, key;       /* host with its port; key decoded */
	struct span raw_query;
};
/* The URL to go to. prefix: of the rule's condition. */
void website_location(struct strbuf *sb, const struct website_redirect *to, struct span prefix, const struct website_request *rq);
/* "a/b" to "/a/b/": where the index of a folder is. */
void website_folder(struct strbuf *sb, struct span key);

#endif
