/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/template.h - HTML templates, a small language:
 *
 *   {{name}}               the text, always escaped (text and quoted attributes)
 *   {{name|url}}           the text as one component of a URL
 *   {{#name}}...{{/name}}  once for each item of a list; once when a flag is set
 *                          or a text is there and not empty
 *   {{^name}}...{{/name}}  when the above would give nothing
 *   {{>name}}              another template, in the same scope
 *   {{!anything}}          a comment
 *
 * There is no way to put out text unescaped. Names are looked up in the item,
 * then in the sections around it, then in the outermost scope. A text that is not there is a mistake of ours and
 * fails; a section's name that is not there is "no".
 */
#ifndef ANVIL_BASE_TEMPLATE_H
#define ANVIL_BASE_TEMPLATE_H

#include "base/err.h"
#include "base/strbuf.h"

#define TEMPLATE_MAX 65536 /* bytes of one file */
#define TEMPLATE_DEPTH 16  /* sections and templates within each other */

struct scope;
/* The outermost has parent NULL. Never NULL: when the arena is full, a scope that takes nothing. */
struct scope *scope_new(struct arena *a, struct scope *parent);
/* Text is borrowed and must live as long as the scope; NULL = "". A name set again is replaced. */
void scope_text(struct scope *s, const char *name, const char *text);
void scope_printf(struct scope *s, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void scope_flag(struct scope *s, const char *name, bool on);
/* A new item at the end of the list `name`. An empty list is made by scope_list. */
struct scope *scope_item(struct scope *s, const char *name);
void scope_list(struct scope *s, const char *name);
/* The item of a list whose text `key` is `text`; NULL when there is none. */
struct scope *scope_item_named(const struct scope *s, const char *list, const char *key, const char *text);
/* The text, looked up as a template would; NULL when there is none. */
const char *scope_find_text(const struct scope *s, const char *name);

/* Gives a template's text; NULL when there is none of that name. */
typedef const char *(*template_load_fn)(void *arg, const char *name, struct arena *a);
struct templates {
	template_load_fn load;
	void *arg;
};
/* Appends. -1 with err: what is wrong, and where in which template. */
MUST_CHECK int template_render(struct strbuf *out, const struct templates *set, const char *name, struct scope *s,
    struct err *err);
/* Files NAME.html in a folder: for struct templates, arg is the folder's path. */
const char *template_load_file(void *arg, const char *name, struct arena *a);

#endif
