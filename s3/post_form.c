/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/post_form.c - multipart/form-data, byte by byte where it must be and run by
 * run where the file's bytes are.
 *
 * Owns:       nothing; the parser and the fields live in the caller's arena.
 * Called by:  fcgi/body.c.
 * Invariant:  memory is bounded by POST_FORM_BYTES_MAX, whatever is sent. A
 *             delimiter begins with CR, which is nowhere else in it: bytes that
 *             began like one and were none are given back from the delimiter
 *             itself, so that nothing is ever held twice.
 * Source:     RFC 7578, RFC 2046 section 5.1; S3 API Reference, "POST Object".
 */
#include "s3/post_form.h"

#include "s3/errors.h"
#include "s3/headers.h"

#define LINE_MAX_BYTES 4096
#define FILENAME_VARIABLE "${filename}"

enum state {
	PREAMBLE,   /* before the first delimiter */
	DELIMITER,  /* behind one: CR LF, or "--" */
	HEADERS,    /* of a part */
	FIELD,      /* a field's value */
	FILE_BYTES,
	AFTER       /* the file has ended: nothing matters any more */
};

struct post_form {
	struct arena *arena;
	enum state state;
	char delimiter[4 + POST_BOUNDARY_MAX + 1]; /* CR LF "--" boundary */
	size_t delimiter_len;
	size_t matched;      /* bytes of the delimiter just seen */
	size_t taken;        /* bytes that count for the limit */
	size_t lent;         /* of them, how many were the line's end before the part */
	bool no_file;        /* the form ended without one */
	struct strbuf line;  /* of a part's headers, or behind a delimiter */
	struct strbuf value; /* of the field */
	struct span name, filename;
	bool has_name;
	struct post_field fields[POST_FORM_FIELDS_MAX];
	size_t n;
};

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedPOSTRequest, NULL);
}

static int
no_memory(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_InternalError, NULL);
}

/* ---- parameters of headers: ; name="value" ---- */

/* The value at *p, quoted or not; \" is a quote, and other backslashes are what they are: browsers send paths. */
static bool
parameter_value(struct arena *a, const char **p, const char *end, struct span *out)
{
	char *to;
	size_t n = 0;

	if (*p == end || **p != '"') {
		const char *from = *p;

		while (*p < end && **p != ';')
			(*p)++;
		*out = s3_trim((struct span){ from, (size_t)(*p - from) });
		return true;
	}
	to = arena_alloc(a, (size_t)(end - *p));
	if (to == NULL)
		return false;
	for ((*p)++; *p < end && **p != '"'; (*p)++) {
		if (**p == '\\' && *p + 1 < end && (*p)[1] == '"')
			(*p)++;
		to[n++] = **p;
	}
	if (*p == end)
		return false;
	(*p)++;
	*out = (struct span){ to, n };
	return true;
}

/* The parameter of that name; false: there is none, or what precedes it is malformed. */
static bool
parameter(struct arena *a, struct span header, const char *name, struct span *out)
{
	const char *end = header.p + header.len;
	const char *p = header.len == 0 ? NULL : memchr(header.p, ';', header.len);

	while (p != NULL && p < end) {
		const char *from = ++p;
		struct span got;

		while (p < end && *p != '=' && *p != ';')
			p++;
		if (p == end || *p == ';')
			continue;
		got = s3_trim((struct span){ from, (size_t)(p - from) });
		p++;
		if (!parameter_value(a, &p, end, out))
			return false;
		if (s3_ieq(got, span_of(name)))
			return true;
		while (p < end && *p != ';')
			p++;
	}
	return false;
}

/* ---- beginning ---- */

static bool
boundary_ok(struct span b)
{
	if (b.len == 0 || b.len > POST_BOUNDARY_MAX)
		return false;
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return true;
}

struct post_form *
post_form_new(struct arena *a, struct span content_type, struct s3_problem *pr)
{
	static const char type[] = "multipart/form-data";
	struct post_form *f;
	struct span boundary;

	if (!s3_istarts(content_type, type) ||
	    (content_type.len > sizeof(type) - 1 && strchr("; \t", content_type.p[sizeof(type) - 1]) == NULL)) {
		(void)s3_problem_set(pr, S3_PreconditionFailed, NULL);
		s3_problem_extra(pr, "Condition", SPAN("Bucket POST must be of the enclosure-type multipart/form-data"));
		return NULL;
	}
	if (!parameter(a, content_type, "boundary", &boundary) || !boundary_ok(boundary)) {
		(void)malformed(pr);
		return NULL;
	}
	f = ARENA_NEW(a, struct post_form);
	if (f == NULL) {
		(void)no_memory(pr);
		return NULL;
	}
	f->arena = a;
	memcpy(f->delimiter, "\r\n--", 4);
	memcpy(f->delimiter + 4, boundary.p, boundary.len);
	f->delimiter_len = boundary.len + 4;
	f->matched = f->lent = 2; /* the body's beginning is a line's */
	strbuf_init(&f->line, a, LINE_MAX_BYTES);
	strbuf_init(&f->value, a, POST_FORM_BYTES_MAX);
	return f;
}

/* ---- parts ---- */

static int
part_header(struct post_form *f, struct s3_problem *pr)
{
	struct span line = { strbuf_cstr(&f->line), f->line.len };

	if (!s3_istarts(line, "content-disposition:"))
		return 0;
	/* A name may hold what the line's buffer will lose. */
	line.p = arena_memdup(f->arena, line.p, line.len);
	if (line.p == NULL)
		return no_memory(pr);
	if (!parameter(f->arena, line, "name", &f->name))
		return malformed(pr);
	f->has_name = true;
	if (!parameter(f->arena, line, "filename", &f->filename))
		f->filename = (struct span){ NULL, 0 };
	return 0;
}

/* One byte of a part's headers; an empty line ends them. */
static int
header_byte(struct post_form *f, char c, struct s3_problem *pr)
{
	if (c != '\n') {
		strbuf_ch(&f->line, c);
		return strbuf_ok(&f->line) ? 0 : malformed(pr);
	}
	if (f->line.len == 0 || f->line.buf[f->line.len - 1] != '\r')
		return malformed(pr);
	strbuf_trim(&f->line, f->line.len - 1);
	if (f->line.len > 0) {
		int rc = part_header(f, pr);

		strbuf_clear(&f->line);
		return rc;
	}
	if (!f->has_name)
		return malformed(pr);
	f->state = s3_ieq(f->name, SPAN("file")) ? FILE_BYTES : FIELD;
	f->matched = f->lent = 2; /* an empty value's delimiter may follow at once: this line's end is its beginning */
	return 0;
}

static int
field_ends(struct post_form *f, struct s3_problem *pr)
{
	char *value = arena_strndup(f->arena, strbuf_cstr(&f->value), f->value.len);
	char *name = arena_strndup(f->arena, f->name.p, f->name.len);

	if (value == NULL || name == NULL)
		return no_memory(pr);
	/* Which of two would the policy have seen, and which be obeyed? */
	if (post_form_get(f, name).p != NULL && !s3_istarts(f->name, "x-ignore-"))
		return s3_problem_argument(pr, "A form field may be there once only.", "Field", span_of(name));
	if (f->n == POST_FORM_FIELDS_MAX)
		return s3_problem_set(pr, S3_MaxPostPreDataLengthExceeded, NULL);
	f->fields[f->n++] = (struct post_field){ { name, f->name.len }, { value, f->value.len } };
	strbuf_clear(&f->value);
	return 0;
}

/* One byte behind a delimiter: "--" is the form's end, a line's end begins a part; blanks before it are padding. */
static int
delimiter_byte(struct post_form *f, char c, struct s3_problem *pr)
{
	strbuf_ch(&f->line, c);
	if (f->line.len >= 2 && memcmp(f->line.buf, "--", 2) == 0) {
		f->no_file = true;
		f->state = AFTER;
		return 0;
	}
	if (c == '\n' && f->line.len >= 2 && f->line.buf[f->line.len - 2] == '\r') {
		strbuf_clear(&f->line);
		f->has_name = false;
		f->state = HEADERS;
		return 0;
	}
	if (c != ' ' && c != '\t' && c != '\r' && !(c == '-' && f->line.len == 1))
		return malformed(pr);
	return strbuf_ok(&f->line) ? 0 : malformed(pr);
}

static int
delimiter_found(struct post_form *f, struct s3_problem *pr)
{
	enum state was = f->state;

	f->matched = f->lent = 0;
	if (was == FILE_BYTES) {
		f->state = AFTER;
		return 0;
	}
	f->state = DELIMITER;
	strbuf_clear(&f->line);
	return was == FIELD ? field_ends(f, pr) : 0;
}

/* Bytes that began like a delimiter and were none; those lent by the line before the part were never in it. */
static struct span
unmatched(struct post_form *f)
{
	struct span s = { f->delimiter + f->lent, f->matched - f->lent };

	f->matched = f->lent = 0;
	return s;
}

/* The part's bytes up to what may be a delimiter: *out is what is known to be the part's. */
static int
part_bytes(struct post_form *f, struct span *in, struct span *out, struct s3_problem *pr)
{
	const char *p = in->p, *end = in->p + in->len;

	if (f->matched == 0) {
		const char *cr = memchr(p, '\r', in->len);

		p = cr == NULL ? end : cr;
		*out = (struct span){ in->p, (size_t)(p - in->p) };
	} else {
		while (p < end && f->matched < f->delimiter_len && *p == f->delimiter[f->matched]) {
			p++;
			f->matched++;
		}
		if (f->matched < f->delimiter_len && p < end)
			*out = unmatched(f);
	}
	if (f->matched == 0 && p < end && *p == '\r') {
		p++;
		f->matched = 1;
	}
	in->len -= (size_t)(p - in->p);
	in->p = p;
	return f->matched == f->delimiter_len ? delimiter_found(f, pr) : 0;
}

/* A field's bytes, or those before the first part, which mean nothing. */
static int
small_bytes(struct post_form *f, struct span *in, struct s3_problem *pr)
{
	bool is_field = f->state == FIELD;
	struct span run = { NULL, 0 };
	size_t before = in->len;

	if (part_bytes(f, in, &run, pr) != 0)
		return -1;
	f->taken += before - in->len;
	if (f->taken > POST_FORM_BYTES_MAX)
		return s3_problem_set(pr, S3_MaxPostPreDataLengthExceeded, NULL);
	if (is_field && f->state == FIELD)
		strbuf_span(&f->value, run);
	return 0;
}

static int
next_byte(struct post_form *f, struct span *in, struct s3_problem *pr)
{
	char c = *in->p;

	in->p++;
	in->len--;
	if (++f->taken > POST_FORM_BYTES_MAX)
		return s3_problem_set(pr, S3_MaxPostPreDataLengthExceeded, NULL);
	return f->state == DELIMITER ? delimiter_byte(f, c, pr) : header_byte(f, c, pr);
}

int
post_form_push(struct post_form *f, struct span *in, struct span *out, struct s3_problem *pr)
{
	*out = (struct span){ NULL, 0 };
	while (in->len > 0 && out->len == 0) {
		bool at_file = f->state == FILE_BYTES;
		int rc = 0;

		switch (f->state) {
		case PREAMBLE:
		case FIELD:
			rc = small_bytes(f, in, pr);
			break;
		case DELIMITER:
		case HEADERS:
			rc = next_byte(f, in, pr);
			break;
		case FILE_BYTES:
			rc = part_bytes(f, in, out, pr);
			break;
		case AFTER:
			in->p += in->len;
			in->len = 0;
			break;
		}
		if (rc != 0)
			return -1;
		if (!at_file && f->state == FILE_BYTES)
			break; /* the caller looks at the fields first */
	}
	return 0;
}

bool
post_form_at_file(const struct post_form *f)
{
	return f->state == FILE_BYTES || (f->state == AFTER && !f->no_file);
}

int
post_form_finish(const struct post_form *f, struct s3_problem *pr)
{
	if (f->state != AFTER)
		return malformed(pr);
	if (f->no_file)
		return s3_problem_argument(pr, "POST requires exactly one file upload per request.", "file", SPAN("0"));
	return 0;
}

/* ---- fields ---- */

struct span
post_form_get(const struct post_form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (s3_ieq(f->fields[i].name, span_of(name)))
			return f->fields[i].value;
	return (struct span){ NULL, 0 };
}

const struct post_field *
post_form_fields(const struct post_form *f, size_t *n)
{
	*n = f->n;
	return f->fields;
}

/* Browsers may send a path. */
static struct span
base_name(struct span s)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.p[i - 1] == '/' || s.p[i - 1] == '\\')
			return (struct span){ s.p + i, s.len - i };
	return s;
}

static bool
expand(struct arena *a, struct span *value, struct span filename)
{
	static const size_t len = sizeof(FILENAME_VARIABLE) - 1;
	struct strbuf sb;
	size_t at = 0;

	if (value->len < len || memmem(value->p, value->len, FILENAME_VARIABLE, len) == NULL)
		return true;
	strbuf_init(&sb, a, 4 * POST_FORM_BYTES_MAX);
	while (at < value->len) {
		if (value->len - at >= len && memcmp(value->p + at, FILENAME_VARIABLE, len) == 0) {
			strbuf_span(&sb, filename);
			at += len;
		} else
			strbuf_ch(&sb, value->p[at++]);
	}
	*value = (struct span){ strbuf_cstr(&sb), sb.len };
	return strbuf_ok(&sb);
}

bool
post_form_expand(struct post_form *f)
{
	struct span filename = base_name(f->filename);

	/* A file that is sent without a name leaves it as it is, at S3 too. */
	if (f->filename.p == NULL)
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (!s3_ieq(f->fields[i].name, SPAN("policy")) && !s3_ieq(f->fields[i].name, SPAN("x-amz-signature")) &&
		    !expand(f->arena, &f->fields[i].value, filename))
			return false;
	return true;
}
