/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/command.c - argv against the table of actions.
 *
 * Owns:       nothing; all is the arena's or argv's.
 * Called by:  admin/cli/main.c and its tests.
 * Blocks:     never; files are read by input.c.
 */
#include "admin/cli/command.h"

#define CLOSE_ENOUGH 2 /* letters that may differ in "did you mean" */
#define WORD_MAX 24

struct cursor {
	struct command *c;
	struct arena *a;
	int argc, at;
	char **argv;
	bool no_more_options; /* after "--" */
};

int
exit_code_of(int err_code)
{
	switch (err_code) {
	case ERR_NONE:
		return EXIT_DONE;
	case ERR_INVALID:
		return EXIT_USAGE;
	case ERR_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case ERR_EXISTS:
	case ERR_CONFLICT:
		return EXIT_EXISTS;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_FAILED;
	}
}

const char *
option_name(const struct arg_row *row, struct arena *a)
{
	const char *s;

	if (!arg_is_hidden(row))
		return row->name;
	s = arena_printf(a, "%s-file", row->name);
	return s == NULL ? row->name : s;
}

static void wrong(struct command *c, struct arena *a, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static void
wrong(struct command *c, struct arena *a, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	if (c->problem != NULL)
		return;
	strbuf_init(&sb, a, 1024);
	va_start(ap, fmt);
	strbuf_vprintf(&sb, fmt, ap);
	va_end(ap);
	c->what = COMMAND_WRONG;
	c->problem = strbuf_cstr(&sb);
}

/* ---- "did you mean" ---- */

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance; far for long words. */
static size_t
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(row[j] + 1, row[j - 1] + 1,
			    corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[lb];
}

static const char *
closest_noun(const char *word)
{
	size_t best = CLOSE_ENOUGH + 1;
	const char *name = NULL;

	for (const struct noun *n = nouns; n->name != NULL; n++)
		if (distance(n->name, word) < best) {
			best = distance(n->name, word);
			name = n->name;
		}
	return name;
}

static const char *
closest_verb(const char *noun, const char *word)
{
	size_t best = CLOSE_ENOUGH + 1;
	const char *name = NULL;

	for (const struct action *x = actions; x->noun != NULL; x++)
		if (strcmp(x->noun, noun) == 0 && distance(x->verb, word) < best) {
			best = distance(x->verb, word);
			name = x->verb;
		}
	return name;
}

/* ---- options ---- */

static bool
set_global(struct cursor *u, char letter, const char *value)
{
	struct command *c = u->c;

	switch (letter) {
	case 'c':
		c->conf = value;
		break;
	case 'j':
		c->json = true;
		break;
	case 'y':
		c->yes = true;
		break;
	case 'v':
		c->verbose = true;
		break;
	case 'h':
		c->what = COMMAND_HELP;
		break;
	case 'V':
		c->what = COMMAND_VERSION;
		break;
	default:
		return false;
	}
	return true;
}

struct option_row {
	char letter;
	const char *name, *meta;
};
static const struct option_row globals[] = {
#define OPTION(letter, name, meta, doc) { letter, name, meta },
#include "admin/cli/options.def"
#undef OPTION
};

static const struct option_row *
global_by_word(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(globals); i++) {
		const struct option_row *g = &globals[i];

		if (len == 2 && word[0] == '-' && word[1] == g->letter)
			return g;
		if (len > 2 && strncmp(word, "--", 2) == 0 &&
		    strlen(g->name) == len - 2 &&
		    memcmp(word + 2, g->name, len - 2) == 0)
			return g;
	}
	return NULL;
}

/* The value of an option: after "=", or the next word. NULL: there is none, and that is said. */
static const char *
option_value(struct cursor *u, const char *word, const char *eq)
{
	if (eq != NULL)
		return eq + 1;
	if (u->at < u->argc)
		return u->argv[u->at++];
	wrong(u->c, u->a, "option %s needs a value", word);
	return NULL;
}

static const struct arg_row *
own_option(struct cursor *u, const char *word, size_t len)
{
	if (u->c->act == NULL || len <= 2 || strncmp(word, "--", 2) != 0)
		return NULL;
	for (const struct arg_row *r = u->c->act->args; r->name != NULL; r++) {
		const char *name = option_name(r, u->a);

		if (!(r->flags & ARG_IS_POS) && strlen(name) == len - 2 &&
		    memcmp(name, word + 2, len - 2) == 0)
			return r;
	}
	return NULL;
}

static void
take_option(struct cursor *u, const char *word)
{
	const char *eq = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	size_t len = eq == NULL ? strlen(word) : (size_t)(eq - word);
	const struct arg_row *r = own_option(u, word, len);
	const struct option_row *g = global_by_word(word, len);
	const char *value = NULL;

	if (r == NULL && g == NULL) {
		wrong(u->c, u->a, "unknown option %.*s", (int)len, word);
		return;
	}
	if (eq != NULL && (r == NULL ? g->meta == NULL : r->type == ARG_FLAG)) {
		wrong(u->c, u->a, "option %.*s takes no value", (int)len, word);
		return;
	}
	if (r == NULL ? g->meta != NULL : r->type != ARG_FLAG) {
		value = option_value(u, word, eq);
		if (value == NULL)
			return;
	}
	if (r != NULL)
		args_set(&u->c->args, r->name, value == NULL ? "1" : value);
	else
		set_global(u, g->letter, value);
}

/* The next word that is no option; NULL at the end or after a problem. */
static const char *
next_word(struct cursor *u)
{
	while (u->at < u->argc && u->c->problem == NULL) {
		const char *word = u->argv[u->at++];

		if (u->no_more_options || word[0] != '-' || word[1] == '\0')
			return word;
		if (strcmp(word, "--") == 0)
			u->no_more_options = true;
		else if (u->c->noun == NULL && strcmp(word, "--print-man") == 0)
			u->c->what = COMMAND_MAN;
		else if (u->c->noun == NULL && strcmp(word, "--print-completion") == 0)
			u->c->what = COMMAND_COMPLETION;
		else
			take_option(u, word);
	}
	return NULL;
}

static void
find_action(struct cursor *u)
{
	struct command *c = u->c;
	const char *noun = next_word(u), *verb, *near;

	if (noun != NULL && strcmp(noun, "help") == 0) {
		c->what = COMMAND_HELP;
		noun = next_word(u);
	}
	if (noun == NULL)
		return;
	c->noun = noun_find(noun);
	if (c->noun == NULL) {
		near = closest_noun(noun);
		wrong(c, u->a, "there is no \"%s\"%s%s%s", noun,
		    near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
		return;
	}
	c->act = action_find(noun, NULL);
	if (c->act != NULL)
		return;
	verb = next_word(u);
	if (verb == NULL)
		return;
	c->act = action_find(noun, verb);
	if (c->act == NULL) {
		near = closest_verb(noun, verb);
		wrong(c, u->a, "\"%s\" has no verb \"%s\"%s%s%s", noun, verb,
		    near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
	}
}

static void
take_words(struct cursor *u)
{
	const struct arg_row *r = u->c->act->args;
	const char *word;

	while ((word = next_word(u)) != NULL) {
		while (r->name != NULL && !(r->flags & ARG_IS_POS))
			r++;
		if (r->name == NULL) {
			wrong(u->c, u->a, "one word too many: \"%s\"", word);
			return;
		}
		args_set(&u->c->args, r->name, word);
		if (!(r->flags & ARG_IS_MANY))
			r++;
	}
}

/* What the words on the line can tell already; the rest is checked after command_fetch. */
static void
check_words(struct command *c, struct arena *a)
{
	for (size_t i = 0; i < c->args.n; i++) {
		struct arg_value *v = &c->args.v[i];
		bool from_file =
		    v->row->type == ARG_DOCUMENT || arg_is_hidden(v->row);

		if (v->n == 0 && (v->row->flags & ARG_IS_REQUIRED) &&
		    !arg_is_hidden(v->row))
			args_problem(&c->args, v->row->name, "is missing");
		for (size_t k = 0; k < v->n && !from_file; k++) {
			const char *why = arg_check_value(v->row, v->values[k], a);

			if (why != NULL)
				args_problem(&c->args, v->row->name, "%s", why);
		}
		if (v->problem != NULL)
			wrong(c, a, "%s%s: %s",
			    v->row->flags & ARG_IS_POS ? "" : "--",
			    v->row->flags & ARG_IS_POS ? v->row->name
						       : option_name(v->row, a),
			    v->problem);
	}
}

void
command_parse(struct command *c, struct arena *a, int argc, char **argv)
{
	struct cursor u = { c, a, argc, 1, argv, false };

	memset(c, 0, sizeof(*c));
	c->what = COMMAND_RUN;
	find_action(&u);
	if (c->act != NULL) {
		args_init(&c->args, a, c->act);
		take_words(&u);
	}
	if (c->what != COMMAND_RUN)
		return;
	if (c->noun == NULL)
		wrong(c, a, "say what to do");
	else if (c->act == NULL)
		wrong(c, a, "\"%s\" needs a verb", c->noun->name);
	else
		check_words(c, a);
}
