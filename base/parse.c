/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/parse.c - numbers and small tokens from untrusted text.
 *
 * Invariant: never reads past the end it was given; out-parameters are touched
 * only on success.
 */
#include "base/parse.h"

bool
parse_i64_prefix(const char **cur, const char *end, int64_t min, int64_t max,
    int64_t *out)
{
	const char *p = *cur;
	bool negative = false;
	int64_t n = 0;

	if (p < end && *p == '-' && min < 0) {
		negative = true;
		p++;
	}
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		int digit = negative ? '0' - *p : *p - '0';

		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*cur = p;
	*out = n;
	return true;
}

bool
parse_i64(struct span s, int64_t min, int64_t max, int64_t *out)
{
	const char *cur = s.p;
	int64_t n;

	if (s.len == 0 || !parse_i64_prefix(&cur, s.p + s.len, min, max, &n) ||
	    cur != s.p + s.len)
		return false;
	*out = n;
	return true;
}

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
parse_hex_u64(struct span s, uint64_t *out)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int d = hex_digit(s.p[i]);

		if (d < 0)
			return false;
		n = n << 4 | (uint64_t)d;
	}
	*out = n;
	return true;
}

bool
hex_decode(struct span hex, uint8_t *out, size_t out_len)
{
	if (hex.len % 2 != 0 || hex.len / 2 != out_len)
		return false;
	for (size_t i = 0; i < out_len; i++)
		if (hex_digit(hex.p[2 * i]) < 0 || hex_digit(hex.p[2 * i + 1]) < 0)
			return false;
	for (size_t i = 0; i < out_len; i++)
		out[i] = (uint8_t)(hex_digit(hex.p[2 * i]) << 4 |
		    hex_digit(hex.p[2 * i + 1]));
	return true;
}

void
hex_encode(const void *p, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

ssize_t
base64_decode(struct span b64, uint8_t *out, size_t out_size)
{
	size_t n = 0, pad = 0;

	if (b64.len % 4 != 0)
		return -1;
	while (pad < 2 && pad < b64.len && b64.p[b64.len - 1 - pad] == '=')
		pad++;
	if (b64.len / 4 * 3 - pad > out_size)
		return -1;
	for (size_t i = 0; i < b64.len; i += 4) {
		size_t digits = i + 4 == b64.len ? 4 - pad : 4;
		uint32_t bits = 0;

		for (size_t j = 0; j < 4; j++) {
			int d = j < digits ? base64_digit(b64.p[i + j]) : 0;

			if (d < 0)
				return -1;
			bits = bits << 6 | (uint32_t)d;
		}
		/* Bits that no byte takes must be zero: one text for one value. */
		if ((digits == 3 && (bits & 0xff) != 0) ||
		    (digits == 2 && (bits & 0xffff) != 0))
			return -1;
		out[n++] = (uint8_t)(bits >> 16);
		if (digits > 2)
			out[n++] = (uint8_t)(bits >> 8);
		if (digits > 3)
			out[n++] = (uint8_t)bits;
	}
	return (ssize_t)n;
}

void
base64_encode(const void *p, size_t len, char *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)b[i] << 16;

		if (left > 1)
			bits |= (uint32_t)b[i + 1] << 8;
		if (left > 2)
			bits |= b[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[bits & 63] : '=';
	}
	*out = '\0';
}

size_t
utf8_sequence(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool
utf8_valid(struct span s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	for (size_t i = 0; i < s.len;) {
		size_t len = utf8_sequence(p + i, s.len - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

struct span
address_authority(const char *address)
{
	const char *p = strstr(address, "://");

	return span_of(p == NULL ? address : p + 3);
}

struct span
address_host(const char *address)
{
	struct span host = address_authority(address);

	if (host.len > 0 && host.p[0] == '[') {
		host.p++;
		host.len = strcspn(host.p, "]");
	} else {
		host.len = strcspn(host.p, ":/");
	}
	return host;
}
