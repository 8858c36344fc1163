/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/codec.h - fields to bytes and back, for cached values and messages
 * between invalidators. Fixed widths are big-endian; bytes go with a 32-bit
 * length. The reader checks every length and sticks at the first fault.
 */
#ifndef ANVIL_BASE_CODEC_H
#define ANVIL_BASE_CODEC_H

#include "base/strbuf.h"

void enc_u8(struct strbuf *sb, uint8_t v);
void enc_u32(struct strbuf *sb, uint32_t v);
void enc_u64(struct strbuf *sb, uint64_t v);
void enc_i64(struct strbuf *sb, int64_t v);
void enc_bytes(struct strbuf *sb, const void *p, size_t len);
/* NULL is told apart from "". */
void enc_str(struct strbuf *sb, const char *s);

struct dec {
	const uint8_t *p, *end;
	bool failed;
};
void dec_init(struct dec *d, const void *p, size_t len);
uint8_t dec_u8(struct dec *d);
uint32_t dec_u32(struct dec *d);
uint64_t dec_u64(struct dec *d);
int64_t dec_i64(struct dec *d);
/* Borrowed from the input; empty after a fault or when longer than max. */
struct span dec_bytes(struct dec *d, size_t max);
/* A copy in the arena that ends in NUL; NULL where NULL was written, and after a fault. */
char *dec_str(struct dec *d, struct arena *a, size_t max);
/* Exactly `len` raw bytes, as strbuf_add wrote them. */
bool dec_raw(struct dec *d, void *out, size_t len);
/* Everything read, nothing left, no fault. */
bool dec_done(const struct dec *d);

#endif
