/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/store.c - from the calls of store/engine.h to the engine that the
 * settings name.
 *
 * Owns:      nothing.
 * Called by: fcgi/ and admin/.
 * Blocks:    on the engine's disk or network.
 */
#include "store/engine.h"

static const struct {
	const char *name;
	const struct store_ops *ops;
} engines[] = {
#define ENGINE(name, ops, doc) { #name, &ops },
#include "store/engines.def"
#undef ENGINE
};

int
store_open(const struct settings *s, struct store **out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		if (strcmp(engines[i].name, s->store_engine) == 0)
			return engines[i].ops->open(s, out, err);
	return FAIL(err, ERR_INVALID, "store_engine \"%s\" is none that this program has", s->store_engine);
}

void
store_close(struct store *st)
{
	if (st != NULL)
		st->ops->close(st);
}

int
store_create(struct store *st, int64_t size_hint, struct blob_writer **out, struct err *err)
{
	return st->ops->create(st, size_hint, out, err);
}

int
blob_write(struct blob_writer *w, const void *p, size_t len, struct err *err)
{
	return w->ops->write(w, p, len, err);
}

void
blob_writer_id(const struct blob_writer *w, struct blob_id *id)
{
	w->ops->id(w, id);
}

int
blob_commit(struct blob_writer *w, struct blob_id *id, struct err *err)
{
	return w->ops->commit(w, id, err);
}

void
blob_abort(struct blob_writer *w)
{
	if (w != NULL)
		w->ops->abort(w);
}

int
store_link(struct store *st, const struct blob_id *from, struct blob_id *id, struct err *err)
{
	return st->ops->link == NULL ? 0 : st->ops->link(st, from, id, err);
}

int
store_open_blob(struct store *st, const struct blob_id *id, struct blob_reader **out, struct err *err)
{
	return st->ops->open_blob(st, id, out, err);
}

int64_t
blob_size(const struct blob_reader *r)
{
	return r->size;
}

int
blob_read(struct blob_reader *r, int64_t offset, void *p, size_t len, size_t *got, struct err *err)
{
	*got = 0;
	if (offset < 0 || offset >= r->size)
		return 0;
	return r->ops->read(r, offset, p, len, got, err);
}

void
blob_close(struct blob_reader *r)
{
	if (r != NULL)
		r->ops->close_blob(r);
}

bool
store_path(struct store *st, const struct blob_id *id, char *out, size_t out_size)
{
	return st->ops->path != NULL && st->ops->path(st, id, out, out_size);
}

size_t
store_path_prefix(const struct store *st)
{
	return st->ops->path_prefix == NULL ? 0 : st->ops->path_prefix(st);
}

int
store_remove(struct store *st, const struct blob_id *id, struct err *err)
{
	return st->ops->remove(st, id, err);
}

int
store_each(struct store *st, unsigned shard, store_each_fn fn, void *arg, struct err *err)
{
	ASSERT(shard < STORE_SHARDS);
	return st->ops->each(st, shard, fn, arg, err);
}

void
store_shard_range(unsigned shard, struct blob_id *first, struct blob_id *last)
{
	ASSERT(shard < STORE_SHARDS);
	memset(first, 0x00, sizeof(*first));
	memset(last, 0xff, sizeof(*last));
	first->b[0] = last->b[0] = (uint8_t)(shard >> 4);
	first->b[1] = (uint8_t)((shard & 0xf) << 4);
	last->b[1] = (uint8_t)(first->b[1] | 0xf);
}

int
store_sweep(struct store *st, int64_t min_age_s, int64_t *removed, struct err *err)
{
	*removed = 0;
	return st->ops->sweep(st, min_age_s, removed, err);
}

int
store_space(struct store *st, int64_t *free_bytes, int64_t *total_bytes, struct err *err)
{
	return st->ops->space(st, free_bytes, total_bytes, err);
}
