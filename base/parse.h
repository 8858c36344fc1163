/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/parse.h - numbers and small tokens from untrusted text, and checked
 * arithmetic. Nothing here reads past an end or accepts half a number.
 */
#ifndef ANVIL_BASE_PARSE_H
#define ANVIL_BASE_PARSE_H

#include "base/base.h"

/* A decimal number: digits, "-" only if min < 0, no sign "+", no blanks, whole span. */
bool parse_i64(struct span s, int64_t min, int64_t max, int64_t *out);
/* The same from a cursor: reads digits up to the first other byte, moves *cur behind them. */
bool parse_i64_prefix(const char **cur, const char *end, int64_t min, int64_t max, int64_t *out);
/* Hexadecimal digits, 1 to 16 of them, whole span. */
bool parse_hex_u64(struct span s, uint64_t *out);

int hex_digit(char c); /* 0 to 15 of either case, or -1 */
bool hex_decode(struct span hex, uint8_t *out, size_t out_len); /* exactly out_len bytes */
void hex_encode(const void *p, size_t len, char *out);           /* 2 * len + 1 bytes, lower case */
/* Standard base64 with padding, strict. Returns the length, or -1. */
ssize_t base64_decode(struct span b64, uint8_t *out, size_t out_size);
/* out takes base64_len(len) + 1 bytes. */
void base64_encode(const void *p, size_t len, char *out);
#define base64_len(len) (((len) + 2) / 3 * 4)

/* Of "SCHEME://HOST[:PORT]", or without the scheme: HOST[:PORT], to the end; HOST alone, an IPv6 address without its brackets. */
struct span address_authority(const char *address);
struct span address_host(const char *address);

/* Well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. */
bool utf8_valid(struct span s);
/* Length of the well-formed sequence at p, of at most `left` (1 or more) bytes; 0 when there is none (Unicode, table 3-7). */
size_t utf8_sequence(const uint8_t *p, size_t left);

/* false on overflow, *out untouched then. */
static inline bool
size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}
static inline bool
size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}
static inline bool
i64_add(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}
/* Narrowing by name instead of by cast. */
static inline bool
to_int(int64_t n, int *out)
{
	if (n < INT_MIN || n > INT_MAX)
		return false;
	*out = (int)n;
	return true;
}

#endif
