/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/render_json.c - a result as JSON, for scripts. The shape is a promise:
 * an object with "ok", a member a table (an array, or an object for a record),
 * "next" when a list goes on, and "messages"; with "error" when it failed.
 *
 * Owns:       nothing past the call.
 * Called by:  admin/cli.
 * Blocks:     never.
 */
#include "admin/result.h"

#include <jansson.h>

#include "base/err.h"
#include "base/parse.h"

/* What is not UTF-8 cannot be in JSON; one bad byte must not empty the answer. */
static json_t *
json_text(const char *s, struct arena *a)
{
	struct strbuf sb;

	if (utf8_valid(span_of(s)))
		return json_string(s);
	strbuf_init(&sb, a, strlen(s) * 4 + 1);
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x80)
			strbuf_ch(&sb, *s);
		else
			strbuf_printf(&sb, "\\x%02x", (unsigned)(unsigned char)*s);
	}
	return json_string(strbuf_cstr(&sb));
}

static json_t *
json_list(const char *const *list, struct arena *a)
{
	json_t *j = json_array();

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		json_array_append_new(j, json_text(list[i], a));
	return j;
}

static json_t *
json_time(int64_t us, struct arena *a)
{
	struct strbuf sb;

	if (us == 0)
		return json_null();
	strbuf_init(&sb, a, 64);
	iso_time(&sb, us);
	return json_string(strbuf_cstr(&sb));
}

static json_t *
json_cell(enum col_type type, const struct cell *c, struct arena *a)
{
	json_t *j;

	switch (c->kind) {
	case CELL_NULL:
		return json_null();
	case CELL_LIST:
		return json_list(c->list, a);
	case CELL_TEXT:
		if (type == COL_JSON) {
			j = json_loads(c->s, JSON_DECODE_ANY, NULL);
			if (j != NULL)
				return j;
		}
		return json_text(c->s, a);
	case CELL_NUMBER:
		break;
	}
	if (type == COL_BOOL)
		return json_boolean(c->n != 0);
	if (type == COL_TIME)
		return json_time(c->n, a);
	return json_integer(c->n);
}

static json_t *
json_row(const struct table *t, size_t row, struct arena *a)
{
	json_t *j = json_object();

	for (size_t i = 0; i < t->n_cols; i++)
		json_object_set_new(j, t->cols[i].key,
		    json_cell(t->cols[i].type,
			&t->cells[row * t->n_cols + i], a));
	return j;
}

static json_t *
json_table(const struct table *t, struct arena *a)
{
	json_t *j;

	if (t->style == TABLE_RECORD)
		return t->n_rows > 0 ? json_row(t, 0, a) : json_null();
	j = json_array();
	for (size_t i = 0; i < t->n_rows; i++)
		json_array_append_new(j, json_row(t, i, a));
	return j;
}

static json_t *
json_messages(const struct result *r, struct arena *a)
{
	static const char *const level[] = { "info", "warning", "error" };
	json_t *j = json_array();

	for (const struct message *m = r->messages; m != NULL; m = m->following)
		json_array_append_new(j, json_pack("{s:s, s:o}", "level",
		    level[m->level], "text", json_text(m->text, a)));
	return j;
}

bool
render_json(const struct result *r, const struct err *e, struct strbuf *out)
{
	bool failed = e != NULL && e->code != 0;
	struct arena *a = r->arena;
	json_t *j = json_object();
	char *text;

	json_object_set_new(j, "ok", json_boolean(!failed));
	if (failed)
		json_object_set_new(j, "error",
		    json_pack("{s:s, s:o}", "kind", err_kind_name(e->code),
			"message", json_text(e->detail, a)));
	for (const struct table *t = r->tables; t != NULL; t = t->following) {
		json_object_set_new(j, t->key, json_table(t, a));
		if (t->next != NULL)
			json_object_set_new(j, "next", json_text(t->next, a));
	}
	json_object_set_new(j, "messages", json_messages(r, a));
	text = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(j);
	if (text == NULL)
		return false;
	strbuf_str(out, text);
	strbuf_ch(out, '\n');
	free(text);
	return strbuf_ok(out);
}
