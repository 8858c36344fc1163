/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cli/main.c - anvil-admin: one command, one action, one answer.
 *
 * Owns:       the process.
 * Called by:  an operator, a script, a timer.
 * Blocks:     as the action does.
 * Exit:       admin/cli/exit_codes.def.
 */
#include "admin/cli/command.h"

#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "admin/run.h"
#include "base/log.h"

#define ARENA_CAP ((size_t)64 << 20)
#define OUTPUT_MAX ((size_t)32 << 20)
#define ACTOR_MAX 64

/* Who does this, for the audit log: the system user, and who became it with sudo. */
static const char *
os_actor(struct arena *a)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	char *s;

	if (pw == NULL)
		s = arena_printf(a, "uid %ld", (long)getuid());
	else if (sudo != NULL && sudo[0] != '\0' && strlen(sudo) < ACTOR_MAX / 2)
		s = arena_printf(a, "%s (%s)", pw->pw_name, sudo);
	else
		s = arena_strdup(a, pw->pw_name);
	return s == NULL ? "?" : s;
}

static int
terminal_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 60)
		return w.ws_col;
	return 100;
}

/* Everything at once, so that a closed pipe is noticed. */
static int
put_out(const struct strbuf *sb)
{
	if (!strbuf_ok(sb)) {
		fprintf(stderr, "anvil-admin: the answer is too large\n");
		return -1;
	}
	if (fwrite(strbuf_cstr(sb), 1, sb->len, stdout) != sb->len || fflush(stdout) != 0) {
		fprintf(stderr, "anvil-admin: could not write: %s\n", strerror(errno));
		return -1;
	}
	return 0;
}

static int
answer(const struct command *c, const struct result *r, const struct err *err, struct strbuf *out)
{
	if (c->json) {
		if (!render_json(r, err, out))
			out->failed = true;
	} else {
		render_text(r, out, terminal_width());
	}
	if (put_out(out) != 0)
		return EXIT_FAILED;
	if (err->code != 0 && !c->json)
		fprintf(stderr, "anvil-admin: %s\n", err->detail);
	return exit_code_of(err->code);
}

static void
open_log(const struct command *c, const struct settings *s)
{
	static const char *const words[] = { "debug", "info", "warn", "error" };
	enum log_level level = LOG_ERROR;
	const char *path = "/dev/null"; /* a person reads the answer, not log lines */

	if (s != NULL && s->log_file[0] != '\0' && access(s->log_file, W_OK) == 0) {
		path = s->log_file;
		for (int i = 0; i < 4; i++)
			if (strcmp(words[i], s->log_level) == 0)
				level = (enum log_level)i;
	}
	if (c->verbose) {
		path = NULL;
		level = LOG_INFO;
	}
	if (log_open("anvil-admin", level, path) != 0)
		fprintf(stderr, "anvil-admin: could not open the log \"%s\"\n", path);
}

/* How far it is, for a person who waits. */
static bool
on_progress(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "anvil-admin: %s\n", text);
	return true;
}

static int
run(struct command *c, struct arena *a, struct strbuf *out)
{
	struct runtime rt = { 0 };
	struct runner who = { .rt = &rt, .conf = c->conf, .actor = os_actor(a),
		.via = "cli", .origin = "", .role = ROLE_ADMIN, .progress = c->json ? NULL : on_progress };
	struct result r;
	struct err err = { 0 };
	int code;

	result_init(&r, a);
	if (!command_confirmed(c, a)) {
		FAIL(&err, ERR_INVALID, "not done: say --yes when you mean it");
	} else if (command_fetch(c, &err) == 0 &&
	    runtime_open(&rt, c->conf, c->act->needs & NEED_CONF, &err) == 0) {
		open_log(c, rt.settings);
		if (action_run(&who, c->act, &c->args, a, &r, &err) != 0 && err.code == 0)
			FAIL(&err, ERR_INTERNAL, "it failed without a reason");
	}
	code = answer(c, &r, &err, out);
	for (size_t i = 0; i < c->args.n; i++)
		if (arg_is_hidden(c->args.v[i].row) && c->args.v[i].n > 0)
			explicit_bzero((void *)(uintptr_t)c->args.v[i].values[0],
			    strlen(c->args.v[i].values[0]));
	runtime_close(&rt);
	return code;
}

static int
wrong(const struct command *c, struct strbuf *out, struct arena *a)
{
	struct err err = { 0 };
	struct result r;

	if (c->json) {
		result_init(&r, a);
		FAIL(&err, ERR_INVALID, "%s", c->problem);
		return answer(c, &r, &err, out);
	}
	fprintf(stderr, "anvil-admin: %s\nTry \"anvil-admin %s%s%s%s--help\".\n", c->problem,
	    c->noun == NULL ? "" : c->noun->name, c->noun == NULL ? "" : " ",
	    c->act == NULL ? "" : c->act->verb,
	    c->act == NULL || c->act->verb[0] == '\0' ? "" : " ");
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct command c;
	struct strbuf out;
	int code = EXIT_DONE;

	signal(SIGPIPE, SIG_IGN);
	strbuf_init(&out, a, OUTPUT_MAX);
	command_parse(&c, a, argc, argv);
	switch (c.what) {
	case COMMAND_RUN:
		code = run(&c, a, &out);
		break;
	case COMMAND_WRONG:
		code = wrong(&c, &out, a);
		break;
	case COMMAND_HELP:
		help_print(&out, c.noun, c.act);
		break;
	case COMMAND_VERSION:
		strbuf_str(&out, PACKAGE_STRING "\n");
		break;
	case COMMAND_MAN:
		man_print(&out);
		break;
	case COMMAND_COMPLETION:
		completion_print(&out);
		break;
	}
	if (c.what != COMMAND_RUN && c.what != COMMAND_WRONG && put_out(&out) != 0)
		code = EXIT_FAILED;
	arena_free(a);
	return code;
}
