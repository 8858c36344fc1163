/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/render_text.c - a result as a person reads it in a terminal: aligned
 * columns by the width that text takes there, records with a line a column.
 *
 * Owns:       nothing; a call's text is its strbuf.
 * Called by:  admin/cli.
 * Blocks:     never.
 * Invariant:  no control byte of the data reaches the terminal.
 */
#include "admin/result.h"

#include <jansson.h>

#include "base/parse.h"

#define CELL_MAX 65536
#define COLS_MAX 16
#define GAP 2

struct range {
	uint32_t first, last;
};
/* Combining marks and joiners: no column. From Unicode's general categories, the blocks in use. */
static const struct range zero_wide[] = { { 0x300, 0x36f }, { 0x483, 0x489 },
	{ 0x591, 0x5bd }, { 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x6d6, 0x6dc },
	{ 0x900, 0x902 }, { 0x93c, 0x93c }, { 0x941, 0x948 }, { 0xe31, 0xe31 },
	{ 0xe34, 0xe3a }, { 0xe47, 0xe4e }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e },
	{ 0x2060, 0x2064 }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef } };
/* East Asian wide and emoji: two columns. */
static const struct range two_wide[] = { { 0x1100, 0x115f },
	{ 0x231a, 0x231b }, { 0x23e9, 0x23ec }, { 0x2e80, 0x303e },
	{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff },
	{ 0xa000, 0xa4cf }, { 0xa960, 0xa97c }, { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd } };

static bool
in_ranges(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

/* One code point of well-formed UTF-8; 0 bytes when it is not. */
static size_t
code_point(const char *s, size_t len, uint32_t *out)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t need = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (need > len || !utf8_valid((struct span){ s, need }))
		return 0;
	if (need == 1)
		*out = p[0];
	else if (need == 2)
		*out = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	else if (need == 3)
		*out = (uint32_t)(p[0] & 0x0f) << 12 |
		    (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	else
		*out = (uint32_t)(p[0] & 0x07) << 18 |
		    (uint32_t)(p[1] & 0x3f) << 12 |
		    (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
	return need;
}

int
text_width(const char *s, size_t len)
{
	int width = 0;
	uint32_t c = 0;

	while (len > 0) {
		size_t n = code_point(s, len, &c);

		if (n == 0)
			n = 1, c = '?';
		if (in_ranges(two_wide, ARRAY_LEN(two_wide), c))
			width += 2;
		else if (!in_ranges(zero_wide, ARRAY_LEN(zero_wide), c))
			width++;
		s += n;
		len -= n;
	}
	return width;
}

/* Control bytes, C1 controls, direction marks and broken UTF-8 become visible. */
static void
add_safe(struct strbuf *out, const char *s, size_t len, bool keep_lines)
{
	uint32_t c = 0;

	while (len > 0) {
		size_t n = code_point(s, len, &c);
		bool bad = n == 0 || c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
		    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

		if (n == 0)
			n = 1;
		if (bad && keep_lines && (c == '\n' || c == '\t') && n == 1)
			bad = false;
		if (!bad)
			strbuf_add(out, s, n);
		else
			for (size_t i = 0; i < n; i++)
				strbuf_printf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
		s += n;
		len -= n;
	}
}

static const char *
cell_safe(const struct result *r, enum col_type type, const struct cell *c)
{
	struct strbuf raw, safe;

	strbuf_init(&raw, r->arena, CELL_MAX);
	strbuf_init(&safe, r->arena, CELL_MAX * 4);
	cell_human(&raw, type, c);
	add_safe(&safe, strbuf_cstr(&raw), raw.len, false);
	return strbuf_cstr(&safe);
}

static void
pad(struct strbuf *out, int n)
{
	while (n-- > 0)
		strbuf_ch(out, ' ');
}

static bool
right_aligned(enum col_type type)
{
	return type == COL_INT || type == COL_SIZE || type == COL_US;
}

static void
put_aligned(struct strbuf *out, const char *s, int width, bool right, bool last)
{
	int w = text_width(s, strlen(s));

	if (right)
		pad(out, width - w);
	strbuf_str(out, s);
	if (!last) {
		if (!right)
			pad(out, width - w);
		pad(out, GAP);
	}
}

static void
draw_list(const struct result *r, const struct table *t, struct strbuf *out)
{
	int width[COLS_MAX];

	ASSERT(t->n_cols <= COLS_MAX);
	if (t->n_rows == 0) {
		strbuf_printf(out, "no %s\n", t->key);
		return;
	}
	for (size_t c = 0; c < t->n_cols; c++) {
		width[c] = text_width(t->cols[c].title, strlen(t->cols[c].title));
		for (size_t i = 0; i < t->n_rows; i++) {
			const char *s = cell_safe(r, t->cols[c].type,
			    &t->cells[i * t->n_cols + c]);
			int w = text_width(s, strlen(s));

			if (w > width[c])
				width[c] = w;
		}
	}
	for (size_t c = 0; c < t->n_cols; c++)
		put_aligned(out, t->cols[c].title, width[c],
		    right_aligned(t->cols[c].type), c + 1 == t->n_cols);
	strbuf_ch(out, '\n');
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t c = 0; c < t->n_cols; c++)
			put_aligned(out, cell_safe(r, t->cols[c].type,
			    &t->cells[i * t->n_cols + c]), width[c],
			    right_aligned(t->cols[c].type), c + 1 == t->n_cols);
		strbuf_ch(out, '\n');
	}
	if (t->next != NULL) {
		strbuf_printf(out, "more follow: --%s ",
		    t->next_option == NULL ? "after" : t->next_option);
		add_safe(out, t->next, strlen(t->next), false);
		strbuf_ch(out, '\n');
	}
}

static void
draw_document(const struct cell *c, struct strbuf *out)
{
	json_t *j = json_loads(c->s, JSON_DECODE_ANY, NULL);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2) |
	    JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	const char *shown = text == NULL ? c->s : text;

	strbuf_ch(out, '\n');
	add_safe(out, shown, strlen(shown), true);
	strbuf_ch(out, '\n');
	free(text);
	json_decref(j);
}

static void
draw_record(const struct result *r, const struct table *t, struct strbuf *out)
{
	int width = 0;

	for (size_t c = 0; c < t->n_cols; c++) {
		int w = text_width(t->cols[c].title, strlen(t->cols[c].title));

		if (w > width)
			width = w;
	}
	for (size_t c = 0; t->n_rows > 0 && c < t->n_cols; c++) {
		const struct cell *cell = &t->cells[c];

		put_aligned(out, t->cols[c].title, width, false, false);
		if (t->cols[c].type == COL_JSON && cell->kind == CELL_TEXT) {
			draw_document(cell, out);
			continue;
		}
		strbuf_str(out, cell_safe(r, t->cols[c].type, cell));
		strbuf_ch(out, '\n');
	}
}

/* Words broken at `width`, following lines indented. */
static void
draw_wrapped(struct strbuf *out, const char *s, int indent, int width)
{
	int at = indent;

	while (*s != '\0') {
		size_t n = strcspn(s, " ");
		int w = text_width(s, n);

		if (at > indent && at + 1 + w > width) {
			strbuf_ch(out, '\n');
			pad(out, indent);
			at = indent;
		} else if (at > indent) {
			strbuf_ch(out, ' ');
			at++;
		}
		strbuf_add(out, s, n);
		at += w;
		s += n;
		s += strspn(s, " ");
	}
	strbuf_ch(out, '\n');
}

static void
draw_checks(const struct result *r, const struct table *t, struct strbuf *out,
    int width)
{
	int names = 0;

	for (size_t i = 0; i < t->n_rows; i++) {
		const char *s = cell_safe(r, COL_TEXT, table_cell(t, i, "check"));
		int w = text_width(s, strlen(s));

		if (w > names)
			names = w;
	}
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct cell *advice = table_cell(t, i, "advice");

		put_aligned(out, cell_safe(r, COL_TEXT, table_cell(t, i, "status")),
		    4, false, false);
		put_aligned(out, cell_safe(r, COL_TEXT, table_cell(t, i, "check")),
		    names, false, false);
		draw_wrapped(out, cell_safe(r, COL_TEXT, table_cell(t, i, "detail")),
		    4 + GAP + names + GAP, width);
		if (advice->kind == CELL_TEXT && advice->s[0] != '\0') {
			pad(out, 4 + GAP);
			strbuf_str(out, "-> ");
			draw_wrapped(out, cell_safe(r, COL_TEXT, advice),
			    4 + GAP + 3, width);
		}
	}
}

void
render_text(const struct result *r, struct strbuf *out, int width)
{
	bool first = true;

	for (const struct table *t = r->tables; t != NULL; t = t->following) {
		if (!first)
			strbuf_ch(out, '\n');
		first = false;
		if (t->style == TABLE_RECORD)
			draw_record(r, t, out);
		else if (t->style == TABLE_CHECKS)
			draw_checks(r, t, out, width);
		else
			draw_list(r, t, out);
	}
	for (const struct message *m = r->messages; m != NULL; m = m->following) {
		if (m->level == MSG_WARN)
			strbuf_str(out, "warning: ");
		add_safe(out, m->text, strlen(m->text), false);
		strbuf_ch(out, '\n');
	}
}
