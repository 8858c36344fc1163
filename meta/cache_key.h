/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_key.h - the only maker of memcached keys, and of the place that a
 * metadata key has in the stamp pages. Pure. A name may hold any bytes and any
 * length: it is hashed, never pasted; the value repeats the full name, so that
 * two names of one hash are told apart.
 */
#ifndef ANVIL_META_CACHE_KEY_H
#define ANVIL_META_CACHE_KEY_H

#include "meta/cache.h"

#define CACHE_SLOTS 256           /* of one page */
#define CACHE_MC_KEY_MAX 128      /* "a2:" region ":" letter, 32 hexadecimal digits, NUL */
#define CACHE_REGION_MAX 64       /* longest name of a region that fits */

/* Where a metadata key lives: the same in every region and program of one version. */
struct cache_place {
	uint8_t hash[32];         /* SHA-256 of letter and name */
	uint8_t page, slot;
	uint32_t spread;          /* picks the server */
};
void cache_place(enum event_kind kind, struct span name, struct cache_place *out);
/* Score of server i for the key; the highest wins, the next one when that is away. addr_hash: cache_addr_hash. */
uint32_t cache_score(const struct cache_place *p, uint32_t addr_hash);
uint32_t cache_addr_hash(const char *address);

char event_letter(enum event_kind kind);
/* false: a letter that this version does not know; treat the event as one for everything. */
bool event_kind_of(char letter, enum event_kind *out);

/* The memcached keys. Each returns its length. region is at most CACHE_REGION_MAX bytes without blanks. */
size_t cache_key_value(char out[CACHE_MC_KEY_MAX], const char *region, enum event_kind kind, const struct cache_place *p);
size_t cache_key_page(char out[CACHE_MC_KEY_MAX], const char *region, unsigned page);
/* Who reads a missing value from the database just now (meta/cache_busy.c). */
size_t cache_key_busy(char out[CACHE_MC_KEY_MAX], const char *region, const struct cache_place *p);
/* What `region` has heard `of` acknowledge. */
size_t cache_key_ack(char out[CACHE_MC_KEY_MAX], const char *region, const char *of);
/* What the invalidator in that place says of itself. */
size_t cache_key_report(char out[CACHE_MC_KEY_MAX], const char *region, unsigned place);

#endif
