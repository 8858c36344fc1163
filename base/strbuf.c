/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/strbuf.c - a growing string with a limit.
 *
 * Owns:      nothing; the text is the arena's. Growing copies, and what was
 *            before stays in the arena until its reset: at most as much again.
 * Invariant: buf is NULL or ends in a NUL at buf[len]; len <= max.
 */
#include "base/strbuf.h"

void
strbuf_init(struct strbuf *sb, struct arena *arena, size_t max)
{
	*sb = (struct strbuf){ .arena = arena, .max = max };
}

static bool
grow(struct strbuf *sb, size_t more)
{
	size_t need, size;
	char *buf;

	if (sb->failed)
		return false;
	if (more > sb->max || sb->len > sb->max - more) {
		sb->failed = true;
		return false;
	}
	need = sb->len + more + 1;
	if (need <= sb->size)
		return true;
	size = sb->size < 64 ? 128 : sb->size * 2;
	if (size < need)
		size = need;
	if (size > sb->max + 1)
		size = sb->max + 1;
	buf = arena_alloc(sb->arena, size);
	if (buf == NULL) {
		sb->failed = true;
		return false;
	}
	if (sb->len > 0)
		memcpy(buf, sb->buf, sb->len);
	buf[sb->len] = '\0';
	sb->buf = buf;
	sb->size = size;
	return true;
}

void
strbuf_add(struct strbuf *sb, const void *p, size_t len)
{
	if (len == 0 || !grow(sb, len))
		return;
	memcpy(sb->buf + sb->len, p, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void
strbuf_str(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void
strbuf_span(struct strbuf *sb, struct span s)
{
	strbuf_add(sb, s.p, s.len);
}

void
strbuf_ch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void
strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	ASSERT(len >= 0);
	if (!grow(sb, (size_t)len))
		return;
	vsnprintf(sb->buf + sb->len, (size_t)len + 1, fmt, ap);
	sb->len += (size_t)len;
}

void
strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(sb, fmt, ap);
	va_end(ap);
}

void
strbuf_hex(struct strbuf *sb, const void *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++) {
		strbuf_ch(sb, digits[b[i] >> 4]);
		strbuf_ch(sb, digits[b[i] & 15]);
	}
}

void
strbuf_trim(struct strbuf *sb, size_t len)
{
	ASSERT(len <= sb->len);
	sb->len = len;
	if (sb->buf != NULL)
		sb->buf[len] = '\0';
}

void
strbuf_clear(struct strbuf *sb)
{
	strbuf_trim(sb, 0);
	sb->failed = false;
}

bool
strbuf_ok(const struct strbuf *sb)
{
	return !sb->failed;
}

const char *
strbuf_cstr(const struct strbuf *sb)
{
	return sb->buf == NULL ? "" : sb->buf;
}
