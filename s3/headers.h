/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/headers.h - the request's headers, as a gateway behind CGI knows them:
 * names in lower case with "-" (CGI folds "_" and "-"), repeated ones joined
 * with ",", Content-Type and Content-Length among them.
 */
#ifndef ANVIL_S3_HEADERS_H
#define ANVIL_S3_HEADERS_H

#include "base/base.h"

struct s3_header {
	struct span name;
	struct span value;
};

struct s3_headers {
	const struct s3_header *h;
	size_t n;
};

/* The value; p is NULL when the header is not there. Case and "_" for "-" do not matter. */
struct span s3_header_span(const struct s3_headers *hs, struct span name);
#define s3_header_get(hs, name) s3_header_span((hs), span_of(name))
/* Are the two the same header name? */
bool s3_header_name_eq(struct span a, struct span b);
/* Without blanks and tabs at both ends. */
struct span s3_trim(struct span s);
/* ASCII letters' case does not matter. */
bool s3_ieq(struct span a, struct span b);
/* Does `s` begin with the lower-case `prefix`, whatever its own case? */
bool s3_istarts(struct span s, const char *prefix);
/*
 * The next element of a list divided by `sep`, trimmed; *rest moves behind it.
 * Empty elements are passed over. false at the end.
 */
bool s3_list_next(struct span *rest, char sep, struct span *item);

#endif
