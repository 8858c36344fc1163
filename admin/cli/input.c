/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/input.c - what a command reads besides its words: documents from
 * files, passwords from files, standard input or the terminal, and a yes.
 *
 * Owns:       nothing; texts are the arena's. The terminal's echo is given back.
 * Called by:  admin/cli/main.c.
 * Blocks:     on files and on the person.
 * Invariant:  a password is never in argv, nor shown.
 */
#include "admin/cli/command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>

#define LINE_LIMIT 512

/* At most max bytes of a file ("-" = standard input); more is a failure. */
static int
read_text(const char *path, size_t max, struct arena *a, char **out, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(a, max + 2);
	size_t len = 0;
	ssize_t n;
	int rc = -1;

	if (fd < 0)
		return FAIL(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED,
		    "could not open \"%s\": %s", path, strerror(errno));
	if (text == NULL) {
		FAIL(err, ERR_LIMIT, "\"%s\" is too large", path);
		goto out;
	}
	while ((n = read(fd, text + len, max + 1 - len)) > 0) {
		len += (size_t)n;
		if (len > max) {
			FAIL(err, ERR_INVALID, "\"%s\" is longer than %zu bytes", path, max);
			goto out;
		}
	}
	if (n < 0) {
		FAIL(err, ERR_INTERNAL, "could not read \"%s\": %s", path, strerror(errno));
		goto out;
	}
	if (memchr(text, '\0', len) != NULL) {
		FAIL(err, ERR_INVALID, "\"%s\" is not text: it has a zero byte", path);
		goto out;
	}
	text[len] = '\0';
	*out = text;
	rc = 0;
out:
	if (!is_stdin)
		close(fd);
	return rc;
}

/* The first line of a file, without its end. */
static int
read_line_of(const char *path, size_t max, struct arena *a, char **out, struct err *err)
{
	if (read_text(path, max + LINE_LIMIT, a, out, err) != 0)
		return -1;
	(*out)[strcspn(*out, "\r\n")] = '\0';
	return 0;
}

/* One line from the terminal, shown or not; NULL at its end. */
static char *
ask_terminal(FILE *tty, const char *question, bool shown, char *buf, size_t size)
{
	struct termios before, quiet;
	bool changed = false;
	char *line;

	if (!shown && tcgetattr(fileno(tty), &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fileno(tty), TCSAFLUSH, &quiet) == 0;
	}
	fprintf(tty, "%s", question);
	fflush(tty);
	line = fgets(buf, (int)size, tty);
	if (changed) {
		tcsetattr(fileno(tty), TCSAFLUSH, &before);
		fprintf(tty, "\n");
	}
	if (line != NULL)
		line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static int
ask_password(const struct arg_row *row, struct arena *a, char **out, struct err *err)
{
	char first[LINE_LIMIT], second[LINE_LIMIT];
	FILE *tty = NULL;
	int rc = -1;

	if (!isatty(STDIN_FILENO))
		return read_line_of("-", arg_types[row->type].max, a, out, err);
	tty = fopen("/dev/tty", "r+");
	if (tty == NULL)
		return FAIL(err, ERR_INVALID, "no terminal to ask for the %s: give --%s",
		    row->name, option_name(row, a));
	if (ask_terminal(tty, "Password: ", false, first, sizeof(first)) == NULL ||
	    ask_terminal(tty, "Again: ", false, second, sizeof(second)) == NULL) {
		FAIL(err, ERR_INVALID, "no %s given", row->name);
	} else if (strcmp(first, second) != 0) {
		FAIL(err, ERR_INVALID, "the two are not the same; nothing was changed");
	} else {
		*out = arena_strdup(a, first);
		rc = *out == NULL ? FAIL(err, ERR_LIMIT, "too long") : 0;
	}
	crypto_wipe(first, sizeof(first));
	crypto_wipe(second, sizeof(second));
	fclose(tty);
	return rc;
}

static int
fetch_one(struct command *c, struct arg_value *v, struct err *err)
{
	struct arena *a = c->args.arena;
	size_t max = arg_types[v->row->type].max;
	char *text = NULL;

	if (v->row->type == ARG_DOCUMENT && v->n > 0) {
		if (read_text(v->values[0], max, a, &text, err) != 0)
			return -1;
		v->values[0] = text;
	} else if (arg_is_hidden(v->row) && v->n > 0) {
		if (read_line_of(v->values[0], max, a, &text, err) != 0)
			return -1;
		v->values[0] = text;
	} else if (arg_is_hidden(v->row) && (v->row->flags & ARG_IS_REQUIRED)) {
		if (ask_password(v->row, a, &text, err) != 0)
			return -1;
		args_set(&c->args, v->row->name, text);
	}
	return 0;
}

int
command_fetch(struct command *c, struct err *err)
{
	for (size_t i = 0; i < c->args.n; i++)
		if (fetch_one(c, &c->args.v[i], err) != 0)
			return -1;
	if (args_check(&c->args))
		return 0;
	for (size_t i = 0; i < c->args.n; i++)
		if (c->args.v[i].problem != NULL)
			return FAIL(err, ERR_INVALID, "%s: %s",
			    c->args.v[i].row->name, c->args.v[i].problem);
	return FAIL(err, ERR_INVALID, "the arguments are not as they must be");
}

bool
command_confirmed(const struct command *c, struct arena *a)
{
	char answer[LINE_LIMIT];
	struct strbuf question;
	FILE *tty;
	bool yes;

	if (c->yes || !(c->act->flags & ACT_DESTROYS))
		return true;
	if (!isatty(STDIN_FILENO) || (tty = fopen("/dev/tty", "r+")) == NULL)
		return false;
	strbuf_init(&question, a, 1024);
	strbuf_printf(&question, "%s %s", c->act->noun, c->act->verb);
	if (c->args.n > 0 && c->args.v[0].n > 0)
		strbuf_printf(&question, " \"%s\"", c->args.v[0].values[0]);
	strbuf_printf(&question, ": %s\nGo on? (yes/no) ", c->act->doc);
	yes = ask_terminal(tty, strbuf_cstr(&question), true, answer,
	    sizeof(answer)) != NULL && strcmp(answer, "yes") == 0;
	fclose(tty);
	return yes;
}
