/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/sendfile.c - which answers the web server may send from the file itself.
 *
 * Owns:       nothing.
 * Called by:  ops/get_object.c.
 * Blocks:     no.
 * Invariant:  where a server would answer otherwise than S3 does, we stream.
 *
 *   x-sendfile         mod_xsendfile: whole files; a request's Range is cut by us, so those are streamed.
 *                      It weighs the request's conditions again, and not as S3 does (unquoted ETags),
 *                      and drops Content-Encoding
 *   x-sendfile2        lighttpd: whole files and ranges. It cuts a 200 to the request's Range by itself:
 *                      a Range that S3 passes over (several, malformed) is streamed
 *   x-accel-redirect   nginx: drops every header it does not know, and judges conditions by the file;
 *                      its configuration gives the known headers back, and an answer that has others
 *                      (x-amz-meta-*) is streamed
 */
#include "fcgi/sendfile.h"

#include <limits.h>

static bool
wants(const struct req *r, const char *how)
{
	return strcmp(r->thread->settings->sendfile, how) == 0;
}

/* nginx evaluates these against the file: its time is not the object's, and it has no ETag. */
static bool
is_conditional(const struct req *r)
{
	static const char *const names[] = { "if-match", "if-none-match", "if-modified-since", "if-unmodified-since" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (req_header(r, names[i]).p != NULL)
			return true;
	return false;
}

/*
 * What contrib/nginx/anvil.conf.in gives back by name ("add_header"), and what nginx
 * keeps by itself. make lint compares the two. Lower case.
 */
static const char *const given_back[] = {
	"access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
	"access-control-allow-origin", "access-control-expose-headers", "access-control-max-age",
	"content-encoding", "content-language", "etag", "last-modified", "vary",
	"x-amz-bucket-region", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme",
	"x-amz-checksum-md5", "x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-sha512",
	"x-amz-checksum-type", "x-amz-checksum-xxhash128", "x-amz-checksum-xxhash3", "x-amz-checksum-xxhash64",
	"x-amz-expiration", "x-amz-id-2", "x-amz-mp-parts-count", "x-amz-object-lock-legal-hold",
	"x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-request-id", "x-amz-storage-class",
	"x-amz-tagging-count", "x-amz-version-id", "x-amz-website-redirect-location",
};
static const char *const kept[] = {
	"accept-ranges", "cache-control", "content-disposition", "content-type", "date", "expires", "status",
};

static bool
is_among(struct span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s3_ieq(name, span_of(names[i])))
			return true;
	return false;
}

static bool
nginx_keeps_all(const struct strbuf *head)
{
	const char *p = head->buf, *end = p + head->len, *colon, *lf;

	for (; p < end; p = lf + 1) {
		struct span name;

		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL || (colon = memchr(p, ':', (size_t)(lf - p))) == NULL)
			return false;
		name = (struct span){ p, (size_t)(colon - p) };
		if (!is_among(name, given_back, ARRAY_LEN(given_back)) && !is_among(name, kept, ARRAY_LEN(kept)))
			return false;
	}
	return true;
}

/* lighttpd: the path is URL-encoded, then the range with both ends. */
static void
sendfile2(struct reply *rp, const char *path, const struct range *range)
{
	struct strbuf sb;

	strbuf_init(&sb, rp->r->arena, 3 * PATH_MAX);
	uri_path(&sb, span_of(path));
	strbuf_printf(&sb, " %" PRId64 "-%" PRId64, range->first, range->first + range->len - 1);
	reply_str(rp, "X-Sendfile2", strbuf_cstr(&sb));
}

bool
sendfile_reply(struct reply *rp, const struct object *o, const struct object_meta *m, const struct range *range)
{
	struct req *r = rp->r;
	const struct settings *s = r->thread->settings;
	char path[PATH_MAX];
	bool has_range = req_header(r, "range").p != NULL;
	struct blob_id id;

	/* Sealed bytes are nothing that the web server could send. */
	if (!o->has_blob || o->sse.len > 0 || r->is_head || range->len < s->sendfile_min_bytes || wants(r, "none"))
		return false;
	/* Passed over by S3, not by the server. */
	if (has_range && (!range->partial || !wants(r, "x-sendfile2")))
		return false;
	/* Judged by S3's rules already. */
	if (!wants(r, "x-sendfile2") && is_conditional(r))
		return false;
	/* lighttpd goes by S3's rules, but for times to come. */
	if (req_header(r, "if-modified-since").p != NULL)
		return false;
	/* mod_xsendfile drops it */
	if (wants(r, "x-sendfile") && m->content_encoding.len > 0)
		return false;
	if (wants(r, "x-accel-redirect") && !nginx_keeps_all(&rp->head))
		return false;
	memcpy(id.b, o->blob_id.b, sizeof(id.b));
	if (!store_path(r->thread->store, &id, path, sizeof(path)))
		return false;
	if (wants(r, "x-sendfile2") && range->partial)
		sendfile2(rp, path, range);
	else if (wants(r, "x-accel-redirect")) {
		strbuf_str(&rp->head, "X-Accel-Redirect: ");
		strbuf_str(&rp->head, s->sendfile_prefix);
		strbuf_str(&rp->head, path + store_path_prefix(r->thread->store));
		strbuf_str(&rp->head, "\r\n");
	} else
		reply_str(rp, "X-Sendfile", path);
	r->http->bytes_out += range->len;
	return true;
}
