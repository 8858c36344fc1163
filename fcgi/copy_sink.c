/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy_sink.c - the bytes of a copy on their way.
 *
 * Owns:       the new blob's writer.
 * Called by:  fcgi/ops.
 * Blocks:     on the store, and on the client when a blank is due.
 * Invariant:  a copy must not make of a broken object a sound one: of a whole source, ETag and checksum are compared.
 */
#include "fcgi/copy_sink.h"

#include "base/log.h"
#include "fcgi/respond.h"

bool
copy_etag_is_md5(const struct copy_source *s)
{
	return s->sealed != SSE_CUSTOMER && strlen(s->o.etag) == 2 * MD5_LEN;
}

int
copy_sink_open(struct req *r, const struct copy_source *s, const struct sse *sse, bool in_row, unsigned set,
    struct copy_sink *out)
{
	*out = (struct copy_sink){ .r = r, .sse = sse };
	if (!checksum_decode(s->o.checksums, &out->known))
		return FAIL(&r->err, ERR_INTERNAL, "an object's stored checksum cannot be read");
	if (out->known.algo != CHECKSUM_NONE && out->known.type == CHECKSUM_FULL_OBJECT)
		set |= CHECKSUM_BIT(out->known.algo);
	out->sums = checksums_new(r->arena, set);
	out->to_blob = !in_row || s->len > r->thread->settings->inline_max_bytes;
	if (!out->to_blob)
		out->row = arena_alloc(r->arena, (size_t)s->len + 1);
	if (out->sums == NULL || (!out->to_blob && out->row == NULL))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return out->to_blob ? blob_out_open(r, sse, s->len, &out->out) : 0;
}

int
copy_sink_take(struct copy_sink *k, const struct copy_source *s, const void *p, size_t len)
{
	if ((int64_t)len > s->len - k->taken)
		return FAIL(&k->r->err, ERR_INTERNAL, "a copy's source has more bytes than its row says");
	checksums_update(k->sums, p, len);
	if (!k->to_blob)
		memcpy(k->row + k->taken, p, len);
	k->taken += (int64_t)len;
	if (k->to_blob && blob_out_write(&k->out, p, len) != 0)
		return -1;
	return reply_keep_alive(k->r);
}

static int
check(struct copy_sink *k, const struct copy_source *s, const struct checksum_values *got)
{
	char hex[2 * MD5_LEN + 1];
	bool whole = s->len == s->o.size;

	hex_encode(got->md5, MD5_LEN, hex);
	if (k->taken == s->len && (!whole || !copy_etag_is_md5(s) || strcmp(hex, s->o.etag) == 0) &&
	    (!whole || k->known.algo == CHECKSUM_NONE || k->known.type != CHECKSUM_FULL_OBJECT ||
		memcmp(got->v[k->known.algo], k->known.value, checksum_table[k->known.algo].len) == 0))
		return 0;
	FAIL(&k->r->err, ERR_INTERNAL, "a copy's source is not what its row says");
	log_event(k->r->id, EV_STORE_FAILED, LS("detail", k->r->err.detail));
	return -1;
}

int
copy_sink_end(struct copy_sink *k, const struct copy_source *s, struct checksum_values *got, struct object *o)
{
	checksums_final(k->sums, got);
	if (check(k, s, got) != 0)
		return -1;
	o->size = k->taken;
	if (!k->to_blob) {
		o->inline_data = (struct span){ k->row, (size_t)k->taken };
		return sse_seal_inline(k->r, k->sse, &o->inline_data);
	}
	if (blob_out_commit(&k->out, &o->blob_id) != 0)
		return -1;
	o->has_blob = true;
	return 0;
}

void
copy_sink_abort(struct copy_sink *k)
{
	if (k->to_blob)
		blob_out_abort(&k->out);
}
