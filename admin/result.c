/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/result.c - tables, records and messages that an action fills, and the
 * human form of their cells.
 *
 * Owns:       nothing; all of it is the arena's.
 * Called by:  the actions (filling), the renderers (reading).
 * Blocks:     never.
 */
#include "admin/result.h"

#include "base/clock.h"

#define MESSAGE_MAX 1024

void
result_init(struct result *r, struct arena *a)
{
	memset(r, 0, sizeof(*r));
	r->arena = a;
	r->last_table = &r->tables;
	r->last_message = &r->messages;
	r->spare.owner = r;
}

struct table *
result_table(struct result *r, const char *key, enum table_style style,
    const struct column *cols, size_t n_cols)
{
	struct table *t = ARENA_NEW(r->arena, struct table);

	if (t == NULL) {
		r->failed = true;
		r->spare.n_cols = n_cols;
		return &r->spare;
	}
	t->key = key;
	t->style = style;
	t->cols = cols;
	t->n_cols = n_cols;
	t->owner = r;
	*r->last_table = t;
	r->last_table = &t->following;
	return t;
}

void
table_row(struct table *t, const struct cell *cells, size_t n)
{
	struct result *r = t->owner;

	ASSERT(n == t->n_cols);
	if (t == &r->spare)
		return;
	if (t->n_rows == t->room) {
		size_t room = t->room == 0 ? 16 : t->room * 2;
		struct cell *more =
		    arena_array(r->arena, room * n, sizeof(*more));

		if (more == NULL) {
			r->failed = true;
			return;
		}
		if (t->n_rows > 0)
			memcpy(more, t->cells, t->n_rows * n * sizeof(*more));
		t->cells = more;
		t->room = room;
	}
	memcpy(t->cells + t->n_rows * n, cells, n * sizeof(*cells));
	t->n_rows++;
}

void
result_say(struct result *r, enum message_level level, const char *fmt, ...)
{
	struct message *m = ARENA_NEW(r->arena, struct message);
	struct strbuf sb;
	va_list ap;

	strbuf_init(&sb, r->arena, MESSAGE_MAX);
	va_start(ap, fmt);
	strbuf_vprintf(&sb, fmt, ap);
	va_end(ap);
	if (m == NULL) {
		r->failed = true;
		return;
	}
	m->level = level;
	m->text = strbuf_cstr(&sb);
	*r->last_message = m;
	r->last_message = &m->following;
}

bool
result_ok(const struct result *r)
{
	return !r->failed && !arena_overflowed(r->arena);
}

const struct table *
result_find(const struct result *r, const char *key)
{
	for (const struct table *t = r->tables; t != NULL; t = t->following)
		if (strcmp(t->key, key) == 0)
			return t;
	return NULL;
}

const struct cell *
table_cell(const struct table *t, size_t row, const char *key)
{
	if (t == NULL || row >= t->n_rows)
		return NULL;
	for (size_t i = 0; i < t->n_cols; i++)
		if (strcmp(t->cols[i].key, key) == 0)
			return &t->cells[row * t->n_cols + i];
	return NULL;
}

void
human_size(struct strbuf *sb, int64_t bytes)
{
	static const char unit[] = "KMGTPE";
	uint64_t n = bytes < 0 ? 0 : (uint64_t)bytes;
	size_t u = 0;
	uint64_t rest = 0; /* of the last division, in 1/1024 */

	if (n < 1024) {
		strbuf_printf(sb, "%" PRIu64 " B", n);
		return;
	}
	while (n >= 1024 && u < sizeof(unit) - 1) {
		rest = n % 1024;
		n /= 1024;
		u++;
	}
	if (n < 10)
		strbuf_printf(sb, "%" PRIu64 ".%" PRIu64 " %ciB", n,
		    rest * 10 / 1024, unit[u - 1]);
	else
		strbuf_printf(sb, "%" PRIu64 " %ciB", n, unit[u - 1]);
}

void
human_time(struct strbuf *sb, int64_t wall_us)
{
	struct clock_utc t;

	if (wall_us == 0) {
		strbuf_str(sb, "never");
		return;
	}
	clock_utc(wall_us, &t);
	strbuf_printf(sb, "%04d-%02d-%02d %02d:%02d:%02d", t.year, t.month,
	    t.day, t.hour, t.minute, t.second);
}

void
iso_time(struct strbuf *sb, int64_t wall_us)
{
	struct clock_utc t;

	clock_utc(wall_us, &t);
	strbuf_printf(sb, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.year,
	    t.month, t.day, t.hour, t.minute, t.second, t.usec / 1000);
}

void
human_us(struct strbuf *sb, int64_t us)
{
	if (us < 1000)
		strbuf_printf(sb, "%" PRId64 " us", us);
	else if (us < 10 * US_PER_MS)
		strbuf_printf(sb, "%" PRId64 ".%" PRId64 " ms", us / 1000,
		    us % 1000 / 100);
	else if (us < US_PER_S)
		strbuf_printf(sb, "%" PRId64 " ms", us / 1000);
	else if (us < 120 * US_PER_S)
		strbuf_printf(sb, "%" PRId64 ".%" PRId64 " s", us / US_PER_S,
		    us % US_PER_S / 100000);
	else if (us < 7200 * US_PER_S)
		strbuf_printf(sb, "%" PRId64 " min", us / US_PER_S / 60);
	else if (us < 172800 * US_PER_S)
		strbuf_printf(sb, "%" PRId64 " h", us / US_PER_S / 3600);
	else
		strbuf_printf(sb, "%" PRId64 " days", us / US_PER_S / 86400);
}

void
cell_human(struct strbuf *sb, enum col_type type, const struct cell *c)
{
	if (c->kind == CELL_NULL) {
		strbuf_ch(sb, '-');
		return;
	}
	if (c->kind == CELL_LIST) {
		for (size_t i = 0; c->list != NULL && c->list[i] != NULL; i++)
			strbuf_printf(sb, "%s%s", i == 0 ? "" : ", ", c->list[i]);
		if (c->list == NULL || c->list[0] == NULL)
			strbuf_ch(sb, '-');
		return;
	}
	if (c->kind == CELL_TEXT) {
		strbuf_str(sb, c->s[0] == '\0' ? "-" : c->s);
		return;
	}
	switch (type) {
	case COL_SIZE:
		human_size(sb, c->n);
		break;
	case COL_TIME:
		human_time(sb, c->n);
		break;
	case COL_US:
		human_us(sb, c->n);
		break;
	case COL_BOOL:
		strbuf_str(sb, c->n != 0 ? "yes" : "no");
		break;
	case COL_TEXT:
	case COL_INT:
	case COL_STATE:
	case COL_JSON:
	case COL_LIST:
	case COL_SECRET:
		strbuf_printf(sb, "%" PRId64, c->n);
		break;
	}
}
