/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/man.c - docs/anvil-admin.1 (mdoc) and the bash completion, from the
 * tables. `anvil-admin --print-man`, `anvil-admin --print-completion`.
 *
 * Owns:       nothing.
 * Called by:  admin/cli/main.c, for `make docs` and the build.
 * Blocks:     never.
 */
#include "admin/cli/command.h"

struct option_doc {
	char letter;
	const char *name, *meta, *doc;
};
static const struct option_doc options[] = {
#define OPTION(letter, name, meta, doc) { letter, name, meta, doc },
#include "admin/cli/options.def"
#undef OPTION
};

/* Text between macros: no line may begin with a control character, "\" is \e. */
static void
roff(struct strbuf *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		strbuf_str(out, "\\&");
	for (; *s != '\0'; s++) {
		if (s[0] == '.' && s[1] == ' ' && s[2] != '\0') { /* a sentence, a line */
			strbuf_str(out, ".\n");
			s++;
		} else if (*s == '\\')
			strbuf_str(out, "\\e");
		else if (*s == '-')
			strbuf_str(out, "\\-");
		else
			strbuf_ch(out, *s);
	}
}

/* A word as a macro's argument: what mdoc would take for a macro or a delimiter is guarded. */
static void
roff_arg(struct strbuf *out, const char *s)
{
	strbuf_str(out, " \\&");
	roff(out, s);
}

static const char *
upper(const char *name, struct arena *a)
{
	char *s = arena_strdup(a, name);

	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return s == NULL ? name : s;
}

static void
man_arg_name(struct strbuf *out, const struct arg_row *r)
{
	if (r->flags & ARG_IS_POS) {
		strbuf_str(out, "Ar");
		roff_arg(out, r->type == ARG_WORD ? r->words : upper(r->name, out->arena));
		return;
	}
	strbuf_str(out, "Fl");
	roff_arg(out, arena_printf(out->arena, "-%s", option_name(r, out->arena)));
	if (r->type == ARG_FLAG)
		return;
	strbuf_str(out, " Ar");
	roff_arg(out, r->type == ARG_WORD ? r->words : arg_types[r->type].meta);
}

static void
man_action(struct strbuf *out, const struct action *act)
{
	strbuf_printf(out, ".It Xo\n.Cm %s", act->noun);
	if (act->verb[0] != '\0')
		strbuf_printf(out, " %s", act->verb);
	strbuf_ch(out, '\n');
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		bool must = (r->flags & ARG_IS_REQUIRED) && !arg_is_hidden(r);

		strbuf_str(out, must ? "." : ".Op ");
		man_arg_name(out, r);
		if (r->flags & ARG_IS_MANY)
			strbuf_str(out, " ...");
		strbuf_ch(out, '\n');
	}
	strbuf_str(out, ".Xc\n");
	roff(out, act->doc);
	strbuf_ch(out, '\n');
	if (act->flags & ACT_DESTROYS)
		strbuf_str(out, "Asks first, unless\n.Fl \\&-yes\nis given.\n");
	if (act->args[0].name != NULL)
		strbuf_str(out, ".Bl -tag -width Ds -compact\n");
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		strbuf_str(out, ".It ");
		man_arg_name(out, r);
		strbuf_ch(out, '\n');
		roff(out, r->doc);
		if (arg_is_hidden(r))
			strbuf_str(out, "\nThe first line of the file;\n.Sq \\&-\nor no terminal: of standard input; else it is asked for.");
		if (r->flags & ARG_IS_MANY)
			strbuf_str(out, "\nMay be repeated.");
		strbuf_ch(out, '\n');
	}
	if (act->args[0].name != NULL)
		strbuf_str(out, ".El\n");
	strbuf_str(out, ".Pp\n.Dl ");
	roff(out, act->example);
	strbuf_ch(out, '\n');
}

static void
man_options(struct strbuf *out)
{
	strbuf_str(out, ".Sh OPTIONS\nThese may stand anywhere.\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		strbuf_printf(out, ".It Fl %c , Fl \\&-%s", options[i].letter,
		    options[i].name);
		if (options[i].meta != NULL)
			strbuf_printf(out, " Ar %s", options[i].meta);
		strbuf_ch(out, '\n');
		roff(out, options[i].doc);
		strbuf_ch(out, '\n');
	}
	strbuf_str(out, ".El\n");
}

void
man_print(struct strbuf *out)
{
	strbuf_str(out,
	    ".\\\" Made by \"anvil-admin --print-man\" from admin/actions.def; do not edit.\n"
	    ".Dd November 25, 2026\n.Dt ANVIL-ADMIN 1\n.Os\n.Sh NAME\n.Nm anvil-admin\n"
	    ".Nd administer Anvil, an S3-compatible object store gateway\n.Sh SYNOPSIS\n.Nm\n"
	    ".Op Fl c Ar FILE\n.Op Fl \\&-json\n.Op Fl \\&-yes\n.Ar noun\n.Op Ar verb\n.Op Ar argument ...\n"
	    ".Sh DESCRIPTION\n.Nm\ndoes what an operator does: regions, tenants, access keys, policies, buckets, operators, the cache, checks.\n"
	    "Every change is written to the audit log, and is known in every region when the command ends, or a warning says so.\nTimes are UTC.\n");
	man_options(out);
	strbuf_str(out, ".Sh COMMANDS\n");
	for (const struct noun *n = nouns; n->name != NULL; n++) {
		strbuf_printf(out, ".Ss %s\n", n->name);
		roff(out, n->doc);
		strbuf_str(out, "\n.Bl -tag -width Ds\n");
		for (const struct action *a = actions; a->noun != NULL; a++)
			if (strcmp(a->noun, n->name) == 0)
				man_action(out, a);
		strbuf_str(out, ".El\n");
	}
	strbuf_str(out, ".Sh ENVIRONMENT\n.Bl -tag -width ANVIL_CONF\n.It Ev ANVIL_CONF\nThe configuration file, unless\n.Fl c\nis given.\n"
	    ".It Ev SUDO_USER\nNamed in the audit log beside the user that the command runs as.\n.El\n");
	strbuf_str(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n");
#define EXITCODE(name, value, doc) strbuf_printf(out, ".It %d\n%s\n", value, doc);
#include "admin/cli/exit_codes.def"
#undef EXITCODE
	strbuf_str(out, ".El\n.Sh JSON\nWith\n.Fl \\&-json\none object is printed: \"ok\", a member a table (an array of objects, or one object), \"next\" when a list goes on,\n"
	    "\"messages\" (\"level\", \"text\"), and \"error\" (\"kind\", \"message\") when \"ok\" is false.\n"
	    "Times are in ISO 8601, sizes in bytes, durations in microseconds.\n"
	    ".Sh SEE ALSO\n.Xr anvil.conf 5 ,\n.Xr anvil-admin.cgi 8 ,\n.Xr anvil-invalidator 8 ,\n.Xr anvil-s3.fcgi 8\n");
}

/* ---- bash completion ---- */

static void
completion_words(struct strbuf *out, const struct action *act)
{
	strbuf_str(out, "words='");
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		if (!(r->flags & ARG_IS_POS))
			strbuf_printf(out, "--%s ", option_name(r, out->arena));
		else if (r->type == ARG_WORD)
			for (const char *p = r->words; *p != '\0'; p++)
				strbuf_ch(out, *p == '|' ? ' ' : *p);
		if ((r->flags & ARG_IS_POS) && r->type == ARG_WORD)
			strbuf_ch(out, ' ');
	}
	strbuf_str(out, "'");
}

/* What follows an option of the action: words, or files. */
static void
completion_values(struct strbuf *out, const struct action *act)
{
	for (const struct arg_row *r = act->args; r->name != NULL; r++) {
		if ((r->flags & ARG_IS_POS) || r->type == ARG_FLAG)
			continue;
		strbuf_printf(out, "    '%s %s --%s') ", act->noun, act->verb,
		    option_name(r, out->arena));
		if (r->type == ARG_WORD) {
			strbuf_str(out, "values='");
			for (const char *p = r->words; *p != '\0'; p++)
				strbuf_ch(out, *p == '|' ? ' ' : *p);
			strbuf_str(out, "'");
		} else if (r->type == ARG_DOCUMENT || arg_is_hidden(r)) {
			strbuf_str(out, "files=1");
		} else {
			strbuf_str(out, "none=1");
		}
		strbuf_str(out, " ;;\n");
	}
}

static void
completion_tables(struct strbuf *out)
{
	strbuf_str(out, "  case $noun in\n");
	for (const struct noun *n = nouns; n->name != NULL; n++) {
		if (action_find(n->name, NULL) != NULL)
			continue;
		strbuf_printf(out, "    %s) verbs='", n->name);
		for (const struct action *a = actions; a->noun != NULL; a++)
			if (strcmp(a->noun, n->name) == 0)
				strbuf_printf(out, "%s ", a->verb);
		strbuf_str(out, "' ;;\n");
	}
	strbuf_str(out, "  esac\n  case \"$noun $verb\" in\n");
	for (const struct action *a = actions; a->noun != NULL; a++) {
		strbuf_printf(out, "    '%s %s') ", a->noun, a->verb);
		completion_words(out, a);
		for (const struct arg_row *r = a->args; r->name != NULL; r++)
			if (r->type == ARG_PATH)
				strbuf_str(out, "; paths=1");
		strbuf_str(out, " ;;\n");
	}
	strbuf_str(out, "  esac\n  case \"$noun $verb $prev\" in\n");
	for (const struct action *a = actions; a->noun != NULL; a++)
		completion_values(out, a);
	strbuf_str(out, "  esac\n");
}

void
completion_print(struct strbuf *out)
{
	strbuf_str(out,
	    "# bash completion for anvil-admin, made from admin/actions.def by\n"
	    "# \"anvil-admin --print-completion\"; do not edit.\n"
	    "_anvil_admin() {\n"
	    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "  local noun='' verb='' verbs='' words='' values='' files='' none='' paths='' i w\n"
	    "  local nouns='");
	for (const struct noun *n = nouns; n->name != NULL; n++)
		strbuf_printf(out, "%s ", n->name);
	strbuf_str(out, "help'\n  local options='");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		strbuf_printf(out, "%s--%s", i == 0 ? "" : " ", options[i].name);
	strbuf_str(out, "'\n"
	    "  COMPREPLY=()\n"
	    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "    w=${COMP_WORDS[i]}\n"
	    "    case $w in\n"
	    "      -c|--config) ((i++)) ;;\n"
	    "      -*) ;;\n"
	    "      *) if [[ -z $noun ]]; then noun=$w; elif [[ -z $verb ]]; then verb=$w; fi ;;\n"
	    "    esac\n"
	    "  done\n"
	    "  case $noun in ");
	for (const struct noun *n = nouns; n->name != NULL; n++)
		if (action_find(n->name, NULL) != NULL)
			strbuf_printf(out, "%s) verb='' ;; ", n->name);
	strbuf_str(out, "esac\n");
	completion_tables(out);
	strbuf_str(out,
	    "  case $prev in -c|--config) files=1 ;; esac\n"
	    "  if [[ -n $files ]]; then\n"
	    "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	    "    compopt -o filenames 2>/dev/null\n"
	    "  elif [[ -n $values ]]; then\n"
	    "    mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
	    "  elif [[ -n $none ]]; then\n"
	    "    COMPREPLY=()\n"
	    "  elif [[ -z $noun ]]; then\n"
	    "    mapfile -t COMPREPLY < <(compgen -W \"$nouns $options\" -- \"$cur\")\n"
	    "  elif [[ -z $verb && -n $verbs ]]; then\n"
	    "    mapfile -t COMPREPLY < <(compgen -W \"$verbs --help\" -- \"$cur\")\n"
	    "  else\n"
	    "    mapfile -t COMPREPLY < <(compgen -W \"$words $options\" -- \"$cur\")\n"
	    "    [[ -n $paths && $cur != -* ]] && mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\")\n"
	    "  fi\n"
	    "  return 0\n"
	    "}\n"
	    "complete -F _anvil_admin anvil-admin\n");
}
