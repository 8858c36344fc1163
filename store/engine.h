/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/engine.h - object bytes behind one small interface. An engine knows
 * blobs by their own id; no bucket, no key, no user, no SQL. Blobs are written
 * once, made durable by commit, never changed. Rows of store/engines.def.
 */
#ifndef ANVIL_STORE_ENGINE_H
#define ANVIL_STORE_ENGINE_H

#include "base/err.h"
#include "base/settings.h"

#define BLOB_ID_LEN 16
struct blob_id {
	uint8_t b[BLOB_ID_LEN];
};

struct store;       /* one a process, thread-safe */
struct blob_writer; /* one thread's */
struct blob_reader;

MUST_CHECK int store_open(const struct settings *s, struct store **out, struct err *err);
void store_close(struct store *st);

/* A new blob under a fresh id. size_hint: the announced size, -1 = unknown (room is asked for: ERR_NO_SPACE early). */
MUST_CHECK int store_create(struct store *st, int64_t size_hint, struct blob_writer **out, struct err *err);
MUST_CHECK int blob_write(struct blob_writer *w, const void *p, size_t len, struct err *err);
/* Durable (file and folder) when it returns 0; the writer is gone either way. On failure nothing is left behind. */
MUST_CHECK int blob_commit(struct blob_writer *w, struct blob_id *id, struct err *err);
/* Nothing is left behind. NULL is fine. */
void blob_abort(struct blob_writer *w);

/* ERR_NOT_FOUND when there is no such blob. */
MUST_CHECK int store_open_blob(struct store *st, const struct blob_id *id, struct blob_reader **out, struct err *err);
int64_t blob_size(const struct blob_reader *r);
/* Up to len bytes at offset; 0 at the end. */
MUST_CHECK int blob_read(struct blob_reader *r, int64_t offset, void *p, size_t len, size_t *got, struct err *err);
void blob_close(struct blob_reader *r);
/* Path of the file that holds exactly the blob's bytes, for sendfile; false when the engine has none. */
bool store_path(struct store *st, const struct blob_id *id, char *out, size_t out_size);

/* 0 also when it was not there. */
MUST_CHECK int store_remove(struct store *st, const struct blob_id *id, struct err *err);
/* Every blob (and leftovers of crashed writers older than min_age_s, which it removes): for maintain and doctor. */
typedef int (*store_each_fn)(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg);
MUST_CHECK int store_each(struct store *st, int64_t min_age_s, store_each_fn fn, void *arg, struct err *err);
/* Bytes free and in all where blobs are kept. */
MUST_CHECK int store_space(struct store *st, int64_t *free_bytes, int64_t *total_bytes, struct err *err);

#endif
