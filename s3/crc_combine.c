/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/crc_combine.c - the CRC of two stretches of bytes from the CRC of each, so
 * that an object of 10,000 parts needs no second look at its bytes.
 *
 * Owns:       nothing.
 * Called by:  s3/multipart.c.
 * Blocks:     no.
 *
 * A CRC is a polynomial modulo P over GF(2), and n bytes behind it multiply it by
 * x^(8n): crc(AB) = crc(A) x^(8 len(B)) + crc(B), the ones in and out cancelling.
 * Polynomials are reflected: the highest bit is x^0.
 */
#include "s3/checksum.h"

struct crc {
	uint64_t poly;
	int bits;
};

static struct crc
crc_of(enum checksum c)
{
	if (c == CHECKSUM_CRC32)
		return (struct crc){ 0xedb88320, 32 };
	if (c == CHECKSUM_CRC32C)
		return (struct crc){ 0x82f63b78, 32 };
	ASSERT(c == CHECKSUM_CRC64NVME);
	return (struct crc){ UINT64_C(0x9a6c9329ac4bc9b5), 64 };
}

static uint64_t
multiply(const struct crc *k, uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (uint64_t m = UINT64_C(1) << (k->bits - 1); m != 0; m >>= 1) {
		if (a & m)
			product ^= b;
		b = b & 1 ? b >> 1 ^ k->poly : b >> 1;
	}
	return product;
}

/* x^(8 n) */
static uint64_t
shift_by(const struct crc *k, int64_t n)
{
	uint64_t power = UINT64_C(1) << (k->bits - 1 - 8), shift = UINT64_C(1) << (k->bits - 1);

	for (; n > 0; n >>= 1) {
		if (n & 1)
			shift = multiply(k, shift, power);
		power = multiply(k, power, power);
	}
	return shift;
}

static uint64_t
load_be(const uint8_t *p, int bits)
{
	uint64_t v = 0;

	for (int i = 0; i < bits / 8; i++)
		v = v << 8 | p[i];
	return v;
}

void
checksum_combiner_init(struct checksum_combiner *cc, enum checksum c)
{
	*cc = (struct checksum_combiner){ .kind = c, .len = -1 };
}

void
checksum_combine(struct checksum_combiner *cc, const uint8_t *next, int64_t len)
{
	struct crc k = crc_of(cc->kind);

	if (len != cc->len) { /* parts are mostly of one length */
		cc->len = len;
		cc->shift = shift_by(&k, len);
	}
	cc->crc = multiply(&k, cc->shift, cc->crc) ^ load_be(next, k.bits);
}

void
checksum_combined(const struct checksum_combiner *cc, uint8_t out[CHECKSUM_BYTES_MAX])
{
	size_t len = checksum_table[cc->kind].len;
	uint64_t v = cc->crc;

	memset(out, 0, CHECKSUM_BYTES_MAX);
	for (size_t i = len; i-- > 0; v >>= 8)
		out[i] = (uint8_t)(v & 0xff);
}
