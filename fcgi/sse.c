/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/sse.c - encryption at rest: envelopes, and the bytes that rows hold.
 *
 * Owns:       data keys, until the request's arena is reset.
 * Called by:  fcgi/ops, blob_out.c, object_bytes.c.
 * Blocks:     sse_for_write on the cache, for a bucket that has a default.
 * Invariant:  a data key is one object's (or upload's) alone; only one run of bytes is sealed for the row.
 *             An envelope names neither bucket nor key, so that a rename is a change of the row.
 */
#include "fcgi/sse.h"

#include "base/chunk_seal.h"
#include "base/crypto.h"
#include "base/parse.h"

static void
wipe(void *arg)
{
	struct sse *s = arg;

	crypto_wipe(s->data_key, sizeof(s->data_key));
}

static struct sse *
sse_new(struct req *r, enum sse_kind kind)
{
	struct sse *s = ARENA_NEW(r->arena, struct sse);

	if (s == NULL || !arena_on_reset(r->arena, wipe, s)) {
		FAIL(&r->err, ERR_LIMIT, "arena is full");
		return NULL;
	}
	s->kind = kind;
	return s;
}

/* What seals a data key. */
static struct seal_key
wrapping_key(const struct req *r, enum sse_kind kind, const struct sse_request *rq)
{
	struct seal_key k = { 0 };

	if (kind == SSE_S3)
		return r->thread->settings->master;
	memcpy(k.key, rq->key, sizeof(k.key));
	return k;
}

static int
wrap(struct req *r, struct sse *s, const struct sse_request *rq)
{
	struct seal_key k = wrapping_key(r, s->kind, rq);
	uint8_t *e = arena_alloc(r->arena, SSE_ENVELOPE_LEN);

	if (e != NULL) {
		if (s->kind == SSE_S3)
			sse_envelope_s3(&k, s->data_key, e);
		else {
			e[0] = SSE_ENVELOPE_VERSION;
			e[1] = 'C';
			seal(&k, SSE_AAD_CUSTOMER, s->data_key, sizeof(s->data_key), e + SSE_ENVELOPE_HEAD);
		}
		s->envelope = (struct span){ (const char *)e, SSE_ENVELOPE_LEN };
	}
	crypto_wipe(&k, sizeof(k));
	return e != NULL ? 0 : FAIL(&r->err, ERR_LIMIT, "arena is full");
}

/* Does this key open it? */
static bool
unwrap(struct req *r, struct sse *s, const struct sse_request *rq)
{
	struct seal_key k = wrapping_key(r, s->kind, rq);
	bool ok = sse_envelope_open(&k, s->envelope, s->data_key);

	crypto_wipe(&k, sizeof(k));
	return ok;
}

/* ---- what a request asks for ---- */

static int
parse(struct req *r, enum sse_of of, struct sse_request *out)
{
	if (sse_names_key(&r->headers, of) && !r->secure && !r->thread->settings->sse_c_without_tls)
		return req_refuse(r, S3_InvalidRequest, "Requests specifying Server Side Encryption with Customer provided keys "
		    "must be made over a secure connection.", NULL, SPAN(""));
	if (sse_parse(&r->headers, of, out, &r->problem) != 0)
		return req_refused(r, "the encryption asked for is refused");
	return 0;
}

/* A bucket's default, for a request that says nothing itself. */
static int
bucket_default(struct req *r, enum sse_kind *out)
{
	struct s3_problem pr = { 0 };
	const char *doc;

	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_ENCRYPTION, &doc, &r->err) != 0)
		return -1;
	/* A default that cannot be read must not become none. */
	if (doc != NULL && sse_config_parse(r->arena, span_of(doc), out, &pr) != 0)
		return FAIL(&r->err, ERR_INTERNAL, "the bucket's default encryption cannot be read");
	return 0;
}

int
sse_for_write(struct req *r, struct sse **out)
{
	struct sse_request rq;
	struct sse *s;
	int rc = -1;

	*out = NULL;
	if (parse(r, SSE_OF_OBJECT, &rq) != 0 || (rq.kind == SSE_NONE && bucket_default(r, &rq.kind) != 0))
		return -1;
	if (rq.kind == SSE_NONE)
		return 0;
	s = sse_new(r, rq.kind);
	if (s != NULL) {
		s->key_md5 = rq.key_md5;
		crypto_random(s->data_key, sizeof(s->data_key));
		rc = wrap(r, s, &rq);
	}
	crypto_wipe(rq.key, sizeof(rq.key));
	*out = s;
	return rc;
}

static int
invalid(struct req *r, const char *message)
{
	return req_refuse(r, S3_InvalidRequest, message, NULL, SPAN(""));
}

/* What a client is told whose key is missing, is none that was asked for, or is another. */
struct words {
	const char *missing, *needless, *wrong;
	enum s3_code code_of_wrong;
};
static const struct words of_read = {
	"The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
	"The encryption parameters are not applicable to this object.",
	"Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
	S3_AccessDenied,
};
static const struct words of_part = {
	"The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption "
	"parameters.",
	"The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption "
	"parameters.",
	"The provided encryption parameters did not match the ones used originally.",
	S3_InvalidRequest,
};

/* The data key of an envelope, with what the request brings. */
static int
find_key(struct req *r, struct span envelope, const struct sse_request *rq, const struct words *w, struct sse **out)
{
	enum sse_kind kind = sse_envelope_kind(envelope);
	struct sse *s;

	if (kind == SSE_CUSTOMER && rq->kind != SSE_CUSTOMER)
		return invalid(r, w->missing);
	if (kind != SSE_CUSTOMER && rq->kind == SSE_CUSTOMER)
		return invalid(r, w->needless);
	if (kind == SSE_NONE)
		return 0;
	s = sse_new(r, kind);
	if (s == NULL)
		return -1;
	s->envelope = envelope;
	s->key_md5 = rq->key_md5;
	*out = s;
	if (unwrap(r, s, rq))
		return 0;
	if (kind == SSE_CUSTOMER)
		return req_refuse(r, w->code_of_wrong, w->wrong, NULL, SPAN(""));
	return FAIL(&r->err, ERR_INTERNAL, "an object's data key does not open with this master key");
}

static int
key_for(struct req *r, struct span envelope, enum sse_of of, const struct words *w, struct sse **out)
{
	struct sse_request rq;
	int rc;

	*out = NULL;
	if (parse(r, of, &rq) != 0)
		return -1;
	if (rq.kind == SSE_S3)
		return req_refuse(r, S3_InvalidArgument, "x-amz-server-side-encryption header is not supported for this operation.",
		    "ArgumentName", SPAN(SSE_HEADER));
	rc = find_key(r, envelope, &rq, w, out);
	crypto_wipe(rq.key, sizeof(rq.key));
	return rc;
}

int
sse_for_read(struct req *r, struct span envelope, enum sse_of of, struct sse **out)
{
	return key_for(r, envelope, of, &of_read, out);
}

int
sse_for_part(struct req *r, struct span envelope, struct sse **out)
{
	return key_for(r, envelope, SSE_OF_OBJECT, &of_part, out);
}

/* ---- answers ---- */

void
sse_reply(struct reply *rp, const struct sse *s)
{
	if (s == NULL)
		return;
	if (s->kind == SSE_S3) {
		reply_str(rp, SSE_HEADER, SSE_ALGORITHM);
		return;
	}
	reply_str(rp, SSE_HEADER "-customer-algorithm", SSE_ALGORITHM);
	reply_header(rp, SSE_HEADER "-customer-key-MD5", s->key_md5);
}

void
sse_reply_envelope(struct reply *rp, struct span envelope)
{
	if (sse_envelope_kind(envelope) == SSE_S3)
		reply_str(rp, SSE_HEADER, SSE_ALGORITHM);
}

const char *
sse_etag(struct req *r, const struct sse *s, const uint8_t md5_is[MD5_LEN])
{
	uint8_t sum[SHA256_LEN];
	char *hex = arena_alloc(r->arena, 2 * MD5_LEN + 1);

	if (hex == NULL)
		return NULL;
	memcpy(sum, md5_is, MD5_LEN);
	if (s != NULL && s->kind == SSE_CUSTOMER)
		hmac_sha256(s->data_key, sizeof(s->data_key), md5_is, MD5_LEN, sum);
	hex_encode(sum, MD5_LEN, hex);
	return hex;
}

/* ---- bytes ---- */

struct chunk_sealer *
sse_sealer_new(const struct sse *s, const uint8_t *blob_id)
{
	static const uint8_t in_the_row[BLOB_ID_LEN];
	uint8_t key[CHUNK_SEAL_KEY];
	struct chunk_sealer *sealer;

	if (s == NULL)
		return NULL;
	chunk_seal_key(s->data_key, blob_id != NULL ? blob_id : in_the_row, BLOB_ID_LEN, key);
	sealer = chunk_sealer_new(key);
	crypto_wipe(key, sizeof(key));
	return sealer;
}

/* Copies `from` chunk by chunk and seals each; `to` has room for chunk_seal_size. */
static void
seal_all(struct chunk_sealer *sealer, const char *from, size_t size, uint8_t *to)
{
	for (int64_t i = 0, n = chunk_seal_count((int64_t)size); i < n; i++) {
		size_t len = size < CHUNK_SEAL_BYTES ? size : CHUNK_SEAL_BYTES;

		if (len > 0)
			memcpy(to, from, len);
		chunk_seal(sealer, i, i == n - 1, to, len);
		from += len;
		to += len + CHUNK_SEAL_TAG;
		size -= len;
	}
}

int
sse_seal_inline(struct req *r, const struct sse *s, struct span *bytes)
{
	size_t size = (size_t)chunk_seal_size((int64_t)bytes->len);
	struct chunk_sealer *sealer;
	uint8_t *all;

	if (s == NULL)
		return 0;
	all = arena_alloc(r->arena, size);
	if (all == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	sealer = sse_sealer_new(s, NULL);
	seal_all(sealer, bytes->p, bytes->len, all);
	chunk_sealer_free(sealer);
	*bytes = (struct span){ (const char *)all, size };
	return 0;
}

int
sse_open_inline(struct req *r, const struct sse *s, int64_t size, struct span *bytes)
{
	struct chunk_sealer *sealer;
	uint8_t *all;
	bool ok;

	if (s == NULL)
		return 0;
	if ((int64_t)bytes->len != chunk_seal_size(size))
		return FAIL(&r->err, ERR_INTERNAL, "a row's sealed bytes are not as many as its size");
	all = arena_memdup(r->arena, bytes->p, bytes->len);
	if (all == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	sealer = sse_sealer_new(s, NULL);
	ok = chunk_open_all(sealer, all, (size_t)size);
	chunk_sealer_free(sealer);
	if (!ok)
		return FAIL(&r->err, ERR_INTERNAL, "a row's sealed bytes are not what was sealed");
	*bytes = (struct span){ (const char *)all, (size_t)size };
	return 0;
}
