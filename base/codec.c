/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/codec.c - fields to bytes and back.
 *
 * Invariant: a reader that has failed gives zeros and empty spans from then on,
 * so that a decoder checks once, at its end.
 */
#include "base/codec.h"

#define NULL_STRING UINT32_MAX

static void
enc_be(struct strbuf *sb, uint64_t v, size_t bytes)
{
	uint8_t b[8];

	for (size_t i = 0; i < bytes; i++)
		b[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
	strbuf_add(sb, b, bytes);
}

void
enc_u8(struct strbuf *sb, uint8_t v)
{
	enc_be(sb, v, 1);
}

void
enc_u32(struct strbuf *sb, uint32_t v)
{
	enc_be(sb, v, 4);
}

void
enc_u64(struct strbuf *sb, uint64_t v)
{
	enc_be(sb, v, 8);
}

void
enc_i64(struct strbuf *sb, int64_t v)
{
	enc_be(sb, (uint64_t)v, 8);
}

void
enc_bytes(struct strbuf *sb, const void *p, size_t len)
{
	if (len >= NULL_STRING) {
		sb->failed = true;
		return;
	}
	enc_u32(sb, (uint32_t)len);
	strbuf_add(sb, p, len);
}

void
enc_str(struct strbuf *sb, const char *s)
{
	if (s == NULL)
		enc_u32(sb, NULL_STRING);
	else
		enc_bytes(sb, s, strlen(s));
}

void
dec_init(struct dec *d, const void *p, size_t len)
{
	d->p = p;
	d->end = len == 0 ? d->p : d->p + len;
	d->failed = false;
}

static const uint8_t *
take(struct dec *d, size_t len)
{
	const uint8_t *p = d->p;

	if (d->failed || (size_t)(d->end - d->p) < len) {
		d->failed = true;
		return NULL;
	}
	if (len > 0)
		d->p += len;
	return p;
}

static uint64_t
dec_be(struct dec *d, size_t bytes)
{
	const uint8_t *p = take(d, bytes);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t
dec_u8(struct dec *d)
{
	return (uint8_t)dec_be(d, 1);
}

uint32_t
dec_u32(struct dec *d)
{
	return (uint32_t)dec_be(d, 4);
}

uint64_t
dec_u64(struct dec *d)
{
	return dec_be(d, 8);
}

int64_t
dec_i64(struct dec *d)
{
	return (int64_t)dec_be(d, 8);
}

static struct span
bytes_of(struct dec *d, size_t len, size_t max)
{
	const uint8_t *p;

	if (len > max)
		d->failed = true;
	p = take(d, len);
	return d->failed ? (struct span){ "", 0 }
			 : (struct span){ (const char *)p, len };
}

struct span
dec_bytes(struct dec *d, size_t max)
{
	uint32_t len = dec_u32(d);

	if (len == NULL_STRING)
		d->failed = true;
	return bytes_of(d, len, max);
}

char *
dec_str(struct dec *d, struct arena *a, size_t max)
{
	uint32_t len = dec_u32(d);
	struct span s;
	char *copy;

	if (d->failed || len == NULL_STRING)
		return NULL;
	s = bytes_of(d, len, max);
	if (d->failed)
		return NULL;
	copy = arena_strndup(a, s.p, s.len);
	if (copy == NULL)
		d->failed = true;
	return copy;
}

bool
dec_raw(struct dec *d, void *out, size_t len)
{
	const uint8_t *p = take(d, len);

	if (d->failed)
		return false;
	if (len > 0)
		memcpy(out, p, len);
	return true;
}

bool
dec_done(const struct dec *d)
{
	return !d->failed && d->p == d->end;
}
