/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/action.h - an operator's actions: one row of admin/actions.def, one
 * function in admin/act_*.c. The command line and the pages find the row, check
 * the arguments against it and call the function; what it has to say comes
 * back in a struct result.
 */
#ifndef ANVIL_ADMIN_ACTION_H
#define ANVIL_ADMIN_ACTION_H

#include "admin/result.h"
#include "base/err.h"
#include "base/settings.h"

struct meta;
struct meta_thread;
struct store;
struct runtime;

enum act_role { ROLE_VIEWER, ROLE_ADMIN };
enum act_needs {
	NEED_NONE = 0,
	NEED_CONF = 1 << 0,
	NEED_GLOBAL = 1 << 1 | NEED_CONF,
	NEED_REGIONAL = 1 << 2 | NEED_CONF,
	NEED_CACHE = 1 << 3 | NEED_CONF,
	NEED_STORE = 1 << 4 | NEED_CONF
};
enum act_flags {
	ACT_CHANGES = 1 << 0,
	ACT_DESTROYS = 1 << 1,
	ACT_PAGE = 1 << 2,
	ACT_ONCE = 1 << 3
};

enum arg_type {
#define ARGTYPE(name, meta, html, max, doc) ARG_##name,
#include "admin/arg_types.def"
#undef ARGTYPE
	ARG_TYPE_COUNT
};
struct arg_type_row {
	const char *meta, *html, *doc;
	size_t max;
};
extern const struct arg_type_row arg_types[ARG_TYPE_COUNT];

enum arg_flags { ARG_IS_POS = 1 << 0, ARG_IS_REQUIRED = 1 << 1, ARG_IS_MANY = 1 << 2 };
struct arg_row {
	const char *name; /* NULL ends the list */
	enum arg_type type;
	int flags;
	const char *words; /* ARG_WORD: "a|b" */
	int64_t min, max;  /* ARG_NUMBER */
	const char *doc;
};

/* Passwords and secrets: asked for or read from a file, never in argv, never shown again. */
static inline bool
arg_is_hidden(const struct arg_row *row)
{
	return row->type == ARG_PASSWORD || row->type == ARG_SECRET;
}

struct action_ctx;
typedef int (*action_fn)(struct action_ctx *ctx, struct err *err);
struct action {
	const char *noun, *verb; /* verb "" when the noun is all */
	action_fn fn;
	enum act_role role;
	int needs, flags;
	const char *doc, *example;
	const struct arg_row *args;
};
struct noun {
	const char *name, *doc;
};
extern const struct noun nouns[]; /* name NULL ends */
extern const struct action actions[]; /* noun NULL ends */

#define ACTION(noun, verb, function, ...)                                      \
	int function(struct action_ctx *ctx, struct err *err);
#define NOUN(noun, doc)
#include "admin/actions.def"
#undef ACTION
#undef NOUN

/* NULL when there is none. verb may be NULL or "" for an action that is a noun alone. */
const struct action *action_find(const char *noun, const char *verb);
const struct noun *noun_find(const char *name);
/* "tenant.create", "doctor": the name in the audit log and in forms. */
const char *action_name(const struct action *act, struct arena *a);
const struct action *action_by_name(const char *name);
const struct arg_row *action_arg(const struct action *act, const char *name);

/* ---- the values of an action's arguments ---- */

struct arg_value {
	const struct arg_row *row;
	const char **values; /* ends in NULL; NULL = not given */
	size_t n, room;
	const char *problem; /* what is wrong with it; a sentence without full stop */
};
struct args {
	struct arena *arena;
	const struct action *act;
	struct arg_value *v; /* as many as rows */
	size_t n;
	bool bad; /* a problem is set somewhere */
};
void args_init(struct args *args, struct arena *a, const struct action *act);
struct arg_value *args_slot(struct args *args, const char *name);
/* Appends the value as it came; what is too long is a problem. */
void args_set(struct args *args, const char *name, const char *value);
void args_problem(struct args *args, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Checks every value against its row. Documents and passwords must hold their text by now. False: args->bad. */
bool args_check(struct args *args);
/* Is the text right for the type? NULL, or what is wrong. `row` gives words and limits. */
const char *arg_check_value(const struct arg_row *row, const char *value, struct arena *a);
/* "7d", "12h", "30m", "90s", or days alone. False: it is none. */
bool arg_parse_age(const char *s, int64_t *seconds);
/* "10G" (GiB), bytes alone, or "none": ARG_NO_LIMIT; a count has no units. False: it is none of these. */
#define ARG_NO_LIMIT INT64_C(-1)
bool arg_parse_size(const char *s, int64_t *bytes);
bool arg_parse_count(const char *s, int64_t *n);

/* ---- what an action's function gets ---- */

struct action_ctx {
	const struct action *act;
	struct args *args;
	struct arena *arena;
	struct result *result;
	const struct settings *settings; /* NULL with NEED_NONE */
	struct meta *meta;
	struct meta_thread *thread;
	struct store *store;
	const char *conf; /* as given; NULL = the default */
	struct runtime *runtime; /* for doctor, which opens things one by one */
	const char *actor; /* the operator's name, or the system user */
	const char *origin; /* "cli", or the browser's address */
	const char *audit_target; /* set by the function where the first argument does not name it */
	bool (*progress)(void *arg, const char *text); /* may be NULL */
	void *progress_arg;
};
/* The value of an argument; NULL (or the default) when it was not given. The name must be in the row. */
const char *arg_str(const struct action_ctx *c, const char *name);
const char *arg_str_or(const struct action_ctx *c, const char *name, const char *otherwise);
const char *const *arg_list(const struct action_ctx *c, const char *name); /* NULL when not given */
int64_t arg_num(const struct action_ctx *c, const char *name, int64_t otherwise);
int64_t arg_age(const struct action_ctx *c, const char *name, int64_t otherwise); /* seconds */
int64_t arg_limit(const struct action_ctx *c, const char *name, int64_t otherwise); /* a SIZE or COUNT; ARG_NO_LIMIT: none */
bool arg_flag(const struct action_ctx *c, const char *name);

#endif
