/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/help.c - help, manual page and bash completion, all from the table.
 *
 * Owns:       nothing.
 * Called by:  admin/cli/main.c; `make docs` and the build, by hidden options.
 * Blocks:     never.
 */
#include "admin/cli/command.h"

#define INDENT 26

struct option_doc {
	char letter;
	const char *name, *meta, *doc;
};
static const struct option_doc options[] = {
#define OPTION(letter, name, meta, doc) { letter, name, meta, doc },
#include "admin/cli/options.def"
#undef OPTION
};
struct exit_doc {
	int value;
	const char *doc;
};
static const struct exit_doc exits[] = {
#define EXITCODE(name, value, doc) { value, doc },
#include "admin/cli/exit_codes.def"
#undef EXITCODE
};

/* Text in lines of at most 78 columns; following lines begin at `indent`. */
static void
wrapped(struct strbuf *out, const char *s, size_t at, size_t indent)
{
	size_t col = at;

	while (*s != '\0') {
		size_t n = strcspn(s, " ");

		if (col > indent && col + 1 + n > 78) {
			strbuf_printf(out, "\n%*s", (int)indent, "");
			col = indent;
		} else if (col > indent) {
			strbuf_ch(out, ' ');
			col++;
		}
		strbuf_add(out, s, n);
		col += n;
		s += n;
		s += strspn(s, " ");
	}
	strbuf_ch(out, '\n');
}

/* "  left            doc" */
static void
two_columns(struct strbuf *out, const char *left, const char *doc)
{
	size_t len = strlen(left);

	strbuf_printf(out, "  %s", left);
	if (len + 4 > INDENT)
		strbuf_printf(out, "\n%*s", INDENT, "");
	else
		strbuf_printf(out, "%*s", (int)(INDENT - 2 - len), "");
	wrapped(out, doc, INDENT, INDENT);
}

static const char *
arg_meta(const struct arg_row *r, bool upper_name, struct arena *a)
{
	char *s;

	if (r->type == ARG_WORD)
		return r->words;
	if (!upper_name)
		return arg_types[r->type].meta;
	s = arena_strdup(a, r->name);
	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return s == NULL ? r->name : s;
}

/* "NAME", "[--domain DOMAIN]..." */
static const char *
arg_synopsis(const struct arg_row *r, struct arena *a)
{
	bool must = r->flags & ARG_IS_REQUIRED, many = r->flags & ARG_IS_MANY;
	const char *s;

	if (arg_is_hidden(r))
		must = false; /* the terminal is asked */
	if (r->flags & ARG_IS_POS)
		s = arena_printf(a, "%s%s%s%s", must ? "" : "[",
		    arg_meta(r, true, a), must ? "" : "]", many ? "..." : "");
	else if (r->type == ARG_FLAG)
		s = arena_printf(a, "[--%s]", r->name);
	else
		s = arena_printf(a, "%s--%s %s%s%s", must ? "" : "[",
		    option_name(r, a), arg_meta(r, false, a), must ? "" : "]",
		    many ? "..." : "");
	return s == NULL ? "" : s;
}

static const char *
arg_left(const struct arg_row *r, struct arena *a)
{
	const char *s;

	if (r->flags & ARG_IS_POS)
		return arg_meta(r, r->type != ARG_WORD, a);
	if (r->type == ARG_FLAG)
		s = arena_printf(a, "--%s", r->name);
	else
		s = arena_printf(a, "--%s %s", option_name(r, a),
		    arg_meta(r, false, a));
	return s == NULL ? "" : s;
}

static const char *
arg_doc(const struct arg_row *r, struct arena *a)
{
	const char *s = NULL;

	if (arg_is_hidden(r))
		s = arena_printf(a, "%s Read from the first line of the file; - or no "
		    "terminal: from standard input; else it is asked for.", r->doc);
	else if (r->flags & ARG_IS_MANY)
		s = arena_printf(a, "%s May be repeated.", r->doc);
	return s == NULL ? r->doc : s;
}

static void
synopsis(struct strbuf *out, const struct action *act)
{
	size_t begin = out->len, indent, at;

	strbuf_printf(out, "anvil-admin %s%s%s", act->noun,
	    act->verb[0] == '\0' ? "" : " ", act->verb);
	indent = out->len - begin + 7;
	at = indent;
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		const char *s = arg_synopsis(r, out->arena);

		if (at + 1 + strlen(s) > 78 && at > indent) {
			strbuf_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		}
		strbuf_printf(out, " %s", s);
		at += 1 + strlen(s);
	}
}

static void
help_options(struct strbuf *out)
{
	strbuf_str(out, "\nOptions of every command:\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option_doc *o = &options[i];
		const char *left = arena_printf(out->arena, "-%c, --%s%s%s",
		    o->letter, o->name, o->meta == NULL ? "" : " ",
		    o->meta == NULL ? "" : o->meta);

		two_columns(out, left == NULL ? o->name : left, o->doc);
	}
}

static void
help_exits(struct strbuf *out)
{
	strbuf_str(out, "\nExit codes:\n");
	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		strbuf_printf(out, "  %d  ", exits[i].value);
		wrapped(out, exits[i].doc, 5, 5);
	}
}

static void
help_top(struct strbuf *out)
{
	strbuf_str(out, "Usage: anvil-admin [OPTION]... NOUN [VERB] [ARGUMENT]...\n\n"
	    "Administers Anvil, an S3-compatible object store gateway.\n\nNouns:\n");
	for (const struct noun *n = nouns; n->name != NULL; n++) {
		struct strbuf line;

		strbuf_init(&line, out->arena, 1024);
		strbuf_str(&line, n->doc);
		for (const struct action *a = actions; a->noun != NULL; a++)
			if (strcmp(a->noun, n->name) == 0 && a->verb[0] != '\0')
				strbuf_printf(&line, "%s%s",
				    line.buf[line.len - 1] == '.' ? " Verbs: " : ", ",
				    a->verb);
		if (line.buf[line.len - 1] != '.')
			strbuf_ch(&line, '.');
		two_columns(out, n->name, strbuf_cstr(&line));
	}
	help_options(out);
	help_exits(out);
	strbuf_str(out, "\n\"anvil-admin NOUN --help\" and \"anvil-admin NOUN VERB --help\" tell more. Times are UTC.\n");
}

static void
help_noun(struct strbuf *out, const struct noun *n)
{
	strbuf_printf(out, "Usage: anvil-admin %s VERB [ARGUMENT]...\n\n", n->name);
	wrapped(out, n->doc, 0, 0);
	strbuf_str(out, "\nVerbs:\n");
	for (const struct action *a = actions; a->noun != NULL; a++)
		if (strcmp(a->noun, n->name) == 0)
			two_columns(out, a->verb, a->doc);
	strbuf_printf(out, "\n\"anvil-admin %s VERB --help\" tells more.\n", n->name);
}

static void
help_action(struct strbuf *out, const struct action *act)
{
	strbuf_str(out, "Usage: ");
	synopsis(out, act);
	strbuf_str(out, "\n\n");
	wrapped(out, act->doc, 0, 0);
	if (act->args[0].name != NULL)
		strbuf_str(out, "\nArguments:\n");
	for (const struct arg_row *r = act->args; r->name != NULL; r++)
		two_columns(out, arg_left(r, out->arena), arg_doc(r, out->arena));
	if (act->flags & ACT_DESTROYS)
		strbuf_str(out, "\nAsks before it does so, unless --yes is given.\n");
	strbuf_printf(out, "\nExample:\n  %s\n", act->example);
	help_options(out);
	help_exits(out);
}

void
help_print(struct strbuf *out, const struct noun *noun, const struct action *act)
{
	if (act != NULL)
		help_action(out, act);
	else if (noun != NULL)
		help_noun(out, noun);
	else
		help_top(out);
}
