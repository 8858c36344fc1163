/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/command.h - the command line, read against admin/actions.def, and
 * what is printed from the same table: help, manual, bash completion.
 */
#ifndef ANVIL_ADMIN_CLI_COMMAND_H
#define ANVIL_ADMIN_CLI_COMMAND_H

#include "admin/action.h"

/* Exit codes: a promise to scripts; documented in --help and the manual. */
enum exit_code {
#define EXITCODE(name, value, doc) EXIT_##name = value,
#include "admin/cli/exit_codes.def"
#undef EXITCODE
};
/* The exit code for a failure. */
int exit_code_of(int err_code);

/* Options that every command takes: OPTION(letter, name, metavariable, doc). */
enum command_what {
	COMMAND_RUN,
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_MAN,
	COMMAND_COMPLETION,
	COMMAND_WRONG /* problem says why */
};
struct command {
	enum command_what what;
	const char *conf;
	bool json, yes, verbose;
	const struct noun *noun;  /* NULL with help of everything */
	const struct action *act; /* NULL with help of a noun */
	struct args args;
	const char *problem;      /* a sentence */
};
/* Pure: reads nothing but argv. Documents and passwords are still names of files. */
void command_parse(struct command *c, struct arena *a, int argc, char **argv);
/* The option that gives an argument: "password" is --password-file. */
const char *option_name(const struct arg_row *row, struct arena *a);

/* Files and terminal: puts the text of documents and passwords in the place of their names. */
MUST_CHECK int command_fetch(struct command *c, struct err *err);
/* Asks on the terminal whether to go on; false also when there is none. */
bool command_confirmed(const struct command *c, struct arena *a);

void help_print(struct strbuf *out, const struct noun *noun, const struct action *act);
void man_print(struct strbuf *out);
void completion_print(struct strbuf *out);

#endif
