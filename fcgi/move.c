/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/move.c - rows and bytes of a bucket that leaves this region, for the region that it goes to.
 *
 * Owns:       the blob that is being sent.
 * Called by:  service.c.
 * Blocks:     on both databases and the store; freezing also on the bucket's writes under way.
 * Invariant:  answers only who has the cluster's secret and asks as a mover does; begins, thaws and ends only what the
 *             primary global database says.
 */
#include "fcgi/move.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "base/parse.h"
#include "fcgi/respond.h"
#include "meta/move.h"
#include "routing/move.h"

#define COLUMNS_MAX 16384
#define HEAD_MAX (COLUMNS_MAX + MOVE_HEAD_MAX)

struct asked {
	struct req *r;
	struct uuid bucket, move;
};

bool
move_is(const struct req *r)
{
	return r->hop_from != NULL && strcmp(r->hop_domain, HOP_MOVE) == 0 && r->key.len > strlen(MOVE_KEY) &&
	    memcmp(r->key.p, MOVE_KEY, strlen(MOVE_KEY)) == 0;
}

static int
bad(struct req *r, const char *name)
{
	return req_refuse(r, S3_InvalidArgument, "The question of a bucket's mover cannot be read.", "ArgumentName", span_of(name));
}

static int
number(struct req *r, const char *name, int64_t *out)
{
	return parse_i64(req_param(r, name), 0, INT64_MAX, out) ? 0 : bad(r, name);
}

static void
begin(struct req *r, struct strbuf *sb)
{
	strbuf_init(sb, r->arena, HEAD_MAX);
	enc_u8(sb, MOVE_VERSION);
}

static int
send(struct req *r, const struct strbuf *head, struct span more)
{
	struct reply rp;

	if (!strbuf_ok(head))
		return FAIL(&r->err, ERR_LIMIT, "an answer to a bucket's mover is too long");
	reply_begin(&rp, r, 200);
	reply_str(&rp, "Content-Type", "application/octet-stream");
	reply_i64(&rp, "Content-Length", (int64_t)(head->len + more.len));
	if (reply_head(&rp) != 0)
		return -1;
	if (http_write(r->http, head->buf, head->len) != 0 || (more.len > 0 && http_write(r->http, more.p, more.len) != 0))
		return FAIL(&r->err, ERR_CLOSED, "the region that asked went away");
	return 0;
}

static int
out(struct asked *k)
{
	struct req *r = k->r;
	enum moving_out outcome;
	const char *columns;
	struct strbuf sb;

	if (meta_moving_out(r->thread->meta, r->arena, &k->bucket, &k->move, &outcome, &columns, &r->err) != 0)
		return -1;
	begin(r, &sb);
	enc_u8(&sb, (uint8_t)outcome);
	enc_str(&sb, columns);
	return send(r, &sb, SPAN(""));
}

static int
send_page(struct req *r, const struct moving_page *p)
{
	struct strbuf sb;

	begin(r, &sb);
	enc_str(&sb, p->next);
	enc_i64(&sb, p->rows);
	enc_i64(&sb, p->remaining);
	enc_u32(&sb, (uint32_t)p->items.len);
	return send(r, &sb, p->items);
}

static int
page(struct asked *k)
{
	struct req *r = k->r;
	struct span after = req_param(r, "after");
	struct moving_page p;

	if (span_eq(after, SPAN(MOVE_FROM_START)))
		after = SPAN("");
	if (meta_moving_page(r->thread->meta, r->arena, &k->bucket, &k->move, after, MOVE_PAGE_ROWS,
	        MOVE_PAGE_BYTES, &p, &r->err) != 0)
		return -1;
	return send_page(r, &p);
}

static int
changes(struct asked *k)
{
	struct req *r = k->r;
	struct moving_page p;
	int64_t batch, done;

	if (number(r, "batch", &batch) != 0 || number(r, "done", &done) != 0 ||
	    meta_moving_changes(r->thread->meta, r->arena, &k->bucket, &k->move, batch, done, MOVE_PAGE_ROWS, &p, &r->err) != 0)
		return -1;
	return send_page(r, &p);
}

static int
freeze(struct asked *k)
{
	struct req *r = k->r;
	struct strbuf sb;
	int64_t no;
	bool frozen;

	if (number(r, "no", &no) != 0 ||
	    meta_moving_freeze(r->thread->meta, r->arena, &k->bucket, &k->move, no, &frozen, &r->err) != 0)
		return -1;
	begin(r, &sb);
	enc_u8(&sb, frozen);
	return send(r, &sb, SPAN(""));
}

static int
settle(struct asked *k)
{
	struct req *r = k->r;
	const char *state;
	struct strbuf sb;
	bool home;

	if (meta_moving_settle(r->thread->meta, r->arena, &k->bucket, &k->move, &state, &home, &r->err) != 0)
		return -1;
	begin(r, &sb);
	enc_str(&sb, state);
	return send(r, &sb, SPAN(""));
}

/* What the blob's row says of it, so that whoever gets the bytes can tell whether they are those. */
static int
blob_head(struct req *r, const struct uuid *id, int64_t stored, struct strbuf *sb)
{
	struct moving_bytes row;
	struct strbuf head;
	int named = meta_moving_blob(r->thread->meta, r->arena, id, &row, &r->err);

	if (named < 0)
		return -1;
	strbuf_init(&head, r->arena, MOVE_HEAD_MAX);
	enc_i64(&head, stored);
	enc_u8(&head, (uint8_t)named);
	if (named == 1) {
		enc_bytes(&head, row.key.p, row.key.len);
		enc_i64(&head, row.part_no);
		enc_i64(&head, row.size);
		enc_str(&head, row.etag);
		enc_bytes(&head, row.checksums.p, row.checksums.len);
		enc_bytes(&head, row.sse.p, row.sse.len);
		strbuf_add(&head, row.sealed_as.b, UUID_LEN);
	}
	begin(r, sb);
	enc_bytes(sb, head.buf, head.len);
	return strbuf_ok(&head) && strbuf_ok(sb) ? 0 : FAIL(&r->err, ERR_LIMIT, "an answer to a bucket's mover is too long");
}

static int
send_bytes(struct req *r, const void *p, size_t len)
{
	return http_write(r->http, p, len) == 0 ? 0 : FAIL(&r->err, ERR_CLOSED, "the region that asked went away");
}

static int
send_all(struct req *r, struct blob_reader *blob, struct hash *sum)
{
	int64_t size = blob_size(blob);
	size_t n;

	for (int64_t at = 0; at < size; at += (int64_t)n) {
		if (blob_read(blob, at, r->thread->buf, r->thread->buf_size, &n, &r->err) != 0)
			return -1;
		if (n == 0)
			return FAIL(&r->err, ERR_INTERNAL, "a blob is shorter than it was");
		hash_update(sum, r->thread->buf, n);
		if (send_bytes(r, r->thread->buf, n) != 0)
			return -1;
	}
	return 0;
}

static int
send_blob(struct req *r, const struct uuid *id, struct blob_reader *blob)
{
	uint8_t digest[HASH_MAX_LEN];
	struct hash *sum;
	struct strbuf sb;
	struct reply rp;
	int rc;

	if (blob_head(r, id, blob_size(blob), &sb) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	reply_str(&rp, "Content-Type", "application/octet-stream");
	reply_i64(&rp, "Content-Length", (int64_t)sb.len + blob_size(blob) + SHA256_LEN);
	if (reply_head(&rp) != 0 || send_bytes(r, sb.buf, sb.len) != 0)
		return -1;
	sum = hash_new(HASH_SHA256);
	rc = send_all(r, blob, sum);
	if (rc == 0)
		rc = send_bytes(r, digest, hash_final(sum, digest));
	hash_free(sum);
	return rc;
}

static int
blob(struct req *r)
{
	struct span text = req_param(r, "id");
	struct blob_reader *reader;
	struct err why = { 0 };
	struct blob_id id;
	struct uuid u;
	int rc;

	if (!uuid_parse(text, &u))
		return bad(r, "id");
	memcpy(id.b, u.b, sizeof(id.b));
	if (store_open_blob(r->thread->store, &id, &reader, &why) != 0) {
		if (why.code == ERR_NOT_FOUND)
			return req_refuse(r, S3_NoSuchKey, NULL, "Key", text);
		return err_fail(&r->err, why.code, why.where, "%s", why.detail);
	}
	rc = send_blob(r, &u, reader);
	blob_close(reader);
	return rc;
}

int
move_answer(struct req *r)
{
	static const struct {
		const char *name;
		int (*fn)(struct asked *k);
	} questions[] = { { "out", out }, { "page", page }, { "changes", changes }, { "freeze", freeze }, { "settle", settle } };
	struct span what = { r->key.p + strlen(MOVE_KEY), r->key.len - strlen(MOVE_KEY) };
	struct asked k = { .r = r };

	r->route = "move";
	if (span_eq(what, SPAN("blob")))
		return blob(r);
	if (!uuid_parse(req_param(r, "bucket"), &k.bucket))
		return bad(r, "bucket");
	if (!uuid_parse(req_param(r, "move"), &k.move))
		return bad(r, "move");
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		if (span_eq(what, span_of(questions[i].name)))
			return questions[i].fn(&k);
	return bad(r, "question");
}
