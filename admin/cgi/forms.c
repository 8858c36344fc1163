/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/forms.c - forms from rows of admin/actions.def: a labelled field an
 * argument, filled again with what was typed when the form was refused.
 *
 * Owns:       nothing.
 * Called by:  pages.
 * Blocks:     never.
 */
#include "admin/cgi/page.h"

#define PRESET_MAX 8
#define ARG_VALUE_SHOWN_MAX 65536

struct preset {
	const char *name, *value;
	bool shown;
};
struct presets {
	struct preset p[PRESET_MAX];
	size_t n;
};

static const struct preset *
preset_of(const struct presets *ps, const char *name)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, name) == 0)
			return &ps->p[i];
	return NULL;
}

/* "owner-id" as "Owner id". */
static const char *
label_of(struct arena *a, const char *name)
{
	static const char *const others[][2] = { { "inv-pub", "Its invalidator publishes at" },
		{ "inv-rep", "Its invalidator answers at" }, { "everywhere", "In every region" } };
	char *s = arena_strdup(a, name);

	if (s == NULL)
		return name;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(name, others[i][0]) == 0)
			return others[i][1];
	for (char *p = s; *p != '\0'; p++)
		if (*p == '-')
			*p = ' ';
	if (*s >= 'a' && *s <= 'z')
		*s = (char)(*s - 'a' + 'A');
	return s;
}

/* What the button says: a verb. */
static const char *
submit_label(struct arena *a, const struct action *act)
{
	static const char *const nouns_as_verbs[] = { "routing", "policy", "role", "password", "update" };

	for (size_t i = 0; i < ARRAY_LEN(nouns_as_verbs); i++)
		if (strcmp(act->verb, nouns_as_verbs[i]) == 0)
			return "Save";
	return label_of(a, act->verb);
}

/* What was typed into the field before; NULL when this form was not refused. */
static const struct arg_value *
typed(const struct page_ctx *p, const struct action *act, const char *name)
{
	return p->refused == act ? args_slot(p->refused_args, name) : NULL;
}

static void
add_option(struct scope *field, struct arena *a, const char *word, size_t len, bool selected)
{
	struct scope *o = scope_item(field, "options");

	scope_text(o, "word", arena_strndup(a, word, len));
	scope_flag(o, "selected", selected);
}

static bool
is_among(const struct arg_value *v, const char *word, size_t len)
{
	for (size_t i = 0; v != NULL && i < v->n; i++)
		if (strlen(v->values[i]) == len && memcmp(v->values[i], word, len) == 0)
			return true;
	return false;
}

static void
word_options(struct page_ctx *p, struct scope *field, const struct arg_row *r, const char *now)
{
	const char *w = r->words;

	if (!(r->flags & ARG_IS_REQUIRED))
		add_option(field, p->arena, "", 0, now[0] == '\0');
	while (*w != '\0') {
		size_t len = strcspn(w, "|");

		add_option(field, p->arena, w, len,
		    strlen(now) == len && memcmp(now, w, len) == 0);
		w += len;
		if (*w == '|')
			w++;
	}
}

/* The field's value: what was typed, else what is filled in. Passwords are never given back. */
static const char *
value_of(const struct arg_value *before, const struct preset *pre, const struct arg_row *r, struct arena *a)
{
	struct strbuf sb;

	if (arg_is_hidden(r))
		return "";
	if (before == NULL)
		return pre == NULL ? "" : pre->value;
	strbuf_init(&sb, a, ARG_VALUE_SHOWN_MAX);
	for (size_t i = 0; i < before->n; i++)
		strbuf_printf(&sb, "%s%s", i == 0 ? "" : " ", before->values[i]);
	return strbuf_cstr(&sb);
}

static void
add_field(struct page_ctx *p, struct scope *form, const struct action *act, const struct arg_row *r,
    const struct preset *pre)
{
	struct scope *f = scope_item(form, "fields");
	const struct arg_value *before = typed(p, act, r->name);
	const char *html = arg_types[r->type].html;
	const char *value = value_of(before, pre, r, p->arena);
	bool is_hidden = pre != NULL && !pre->shown;

	if (is_hidden)
		value = pre->value;
	scope_printf(f, "id", "%s-%s-%s", act->noun, act->verb, r->name);
	scope_text(f, "name", r->name);
	scope_text(f, "label", label_of(p->arena, r->name));
	scope_text(f, "doc", r->doc);
	scope_text(f, "value", value);
	scope_text(f, "type", html);
	scope_text(f, "error", before == NULL ? "" : before->problem);
	scope_printf(f, "max", "%zu", arg_types[r->type].max);
	scope_flag(f, "required", r->flags & ARG_IS_REQUIRED);
	scope_flag(f, "is_hidden", is_hidden);
	scope_flag(f, "is_select", !is_hidden && r->type == ARG_WORD);
	scope_flag(f, "is_area", !is_hidden && r->type == ARG_DOCUMENT);
	scope_flag(f, "is_check", !is_hidden && r->type == ARG_FLAG);
	scope_flag(f, "checked", before != NULL && before->n > 0);
	scope_flag(f, "is_checks", false);
	scope_flag(f, "is_password", !is_hidden && arg_is_hidden(r));
	scope_flag(f, "is_number", !is_hidden && r->type == ARG_NUMBER);
	scope_printf(f, "low", "%" PRId64, r->min);
	scope_printf(f, "high", "%" PRId64, r->max);
	scope_flag(f, "is_input", !is_hidden && r->type != ARG_WORD && r->type != ARG_DOCUMENT &&
	    r->type != ARG_FLAG && r->type != ARG_NUMBER && !arg_is_hidden(r));
	scope_list(f, "options");
	if (r->type == ARG_WORD)
		word_options(p, f, r, value);
}

static void
collect_presets(struct presets *ps, va_list ap)
{
	const char *name;

	ps->n = 0;
	while ((name = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		ASSERT(ps->n < PRESET_MAX);
		ps->p[ps->n].shown = name[0] == '?';
		ps->p[ps->n].name = name[0] == '?' ? name + 1 : name;
		ps->p[ps->n].value = value == NULL ? "" : value;
		ps->n++;
	}
}

struct scope *
page_form(struct page_ctx *p, const char *action, const char *then, ...)
{
	const struct action *act = action_by_name(action);
	struct presets ps;
	struct scope *form;
	const char *section;
	va_list ap;

	ASSERT(act != NULL && (act->flags & ACT_PAGE));
	va_start(ap, then);
	collect_presets(&ps, ap);
	va_end(ap);
	/* A form that nobody may send is made all the same, in a scope that is not shown. */
	section = arena_printf(p->arena, "form_%s_%s", act->noun, act->verb);
	form = p->may_change || strcmp(p->page->path, "account") == 0
	    ? scope_item(p->root, section == NULL ? "form" : section)
	    : scope_new(p->arena, p->root);
	scope_text(form, "action", action);
	scope_text(form, "then", then);
	scope_text(form, "form_doc", act->doc);
	scope_text(form, "form_error", p->refused == act ? p->refused_why : "");
	scope_flag(form, "open", p->refused == act);
	scope_text(form, "submit", submit_label(p->arena, act));
	scope_list(form, "fields");
	for (const struct arg_row *r = act->args; r->name != NULL; r++)
		add_field(p, form, act, r, preset_of(&ps, r->name));
	return form;
}

void
form_choices(struct page_ctx *p, struct scope *form, const char *field, const char *const *words)
{
	const char *action = scope_find_text(form, "action");
	const struct action *act = action == NULL ? NULL : action_by_name(action);
	const struct arg_row *r = act == NULL ? NULL : action_arg(act, field);
	struct scope *f = r == NULL ? NULL : scope_item_named(form, "fields", "name", field);
	const struct arg_value *before;
	const char *now;
	bool many;

	if (f == NULL)
		return;
	before = typed(p, act, field);
	now = scope_find_text(f, "value");
	many = r->flags & ARG_IS_MANY;
	scope_flag(f, "is_input", false);
	scope_flag(f, "is_select", !many);
	scope_flag(f, "is_checks", many && words[0] != NULL);
	if (!many && !(r->flags & ARG_IS_REQUIRED))
		add_option(f, p->arena, "", 0, now == NULL || now[0] == '\0');
	for (size_t i = 0; words[i] != NULL; i++)
		add_option(f, p->arena, words[i], strlen(words[i]),
		    many ? is_among(before, words[i], strlen(words[i]))
			 : now != NULL && strcmp(now, words[i]) == 0);
}
