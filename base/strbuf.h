/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/strbuf.h - a growing string with a limit.
 *
 * A limit is required. Failure (past the limit, or the arena's cap) sticks:
 * append freely and ask strbuf_ok() once. The text always ends in a NUL that
 * is not counted. Memory is the arena's; there is nothing to free.
 */
#ifndef ANVIL_BASE_STRBUF_H
#define ANVIL_BASE_STRBUF_H

#include "base/arena.h"

struct strbuf {
	char *buf;
	size_t len;
	size_t size;
	size_t max;
	struct arena *arena;
	bool failed;
};

/* Empty, growing in `arena` up to `max` bytes of text. */
void strbuf_init(struct strbuf *sb, struct arena *arena, size_t max);
void strbuf_add(struct strbuf *sb, const void *p, size_t len);
void strbuf_str(struct strbuf *sb, const char *s);
void strbuf_span(struct strbuf *sb, struct span s);
void strbuf_ch(struct strbuf *sb, char c);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Lower-case hexadecimal of `len` bytes. */
void strbuf_hex(struct strbuf *sb, const void *p, size_t len);
/* Back to `len` bytes, which must not be more than there are. */
void strbuf_trim(struct strbuf *sb, size_t len);
void strbuf_clear(struct strbuf *sb);
/* Did every append fit? */
bool strbuf_ok(const struct strbuf *sb);
/* The text ("" when nothing fitted yet); the arena's, valid until it is reset. */
const char *strbuf_cstr(const struct strbuf *sb);

#endif
