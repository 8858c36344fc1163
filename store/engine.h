/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/engine.h - object bytes behind one small interface. An engine knows
 * blobs by their own id; no bucket, no key, no user, no SQL. Blobs are written
 * once, made durable by commit, never changed. Engines are rows of
 * store/engines.def; each is one struct store_ops in one file.
 *
 * What always holds:
 *  - a blob that commit gave an id for survives a power cut, whole;
 *  - a write that failed or was aborted leaves nothing; one whose process died
 *    leaves a leftover that store_sweep removes, or a blob that nobody names
 *    (an orphan, for maintain);
 *  - nobody ever sees a blob change, or part of one under an id he was given.
 */
#ifndef ANVIL_STORE_ENGINE_H
#define ANVIL_STORE_ENGINE_H

#include "base/err.h"
#include "base/settings.h"

#define BLOB_ID_LEN 16
struct blob_id {
	uint8_t b[BLOB_ID_LEN];
};

struct store;       /* one a process, thread-safe; opened after fork */
struct blob_writer; /* one thread's */
struct blob_reader; /* one thread's */

/*
 * Opens the engine that settings name and checks that it can work: the folder
 * is there, writable, on one filesystem. err->detail says what to do.
 */
MUST_CHECK int store_open(const struct settings *s, struct store **out, struct err *err);
void store_close(struct store *st); /* no writer or reader may be left; NULL is fine */

/* A new blob under a fresh id. size_hint: the announced size, -1 = unknown (room is asked for: ERR_NO_SPACE early). */
MUST_CHECK int store_create(struct store *st, int64_t size_hint, struct blob_writer **out, struct err *err);
/* Appends. ERR_NO_SPACE when the disk or quota is full; the writer is still the caller's, to abort. */
MUST_CHECK int blob_write(struct blob_writer *w, const void *p, size_t len, struct err *err);
/* The id that commit will give: it is fixed from the start. */
void blob_writer_id(const struct blob_writer *w, struct blob_id *id);
/* Durable (file and folder) when it returns 0; the writer is gone either way. On failure nothing is left behind. */
MUST_CHECK int blob_commit(struct blob_writer *w, struct blob_id *id, struct err *err);
/* Nothing is left behind. NULL is fine. */
void blob_abort(struct blob_writer *w);

/*
 * Another blob of the same bytes, without copying them. 1: *id is it, durable. 0: the engine, or this blob, cannot: copy
 * the bytes. -1: ERR_NOT_FOUND ... Each of the two lives on when the other is removed.
 */
MUST_CHECK int store_link(struct store *st, const struct blob_id *from, struct blob_id *id, struct err *err);

/* ERR_NOT_FOUND when there is no such blob. It can be read to its end even when it is removed meanwhile. */
MUST_CHECK int store_open_blob(struct store *st, const struct blob_id *id, struct blob_reader **out, struct err *err);
int64_t blob_size(const struct blob_reader *r);
/* Up to len bytes at offset; 0 at the end. */
MUST_CHECK int blob_read(struct blob_reader *r, int64_t offset, void *p, size_t len, size_t *got, struct err *err);
void blob_close(struct blob_reader *r); /* NULL is fine */
/*
 * Path of the file that holds exactly the blob's bytes, for sendfile; false
 * when the engine has none. For x-accel-redirect: the part after store_dir and
 * its slash begins at out + store_path_prefix(st).
 */
bool store_path(struct store *st, const struct blob_id *id, char *out, size_t out_size);
size_t store_path_prefix(const struct store *st);

/* 0 also when it was not there. Not made durable: a removal that a crash undoes is an orphan again. */
MUST_CHECK int store_remove(struct store *st, const struct blob_id *id, struct err *err);
/*
 * Every blob of one shard, in no order; a shard is the first 12 bits of the id.
 * For maintain and doctor, which can stop after any shard and go on there.
 * fn returns 0, or anything else to stop, which is then returned (-1: fn has set err).
 */
#define STORE_SHARDS 4096
typedef int (*store_each_fn)(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg);
MUST_CHECK int store_each(struct store *st, unsigned shard, store_each_fn fn, void *arg, struct err *err);
/* The range of ids that a shard holds, both ends included. */
void store_shard_range(unsigned shard, struct blob_id *first, struct blob_id *last);
/* Removes leftovers of writers that died, when older than min_age_s. Living writers are safe at any age. */
MUST_CHECK int store_sweep(struct store *st, int64_t min_age_s, int64_t *removed, struct err *err);
/* Bytes free (to us) and in all where blobs are kept. */
MUST_CHECK int store_space(struct store *st, int64_t *free_bytes, int64_t *total_bytes, struct err *err);

/* ---- for engines ---- */

struct store_ops {
	const char *name;
	int (*open)(const struct settings *s, struct store **out, struct err *err);
	void (*close)(struct store *st);
	int (*create)(struct store *st, int64_t size_hint, struct blob_writer **out, struct err *err);
	int (*write)(struct blob_writer *w, const void *p, size_t len, struct err *err);
	void (*id)(const struct blob_writer *w, struct blob_id *id);
	int (*commit)(struct blob_writer *w, struct blob_id *id, struct err *err);
	void (*abort)(struct blob_writer *w);
	int (*link)(struct store *st, const struct blob_id *from, struct blob_id *id, struct err *err); /* NULL: cannot */
	int (*open_blob)(struct store *st, const struct blob_id *id, struct blob_reader **out, struct err *err);
	int (*read)(struct blob_reader *r, int64_t offset, void *p, size_t len, size_t *got, struct err *err);
	void (*close_blob)(struct blob_reader *r);
	bool (*path)(struct store *st, const struct blob_id *id, char *out, size_t out_size); /* NULL: no files */
	size_t (*path_prefix)(const struct store *st);                                         /* NULL: no files */
	int (*remove)(struct store *st, const struct blob_id *id, struct err *err);
	int (*each)(struct store *st, unsigned shard, store_each_fn fn, void *arg, struct err *err);
	int (*sweep)(struct store *st, int64_t min_age_s, int64_t *removed, struct err *err);
	int (*space)(struct store *st, int64_t *free_bytes, int64_t *total_bytes, struct err *err);
};
/* Each engine's own structs begin with these. */
struct store {
	const struct store_ops *ops;
};
struct blob_writer {
	const struct store_ops *ops;
};
struct blob_reader {
	const struct store_ops *ops;
	int64_t size;
};
#define ENGINE(name, ops, doc) extern const struct store_ops ops;
#include "store/engines.def"
#undef ENGINE

#endif
