/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/relay_headers.c - which headers a relay passes on, and as what.
 *
 * Owns:      nothing; the list is the caller's to free.
 * Invariant: a signed header leaves as it came; what belongs to one connection stays.
 */
#include "routing/relay_impl.h"

#include <strings.h>

#include "routing/hop.h"

/* Headers that belong to one connection and not to the request (RFC 9110, 7.6.1), and those that libcurl makes. */
bool
relay_header_stays(struct span name)
{
	static const char *const names[] = { "connection", "keep-alive",
		"proxy-connection", "proxy-authorization", "proxy-authenticate", "te",
		"trailer", "transfer-encoding", "upgrade", "expect", "host", "content-length",
		HOP_HEADER };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name.len == strlen(names[i]) && strncasecmp(name.p, names[i], name.len) == 0)
			return true;
	return false;
}

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = line == NULL ? NULL : curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool
has_header(const struct relay_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_headers; i++)
		if (rq->headers[i].name.len == strlen(name) &&
		    strncasecmp(rq->headers[i].name.p, name, rq->headers[i].name.len) == 0)
			return true;
	return false;
}

/* Every header as it came, with libcurl's own additions taken back. */
struct curl_slist *
relay_headers(struct arena *a, const struct relay_request *rq)
{
	static const char *const made_up[] = { "accept", "user-agent", "content-type" };
	struct curl_slist *list = NULL;
	bool ok = add_header(&list, arena_printf(a, "Host: %s", rq->host)) &&
	    add_header(&list, arena_printf(a, HOP_HEADER ": %s", rq->hop)) &&
	    add_header(&list, "Expect:");

	for (size_t i = 0; ok && i < rq->n_headers; i++) {
		const struct relay_header *h = &rq->headers[i];

		if (relay_header_stays(h->name))
			continue;
		/* "name;" is libcurl's way to say a header without a value. */
		ok = add_header(&list, h->value.len == 0
			? arena_printf(a, "%.*s;", (int)h->name.len, h->name.p)
			: arena_printf(a, "%.*s: %.*s", (int)h->name.len, h->name.p,
			      (int)h->value.len, h->value.p));
	}
	for (size_t i = 0; ok && i < ARRAY_LEN(made_up); i++)
		if (!has_header(rq, made_up[i]))
			ok = add_header(&list, arena_printf(a, "%s:", made_up[i]));
	if (ok && !rq->has_body && rq->content_length == 0)
		ok = add_header(&list, "Content-Length: 0"); /* it may be signed */
	if (ok && rq->has_body && rq->content_length < 0)
		ok = add_header(&list, "Transfer-Encoding: chunked");
	if (ok)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

