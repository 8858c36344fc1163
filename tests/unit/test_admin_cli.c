/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_admin_cli.c - the table of actions against what is made of it;
 * the command line by rows; results as text and as JSON. No service is needed.
 */
#include "admin/cli/command.h"

#include <check.h>
#include <jansson.h>

#include "base/clock.h"
#include "tests/unit/suite_help.h"

#define ARGC_MAX 24
#define TEXT_MAX ((size_t)1 << 20)

static struct arena *a;

static void
setup(void)
{
	a = arena_new((size_t)16 << 20);
}

static void
teardown(void)
{
	arena_free(a);
}

/* Words of a shell line: blanks, and '...' around some. */
static int
split(const char *line, char *argv[ARGC_MAX])
{
	char *s = arena_strdup(a, line), *word;
	int argc = 0;

	while (*s != '\0') {
		s += strspn(s, " ");
		if (*s == '\0')
			break;
		if (*s == '\'') {
			word = ++s;
			s += strcspn(s, "'");
		} else {
			word = s;
			s += strcspn(s, " ");
		}
		if (*s != '\0')
			*s++ = '\0';
		ck_assert_int_lt(argc, ARGC_MAX - 1);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return argc;
}

static void
parse(struct command *c, const char *line)
{
	char *argv[ARGC_MAX];
	int argc = split(line, argv);

	command_parse(c, a, argc, argv);
}

/* ---- the table ---- */

START_TEST(test_table_rows_are_whole)
{
	for (const struct action *x = actions; x->noun != NULL; x++) {
		ck_assert_msg(noun_find(x->noun) != NULL, "%s has no NOUN", x->noun);
		ck_assert_msg(x->doc[strlen(x->doc) - 1] == '.', "%s %s: the doc is no sentence", x->noun, x->verb);
		ck_assert_msg(action_find(x->noun, x->verb) == x, "%s %s is there twice", x->noun, x->verb);
		ck_assert_ptr_eq(action_by_name(action_name(x, a)), x);
		ck_assert_msg(!(x->flags & ACT_DESTROYS) || (x->flags & ACT_CHANGES), "%s %s", x->noun, x->verb);
		ck_assert_msg(!(x->flags & ACT_CHANGES) || x->role == ROLE_ADMIN, "%s %s: viewers change nothing",
		    x->noun, x->verb);
		for (const struct arg_row *r = x->args; r->name != NULL; r++) {
			ck_assert_msg(action_arg(x, r->name) == r, "%s %s: %s is there twice", x->noun, x->verb, r->name);
			ck_assert_msg((r->type == ARG_WORD) == (r->words != NULL), "%s", r->name);
			ck_assert_msg(r->doc[strlen(r->doc) - 1] == '.', "%s %s %s: the doc is no sentence",
			    x->noun, x->verb, r->name);
		}
	}
	for (const struct noun *n = nouns; n->name != NULL; n++) {
		bool used = false;

		for (const struct action *x = actions; x->noun != NULL; x++)
			used = used || strcmp(x->noun, n->name) == 0;
		ck_assert_msg(used, "noun %s has no verbs", n->name);
	}
}
END_TEST

START_TEST(test_table_examples_parse)
{
	for (const struct action *x = actions; x->noun != NULL; x++) {
		char *line = arena_strdup(a, x->example);
		struct command c;

		line[strcspn(line, "<")] = '\0'; /* "- < file" */
		parse(&c, line);
		ck_assert_msg(c.what == COMMAND_RUN, "%s: %s", x->example, c.problem);
		ck_assert_msg(c.act == x, "%s is an example of something else", x->example);
	}
}
END_TEST

static void
has(const char *text, const char *word, const char *where, const struct action *x)
{
	ck_assert_msg(strstr(text, word) != NULL, "%s of %s %s does not tell \"%s\"", where, x->noun, x->verb, word);
}

START_TEST(test_help_tells_every_argument)
{
	for (const struct action *x = actions; x->noun != NULL; x++) {
		struct strbuf sb;

		strbuf_init(&sb, a, TEXT_MAX);
		help_print(&sb, noun_find(x->noun), x);
		has(strbuf_cstr(&sb), x->example, "help", x);
		for (const struct arg_row *r = x->args; r->name != NULL; r++)
			if (!(r->flags & ARG_IS_POS))
				has(strbuf_cstr(&sb), arena_printf(a, "--%s", option_name(r, a)), "help", x);
		for (const char *s = strbuf_cstr(&sb); *s != '\0';) {
			size_t len = strcspn(s, "\n");

			ck_assert_msg(len <= 80 || strncmp(s, "  anvil-admin", 13) == 0, "help of %s %s has a line of %zu", x->noun, x->verb, len);
			s += len + (s[len] == '\n');
		}
	}
}
END_TEST

START_TEST(test_help_of_nouns_and_all)
{
	struct strbuf all, one;

	strbuf_init(&all, a, TEXT_MAX);
	help_print(&all, NULL, NULL);
	for (const struct noun *n = nouns; n->name != NULL; n++)
		ck_assert_ptr_nonnull(strstr(strbuf_cstr(&all), n->name));
	ck_assert_ptr_nonnull(strstr(strbuf_cstr(&all), "Exit codes"));
	strbuf_init(&one, a, TEXT_MAX);
	help_print(&one, noun_find("tenant"), NULL);
	for (const struct action *x = actions; x->noun != NULL; x++)
		if (strcmp(x->noun, "tenant") == 0)
			has(strbuf_cstr(&one), x->verb, "help", x);
}
END_TEST

START_TEST(test_completion_knows_every_word)
{
	struct strbuf sb;

	strbuf_init(&sb, a, TEXT_MAX);
	completion_print(&sb);
	ck_assert(strbuf_ok(&sb));
	for (const struct action *x = actions; x->noun != NULL; x++) {
		has(strbuf_cstr(&sb), arena_printf(a, "'%s %s') words='", x->noun, x->verb), "completion", x);
		for (const struct arg_row *r = x->args; r->name != NULL; r++)
			if (!(r->flags & ARG_IS_POS) && r->type != ARG_FLAG)
				has(strbuf_cstr(&sb), arena_printf(a, "'%s %s --%s')", x->noun, x->verb,
				    option_name(r, a)), "completion", x);
	}
}
END_TEST

/* What bash itself makes of it. */
START_TEST(test_completion_in_bash)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "anvil-admin ten", "tenant" },
		{ "anvil-admin tenant cre", "create" },
		{ "anvil-admin --json tenant sh", "show" },
		{ "anvil-admin -c x.conf app att", "attach" },
		{ "anvil-admin operator create ada --ro", "--role" },
		{ "anvil-admin operator create ada --role a", "admin" },
		{ "anvil-admin bucket routing photos re", "redirect\nrelay" },
		{ "anvil-admin doctor --end", "--endpoint" },
	};
	char path[] = "/tmp/anvil-completion.XXXXXX";
	struct strbuf sb;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	strbuf_init(&sb, a, TEXT_MAX);
	completion_print(&sb);
	ck_assert_int_eq(write(fd, strbuf_cstr(&sb), sb.len), (ssize_t)sb.len);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char got[256] = "";
		FILE *f = popen(arena_printf(a, "bash -c '. %s; compopt() { :; }; COMP_WORDS=(%s); "
		    "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _anvil_admin; printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
		    path, rows[i].line), "r");
		size_t n;

		ck_assert_ptr_nonnull(f);
		n = fread(got, 1, sizeof(got) - 1, f);
		got[n > 0 ? n - 1 : 0] = '\0';
		pclose(f);
		ck_assert_msg(strcmp(got, rows[i].want) == 0, "%s: expected %s, got %s", rows[i].line, rows[i].want, got);
	}
	unlink(path);
}
END_TEST

/* The committed page is the table's. */
START_TEST(test_manual_is_current)
{
	const char *top = getenv("ANVIL_SRCDIR");
	struct strbuf sb;
	char *text;
	FILE *f;
	size_t n;

	if (top == NULL)
		return;
	f = fopen(arena_printf(a, "%s/docs/anvil-admin.1", top), "r");
	ck_assert_msg(f != NULL, "docs/anvil-admin.1 is missing");
	text = arena_zalloc(a, TEXT_MAX);
	n = fread(text, 1, TEXT_MAX - 1, f);
	fclose(f);
	strbuf_init(&sb, a, TEXT_MAX);
	man_print(&sb);
	ck_assert_msg(n == sb.len && memcmp(text, strbuf_cstr(&sb), n) == 0,
	    "docs/anvil-admin.1 is not what the table makes: anvil-admin --print-man >docs/anvil-admin.1");
}
END_TEST

/* ---- the command line ---- */

struct line_row {
	const char *line, *want; /* NULL = it parses; else a part of the problem */
};
static const struct line_row lines[] = {
	{ "anvil-admin tenant list", NULL },
	{ "anvil-admin tenant list --limit 5 --json", NULL },
	{ "anvil-admin --json tenant list --limit=5", NULL },
	{ "anvil-admin tenant list --limit 0", "--limit: must be a whole number from 1 to 1000" },
	{ "anvil-admin tenant list --limit 1x", "--limit" },
	{ "anvil-admin tenant list --limit", "needs a value" },
	{ "anvil-admin tenant list --limit 1 --limit 2", "more than once" },
	{ "anvil-admin tenant list --limits 1", "unknown option --limits" },
	{ "anvil-admin tenant list --json=1", "takes no value" },
	{ "anvil-admin tenant list x", "one word too many: \"x\"" },
	{ "anvil-admin tenant create", "name: is missing" },
	{ "anvil-admin tenant create 'Acme Ltd'", NULL },
	{ "anvil-admin tenant create -- -odd-", NULL },
	{ "anvil-admin tenant create -odd-", "unknown option" },
	{ "anvil-admin tenant create \xff", "not UTF-8" },
	{ "anvil-admin tenant create a\x01z", "must be 1 to 255 bytes" },
	{ "anvil-admin tenant craete", "did you mean \"create\"" },
	{ "anvil-admin tenat list", "did you mean \"tenant\"" },
	{ "anvil-admin tenant", "needs a verb" },
	{ "anvil-admin", "say what to do" },
	{ "anvil-admin doctor", NULL },
	{ "anvil-admin doctor now", "one word too many" },
	{ "anvil-admin region create eu", "--endpoint: is missing" },
	{ "anvil-admin region create eu --endpoint https://s3.example.com", NULL },
	{ "anvil-admin region create eu --endpoint https://s3.example.com/", "--endpoint: must be http" },
	{ "anvil-admin region create eu --endpoint ftp://x", "--endpoint" },
	{ "anvil-admin region create Eu --endpoint http://x", "name: must be" },
	{ "anvil-admin region create eu- --endpoint http://x", "name: must be" },
	{ "anvil-admin region create eu --endpoint http://x --domain a.b --domain c.d", NULL },
	{ "anvil-admin region create eu --endpoint http://x --inv-pub tcp://1:2", NULL },
	{ "anvil-admin region create eu --endpoint http://x --inv-pub 1:2", "--inv-pub" },
	{ "anvil-admin bucket create photos --tenant t", NULL },
	{ "anvil-admin bucket create Photos --tenant t", "name: must be a bucket's name" },
	{ "anvil-admin bucket create 1.2.3.4 --tenant t", "name" },
	{ "anvil-admin bucket routing photos relay", NULL },
	{ "anvil-admin dns zone --domain s3.example.com --ttl 30", NULL },
	{ "anvil-admin dns zone", "--domain" },
	{ "anvil-admin bucket routing photos maybe", "must be one of default|auto|redirect|relay" },
	{ "anvil-admin bucket quota photos --bytes 50G --objects 1000000", NULL },
	{ "anvil-admin tenant limits acme --buckets 20 --bucket-bytes 50G --bucket-objects none", NULL },
	{ "anvil-admin tenant limits acme --buckets none", "buckets: must be a whole number" },
	{ "anvil-admin bucket quota photos --bytes none --objects none", NULL },
	{ "anvil-admin bucket quota photos --bytes 8191P", NULL },
	{ "anvil-admin bucket quota photos --bytes 8192P", "bytes: must be a number of bytes" },
	{ "anvil-admin bucket quota photos --bytes 10GB", "bytes: must be" },
	{ "anvil-admin bucket quota photos --bytes G", "bytes: must be" },
	{ "anvil-admin bucket quota photos --bytes -1", "bytes: must be" },
	{ "anvil-admin bucket quota photos --bytes 1.5G", "bytes: must be" },
	{ "anvil-admin bucket quota photos --objects 1K", "objects: must be a whole number, or none" },
	{ "anvil-admin bucket quota photos --objects 9223372036854775808", "objects: must be" },
	{ "anvil-admin bucket quota photos --remove", NULL },
	{ "anvil-admin bucket usage photos --count", NULL },
	{ "anvil-admin bucket recount photos", NULL },
	{ "anvil-admin bucket move photos us", NULL },
	{ "anvil-admin bucket move photos --cancel", NULL },
	{ "anvil-admin bucket move", "name" },
	{ "anvil-admin bucket moves --all --bucket photos", NULL },
	{ "anvil-admin bucket export photos --versions --prefix a/ --file /tmp/x", NULL },
	{ "anvil-admin bucket export", "name" },
	{ "anvil-admin bucket policy photos --remove", NULL },
	{ "anvil-admin bucket policy photos --remove=1", "takes no value" },
	{ "anvil-admin policy create p", "--document: is missing" },
	{ "anvil-admin policy create p --document /nowhere", NULL },
	{ "anvil-admin upload list", NULL },
	{ "anvil-admin upload list photos --older 7 --limit 5", NULL },
	{ "anvil-admin upload list --older 3650d", NULL },
	{ "anvil-admin upload list --older 36h", NULL },
	{ "anvil-admin upload list --older 0s", NULL },
	{ "anvil-admin upload list --older 3651d", "older: must be a number with d, h, m or s" },
	{ "anvil-admin upload list --older 87601h", "older: must be" },
	{ "anvil-admin upload list --older 99999999999s", "older: must be" },
	{ "anvil-admin upload list --older -1d", "older: must be" },
	{ "anvil-admin upload list --older d", "older: must be" },
	{ "anvil-admin upload list --older 3w", "older: must be" },
	{ "anvil-admin upload list --older 3dd", "older: must be" },
	{ "anvil-admin upload abort photos a/b 0197c3b8e1f27c6f9a3de20c6d0f1b5a", NULL },
	{ "anvil-admin upload abort photos a/b", "upload-id: is missing" },
	{ "anvil-admin webhook create orders https://h.test/events?x=1", NULL },
	{ "anvil-admin webhook create orders http://h.test --tenant acme", NULL },
	{ "anvil-admin webhook create orders https://u@h.test/", "url: must be http" },
	{ "anvil-admin webhook create orders https://h.test?x", "url: must be http" },
	{ "anvil-admin webhook create orders h.test/", "url: must be http" },
	{ "anvil-admin webhook create orders", "url: is missing" },
	{ "anvil-admin webhook update orders --url https://h.test/", NULL },
	{ "anvil-admin webhook disable orders", NULL },
	{ "anvil-admin webhook enable", "name: is missing" },
	{ "anvil-admin webhook list --limit 5", NULL },
	{ "anvil-admin operator create ada", NULL },
	{ "anvil-admin operator create ada --password secret", "unknown option --password" },
	{ "anvil-admin operator create 'a b'", "name: must be" },
	{ "anvil-admin app show a/b", "key: must be an access key" },
	{ "anvil-admin app access AKIAXXXXXXXXEXAMPLE full", NULL },
	{ "anvil-admin app access AKIAXXXXXXXXEXAMPLE none", "must be one of full|policies" },
	{ "anvil-admin keys new master /tmp/x -y -v -c conf", NULL },
	{ "anvil-admin keys new other /tmp/x", "must be one of master|cluster" },
	{ "anvil-admin audit list --before 9223372036854775807", NULL },
	{ "anvil-admin audit list --before 9223372036854775808", "--before" },
};

START_TEST(test_line)
{
	const struct line_row *row = &lines[_i];
	struct command c;

	parse(&c, row->line);
	if (row->want == NULL)
		ck_assert_msg(c.what == COMMAND_RUN, "%s: %s", row->line, c.problem);
	else
		ck_assert_msg(c.what == COMMAND_WRONG && strstr(c.problem, row->want) != NULL,
		    "%s: expected \"%s\", got \"%s\"", row->line, row->want, c.problem == NULL ? "-" : c.problem);
}
END_TEST

START_TEST(test_line_values)
{
	struct command c;

	parse(&c, "anvil-admin -c a.conf region create eu --domain x.y --endpoint=http://h:1 --domain z --yes");
	ck_assert_int_eq(c.what, COMMAND_RUN);
	ck_assert(c.yes && !c.json);
	ck_assert_str_eq(c.conf, "a.conf");
	ck_assert_str_eq(args_slot(&c.args, "name")->values[0], "eu");
	ck_assert_str_eq(args_slot(&c.args, "endpoint")->values[0], "http://h:1");
	ck_assert_uint_eq(args_slot(&c.args, "domain")->n, 2);
	ck_assert_str_eq(args_slot(&c.args, "domain")->values[1], "z");
	ck_assert_ptr_null(args_slot(&c.args, "domain")->values[2]);
	parse(&c, "anvil-admin help app create");
	ck_assert_int_eq(c.what, COMMAND_HELP);
	ck_assert_ptr_eq(c.act, action_find("app", "create"));
	parse(&c, "anvil-admin app create --help");
	ck_assert_int_eq(c.what, COMMAND_HELP);
	parse(&c, "anvil-admin --version");
	ck_assert_int_eq(c.what, COMMAND_VERSION);
}
END_TEST

START_TEST(test_exit_codes)
{
	ck_assert_int_eq(exit_code_of(ERR_NONE), 0);
	ck_assert_int_eq(exit_code_of(ERR_INTERNAL), 1);
	ck_assert_int_eq(exit_code_of(ERR_DENIED), 1);
	ck_assert_int_eq(exit_code_of(ERR_INVALID), 2);
	ck_assert_int_eq(exit_code_of(ERR_NOT_FOUND), 3);
	ck_assert_int_eq(exit_code_of(ERR_EXISTS), 4);
	ck_assert_int_eq(exit_code_of(ERR_CONFLICT), 4);
	ck_assert_int_eq(exit_code_of(ERR_UNAVAILABLE), 5);
	ck_assert_int_eq(exit_code_of(ERR_TIMEOUT), 5);
}
END_TEST

/* ---- results ---- */

static const struct column things[] = {
	{ "name", "Name", COL_TEXT },
	{ "size", "Size", COL_SIZE },
	{ "on", "On", COL_BOOL },
	{ "when", "When", COL_TIME },
	{ "tags", "Tags", COL_LIST },
	{ "last", "Last", COL_TEXT },
};
static const char *const tags[] = { "x", "y", NULL };
#define NOON (INT64_C(1764072000) * US_PER_S) /* 2025-11-25 12:00:00 */

static void
fill(struct result *r)
{
	struct table *t;

	result_init(r, a);
	t = RESULT_LIST(r, "things", things);
	ROW(t, C_TEXT("a"), C_INT(1536), C_BOOL(true), C_INT(NOON), C_LIST(tags), C_TEXT("."));
	ROW(t, C_TEXT("日本語"), C_INT(3), C_BOOL(false), C_INT(0), C_LIST(NULL), C_NULL);
	t->next = "日本語";
}

START_TEST(test_text_is_aligned)
{
	struct result r;
	struct strbuf sb;

	fill(&r);
	strbuf_init(&sb, a, TEXT_MAX);
	render_text(&r, &sb, 100);
	ck_assert_str_eq(strbuf_cstr(&sb),
	    "Name       Size  On   When                 Tags  Last\n"
	    "a       1.5 KiB  yes  2025-11-25 12:00:00  x, y  .\n"
	    "日本語      3 B  no   never                -     -\n"
	    "more follow: --after 日本語\n");
}
END_TEST

START_TEST(test_text_lets_no_control_through)
{
	static const struct column one[] = { { "name", "Name", COL_TEXT } };
	struct result r;
	struct strbuf sb;

	result_init(&r, a);
	ROW(RESULT_RECORD(&r, "thing", one), C_TEXT("\x1b[31mred\n\xc2\x9b\xff\xe2\x80\xaetxt"));
	result_say(&r, MSG_WARN, "say \x07%s", "x");
	strbuf_init(&sb, a, TEXT_MAX);
	render_text(&r, &sb, 100);
	ck_assert_str_eq(strbuf_cstr(&sb),
	    "Name  \\x1b[31mred\\x0a\\xc2\\x9b\\xff\\xe2\\x80\\xaetxt\nwarning: say \\x07x\n");
}
END_TEST

START_TEST(test_json_shape)
{
	struct result r;
	struct strbuf sb;
	json_t *j, *row;

	fill(&r);
	result_say(&r, MSG_INFO, "done");
	strbuf_init(&sb, a, TEXT_MAX);
	ck_assert(render_json(&r, NULL, &sb));
	j = json_loads(strbuf_cstr(&sb), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(j);
	ck_assert(json_is_true(json_object_get(j, "ok")));
	ck_assert_ptr_null(json_object_get(j, "error"));
	ck_assert_uint_eq(json_array_size(json_object_get(j, "things")), 2);
	row = json_array_get(json_object_get(j, "things"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "size")), 1536);
	ck_assert(json_is_true(json_object_get(row, "on")));
	ck_assert_str_eq(json_string_value(json_object_get(row, "when")), "2025-11-25T12:00:00.000Z");
	ck_assert_uint_eq(json_array_size(json_object_get(row, "tags")), 2);
	row = json_array_get(json_object_get(j, "things"), 1);
	ck_assert(json_is_null(json_object_get(row, "when")));
	ck_assert_uint_eq(json_array_size(json_object_get(row, "tags")), 0);
	ck_assert(json_is_null(json_object_get(row, "last")));
	ck_assert_str_eq(json_string_value(json_object_get(j, "next")), "日本語");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(j, "messages"), 0), "text")), "done");
	json_decref(j);
}
END_TEST

START_TEST(test_json_of_failure_and_bad_bytes)
{
	static const struct column one[] = { { "name", "Name", COL_TEXT }, { "doc", "Doc", COL_JSON } };
	struct err err = { 0 };
	struct result r;
	struct strbuf sb;
	json_t *j, *x;

	ck_assert_int_eq(FAIL(&err, ERR_NOT_FOUND, "there is no \"%s\"", "x"), -1);
	result_init(&r, a);
	ROW(RESULT_RECORD(&r, "thing", one), C_TEXT("a\xff"), C_TEXT("{\"k\":[1]}"));
	strbuf_init(&sb, a, TEXT_MAX);
	ck_assert(render_json(&r, &err, &sb));
	j = json_loads(strbuf_cstr(&sb), 0, NULL);
	ck_assert_ptr_nonnull(j);
	ck_assert(json_is_false(json_object_get(j, "ok")));
	x = json_object_get(j, "error");
	ck_assert_str_eq(json_string_value(json_object_get(x, "kind")), "NOT_FOUND");
	ck_assert_str_eq(json_string_value(json_object_get(x, "message")), "there is no \"x\"");
	x = json_object_get(j, "thing");
	ck_assert_str_eq(json_string_value(json_object_get(x, "name")), "a\\xff");
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(json_object_get(x, "doc"), "k"), 0)), 1);
	json_decref(j);
}
END_TEST

START_TEST(test_human_numbers)
{
	static const struct {
		int64_t n;
		const char *size, *us;
	} rows[] = {
		{ 0, "0 B", "0 us" },
		{ 1023, "1023 B", "1.0 ms" },
		{ 1024, "1.0 KiB", "1.0 ms" },
		{ 10239, "9.9 KiB", "10 ms" },
		{ 10240, "10 KiB", "10 ms" },
		{ INT64_C(1) << 40, "1.0 TiB", "12 days" },
		{ INT64_MAX, "7.9 EiB", "106751991 days" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf s, u;

		strbuf_init(&s, a, 64);
		strbuf_init(&u, a, 64);
		human_size(&s, rows[i].n);
		human_us(&u, rows[i].n);
		ck_assert_str_eq(strbuf_cstr(&s), rows[i].size);
		ck_assert_str_eq(strbuf_cstr(&u), rows[i].us);
	}
}
END_TEST

START_TEST(test_full_arena_sticks)
{
	static const struct column one[] = { { "n", "N", COL_INT } };
	struct arena *small = arena_new(2000);
	struct result r;
	struct table *t;

	result_init(&r, small);
	t = RESULT_LIST(&r, "things", one);
	for (int i = 0; i < 1000; i++)
		ROW(t, C_INT(i));
	result_say(&r, MSG_INFO, "x");
	ck_assert(!result_ok(&r));
	arena_free(small);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("admin_cli");
	TCase *t = tcase_create("admin_cli");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_table_rows_are_whole);
	tcase_add_test(t, test_table_examples_parse);
	tcase_add_test(t, test_help_tells_every_argument);
	tcase_add_test(t, test_help_of_nouns_and_all);
	tcase_add_test(t, test_completion_knows_every_word);
	tcase_add_test(t, test_completion_in_bash);
	tcase_add_test(t, test_manual_is_current);
	tcase_add_loop_test(t, test_line, 0, ARRAY_LEN(lines));
	tcase_add_test(t, test_line_values);
	tcase_add_test(t, test_exit_codes);
	tcase_add_test(t, test_text_is_aligned);
	tcase_add_test(t, test_text_lets_no_control_through);
	tcase_add_test(t, test_json_shape);
	tcase_add_test(t, test_json_of_failure_and_bad_bytes);
	tcase_add_test(t, test_human_numbers);
	tcase_add_test(t, test_full_arena_sticks);
	suite_add_tcase(s, t);
	return suite_run(s);
}
