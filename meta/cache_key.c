/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_key.c - the only maker of memcached keys and places.
 *
 * Blocks:    no.
 * Invariant: every program of a cluster must agree on what cache_place gives,
 *            or an event would raise another slot than the readers look at.
 *            Whoever changes it changes PREFIX too: pages, values and keys of
 *            both makings then live beside each other and never meet.
 */
#include "meta/cache_key.h"

#include "base/crypto.h"
#include "base/parse.h"

#define PREFIX "a2:"

static const char letters[EVENT_KIND_COUNT] = {
#define EVENT_KIND(name, letter, doc) letter,
#include "meta/event.def"
#undef EVENT_KIND
};

char
event_letter(enum event_kind kind)
{
	ASSERT((unsigned)kind < EVENT_KIND_COUNT);
	return letters[kind];
}

bool
event_kind_of(char letter, enum event_kind *out)
{
	for (unsigned i = 0; i < EVENT_KIND_COUNT; i++)
		if (letters[i] == letter) {
			*out = (enum event_kind)i;
			return true;
		}
	return false;
}

void
cache_place(enum event_kind kind, struct span name, struct cache_place *out)
{
	char buf[256];
	struct hash *h;
	uint8_t sum[HASH_MAX_LEN];

	buf[0] = event_letter(kind);
	if (name.len < sizeof(buf)) { /* nearly always: no allocation */
		if (name.len > 0)
			memcpy(buf + 1, name.p, name.len);
		sha256(buf, name.len + 1, out->hash);
	} else {
		h = hash_new(HASH_SHA256);
		hash_update(h, buf, 1);
		hash_update(h, name.p, name.len);
		hash_final(h, sum);
		hash_free(h);
		memcpy(out->hash, sum, sizeof(out->hash));
	}
	/* The first 16 bytes are the memcached key; these are others. */
	out->page = out->hash[16] % CACHE_PAGES;
	out->slot = out->hash[17] % CACHE_SLOTS;
	out->spread = (uint32_t)out->hash[18] << 24 | (uint32_t)out->hash[19] << 16 |
	    (uint32_t)out->hash[20] << 8 | out->hash[21];
}

uint32_t
cache_addr_hash(const char *address)
{
	uint8_t h[SHA256_LEN];

	sha256(address, strlen(address), h);
	return (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
}

/* Rendezvous hashing: a server that comes or goes moves only its own share. */
uint32_t
cache_score(const struct cache_place *p, uint32_t addr_hash)
{
	uint64_t x = ((uint64_t)p->spread << 32 | addr_hash) * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return (uint32_t)x;
}

static size_t
key_begin(char *out, const char *region, char kind)
{
	size_t len = strlen(region);

	ASSERT(len <= CACHE_REGION_MAX);
	memcpy(out, PREFIX, sizeof(PREFIX) - 1);
	memcpy(out + sizeof(PREFIX) - 1, region, len);
	len += sizeof(PREFIX) - 1;
	out[len++] = ':';
	out[len++] = kind;
	return len;
}

/* Keys end in a hash ... */
static size_t
key_of_place(char *out, const char *region, char kind, const struct cache_place *p)
{
	size_t len = key_begin(out, region, kind);

	hex_encode(p->hash, 16, out + len); /* ends in NUL */
	return len + 32;
}

/* ... or in a number below 256. */
static size_t
key_of_number(char *out, const char *region, char kind, unsigned number)
{
	size_t len = key_begin(out, region, kind);
	uint8_t b = (uint8_t)number;

	hex_encode(&b, 1, out + len);
	return len + 2;
}

size_t
cache_key_value(char out[CACHE_MC_KEY_MAX], const char *region, enum event_kind kind, const struct cache_place *p)
{
	return key_of_place(out, region, event_letter(kind), p);
}

/* Capitals: no kind of metadata has one. */
size_t
cache_key_page(char out[CACHE_MC_KEY_MAX], const char *region, unsigned page)
{
	return key_of_number(out, region, 'P', page);
}

size_t
cache_key_report(char out[CACHE_MC_KEY_MAX], const char *region, unsigned place)
{
	return key_of_number(out, region, 'I', place);
}

size_t
cache_key_busy(char out[CACHE_MC_KEY_MAX], const char *region, const struct cache_place *p)
{
	return key_of_place(out, region, 'B', p);
}

size_t
cache_key_ack(char out[CACHE_MC_KEY_MAX], const char *region, const char *of)
{
	size_t len = key_begin(out, region, 'A');
	uint8_t h[SHA256_LEN];

	sha256(of, strlen(of), h);
	hex_encode(h, 16, out + len);
	return len + 32;
}
