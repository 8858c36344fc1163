/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/xml.c - writing XML.
 *
 * Owns:      nothing; text goes to the caller's strbuf.
 * Invariant: element names are literals of ours, or were read by xml_parse; every text passes xml_escape.
 */
#include "s3/xml.h"

#include "base/html.h"
#include "base/parse.h"
#include "s3/date.h"

void
xml_begin(struct strbuf *sb, const char *root)
{
	strbuf_str(sb, XML_DECLARATION "<");
	strbuf_str(sb, root);
	strbuf_str(sb, " xmlns=\"" XML_S3_NS "\">");
}

/* As deep as xml_parse let the tree be. */
void
xml_inside(struct strbuf *sb, const struct xml_node *n)
{
	if (n->child == NULL)
		xml_escape(sb, n->text);
	for (const struct xml_node *c = n->child; c != NULL; c = c->next) {
		xml_open(sb, c->name);
		xml_inside(sb, c);
		xml_close(sb, c->name);
	}
}

void
xml_document(struct strbuf *sb, const struct xml_node *root)
{
	xml_begin(sb, root->name);
	xml_inside(sb, root);
	xml_close(sb, root->name);
}

void
xml_open(struct strbuf *sb, const char *name)
{
	strbuf_ch(sb, '<');
	strbuf_str(sb, name);
	strbuf_ch(sb, '>');
}

void
xml_close(struct strbuf *sb, const char *name)
{
	strbuf_str(sb, "</");
	strbuf_str(sb, name);
	strbuf_ch(sb, '>');
}

void
xml_text(struct strbuf *sb, const char *name, struct span text)
{
	xml_open(sb, name);
	xml_escape(sb, text);
	xml_close(sb, name);
}

void
xml_str(struct strbuf *sb, const char *name, const char *text)
{
	if (text != NULL)
		xml_text(sb, name, span_of(text));
}

void
xml_int(struct strbuf *sb, const char *name, int64_t n)
{
	xml_open(sb, name);
	strbuf_printf(sb, "%" PRId64, n);
	xml_close(sb, name);
}

void
xml_bool(struct strbuf *sb, const char *name, bool v)
{
	xml_str(sb, name, v ? "true" : "false");
}

void
xml_time(struct strbuf *sb, const char *name, int64_t us)
{
	char text[DATE_ISO_SIZE];

	date_iso_ms(us, text);
	xml_str(sb, name, text);
}

void
xml_etag(struct strbuf *sb, const char *name, const char *etag)
{
	if (etag == NULL)
		return;
	xml_open(sb, name);
	strbuf_str(sb, "&quot;");
	xml_escape(sb, span_of(etag));
	strbuf_str(sb, "&quot;");
	xml_close(sb, name);
}

/* What one byte below 0x80 becomes; NULL = itself. White space is kept from those who read XML by its rules. */
static const char *
entity(char c)
{
	switch (c) {
	case '\r':
		return "&#13;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return markup_entity(c);
	}
}

/* One character that is not plain ASCII text; returns how many bytes it took. */
static size_t
escape_odd(struct strbuf *sb, const unsigned char *p, size_t left)
{
	const char *e = entity((char)*p);
	size_t n;

	if (e != NULL) {
		strbuf_str(sb, e);
		return 1;
	}
	if (*p < 0x20) {
		/* XML 1.0 has no way to say this; S3 writes the reference all
		 * the same, and so does whoever reads such keys without
		 * encoding-type know them. */
		strbuf_printf(sb, "&#x%x;", *p);
		return 1;
	}
	n = utf8_sequence(p, left);
	if (n == 0) {
		strbuf_str(sb, "\xef\xbf\xbd");
		return 1;
	}
	if (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
		strbuf_printf(sb, "&#xff%x;", p[2] == 0xbe ? 0xfe : 0xff);
	else
		strbuf_add(sb, p, n);
	return n;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>' &&
	    c != '"';
}

void
xml_escape(struct strbuf *sb, struct span text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t i = 0;

	while (i < text.len) {
		size_t run = i;

		while (run < text.len && is_plain(p[run]))
			run++;
		strbuf_add(sb, p + i, run - i);
		i = run;
		if (i < text.len)
			i += escape_odd(sb, p + i, text.len - i);
	}
}
