/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/crc64nvme.c - CRC-64/NVME (polynomial ad93d23594c93659, reflected, all ones
 * in and out), which ISA-L has only from 2.31 on.
 *
 * Owns:       tables, made once for the process and read-only afterwards.
 * Called by:  s3/checksum.c.
 * Blocks:     no.
 *
 * With carry-less multiplication 64 bytes are folded at a time (Gopal et al.,
 * "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009);
 * what is left, and machines without, take eight bytes at a time by table.
 */
#include "s3/checksum.h"

#include <pthread.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define POLY UINT64_C(0x9a6c9329ac4bc9b5) /* reflected */

static uint64_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void
table_make(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ POLY : c >> 1;
		table[0][i] = c;
	}
	for (unsigned i = 0; i < 256; i++)
		for (unsigned t = 1; t < 8; t++)
			table[t][i] = table[0][table[t - 1][i] & 255] ^ table[t - 1][i] >> 8;
}

static uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* On the inverted state. */
static uint64_t
crc_table(uint64_t c, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		c ^= load64(p);
		c = table[7][c & 255] ^ table[6][c >> 8 & 255] ^ table[5][c >> 16 & 255] ^
		    table[4][c >> 24 & 255] ^ table[3][c >> 32 & 255] ^ table[2][c >> 40 & 255] ^
		    table[1][c >> 48 & 255] ^ table[0][c >> 56];
	}
	for (; len > 0; p++, len--)
		c = table[0][(c ^ *p) & 255] ^ c >> 8;
	return c;
}

#if defined(__x86_64__)
/* x^(D+63) and x^(D-1) modulo the polynomial, reflected, for D = 512 and 128 bits. */
#define FOLD_512_HI INT64_C(0x0c32cdb31e18a84a)
#define FOLD_512_LO INT64_C(0x62242240ace5045a)
#define FOLD_128_HI (-INT64_C(0x1523be02d45c2be0)) /* 0xeadc41fd2ba3d420 */
#define FOLD_128_LO INT64_C(0x21e9761e252621ac)

__attribute__((target("pclmul,sse2"))) static inline __m128i
fold(__m128i v, __m128i k, __m128i next)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(v, k, 0x00), _mm_clmulepi64_si128(v, k, 0x11)), next);
}

static inline __m128i
load128(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* len >= 64. */
__attribute__((target("pclmul,sse2"))) static uint64_t
crc_clmul(uint64_t c, const uint8_t *p, size_t len)
{
	const __m128i k512 = _mm_set_epi64x(FOLD_512_LO, FOLD_512_HI);
	const __m128i k128 = _mm_set_epi64x(FOLD_128_LO, FOLD_128_HI);
	__m128i a = _mm_xor_si128(load128(p), _mm_set_epi64x(0, (int64_t)c));
	__m128i b = load128(p + 16), d = load128(p + 32), e = load128(p + 48);
	uint8_t rest[16];

	for (p += 64, len -= 64; len >= 64; p += 64, len -= 64) {
		a = fold(a, k512, load128(p));
		b = fold(b, k512, load128(p + 16));
		d = fold(d, k512, load128(p + 32));
		e = fold(e, k512, load128(p + 48));
	}
	b = fold(a, k128, b);
	d = fold(b, k128, d);
	e = fold(d, k128, e);
	for (; len >= 16; p += 16, len -= 16)
		e = fold(e, k128, load128(p));
	_mm_storeu_si128((__m128i *)(void *)rest, e);
	return crc_table(crc_table(0, rest, sizeof(rest)), p, len);
}
#endif

uint64_t
crc64nvme_portable(uint64_t crc, const void *p, size_t len)
{
	pthread_once(&table_once, table_make);
	return ~crc_table(~crc, p, len);
}

uint64_t
crc64nvme(uint64_t crc, const void *p, size_t len)
{
#if defined(__x86_64__)
	if (len >= 128 && __builtin_cpu_supports("pclmul")) {
		pthread_once(&table_once, table_make);
		return ~crc_clmul(~crc, p, len);
	}
#endif
	return crc64nvme_portable(crc, p, len);
}
