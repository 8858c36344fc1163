/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/settings_print.c - the table of settings as a sample file and as a
 * manual page, so that neither can differ from what the parser takes.
 */
#include "base/settings.h"

struct row {
	const char *name, *type, *def, *range, *doc;
	bool quoted;
};

#define SET_STR(name, def, doc) { #name, "string", def, "", doc, true },
#define SET_INT(name, def, min, max, unit, doc)                                \
	{ #name, "number", #def, unit ", " #min " to " #max, doc, false },
#define SET_BOOL(name, def, doc) { #name, "true or false", def ? "true" : "false", "", doc, false },
#define SET_LIST(name, def, doc) { #name, "list", def, "", doc, true },
#define SET_ENUM(name, def, words, doc) { #name, words, def, "", doc, true },
static const struct row rows[] = {
#include "base/settings.def"
};
#undef SET_STR
#undef SET_INT
#undef SET_BOOL
#undef SET_LIST
#undef SET_ENUM

static bool
is_list(const struct row *r)
{
	return strcmp(r->type, "list") == 0;
}

void
settings_print_sample(FILE *out)
{
	fputs("# anvil.conf - see anvil.conf(5). Every setting stands here with its default.\n"
	      "# NAME = VALUE; strings in quotes, lists as { \"a\", \"b\" }; ${VAR} is taken from the environment.\n",
	    out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const char *q = r->quoted ? "\"" : "";

		fprintf(out, "\n# %s\n", r->doc);
		if (r->range[0] != '\0')
			fprintf(out, "# (%s)\n", r->range);
		if (is_list(r))
			fprintf(out, "#%s = { %s%s%s }\n", r->name, r->def != NULL ? q : "",
			    r->def != NULL ? r->def : "", r->def != NULL ? q : "");
		else
			fprintf(out, "#%s = %s%s%s\n", r->name, q, r->def, q);
	}
}

void
settings_print_man(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		fprintf(out, ".It Ic %s No = Ar %s\n%s\n", r->name, r->type, r->doc);
		if (r->range[0] != '\0')
			fprintf(out, "In %s.\n", r->range);
		if (r->def != NULL && r->def[0] != '\0')
			fprintf(out, "Default: %s.\n", r->def);
	}
}
