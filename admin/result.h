/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/result.h - what an action has to say, before anyone decides how it
 * looks: tables and records of typed columns, and messages. The command line
 * draws them (admin/render_text.c), scripts get JSON (admin/render_json.c),
 * pages put them into templates (admin/cgi/fill.c).
 *
 * Everything is the arena's. Running out of it sticks: ask result_ok() once.
 */
#ifndef ANVIL_ADMIN_RESULT_H
#define ANVIL_ADMIN_RESULT_H

#include "base/strbuf.h"

enum col_type {
	COL_TEXT,
	COL_INT,
	COL_SIZE,  /* bytes */
	COL_TIME,  /* wall time in us; 0 = never */
	COL_US,    /* a duration in microseconds */
	COL_BOOL,
	COL_STATE, /* a word that pages colour: active, disabled, ok, fail ... */
	COL_JSON,  /* a document */
	COL_LIST,  /* words */
	COL_SECRET /* text that is shown once */
};
struct column {
	const char *key;   /* in JSON and templates: lower case and '_' */
	const char *title; /* for people */
	enum col_type type;
};

struct cell {
	enum { CELL_NULL, CELL_TEXT, CELL_NUMBER, CELL_LIST } kind;
	const char *s;
	int64_t n;
	const char *const *list; /* ends in NULL */
};
#define C_NULL ((struct cell){ CELL_NULL, NULL, 0, NULL })
#define C_TEXT(t) cell_text(t) /* NULL = null */
#define C_INT(i) ((struct cell){ CELL_NUMBER, NULL, (int64_t)(i), NULL })
#define C_BOOL(b) ((struct cell){ CELL_NUMBER, NULL, (b) ? 1 : 0, NULL })
#define C_LIST(l) ((struct cell){ CELL_LIST, NULL, 0, (l) })
static inline struct cell
cell_text(const char *s)
{
	return (struct cell){ s == NULL ? CELL_NULL : CELL_TEXT, s, 0, NULL };
}

enum table_style {
	TABLE_LIST,   /* many rows under titles */
	TABLE_RECORD, /* one row, a line a column */
	TABLE_CHECKS  /* columns status, check, detail, advice: doctor */
};
struct table {
	const char *key; /* its name in JSON and templates */
	enum table_style style;
	const struct column *cols; /* borrowed; static tables */
	size_t n_cols;
	struct cell *cells; /* row by row */
	size_t n_rows, room;
	const char *next; /* where the next page begins; NULL = that was all */
	const char *next_option; /* which argument takes it; NULL = "after" */
	struct table *following;
	struct result *owner;
};

enum message_level { MSG_INFO, MSG_WARN, MSG_ERROR };
struct message {
	enum message_level level;
	const char *text;
	struct message *following;
};

struct result {
	struct arena *arena;
	struct table *tables, **last_table;
	struct message *messages, **last_message;
	struct table spare; /* takes rows when the arena is full */
	bool failed;
};

void result_init(struct result *r, struct arena *a);
/* Never NULL. */
struct table *result_table(struct result *r, const char *key,
    enum table_style style, const struct column *cols, size_t n_cols);
#define RESULT_LIST(r, key, cols)                                              \
	result_table((r), (key), TABLE_LIST, (cols), ARRAY_LEN(cols))
#define RESULT_RECORD(r, key, cols)                                            \
	result_table((r), (key), TABLE_RECORD, (cols), ARRAY_LEN(cols))
/* One row; as many cells as columns. */
#define ROW(t, ...)                                                            \
	table_row((t), (const struct cell[]){ __VA_ARGS__ },                   \
	    sizeof((const struct cell[]){ __VA_ARGS__ }) / sizeof(struct cell))
void table_row(struct table *t, const struct cell *cells, size_t n);
void result_say(struct result *r, enum message_level level, const char *fmt,
    ...) PRINTF_LIKE(3, 4);
bool result_ok(const struct result *r);

/* The table of that name, or NULL. */
const struct table *result_find(const struct result *r, const char *key);
/* The cell in column `key`; NULL when there is no such row or column. */
const struct cell *table_cell(const struct table *t, size_t row, const char *key);

/* A cell as a person reads it: "1.5 GiB", "2026-11-25 13:17:41", "yes". Appends. */
void cell_human(struct strbuf *sb, enum col_type type, const struct cell *c);
void human_size(struct strbuf *sb, int64_t bytes);
void human_time(struct strbuf *sb, int64_t wall_us);
void human_us(struct strbuf *sb, int64_t us);
/* "2026-11-25T13:17:41.000Z" */
void iso_time(struct strbuf *sb, int64_t wall_us);

/* The two drawings. Human text never carries a control byte of the data to the terminal. */
void render_text(const struct result *r, struct strbuf *out, int width);
/* Columns of a terminal that the text takes. */
int text_width(const char *s, size_t len);

struct err;
/* {"ok":true, TABLE: [..]|{..}, "messages":[..]}, or "ok":false with "error". NULL err = none. False when out of memory. */
bool render_json(const struct result *r, const struct err *e, struct strbuf *out);

#endif
