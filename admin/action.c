/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/action.c - the table of actions and the look-ups in it.
 *
 * Owns:       static tables.
 * Called by:  admin/cli, admin/cgi and the actions.
 * Blocks:     never.
 */
#include "admin/action.h"

#include "base/parse.h"

const struct arg_type_row arg_types[ARG_TYPE_COUNT] = {
#define ARGTYPE(name, meta, html, max, doc) { meta, html, doc, max },
#include "admin/arg_types.def"
#undef ARGTYPE
};

#define NOUN(noun, doc) { #noun, doc },
#define ACTION(...)
const struct noun nouns[] = {
#include "admin/actions.def"
	{ NULL, NULL }
};
#undef NOUN
#undef ACTION

/* The words of actions.def. */
#define VIEWER ROLE_VIEWER
#define ADMIN ROLE_ADMIN
#define NONE NEED_NONE
#define CONF NEED_CONF
#define GLOBAL NEED_GLOBAL
#define REGIONAL NEED_REGIONAL
#define CACHE NEED_CACHE
#define STORE NEED_STORE
#define CHANGES ACT_CHANGES
#define DESTROYS ACT_DESTROYS
#define PAGE ACT_PAGE
#define ONCE ACT_ONCE
#define POS(n, t, d) { n, ARG_##t, ARG_IS_POS | ARG_IS_REQUIRED, NULL, 0, 0, d }
#define POS_OPT(n, t, d) { n, ARG_##t, ARG_IS_POS, NULL, 0, 0, d }
#define POS_WORD(n, w, d) { n, ARG_WORD, ARG_IS_POS | ARG_IS_REQUIRED, w, 0, 0, d }
#define REQ(n, t, d) { n, ARG_##t, ARG_IS_REQUIRED, NULL, 0, 0, d }
#define OPT(n, t, d) { n, ARG_##t, 0, NULL, 0, 0, d }
#define MANY(n, t, d) { n, ARG_##t, ARG_IS_MANY, NULL, 0, 0, d }
#define WORD(n, w, d) { n, ARG_WORD, 0, w, 0, 0, d }
#define NUM(n, lo, hi, d) { n, ARG_NUMBER, 0, NULL, lo, hi, d }
#define FLAG(n, d) { n, ARG_FLAG, 0, NULL, 0, 0, d }
#define ARGS_END { NULL, ARG_TEXT, 0, NULL, 0, 0, NULL }

#define NOUN(noun, doc)
#define ACTION(noun, verb, function, role, needs, flags, doc, example, ...)    \
	{ #noun, #verb, function, role, needs, flags, doc, example,            \
	    (const struct arg_row[]){ __VA_ARGS__ __VA_OPT__(, ) ARGS_END } },
const struct action actions[] = {
#include "admin/actions.def"
	{ NULL, NULL, NULL, ROLE_ADMIN, 0, 0, NULL, NULL, NULL }
};

const struct noun *
noun_find(const char *name)
{
	for (const struct noun *n = nouns; n->name != NULL; n++)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

const struct action *
action_find(const char *noun, const char *verb)
{
	if (verb == NULL)
		verb = "";
	for (const struct action *a = actions; a->noun != NULL; a++)
		if (strcmp(a->noun, noun) == 0 && strcmp(a->verb, verb) == 0)
			return a;
	return NULL;
}

const char *
action_name(const struct action *act, struct arena *a)
{
	const char *s;

	if (act->verb[0] == '\0')
		return act->noun;
	s = arena_printf(a, "%s.%s", act->noun, act->verb);
	return s == NULL ? act->noun : s;
}

const struct action *
action_by_name(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t len = dot == NULL ? strlen(name) : (size_t)(dot - name);
	const char *verb = dot == NULL ? "" : dot + 1;

	for (const struct action *a = actions; a->noun != NULL; a++)
		if (strlen(a->noun) == len && memcmp(a->noun, name, len) == 0 &&
		    strcmp(a->verb, verb) == 0)
			return a;
	return NULL;
}

const struct arg_row *
action_arg(const struct action *act, const char *name)
{
	for (const struct arg_row *r = act->args; r->name != NULL; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static const struct arg_value *
slot_of(const struct action_ctx *c, const char *name)
{
	const struct arg_value *v = args_slot(c->args, name);

	ASSERT(v != NULL);
	return v;
}

const char *
arg_str(const struct action_ctx *c, const char *name)
{
	const struct arg_value *v = slot_of(c, name);

	return v->n == 0 ? NULL : v->values[0];
}

const char *
arg_str_or(const struct action_ctx *c, const char *name, const char *otherwise)
{
	const char *s = arg_str(c, name);

	return s == NULL ? otherwise : s;
}

const char *const *
arg_list(const struct action_ctx *c, const char *name)
{
	const struct arg_value *v = slot_of(c, name);

	return v->n == 0 ? NULL : (const char *const *)v->values;
}

int64_t
arg_num(const struct action_ctx *c, const char *name, int64_t otherwise)
{
	const struct arg_value *v = slot_of(c, name);
	int64_t n = otherwise;

	ASSERT(v->row->type == ARG_NUMBER);
	if (v->n > 0 &&
	    !parse_i64(span_of(v->values[0]), v->row->min, v->row->max, &n))
		return otherwise;
	return n;
}

int64_t
arg_age(const struct action_ctx *c, const char *name, int64_t otherwise)
{
	const struct arg_value *v = slot_of(c, name);
	int64_t seconds = otherwise;

	ASSERT(v->row->type == ARG_AGE);
	return v->n > 0 && arg_parse_age(v->values[0], &seconds) ? seconds : otherwise;
}

int64_t
arg_limit(const struct action_ctx *c, const char *name, int64_t otherwise)
{
	const struct arg_value *v = slot_of(c, name);
	int64_t n = otherwise;

	ASSERT(v->row->type == ARG_SIZE || v->row->type == ARG_COUNT);
	if (v->n > 0 && !(v->row->type == ARG_SIZE ? arg_parse_size : arg_parse_count)(v->values[0], &n))
		return otherwise;
	return n;
}

bool
arg_flag(const struct action_ctx *c, const char *name)
{
	return slot_of(c, name)->n > 0;
}
