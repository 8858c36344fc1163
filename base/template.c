/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/template.c - scopes of named values, and the templates they fill.
 *
 * Owns:       nothing; all is the arena's.
 * Called by:  admin/cgi pages, fcgi/website.c.
 * Blocks:     on reading template files.
 * Invariant:  every value goes through html_text or url_component.
 */
#include "base/template.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/html.h"

#define NAME_LIMIT 48
#define VALUE_LIMIT 8192

enum value_kind { VALUE_TEXT, VALUE_FLAG, VALUE_LIST };
struct value {
	const char *name;
	enum value_kind kind;
	const char *text;
	bool on;
	struct scope *first, *last;
	struct value *following;
};
struct scope {
	struct arena *arena; /* NULL: takes nothing */
	struct scope *parent;
	struct value *values;
	struct scope *following; /* in a list */
};

static struct scope nowhere; /* all zero, never written */

struct scope *
scope_new(struct arena *a, struct scope *parent)
{
	struct scope *s = ARENA_NEW(a, struct scope);

	if (s == NULL)
		return &nowhere;
	s->arena = a;
	s->parent = parent;
	return s;
}

static struct value *
value_here(const struct scope *s, const char *name, size_t len)
{
	for (struct value *v = s->values; v != NULL; v = v->following)
		if (strlen(v->name) == len && memcmp(v->name, name, len) == 0)
			return v;
	return NULL;
}


static struct value *
value_make(struct scope *s, const char *name, enum value_kind kind)
{
	struct value *v;

	if (s->arena == NULL)
		return NULL;
	v = value_here(s, name, strlen(name));
	if (v == NULL) {
		v = ARENA_NEW(s->arena, struct value);
		if (v == NULL)
			return NULL;
		v->name = name;
		v->following = s->values;
		s->values = v;
	} else if (v->kind != kind || kind != VALUE_LIST) {
		v->first = v->last = NULL;
	}
	v->kind = kind;
	return v;
}

void
scope_text(struct scope *s, const char *name, const char *text)
{
	struct value *v = value_make(s, name, VALUE_TEXT);

	if (v != NULL)
		v->text = text == NULL ? "" : text;
}

void
scope_printf(struct scope *s, const char *name, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	if (s->arena == NULL)
		return;
	strbuf_init(&sb, s->arena, VALUE_LIMIT);
	va_start(ap, fmt);
	strbuf_vprintf(&sb, fmt, ap);
	va_end(ap);
	scope_text(s, name, strbuf_cstr(&sb));
}

void
scope_flag(struct scope *s, const char *name, bool on)
{
	struct value *v = value_make(s, name, VALUE_FLAG);

	if (v != NULL)
		v->on = on;
}

void
scope_list(struct scope *s, const char *name)
{
	(void)value_make(s, name, VALUE_LIST);
}

struct scope *
scope_item(struct scope *s, const char *name)
{
	struct value *v = value_make(s, name, VALUE_LIST);
	struct scope *item;

	if (v == NULL)
		return &nowhere;
	item = scope_new(s->arena, s);
	if (item == &nowhere)
		return item;
	if (v->last == NULL)
		v->first = item;
	else
		v->last->following = item;
	v->last = item;
	return item;
}

const char *
scope_find_text(const struct scope *s, const char *name)
{
	const struct value *v = NULL;

	for (; s != NULL && v == NULL; s = s->parent)
		v = value_here(s, name, strlen(name));
	return v == NULL || v->kind != VALUE_TEXT ? NULL : v->text;
}

struct scope *
scope_item_named(const struct scope *s, const char *list, const char *key, const char *text)
{
	const struct value *v = value_here(s, list, strlen(list));

	if (v == NULL || v->kind != VALUE_LIST)
		return NULL;
	for (struct scope *item = v->first; item != NULL; item = item->following) {
		const struct value *t = value_here(item, key, strlen(key));

		if (t != NULL && t->kind == VALUE_TEXT && strcmp(t->text, text) == 0)
			return item;
	}
	return NULL;
}

/* ---- rendering ---- */

/* A template is read once a page, however many rows use it. */
struct loaded {
	const char *name, *text;
	struct loaded *following;
};
struct render {
	struct strbuf *out;
	const struct templates *set;
	struct err *err;
	struct loaded *loaded;
};
/* The scopes of the sections that we are in, the innermost first: as they are nested in the template. */
struct frame {
	const struct scope *scope;
	const struct frame *outer;
};
struct place { /* in a template, for messages */
	const char *name, *begin;
};

static int render_text_of(struct render *r, const struct place *at, const char *p, const char *end, const struct frame *f,
    int depth);

static const struct value *
value_find(const struct frame *f, const char *name, size_t len)
{
	for (; f != NULL; f = f->outer) {
		const struct value *v = value_here(f->scope, name, len);

		if (v != NULL)
			return v;
	}
	return NULL;
}

static int
line_of(const struct place *at, const char *p)
{
	int line = 1;

	for (const char *q = at->begin; q < p; q++)
		if (*q == '\n')
			line++;
	return line;
}

static int
wrong(struct render *r, const struct place *at, const char *p, const char *what, struct span tag)
{
	return FAIL(r->err, ERR_INTERNAL, "template %s.html:%d: %s: {{%.*s}}", at->name,
	    line_of(at, p), what, (int)tag.len, tag.p);
}

static const struct loaded *
load(struct render *r, const char *name, size_t len)
{
	struct arena *a = r->out->arena;
	struct loaded *l;

	for (l = r->loaded; l != NULL; l = l->following)
		if (strlen(l->name) == len && memcmp(l->name, name, len) == 0)
			return l;
	l = ARENA_NEW(a, struct loaded);
	if (l == NULL || (l->name = arena_strndup(a, name, len)) == NULL) {
		FAIL(r->err, ERR_LIMIT, "the page is too large");
		return NULL;
	}
	l->text = r->set->load(r->set->arg, l->name, a);
	if (l->text == NULL) {
		FAIL(r->err, ERR_INTERNAL, "template %s.html is missing or too large",
		    l->name);
		return NULL;
	}
	l->following = r->loaded;
	r->loaded = l;
	return l;
}

static int
render_file(struct render *r, const char *name, size_t len, const struct frame *f, int depth)
{
	const struct loaded *l = load(r, name, len);
	struct place at;

	if (l == NULL)
		return -1;
	at.name = l->name;
	at.begin = l->text;
	return render_text_of(r, &at, l->text, l->text + strlen(l->text), f, depth);
}

static bool
is_true(const struct value *v)
{
	if (v == NULL)
		return false;
	switch (v->kind) {
	case VALUE_TEXT:
		return v->text[0] != '\0';
	case VALUE_FLAG:
		return v->on;
	case VALUE_LIST:
		return v->first != NULL;
	}
	return false;
}

static int
put_value(struct render *r, const struct place *at, const char *p, struct span tag, const struct frame *f)
{
	const char *bar = memchr(tag.p, '|', tag.len);
	size_t len = bar == NULL ? tag.len : (size_t)(bar - tag.p);
	const struct value *v = value_find(f, tag.p, len);

	if (v == NULL || v->kind != VALUE_TEXT)
		return wrong(r, at, p, "there is no such text", tag);
	if (bar == NULL)
		html_text(r->out, v->text);
	else if (tag.len - len == 4 && memcmp(bar, "|url", 4) == 0)
		url_component(r->out, v->text);
	else
		return wrong(r, at, p, "there is no such filter", tag);
	return 0;
}

/* Where the section's {{/name}} begins, NULL when it is not closed. *after: behind it. */
static const char *
section_end(const char *p, const char *end, struct span name, const char **after)
{
	int depth = 1;

	while (p < end) {
		const char *open = memmem(p, (size_t)(end - p), "{{", 2);
		const char *close;

		if (open == NULL)
			return NULL;
		close = memmem(open, (size_t)(end - open), "}}", 2);
		if (close == NULL)
			return NULL;
		if ((size_t)(close - open) == name.len + 3 &&
		    memcmp(open + 3, name.p, name.len) == 0) {
			if (open[2] == '#' || open[2] == '^')
				depth++;
			if (open[2] == '/' && --depth == 0) {
				*after = close + 2;
				return open;
			}
		}
		p = close + 2;
	}
	return NULL;
}

static int
put_section(struct render *r, const struct place *at, const char *p, const char *end, struct span tag, const struct frame *f,
    int depth)
{
	struct span name = { tag.p + 1, tag.len - 1 };
	const struct value *v = value_find(f, name.p, name.len);

	if (tag.p[0] == '^')
		return is_true(v) ? 0 : render_text_of(r, at, p, end, f, depth);
	if (!is_true(v))
		return 0;
	if (v->kind != VALUE_LIST)
		return render_text_of(r, at, p, end, f, depth);
	for (const struct scope *item = v->first; item != NULL; item = item->following) {
		struct frame inner = { item, f };

		if (render_text_of(r, at, p, end, &inner, depth) != 0)
			return -1;
	}
	return 0;
}

/* One tag at p; *next is where the text goes on. */
static int
put_tag(struct render *r, const struct place *at, const char *p, const char *end, const struct frame *f, int depth,
    const char **next)
{
	const char *close = memmem(p, (size_t)(end - p), "}}", 2);
	struct span tag = { p + 2, 0 };
	const char *body_end;

	if (close == NULL)
		return wrong(r, at, p, "a tag does not end", SPAN("..."));
	tag.len = (size_t)(close - tag.p);
	*next = close + 2;
	if (tag.len == 0 || tag.len > NAME_LIMIT)
		return tag.len > 0 && tag.p[0] == '!' ? 0 :
		    wrong(r, at, p, "a tag of a strange length", SPAN("..."));
	switch (tag.p[0]) {
	case '!':
		return 0;
	case '>':
		return render_file(r, tag.p + 1, tag.len - 1, f, depth + 1);
	case '#':
	case '^':
		body_end = section_end(close + 2, end,
		    (struct span){ tag.p + 1, tag.len - 1 }, next);
		if (body_end == NULL)
			return wrong(r, at, p, "a section does not end", tag);
		return put_section(r, at, close + 2, body_end, tag, f, depth + 1);
	case '/':
		return wrong(r, at, p, "a section ends that did not begin", tag);
	default:
		return put_value(r, at, p, tag, f);
	}
}

static int
render_text_of(struct render *r, const struct place *at, const char *p, const char *end, const struct frame *f, int depth)
{
	if (depth > TEMPLATE_DEPTH)
		return wrong(r, at, p, "too deep", SPAN("..."));
	while (p < end) {
		const char *open = memmem(p, (size_t)(end - p), "{{", 2);

		if (open == NULL)
			open = end;
		strbuf_add(r->out, p, (size_t)(open - p));
		if (open == end)
			break;
		if (put_tag(r, at, open, end, f, depth, &p) != 0)
			return -1;
	}
	return 0;
}

int
template_render(struct strbuf *out, const struct templates *set, const char *name, struct scope *s, struct err *err)
{
	struct render r = { out, set, err, NULL };
	struct frame outermost = { s, NULL };

	if (render_file(&r, name, strlen(name), &outermost, 0) != 0)
		return -1;
	if (!strbuf_ok(out))
		return FAIL(err, ERR_LIMIT, "the page is too large");
	return 0;
}

const char *
template_load_file(void *arg, const char *name, struct arena *a)
{
	const char *folder = arg, *result = NULL;
	struct stat st;
	char *path, *text;
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	for (const char *p = name; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || *p == '_'))
			return NULL;
	path = arena_printf(a, "%s/%s.html", folder, name);
	fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || st.st_size > TEMPLATE_MAX)
		goto out;
	text = arena_alloc(a, (size_t)st.st_size + 1);
	if (text == NULL)
		goto out;
	while (len < (size_t)st.st_size &&
	    (n = read(fd, text + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		goto out;
	text[len] = '\0';
	result = text;
out:
	close(fd);
	return result;
}
