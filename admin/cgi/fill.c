/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/fill.c - the tables of a result as values of templates.
 *
 * A table "tenants" becomes a list; a record a list of one. Its rows have, for
 * a column "size":
 *   size        as a person reads it
 *   size_raw    the number or text as it is ("" for null)
 *   size_on     a flag: the number is not 0, the text not empty, the list not empty
 *   size_iso    of a time
 *   size_items  of a list: items with "it"
 *   state_is_active   a flag: the state's word, blanks as "_"
 * tenants_next is where the next page of the list begins, when there is one.
 *
 * Owns:       nothing.
 * Called by:  pages.
 * Blocks:     never.
 */
#include "admin/cgi/page.h"

#include <jansson.h>

#define TEXT_MAX 65536

static const char *
name_with(struct arena *a, const char *name, const char *suffix)
{
	const char *s = arena_printf(a, "%s%s", name, suffix);

	return s == NULL ? "" : s;
}

/* "state_is_tenant_disabled" */
static const char *
state_flag(struct arena *a, const char *key, const char *word)
{
	char *s = arena_printf(a, "%s_is_%s", key, word);

	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p == ' ')
			*p = '_';
	return s == NULL ? "" : s;
}

/* A document over several lines, for people to read and edit. */
static const char *
pretty(struct arena *a, const char *json)
{
	json_t *j = json_loads(json, JSON_DECODE_ANY, NULL);
	char *text = j == NULL ? NULL
	    : json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	const char *out = text == NULL ? json : arena_strdup(a, text);

	free(text);
	json_decref(j);
	return out == NULL ? "" : out;
}

const char *
fill_document(struct arena *a, const struct cell *c)
{
	return c == NULL || c->kind != CELL_TEXT ? "" : pretty(a, c->s);
}

static void
fill_cell(struct scope *s, const struct column *col, const struct cell *c, struct arena *a)
{
	struct strbuf human, raw, iso;
	bool on = false;

	strbuf_init(&human, a, TEXT_MAX);
	strbuf_init(&raw, a, TEXT_MAX);
	strbuf_init(&iso, a, 64);
	if (c->kind == CELL_TEXT) {
		on = c->s[0] != '\0';
		strbuf_str(&raw, col->type == COL_JSON ? pretty(a, c->s) : c->s);
	} else if (c->kind == CELL_NUMBER) {
		on = c->n != 0;
		strbuf_printf(&raw, "%" PRId64, c->n);
		if (col->type == COL_TIME && c->n != 0)
			iso_time(&iso, c->n);
	}
	if (col->type == COL_JSON && c->kind == CELL_TEXT)
		strbuf_str(&human, strbuf_cstr(&raw));
	else
		cell_human(&human, col->type, c);
	if (c->kind == CELL_LIST) {
		const char *items = name_with(a, col->key, "_items");

		scope_list(s, items);
		for (size_t i = 0; c->list != NULL && c->list[i] != NULL; i++) {
			scope_text(scope_item(s, items), "it", c->list[i]);
			on = true;
		}
	}
	if (col->type == COL_STATE && c->kind == CELL_TEXT)
		scope_flag(s, state_flag(a, col->key, c->s), true);
	scope_text(s, col->key, strbuf_cstr(&human));
	scope_text(s, name_with(a, col->key, "_raw"), strbuf_cstr(&raw));
	scope_text(s, name_with(a, col->key, "_iso"), strbuf_cstr(&iso));
	scope_flag(s, name_with(a, col->key, "_on"), on);
}

static void
fill_table(struct scope *s, const struct table *t, struct arena *a)
{
	scope_list(s, t->key);
	for (size_t i = 0; i < t->n_rows; i++) {
		struct scope *row = scope_item(s, t->key);

		for (size_t c = 0; c < t->n_cols; c++)
			fill_cell(row, &t->cols[c], &t->cells[i * t->n_cols + c], a);
	}
	scope_text(s, name_with(a, t->key, "_next"), t->next);
	scope_printf(s, name_with(a, t->key, "_count"), "%zu", t->n_rows);
}

void
fill_result(struct scope *s, const struct result *r)
{
	for (const struct table *t = r->tables; t != NULL; t = t->following)
		fill_table(s, t, r->arena);
	for (const struct message *m = r->messages; m != NULL; m = m->following) {
		struct scope *item = scope_item(s, "notices");

		scope_text(item, "text", m->text);
		scope_text(item, "level", m->level == MSG_INFO ? "info" : "warn");
	}
}

const char *const *
fill_column(struct arena *a, const struct table *t, const char *key)
{
	size_t n = t == NULL ? 0 : t->n_rows, k = 0;
	const char **words = arena_array(a, n + 1, sizeof(*words));
	static const char *const none[] = { NULL };

	if (words == NULL)
		return none;
	for (size_t i = 0; i < n; i++) {
		const struct cell *c = table_cell(t, i, key);

		if (c != NULL && c->kind == CELL_TEXT)
			words[k++] = c->s;
	}
	words[k] = NULL;
	return words;
}
