/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/admin_help.h - anvil-admin and anvil-admin.cgi run as a shell and a
 * web server run them, on databases and a memcached of the test's own.
 */
#ifndef ANVIL_TESTS_ADMIN_HELP_H
#define ANVIL_TESTS_ADMIN_HELP_H

#include "base/arena.h"

#define WORLD_ACK_MS 700 /* W of the world */

struct ran {
	int code; /* exit code; 128 + n when a signal ended it */
	const char *out, *errors;
};

/* Services, key files and anvil.conf; skips (77) without PostgreSQL or memcached. Before tests are forked. */
void world_open(void);
const char *world_path(struct arena *a, const char *name);
/* Another configuration of the world: the lines of anvil.conf, with `changed` lines in place of those of the same name. */
const char *world_conf(struct arena *a, const char *name, const char *changed);
/* The first line that a statement on the global database gives. */
const char *world_sql(const char *sql);
/* A file in the world's folder; its path. */
const char *world_file(struct arena *a, const char *name, const char *text);

/* anvil-admin with the words of `line` ('...' keeps blanks); `in` is its standard input. conf NULL: the world's. */
struct ran cli(struct arena *a, const char *conf, const char *in, const char *line);

#define JAR_MAX 8
struct browser {
	struct arena *a;
	const char *conf;       /* NULL = the world's */
	const char *script;     /* "/-/admin" */
	const char *address;    /* "127.0.0.1" */
	const char *arguments[3]; /* of the program; NULL ends */
	const char *more[16];   /* name, value, ... of the environment; NULL ends */
	struct {
		const char *name, *value;
	} jar[JAR_MAX];
	/* the last answer */
	int status;
	const char *head, *body;
};
void browser_init(struct browser *b, struct arena *a);
/* path: "tenants?x=y" below the script. */
void browser_get(struct browser *b, const char *path);
/* form: "a=b&c=d"; the token of the last page is put in front. */
void browser_post(struct browser *b, const char *path, const char *form);
/* The same without the token. */
void browser_post_raw(struct browser *b, const char *path, const char *form);
/* Where the last answer sends it, below the script; NULL when nowhere. */
const char *browser_sent_to(const struct browser *b);
void browser_login(struct browser *b, const char *name, const char *password);
const char *browser_cookie(const struct browser *b, const char *name);
/* The last page against HTML's rules: nesting, ids, labels. NULL, or what is wrong. */
const char *browser_page_fault(const struct browser *b);

#endif
