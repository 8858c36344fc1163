/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/admin_help.c - a world for the admin programs, a shell's and a
 * browser's part.
 *
 * Owns:       one scratch world a test program.
 */
#include "tests/unit/admin_help.h"

#include <fcntl.h>
#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "tests/lib/scratch.h"

#define OUT_MAX ((size_t)1 << 20)
#define WORDS_MAX 40
#define GLOBAL "anvil_global"

static struct scratch *world;
static const char *world_lines;
static struct arena *world_arena;

static const char *
program(struct arena *a, const char *name)
{
	const char *built = getenv("ANVIL_BUILDDIR");

	return arena_printf(a, "%s/admin/%s", built == NULL ? "." : built, name);
}

const char *
world_path(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", scratch_dir(world), name);
}

const char *
world_file(struct arena *a, const char *name, const char *text)
{
	const char *path = world_path(a, name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
	return path;
}

const char *
world_sql(const char *sql)
{
	return scratch_query(world, GLOBAL, sql);
}

/* The part of a DSN in front of dbname=. */
static const char *
server_of(const char *dsn)
{
	const char *at = strstr(dsn, " dbname=");

	return at == NULL ? dsn : arena_strndup(world_arena, dsn, (size_t)(at - dsn));
}

void
world_open(void)
{
	const char *top = getenv("ANVIL_SRCDIR"), *server, *memcached;
	struct ran made;

	world_arena = arena_new((size_t)64 << 20);
	world = scratch_new();
	server = server_of(scratch_pg(world, NULL));
	memcached = scratch_memcached(world, NULL);
	mkdir(world_path(world_arena, "store"), 0700);
	mkdir(world_path(world_arena, "state"), 0700);
	world_lines = arena_printf(world_arena,
	    "region = \"eu\"\nglobal_dsn = \"%s dbname=" GLOBAL "\"\nregional_dsn = \"%s dbname=anvil_eu\"\n"
	    "memcached = {\"%s\"}\nmetadata_consistency = \"eventual\"\nmetadata_beat_ms = 100\nmetadata_trust_ms = 500\nmetadata_ack_ms = %d\n"
	    "cluster_secret_file = \"%s/cluster.key\"\nmaster_key_file = \"%s/master.key\"\nstore_dir = \"%s/store\"\n"
	    "state_dir = \"%s/state\"\npages_dir = \"%s/admin/pages\"\n",
	    server, server, memcached, WORLD_ACK_MS, scratch_dir(world), scratch_dir(world), scratch_dir(world), scratch_dir(world),
	    top == NULL ? "." : top);
	world_file(world_arena, "anvil.conf", world_lines);
	made = cli(world_arena, NULL, NULL, arena_printf(world_arena, "keys new master %s/master.key", scratch_dir(world)));
	if (made.code == 0)
		made = cli(world_arena, NULL, NULL, arena_printf(world_arena, "keys new cluster %s/cluster.key", scratch_dir(world)));
	if (made.code != 0) {
		fprintf(stderr, "no key files: %s\n", made.errors);
		exit(1);
	}
}

const char *
world_conf(struct arena *a, const char *name, const char *changed)
{
	struct strbuf sb;

	strbuf_init(&sb, a, 65536);
	for (const char *s = world_lines; *s != '\0';) {
		size_t len = strcspn(s, "\n") + 1, word = strcspn(s, " ");
		bool there = false;

		for (const char *c = changed; *c != '\0'; c += strcspn(c, "\n"), c += *c == '\n')
			there = there || strncmp(c, s, word + 1) == 0;
		if (!there)
			strbuf_add(&sb, s, len);
		s += len;
	}
	strbuf_str(&sb, changed);
	return world_file(a, name, strbuf_cstr(&sb));
}

/* ---- running a program ---- */

static void
take_all(int fds[2], char *bufs[2], size_t lens[2])
{
	struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
	int left = 2;

	while (left > 0 && poll(p, 2, 60000) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (p[i].revents == 0)
				continue;
			n = read(p[i].fd, bufs[i] + lens[i], OUT_MAX - 1 - lens[i]);
			if (n > 0) {
				lens[i] += (size_t)n;
				continue;
			}
			p[i].fd = -1;
			left--;
		}
	}
	for (int i = 0; i < 2; i++) {
		bufs[i][lens[i]] = '\0';
		close(fds[i]);
	}
}

static struct ran
run(struct arena *a, const char *in, char *const argv[], const char *const *env)
{
	char *bufs[2] = { arena_alloc(a, OUT_MAX), arena_alloc(a, OUT_MAX) };
	size_t lens[2] = { 0, 0 };
	struct ran r = { -1, bufs[0], bufs[1] };
	int pin[2], pout[2], perr[2], fds[2], status = 0;
	pid_t pid;

	if (pipe(pin) != 0 || pipe(pout) != 0 || pipe(perr) != 0 || (pid = fork()) < 0) {
		perror("fork");
		exit(1);
	}
	if (pid == 0) {
		dup2(pin[0], 0);
		dup2(pout[1], 1);
		dup2(perr[1], 2);
		close(pin[1]);
		close(pout[0]);
		close(perr[0]);
		for (; env != NULL && *env != NULL; env += 2)
			setenv(env[0], env[1], 1);
		execv(argv[0], argv);
		_exit(127);
	}
	close(pin[0]);
	close(pout[1]);
	close(perr[1]);
	/* What is sent is small beside a pipe's buffer. */
	if (in != NULL && write(pin[1], in, strlen(in)) < 0 && errno != EPIPE)
		perror("write");
	close(pin[1]);
	fds[0] = pout[0];
	fds[1] = perr[0];
	take_all(fds, bufs, lens);
	waitpid(pid, &status, 0);
	r.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return r;
}

struct ran
cli(struct arena *a, const char *conf, const char *in, const char *line)
{
	const char *env[] = { "ANVIL_CONF", conf == NULL ? world_path(a, "anvil.conf") : conf, "SUDO_USER", "", NULL };
	char *argv[WORDS_MAX], *s = arena_strdup(a, line);
	int argc = 0;

	argv[argc++] = arena_strdup(a, program(a, "anvil-admin"));
	while (*(s += strspn(s, " ")) != '\0' && argc < WORDS_MAX - 1) {
		bool quoted = *s == '\'';

		if (quoted)
			s++;
		argv[argc++] = s;
		s += strcspn(s, quoted ? "'" : " ");
		if (*s != '\0')
			*s++ = '\0';
	}
	argv[argc] = NULL;
	return run(a, in == NULL ? "" : in, argv, env);
}

/* ---- the browser ---- */

void
browser_init(struct browser *b, struct arena *a)
{
	memset(b, 0, sizeof(*b));
	b->a = a;
	b->script = "/-/admin";
	b->address = "127.0.0.1";
	b->head = b->body = "";
}

const char *
browser_cookie(const struct browser *b, const char *name)
{
	for (int i = 0; i < JAR_MAX; i++)
		if (b->jar[i].name != NULL && strcmp(b->jar[i].name, name) == 0 && b->jar[i].value[0] != '\0')
			return b->jar[i].value;
	return NULL;
}

static void
keep_cookie(struct browser *b, const char *line)
{
	size_t name = strcspn(line, "="), value = strcspn(line + name + 1, ";");
	const char *n = arena_strndup(b->a, line, name);
	int at = -1;

	for (int i = JAR_MAX - 1; i >= 0; i--)
		if (b->jar[i].name == NULL || strcmp(b->jar[i].name, n) == 0)
			at = i;
	for (int i = 0; i < JAR_MAX; i++)
		if (b->jar[i].name != NULL && strcmp(b->jar[i].name, n) == 0)
			at = i;
	b->jar[at].name = n;
	b->jar[at].value = arena_strndup(b->a, line + name + 1, value);
}

static void
take_answer(struct browser *b, const struct ran *r)
{
	const char *end = strstr(r->out, "\r\n\r\n"), *status = strstr(r->out, "Status: ");
	int64_t n = 0;

	b->status = 0;
	b->head = b->body = "";
	if (r->code != 0 || end == NULL || status == NULL) {
		fprintf(stderr, "no answer: code %d: %s%s\n", r->code, r->out, r->errors);
		return;
	}
	if (parse_i64((struct span){ status + 8, 3 }, 0, 999, &n))
		b->status = (int)n;
	b->head = arena_strndup(b->a, r->out, (size_t)(end - r->out) + 2);
	b->body = end + 4;
	for (const char *s = b->head; (s = strstr(s, "Set-Cookie: ")) != NULL; s++)
		keep_cookie(b, s + 12);
}

static void
ask(struct browser *b, const char *method, const char *path, const char *form)
{
	const char *env[64], *query = strchr(path, '?');
	char *argv[4] = { arena_strdup(b->a, program(b->a, "anvil-admin.cgi")) };
	struct strbuf cookies;
	struct ran r;
	size_t n = 0;

	for (size_t i = 0; i < 2 && b->arguments[i] != NULL; i++)
		argv[i + 1] = arena_strdup(b->a, b->arguments[i]);
	strbuf_init(&cookies, b->a, 16384);
	for (int i = 0; i < JAR_MAX; i++)
		if (b->jar[i].name != NULL && b->jar[i].value[0] != '\0')
			strbuf_printf(&cookies, "%s%s=%s", cookies.len > 0 ? "; " : "", b->jar[i].name, b->jar[i].value);
#define ENV(name, value) (env[n++] = (name), env[n++] = (value))
	ENV("ANVIL_CONF", b->conf == NULL ? world_path(b->a, "anvil.conf") : b->conf);
	ENV("REQUEST_METHOD", method);
	ENV("SCRIPT_NAME", b->script);
	ENV("PATH_INFO", path[0] == '\0' && strcmp(method, "RAW") == 0 ? "" :
	    arena_printf(b->a, "/%.*s", (int)(query == NULL ? strlen(path) : (size_t)(query - path)), path));
	ENV("QUERY_STRING", query == NULL ? "" : query + 1);
	ENV("REMOTE_ADDR", b->address);
	ENV("HTTP_HOST", "anvil.test");
	ENV("HTTP_COOKIE", strbuf_cstr(&cookies));
	ENV("GATEWAY_INTERFACE", "CGI/1.1");
	if (form != NULL) {
		ENV("CONTENT_TYPE", "application/x-www-form-urlencoded");
		ENV("CONTENT_LENGTH", arena_printf(b->a, "%zu", strlen(form)));
	}
	for (size_t i = 0; b->more[i] != NULL; i += 2)
		ENV(b->more[i], b->more[i + 1]);
#undef ENV
	env[n] = NULL;
	r = run(b->a, form == NULL ? "" : form, argv, env);
	take_answer(b, &r);
}

void
browser_get(struct browser *b, const char *path)
{
	ask(b, "GET", path, NULL);
}

void
browser_post_raw(struct browser *b, const char *path, const char *form)
{
	ask(b, "POST", path, form);
}

void
browser_post(struct browser *b, const char *path, const char *form)
{
	const char *at = strstr(b->body, "name=\"csrf\" value=\"");
	const char *token = at == NULL ? "" : arena_strndup(b->a, at + 19, strcspn(at + 19, "\""));

	browser_post_raw(b, path, arena_printf(b->a, "csrf=%s&%s", token, form));
}

const char *
browser_sent_to(const struct browser *b)
{
	const char *at = strstr(b->head, "Location: ");
	size_t script = strlen(b->script);

	if (b->status != 303 || at == NULL || strncmp(at + 10, b->script, script) != 0 || at[10 + script] != '/')
		return NULL;
	at += 10 + script + 1;
	return arena_strndup(b->a, at, strcspn(at, "\r"));
}

void
browser_login(struct browser *b, const char *name, const char *password)
{
	browser_get(b, "");
	browser_post(b, "login", arena_printf(b->a, "then=&name=%s&password=%s", name, password));
}

/* ---- HTML ---- */

struct faults {
	struct arena *a;
	const char *first;
};

static void
note_fault(void *arg, xmlErrorPtr e)
{
	struct faults *f = arg;

	/* libxml2's parser knows HTML 4: elements that came later are no fault. */
	if (e->code == XML_HTML_UNKNOWN_TAG || f->first != NULL)
		return;
	f->first = arena_printf(f->a, "line %d: %s", e->line, e->message);
}

/* How many nodes an XPath finds. */
static int
count(xmlXPathContextPtr x, const char *path)
{
	xmlXPathObjectPtr o = xmlXPathEvalExpression((const xmlChar *)path, x);
	int n = o == NULL ? -1 : o->nodesetval == NULL ? 0 : o->nodesetval->nodeNr;

	xmlXPathFreeObject(o);
	return n;
}

static const struct {
	const char *path, *fault;
} rules[] = {
	{ "//*[@id][@id = preceding::*/@id]", "an id is there twice" },
	{ "//label[@for][not(@for = //*/@id)]", "a label is for nothing" },
	{ "//input[not(@type='hidden')][not(@type='checkbox')][not(@id = //label/@for)]", "an input has no label" },
	{ "//select[not(@id = //label/@for)]", "a choice has no label" },
	{ "//textarea[not(@id = //label/@for)]", "a text has no label" },
	{ "//*[@aria-describedby][not(@aria-describedby = //*/@id)]", "a description is not there" },
	{ "//form[@method='post'][not(input[@name='csrf'])]", "a form has no token" },
	{ "//script | //@onclick | //@onload | //@style | //style", "something that the policy forbids" },
	{ "//a[not(@href)] | //a[@href='']", "a link leads nowhere" },
	{ "//form//form", "a form in a form" },
	{ "//table[not(thead/tr/th[@scope])]", "a table without heads" },
	{ "//body[count(//h1) != 1]", "not one first heading" },
	{ "//body[count(//main) != 1]", "not one main part" },
	{ "//html[not(@lang)]", "no language" },
};

const char *
browser_page_fault(const struct browser *b)
{
	struct faults f = { b->a, NULL };
	xmlDocPtr doc;
	xmlXPathContextPtr x;

	xmlSetStructuredErrorFunc(&f, note_fault);
	doc = htmlReadMemory(b->body, (int)strlen(b->body), NULL, "UTF-8", HTML_PARSE_NONET);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (doc == NULL)
		return "no document";
	x = xmlXPathNewContext(doc);
	for (size_t i = 0; f.first == NULL && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (count(x, rules[i].path) != 0)
			f.first = rules[i].fault;
	xmlXPathFreeContext(x);
	xmlFreeDoc(doc);
	return f.first;
}
