/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/chunk_seal.h - long runs of bytes under AES-256-GCM in chunks, so that any
 * of them can be opened alone.
 *
 * A run has a key of its own (chunk_seal_key derives it), so a chunk's number is
 * nonce enough; with it goes whether the chunk is the last. So a chunk that is
 * changed, moved, or of another run does not open, nor does a run that was cut
 * at a chunk's end. A run of no bytes is one empty chunk.
 */
#ifndef ANVIL_BASE_CHUNK_SEAL_H
#define ANVIL_BASE_CHUNK_SEAL_H

#include "base/base.h"

#define CHUNK_SEAL_KEY 32
#define CHUNK_SEAL_BYTES 65536 /* of every chunk but the last */
#define CHUNK_SEAL_TAG 16
#define CHUNK_SEAL_SIZE (CHUNK_SEAL_BYTES + CHUNK_SEAL_TAG)

/* The key of one run: `id` must be another for each run under `key`. */
void chunk_seal_key(const uint8_t key[CHUNK_SEAL_KEY], const void *id, size_t id_len, uint8_t out[CHUNK_SEAL_KEY]);

struct chunk_sealer;
/* One thread's. */
struct chunk_sealer *chunk_sealer_new(const uint8_t key[CHUNK_SEAL_KEY]);
void chunk_sealer_free(struct chunk_sealer *s); /* NULL is fine */
/* In place: len bytes at p, and the tag behind them. */
void chunk_seal(struct chunk_sealer *s, int64_t number, bool last, uint8_t *p, size_t len);
/* In place: len bytes at p of which the last CHUNK_SEAL_TAG are the tag. false: it is not what was sealed; p is wiped. */
MUST_CHECK bool chunk_open(struct chunk_sealer *s, int64_t number, bool last, uint8_t *p, size_t len);

/*
 * All chunks of a run of `size` bytes, in place: its chunk_seal_size bytes at p; the plain bytes stand together then. false:
 * it is not what was sealed.
 */
MUST_CHECK bool chunk_open_all(struct chunk_sealer *s, uint8_t *p, size_t size);

/* How many chunks, and bytes, hold a run of `size` bytes (0 or more, below 2^62). */
int64_t chunk_seal_count(int64_t size);
int64_t chunk_seal_size(int64_t size);

#endif
