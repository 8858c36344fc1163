/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/args.c - the values of an action's arguments, checked against its row.
 *
 * Owns:       nothing; values live in the caller's arena.
 * Called by:  admin/cli/parse.c and admin/cgi/forms.c, so that a terminal and
 *             a browser are told the same about the same mistake.
 * Blocks:     never.
 */
#include "admin/action.h"

#include <jansson.h>

#include "base/parse.h"
#include "s3/bucket_name.h"

#define AGE_MAX_S (INT64_C(3650) * 86400)
#define ARG_VALUES_MAX 64 /* times an argument may be repeated */

void
args_init(struct args *args, struct arena *a, const struct action *act)
{
	memset(args, 0, sizeof(*args));
	args->arena = a;
	args->act = act;
	while (act->args[args->n].name != NULL)
		args->n++;
	args->v = arena_array(a, args->n + 1, sizeof(*args->v));
	if (args->v == NULL) {
		args->n = 0;
		args->bad = true;
		return;
	}
	for (size_t i = 0; i < args->n; i++)
		args->v[i].row = &act->args[i];
}

struct arg_value *
args_slot(struct args *args, const char *name)
{
	for (size_t i = 0; i < args->n; i++)
		if (strcmp(args->v[i].row->name, name) == 0)
			return &args->v[i];
	return NULL;
}

void
args_problem(struct args *args, const char *name, const char *fmt, ...)
{
	struct arg_value *v = args_slot(args, name);
	struct strbuf sb;
	va_list ap;

	args->bad = true;
	if (v == NULL || v->problem != NULL)
		return; /* the first one is the cause */
	strbuf_init(&sb, args->arena, 512);
	va_start(ap, fmt);
	strbuf_vprintf(&sb, fmt, ap);
	va_end(ap);
	v->problem = strbuf_cstr(&sb);
}

void
args_set(struct args *args, const char *name, const char *value)
{
	struct arg_value *v = args_slot(args, name);
	const char **more;

	ASSERT(v != NULL);
	if (v->n > 0 && !(v->row->flags & ARG_IS_MANY)) {
		args_problem(args, name, "given more than once");
		return;
	}
	if (v->n >= ARG_VALUES_MAX) {
		args_problem(args, name, "given more than %d times", ARG_VALUES_MAX);
		return;
	}
	if (v->n + 1 >= v->room) {
		size_t room = v->room == 0 ? 4 : v->room * 2;

		more = arena_array(args->arena, room, sizeof(*more));
		if (more == NULL) {
			args_problem(args, name, "too much input");
			return;
		}
		if (v->n > 0)
			memcpy(more, v->values, v->n * sizeof(*more));
		v->values = more;
		v->room = room;
	}
	v->values[v->n++] = value;
	v->values[v->n] = NULL;
}

/* ---- one check a type; NULL means that the text is right ---- */

static bool
all_of(const char *s, bool (*fn)(char c))
{
	for (; *s != '\0'; s++)
		if (!fn(*s))
			return false;
	return true;
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool
is_region_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool
is_name_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("+=,.@_-", c) != NULL);
}

static bool
is_key_char(char c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '-';
}

static bool
is_host_char(char c)
{
	return is_alnum(c) || c == '.' || c == '-' || c == ':' || c == '[' ||
	    c == ']';
}

static bool
is_printable(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static bool
is_address_char(char c)
{
	return is_printable(c) && (unsigned char)c < 0x80;
}

static bool
ends_well(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && is_alnum(s[0]) && is_alnum(s[len - 1]);
}

static bool
url_ok(const char *s)
{
	const char *host;

	if (strncmp(s, "http://", 7) == 0)
		host = s + 7;
	else if (strncmp(s, "https://", 8) == 0)
		host = s + 8;
	else
		return false;
	return host[0] != '\0' && host[0] != ':' && all_of(host, is_host_char);
}

/* The same with what may follow the host. */
static bool
hook_ok(const char *s)
{
	const char *host = strstr(s, "://"), *path = host == NULL ? NULL : strpbrk(host + 3, "/?#@");
	char origin[256];

	if (path == NULL)
		return url_ok(s);
	if (*path != '/' || (size_t)(path - s) >= sizeof(origin) || strpbrk(path, " #") != NULL || !all_of(path, is_address_char))
		return false;
	memcpy(origin, s, (size_t)(path - s));
	origin[path - s] = '\0';
	return url_ok(origin);
}

static bool
word_ok(const char *words, const char *s)
{
	size_t len = strlen(s);

	while (len > 0 && *words != '\0') {
		const char *bar = strchr(words, '|');
		size_t n = bar == NULL ? strlen(words) : (size_t)(bar - words);

		if (n == len && memcmp(words, s, n) == 0)
			return true;
		if (bar == NULL)
			break;
		words = bar + 1;
	}
	return false;
}

static const char *
document_problem(const char *s, struct arena *a)
{
	json_error_t e;
	json_t *j = json_loads(s, JSON_REJECT_DUPLICATES, &e);
	const char *why = NULL;

	if (j == NULL) {
		why = arena_printf(a, "not JSON: line %d, column %d: %s", e.line,
		    e.column, e.text);
		return why == NULL ? "not JSON" : why;
	}
	if (!json_is_object(j))
		why = "must be a JSON object";
	json_decref(j);
	return why;
}

static const char *
number_problem(const struct arg_row *row, const char *s, struct arena *a)
{
	const char *why;
	int64_t n;

	if (parse_i64(span_of(s), row->min, row->max, &n))
		return NULL;
	why = arena_printf(a, "must be a whole number from %" PRId64 " to %" PRId64,
	    row->min, row->max);
	return why == NULL ? "must be a number" : why;
}

bool
arg_parse_age(const char *s, int64_t *seconds)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = { { "", 86400 }, { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };
	const char *cur = s;
	int64_t n;

	if (!parse_i64_prefix(&cur, s + strlen(s), 0, AGE_MAX_S, &n))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(cur, units[i].unit) == 0) {
			*seconds = n * units[i].seconds;
			return n <= AGE_MAX_S / units[i].seconds;
		}
	return false;
}

bool
arg_parse_size(const char *s, int64_t *bytes)
{
	static const char units[] = "KMGTP";
	const char *cur = s, *unit;
	int64_t n, factor = 1;

	if (arg_parse_count(s, bytes))
		return true;
	if (!parse_i64_prefix(&cur, s + strlen(s), 0, INT64_MAX, &n) || *cur == '\0' || cur[1] != '\0')
		return false;
	unit = strchr(units, *cur);
	for (const char *u = units; unit != NULL && u <= unit; u++)
		factor *= 1024;
	*bytes = unit != NULL && n <= INT64_MAX / factor ? n * factor : 0;
	return unit != NULL && n <= INT64_MAX / factor;
}

bool
arg_parse_count(const char *s, int64_t *n)
{
	if (strcmp(s, "none") != 0)
		return parse_i64(span_of(s), 0, INT64_MAX, n);
	*n = ARG_NO_LIMIT;
	return true;
}

static bool
value_ok(const struct arg_row *row, const char *s)
{
	size_t len = strlen(s);
	int64_t n;

	switch (row->type) {
	case ARG_KEY:
		return len > 0;
	case ARG_AGE:
		return arg_parse_age(s, &n);
	case ARG_SIZE:
		return arg_parse_size(s, &n);
	case ARG_COUNT:
		return arg_parse_count(s, &n);
	case ARG_TEXT:
	case ARG_PATH:
		return len > 0 && all_of(s, is_printable);
	case ARG_NAME:
		return len > 0 && all_of(s, is_name_char);
	case ARG_REGION:
		return ends_well(s) && all_of(s, is_region_char);
	case ARG_BUCKET:
		return bucket_name_valid(span_of(s));
	case ARG_ACCESS_KEY:
		return len >= 3 && all_of(s, is_key_char);
	case ARG_URL:
		return url_ok(s);
	case ARG_HOOK:
		return hook_ok(s);
	case ARG_DOMAIN:
		return ends_well(s) && all_of(s, is_host_char);
	case ARG_ADDRESS:
		return strstr(s, "://") != NULL && all_of(s, is_address_char);
	case ARG_PASSWORD:
		return len >= 10 && all_of(s, is_printable);
	case ARG_OWNER_ID:
		return len == 64 && all_of(s, is_hex);
	case ARG_SECRET:
		return len >= 16 && all_of(s, is_address_char) &&
		    strchr(s, ' ') == NULL;
	case ARG_WORD:
		return word_ok(row->words, s);
	case ARG_DOCUMENT:
	case ARG_NUMBER:
	case ARG_FLAG:
	case ARG_TYPE_COUNT:
		break;
	}
	return true;
}

const char *
arg_check_value(const struct arg_row *row, const char *value, struct arena *a)
{
	const struct arg_type_row *type = &arg_types[row->type];
	const char *why;

	if (strlen(value) > type->max)
		why = arena_printf(a, "longer than %zu bytes", type->max);
	else if (!utf8_valid(span_of(value)))
		why = "not UTF-8";
	else if (row->type == ARG_DOCUMENT)
		return document_problem(value, a);
	else if (row->type == ARG_NUMBER)
		return number_problem(row, value, a);
	else if (value_ok(row, value))
		return NULL;
	else if (row->type == ARG_WORD)
		why = arena_printf(a, "must be one of %s", row->words);
	else
		why = arena_printf(a, "must be %s", type->doc);
	return why == NULL ? "not as it must be" : why;
}

bool
args_check(struct args *args)
{
	for (size_t i = 0; i < args->n; i++) {
		struct arg_value *v = &args->v[i];

		if (v->n == 0 && (v->row->flags & ARG_IS_REQUIRED))
			args_problem(args, v->row->name, "is missing");
		for (size_t k = 0; k < v->n && v->problem == NULL; k++) {
			const char *why =
			    arg_check_value(v->row, v->values[k], args->arena);

			if (why != NULL)
				args_problem(args, v->row->name, "%s", why);
		}
	}
	return !args->bad;
}
