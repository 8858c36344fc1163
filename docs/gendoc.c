/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/gendoc.c - what the tables say, as pages. `make docs` runs it; it is not
 * installed.
 *
 *   gendoc operations|errors|log-events|metrics|sample     to standard output
 *   gendoc settings TEMPLATE    the template, with the settings in place of @SETTINGS@
 */
#include "base/log.h"
#include "base/settings.h"
#include "s3/errors.h"
#include "s3/operations.h"

#define MADE "<!-- Made by docs/gendoc.c from %s; change the table, then `make docs`. -->\n"

/* A cell of a table: a bar would end it. */
static void
cell(const char *text)
{
	for (; *text != '\0'; text++)
		printf(*text == '|' ? "\\%c" : "%c", *text);
}

/* ---- operations ---- */

static const char *
where(const struct s3_operation *o)
{
	switch (o->levels) {
	case S3_LEVEL_SERVICE:
		return "/";
	case S3_LEVEL_BUCKET:
		return "/bucket";
	case S3_LEVEL_OBJECT:
		return "/bucket/key";
	default:
		return "/bucket[/key]";
	}
}

static void
operation_row(const struct s3_operation *o, bool built)
{
	printf("| %s | `%s %s", o->name, s3_method_name(o->method), where(o));
	if (o->query != NULL)
		printf("?%s", o->query);
	printf("`");
	if (o->header != NULL)
		printf(" with `%s`", o->header);
	printf(" | %s%s%s", o->action[0] != '\0' ? "`" : "", o->action,
	    o->action[0] != '\0' ? "`" : "");
	if (o->of_version != NULL)
		printf(", of a version `%s`", o->of_version);
	printf(" |");
	if (built)
		printf(" %s |",
		    (o->flags & S3_OP_ANYWHERE) != 0 ? "any" : "home");
	printf(" ");
	cell(o->doc);
	printf(" |\n");
}

static void
operations(void)
{
	int built = 0;

	for (int i = 0; i < S3_OP_COUNT; i++)
		built += s3_operation_built((enum s3_op)i);
	printf("# Operations\n\n" MADE "\n", "s3/operations.def");
	printf("Every operation of Amazon S3 that Anvil knows: %d, of which %d work.\n"
	       "Which one a request asks for is decided by its method, by what it names, and by the\n"
	       "parameter or header that must be there; the row that asks for most wins.\n",
	    S3_OP_COUNT, built);
	printf("\n## Working\n\n"
	       "*Region*: `any` = every region answers it from metadata; `home` = the bucket's home region\n"
	       "does, and the others relay or redirect.\n\n"
	       "| operation | request | action in policies | region | what it does |\n"
	       "|---|---|---|---|---|\n");
	for (int i = 0; i < S3_OP_COUNT; i++)
		if (s3_operation_built((enum s3_op)i))
			operation_row(s3_operation((enum s3_op)i), true);
	printf("\n## Known\n\n"
	       "Answered with 501 NotImplemented, and counted by name.\n\n"
	       "| operation | request | action in policies | what it would do |\n"
	       "|---|---|---|---|\n");
	for (int i = 0; i < S3_OP_COUNT; i++)
		if (!s3_operation_built((enum s3_op)i))
			operation_row(s3_operation((enum s3_op)i), false);
}

/* ---- errors ---- */

static void
errors(void)
{
	printf("# Errors\n\n" MADE "\n", "s3/errors.def");
	printf("What a client can be told. Every error but those of HEAD has a body in XML:\n"
	       "`Code`, `Message`, the elements named here, `Resource`, `RequestId`, `HostId`.\n"
	       "The request id is also in `x-amz-request-id` and in the region's log.\n"
	       "Some requests get a more exact message than the one here.\n\n"
	       "| code | status | message | elements |\n|---|---|---|---|\n");
	for (int c = S3_FIRST + 1; c < S3_END; c++) {
		const struct s3_error *e = s3_error_find(c);

		printf("| %s | %d | ", e->name, e->status);
		cell(e->message);
		printf(" | %s |\n", e->elements);
	}
}

/* ---- log events ---- */

static void
log_events(void)
{
	static const struct {
		const char *name, *level, *doc;
	} rows[] = {
#define EVENT(id, level, name, doc) { name, #level, doc },
#include "base/events.def"
#undef EVENT
	};

	printf("# Log events\n\n" MADE "\n", "base/events.def");
	printf("One line an event: `ts=` time, `lvl=` level, `ev=` event, `rid=` the request's id, then\n"
	       "`key=value`, quoted where needed. ERROR: an operator should look. WARN: Anvil coped.\n"
	       "INFO: state changed, and the access lines. DEBUG: off in production.\n\n"
	       "| event | level | when |\n|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("| `%s` | %s | ", rows[i].name, rows[i].level);
		cell(rows[i].doc);
		printf(" |\n");
	}
}

/* ---- metrics ---- */

static void
metrics(void)
{
	static const struct {
		const char *type, *name, *labels, *doc;
	} rows[] = {
#define METRIC(id, type, name, labels, doc) { #type, name, labels, doc },
#define HISTOGRAM(id, name, doc) { "histogram", name, "", doc },
#include "base/metrics.def"
#undef METRIC
#undef HISTOGRAM
	};

	printf("# Metrics\n\n" MADE "\n", "base/metrics.def");
	printf("`/-/metrics` of any worker answers for all processes of its region, in Prometheus's text\n"
	       "format. Besides these, requests are counted by operation and status, with their bytes and a\n"
	       "histogram of their time. A label without a value in this table has one in the answer: a memcached\n"
	       "server's place in the setting, a region's name, or the place of an invalidator, which says in\n"
	       "memcached what it does each second: so its numbers are here wherever it runs.\n\n"
	       "| metric | type | what it counts |\n|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("| `%s%s%s%s` | %s | ", rows[i].name,
		    rows[i].labels[0] != '\0' ? "{" : "", rows[i].labels,
		    rows[i].labels[0] != '\0' ? "}" : "", rows[i].type);
		cell(rows[i].doc);
		printf(" |\n");
	}
}

/* ---- anvil.conf(5) ---- */

static int
settings_page(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];

	if (f == NULL) {
		fprintf(stderr, "gendoc: cannot read %s\n", path);
		return -1;
	}
	while (fgets(line, sizeof(line), f) != NULL)
		if (strcmp(line, "@SETTINGS@\n") == 0)
			settings_print_man(stdout);
		else
			fputs(line, stdout);
	(void)fclose(f);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rc = 0;

	if (strcmp(what, "operations") == 0)
		operations();
	else if (strcmp(what, "errors") == 0)
		errors();
	else if (strcmp(what, "log-events") == 0)
		log_events();
	else if (strcmp(what, "metrics") == 0)
		metrics();
	else if (strcmp(what, "sample") == 0)
		settings_print_sample(stdout);
	else if (strcmp(what, "settings") == 0 && argc == 3)
		rc = settings_page(argv[2]);
	else
		rc = -1;
	if (rc != 0)
		fprintf(stderr, "gendoc: operations, errors, log-events, metrics, sample, or settings TEMPLATE\n");
	if (fflush(stdout) != 0 || ferror(stdout))
		rc = -1;
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
