/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/html.c - escaping by destination.
 *
 * Owns:       nothing.
 * Called by:  base/template.c and whoever writes HTML or a URL.
 * Blocks:     never.
 */
#include "base/html.h"

#include "base/parse.h"

#define REPLACEMENT "\xef\xbf\xbd"

const char *
markup_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

static void
escape(struct strbuf *sb, const char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		size_t n = utf8_sequence((const uint8_t *)s, left);
		const char *e = *s == '\'' ? "&#39;" : markup_entity(*s);
		unsigned char c = (unsigned char)*s;

		if (e != NULL)
			strbuf_str(sb, e);
		else if (n == 0 || c == 0x7f ||
		    (c < 0x20 && c != '\n' && c != '\t'))
			strbuf_str(sb, REPLACEMENT);
		else
			strbuf_add(sb, s, n);
		if (n == 0)
			n = 1;
		s += n;
		left -= n;
	}
}

void
html_text(struct strbuf *sb, const char *s)
{
	escape(sb, s);
}

void
html_attr(struct strbuf *sb, const char *s)
{
	escape(sb, s);
}

void
url_component(struct strbuf *sb, const char *s)
{
	for (; *s != '\0'; s++) {
		char c = *s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		    c == '_' || c == '~')
			strbuf_ch(sb, c);
		else
			strbuf_printf(sb, "%%%02X", (unsigned)(unsigned char)c);
	}
}
