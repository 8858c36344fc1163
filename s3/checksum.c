/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/checksum.c - the table of checksums, computing several in one pass, and
 * the form in which an object keeps its own.
 *
 * Owns:       hash contexts, which go with the arena.
 * Called by:  fcgi/ops while bytes stream, s3/checksum_want.c.
 * Blocks:     no.
 */
#include "s3/checksum.h"

#include <isa-l/crc.h>
#include <xxhash.h>

#include "base/codec.h"
#include "base/parse.h"

const struct checksum_info checksum_table[CHECKSUM_COUNT] = {
#define CHECKSUM(id, name, header, xml, len, composite, full) { name, header, xml, len, composite, full },
#include "s3/checksum.def"
#undef CHECKSUM
};

enum checksum
checksum_by_name(struct span name)
{
	for (int i = 0; i < CHECKSUM_COUNT; i++)
		if (s3_ieq(name, span_of(checksum_table[i].name)))
			return (enum checksum)i;
	return CHECKSUM_NONE;
}

enum checksum
checksum_by_header(struct span header)
{
	for (int i = 0; i < CHECKSUM_COUNT; i++)
		if (s3_header_name_eq(header, span_of(checksum_table[i].header)))
			return (enum checksum)i;
	return CHECKSUM_NONE;
}

const char *
checksum_type_name(enum checksum_type t)
{
	return t == CHECKSUM_COMPOSITE ? "COMPOSITE" : "FULL_OBJECT";
}

/* --- computing --- */

/* What OpenSSL computes. MD5 is a row of the table, and the ETag, which is wanted without it. */
enum { SLOT_SHA1, SLOT_SHA256, SLOT_SHA512, SLOT_MD5, SLOTS };
static const struct {
	unsigned bit;
	enum hash_kind kind;
} slots[SLOTS] = {
	[SLOT_SHA1] = { CHECKSUM_BIT(CHECKSUM_SHA1), HASH_SHA1 },
	[SLOT_SHA256] = { CHECKSUM_BIT(CHECKSUM_SHA256), HASH_SHA256 },
	[SLOT_SHA512] = { CHECKSUM_BIT(CHECKSUM_SHA512), HASH_SHA512 },
	[SLOT_MD5] = { CHECKSUM_MD5_BIT | CHECKSUM_BIT(CHECKSUM_MD5), HASH_MD5 },
};

struct checksums {
	unsigned set;
	uint32_t crc32;
	uint32_t crc32c; /* inverted, as crc32_iscsi wants it */
	uint64_t crc64nvme;
	struct hash *hash[SLOTS]; /* NULL when not in the set, as those below */
	XXH64_state_t *xxh64;
	XXH3_state_t *xxh3, *xxh128;
};

static void
checksums_release(void *arg)
{
	struct checksums *c = arg;

	for (int i = 0; i < SLOTS; i++)
		hash_free(c->hash[i]);
	(void)XXH64_freeState(c->xxh64);
	(void)XXH3_freeState(c->xxh3);
	(void)XXH3_freeState(c->xxh128);
}

/* ---- xxHash: seed 0, written as its canonical form is, most significant byte first ---- */

static void
xxh_reset(struct checksums *c)
{
	if (c->xxh64 != NULL)
		(void)XXH64_reset(c->xxh64, 0);
	if (c->xxh3 != NULL)
		(void)XXH3_64bits_reset(c->xxh3);
	if (c->xxh128 != NULL)
		(void)XXH3_128bits_reset(c->xxh128);
}

static void
xxh_begin(struct checksums *c)
{
	if (c->set & CHECKSUM_BIT(CHECKSUM_XXHASH64) && (c->xxh64 = XXH64_createState()) == NULL)
		abort();
	if (c->set & CHECKSUM_BIT(CHECKSUM_XXHASH3) && (c->xxh3 = XXH3_createState()) == NULL)
		abort();
	if (c->set & CHECKSUM_BIT(CHECKSUM_XXHASH128) && (c->xxh128 = XXH3_createState()) == NULL)
		abort();
	xxh_reset(c);
}

static void
xxh_update(struct checksums *c, const void *p, size_t len)
{
	if (c->xxh64 != NULL)
		(void)XXH64_update(c->xxh64, p, len);
	if (c->xxh3 != NULL)
		(void)XXH3_64bits_update(c->xxh3, p, len);
	if (c->xxh128 != NULL)
		(void)XXH3_128bits_update(c->xxh128, p, len);
}

static void
checksums_begin(struct checksums *c, unsigned set)
{
	memset(c, 0, sizeof(*c));
	c->set = set;
	c->crc32c = UINT32_MAX;
	for (int i = 0; i < SLOTS; i++)
		if (set & slots[i].bit)
			c->hash[i] = hash_new(slots[i].kind);
	xxh_begin(c);
}

struct checksums *
checksums_new(struct arena *a, unsigned set)
{
	struct checksums *c = ARENA_NEW(a, struct checksums);

	if (c == NULL || !arena_on_reset(a, checksums_release, c))
		return NULL;
	checksums_begin(c, set);
	return c;
}

void
checksums_reset(struct checksums *c)
{
	c->crc32 = 0;
	c->crc32c = UINT32_MAX;
	c->crc64nvme = 0;
	for (int i = 0; i < SLOTS; i++)
		if (c->hash[i] != NULL)
			hash_reset(c->hash[i]);
	xxh_reset(c);
}

/* ISA-L's takes an int and forgot a const. */
static uint32_t
crc32c_update(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t n = len < INT_MAX ? len : INT_MAX;

		crc = crc32_iscsi((unsigned char *)(uintptr_t)p, (int)n, crc);
		p += n;
		len -= n;
	}
	return crc;
}

void
checksums_update(struct checksums *c, const void *p, size_t len)
{
	if (len == 0)
		return;
	if (c->set & CHECKSUM_BIT(CHECKSUM_CRC32))
		c->crc32 = crc32_gzip_refl(c->crc32, p, len);
	if (c->set & CHECKSUM_BIT(CHECKSUM_CRC32C))
		c->crc32c = crc32c_update(c->crc32c, p, len);
	if (c->set & CHECKSUM_BIT(CHECKSUM_CRC64NVME))
		c->crc64nvme = crc64nvme(c->crc64nvme, p, len);
	for (int i = 0; i < SLOTS; i++)
		if (c->hash[i] != NULL)
			hash_update(c->hash[i], p, len);
	xxh_update(c, p, len);
}

static void
store_be(uint8_t *out, uint64_t v, size_t len)
{
	for (size_t i = len; i-- > 0; v >>= 8)
		out[i] = (uint8_t)(v & 255);
}

/* Into `out` of the kind's length; zeros when it is not in the set. */
static void
hash_store(struct checksums *c, int slot, uint8_t *out)
{
	uint8_t sum[HASH_MAX_LEN];
	size_t n;

	if (c->hash[slot] == NULL)
		return;
	n = hash_final(c->hash[slot], sum);
	memcpy(out, sum, n);
}

static void
xxh_store(const struct checksums *c, struct checksum_values *out)
{
	if (c->xxh64 != NULL)
		store_be(out->v[CHECKSUM_XXHASH64], XXH64_digest(c->xxh64), 8);
	if (c->xxh3 != NULL)
		store_be(out->v[CHECKSUM_XXHASH3], XXH3_64bits_digest(c->xxh3), 8);
	if (c->xxh128 != NULL) {
		XXH128_hash_t h = XXH3_128bits_digest(c->xxh128);

		store_be(out->v[CHECKSUM_XXHASH128], h.high64, 8);
		store_be(out->v[CHECKSUM_XXHASH128] + 8, h.low64, 8);
	}
}

void
checksums_final(struct checksums *c, struct checksum_values *out)
{
	memset(out, 0, sizeof(*out));
	out->set = c->set;
	store_be(out->v[CHECKSUM_CRC32], c->crc32, 4);
	store_be(out->v[CHECKSUM_CRC32C], ~c->crc32c, 4);
	store_be(out->v[CHECKSUM_CRC64NVME], c->crc64nvme, 8);
	hash_store(c, SLOT_SHA1, out->v[CHECKSUM_SHA1]);
	hash_store(c, SLOT_SHA256, out->v[CHECKSUM_SHA256]);
	hash_store(c, SLOT_SHA512, out->v[CHECKSUM_SHA512]);
	hash_store(c, SLOT_MD5, out->md5);
	memcpy(out->v[CHECKSUM_MD5], out->md5, MD5_LEN);
	xxh_store(c, out);
}

void
checksum_of(enum checksum k, const void *p, size_t len, uint8_t out[CHECKSUM_BYTES_MAX])
{
	struct checksums c;
	struct checksum_values v;

	checksums_begin(&c, CHECKSUM_BIT(k));
	checksums_update(&c, p, len);
	checksums_final(&c, &v);
	checksums_release(&c);
	memcpy(out, v.v[k], CHECKSUM_BYTES_MAX);
}

/* --- text --- */

bool
checksum_parse_value(enum checksum c, struct span b64, uint8_t out[CHECKSUM_BYTES_MAX])
{
	uint8_t buf[CHECKSUM_BYTES_MAX];
	size_t len = checksum_table[c].len;

	if (base64_decode(b64, buf, sizeof(buf)) != (ssize_t)len)
		return false;
	memcpy(out, buf, len);
	return true;
}

void
checksum_text(const struct checksum_stored *s, char out[CHECKSUM_TEXT_SIZE])
{
	char b64[CHECKSUM_B64_SIZE];

	out[0] = '\0';
	if (s->algo == CHECKSUM_NONE)
		return;
	base64_encode(s->value, checksum_table[s->algo].len, b64);
	if (s->type == CHECKSUM_COMPOSITE)
		snprintf(out, CHECKSUM_TEXT_SIZE, "%s-%d", b64, s->parts);
	else
		snprintf(out, CHECKSUM_TEXT_SIZE, "%s", b64);
}

/* --- as stored: version, type, parts, name, value. The name, so that rows of checksum.def may move. --- */

#define STORED_VERSION 1

void
checksum_encode(struct strbuf *sb, const struct checksum_stored *s)
{
	if (s->algo == CHECKSUM_NONE)
		return;
	enc_u8(sb, STORED_VERSION);
	enc_u8(sb, (uint8_t)s->type);
	enc_u32(sb, (uint32_t)s->parts);
	enc_bytes(sb, checksum_table[s->algo].name, strlen(checksum_table[s->algo].name));
	enc_bytes(sb, s->value, checksum_table[s->algo].len);
}

bool
checksum_decode(struct span blob, struct checksum_stored *out)
{
	struct dec d;
	uint8_t version, type;
	uint32_t parts;
	struct span name, value;

	memset(out, 0, sizeof(*out));
	out->algo = CHECKSUM_NONE;
	if (blob.len == 0)
		return true;
	dec_init(&d, blob.p, blob.len);
	version = dec_u8(&d);
	type = dec_u8(&d);
	parts = dec_u32(&d);
	name = dec_bytes(&d, 32);
	value = dec_bytes(&d, CHECKSUM_BYTES_MAX);
	if (!dec_done(&d) || version != STORED_VERSION || type > CHECKSUM_COMPOSITE || parts > 10000)
		return false;
	out->algo = checksum_by_name(name);
	if (out->algo == CHECKSUM_NONE)
		return false;
	if (value.len != checksum_table[out->algo].len) {
		out->algo = CHECKSUM_NONE;
		return false;
	}
	out->type = (enum checksum_type)type;
	out->parts = (int)parts;
	memcpy(out->value, value.p, value.len);
	return true;
}
