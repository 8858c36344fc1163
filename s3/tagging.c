/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/tagging.c - tags from XML and form-urlencoded text, and to both.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/ops, admin/ (lifecycle).
 * Invariant: tags that were read here passed s3_tags_check.
 */
#include "s3/tagging.h"

#include "base/parse.h"
#include "s3/bucket_config.h"
#include "s3/errors.h"

#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

static const struct xml_rule rules_tag[] = { { "Key", 1, 1, NULL }, { "Value", 1, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_tags[] = { { "Tag", 0, 0, rules_tag }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_tagging[] = { { "TagSet", 0, 1, rules_tags }, { NULL, 0, 0, NULL } };

/* Characters, not bytes: what S3 counts. */
static size_t
characters(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			n++;
	return n;
}

static int
bad_key(struct s3_problem *pr, const char *message, const struct s3_tag *t)
{
	s3_problem_set(pr, S3_InvalidTag, message);
	s3_problem_extra(pr, "TagKey", t->key);
	return -1;
}

static int
bad_value(struct s3_problem *pr, const struct s3_tag *t)
{
	bad_key(pr, "The TagValue you have provided is invalid", t);
	s3_problem_extra(pr, "TagValue", t->value);
	return -1;
}

/* Letters and digits of any script, blanks and a few signs. Of what is not ASCII all is taken for letters. */
static bool
has_tag_letters(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x80 && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    (c == '\0' || strchr(" \t\r\n+-=._:/@", c) == NULL))
			return false;
	}
	return true;
}

int
s3_tags_check_letters(const struct s3_tag *tags, size_t n, struct s3_problem *pr)
{
	for (size_t i = 0; i < n; i++) {
		if (!has_tag_letters(tags[i].key))
			return bad_key(pr, "The TagKey you have provided is invalid", &tags[i]);
		if (!has_tag_letters(tags[i].value))
			return bad_value(pr, &tags[i]);
	}
	return 0;
}

int
s3_tags_check(const struct s3_tag *tags, size_t n, size_t max,
    struct s3_problem *pr)
{
	if (n > max)
		return s3_problem_set(pr, S3_InvalidTag,
		    "The number of tags exceeds the limit");
	for (size_t i = 0; i < n; i++) {
		const struct s3_tag *t = &tags[i];
		size_t len = characters(t->key);

		if (len == 0 || len > TAG_KEY_MAX || !utf8_valid(t->key))
			return bad_key(
			    pr, "The TagKey you have provided is invalid", t);
		if (characters(t->value) > TAG_VALUE_MAX ||
		    !utf8_valid(t->value))
			return bad_value(pr, t);
		if (s3_istarts(t->key, "aws:"))
			return bad_key(pr, max == S3_OBJECT_TAGS_MAX ?
				"Your TagKey cannot be prefixed with aws:" :
				"System tags cannot be added/updated by requester", t);
		for (size_t j = 0; j < i; j++)
			if (span_eq(tags[j].key, t->key))
				return bad_key(pr,
				    "Cannot provide multiple Tags with the same key",
				    t);
	}
	return 0;
}

static int
key_order(const void *x, const void *y)
{
	const struct s3_tag *a = x, *b = y;
	size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
	int d = n == 0 ? 0 : memcmp(a->key.p, b->key.p, n);

	return d != 0 ? d : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static void
sort(struct s3_tags *t)
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof(*t->v), key_order);
}

static int
check(struct s3_tags *t, size_t max, struct s3_problem *pr)
{
	if (s3_tags_check(t->v, t->n, max, pr) != 0)
		return -1;
	sort(t);
	return 0;
}

int
s3_tags_from_xml(struct arena *a, struct span doc, size_t max, struct s3_tags *out, struct s3_problem *pr)
{
	const struct xml_node *root = s3_config_read(a, doc, "Tagging", rules_tagging, pr);
	const struct xml_node *tag;

	*out = (struct s3_tags){ 0 };
	if (root == NULL)
		return -1;
	tag = xml_child(xml_child(root, "TagSet"), "Tag");
	for (const struct xml_node *t = tag; t != NULL; t = xml_again(t))
		out->n++;
	out->v = arena_array(a, out->n + 1, sizeof(*out->v));
	if (out->v == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (size_t i = 0; i < out->n; i++, tag = xml_again(tag))
		out->v[i] = (struct s3_tag){ xml_at(tag, "Key"), xml_at(tag, "Value") };
	return check(out, max, pr) != 0 ? -1 : s3_tags_check_letters(out->v, out->n, pr);
}

struct span
s3_tags_get(const struct s3_tags *tags, struct span key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (span_eq(tags->v[i].key, key))
			return tags->v[i].value;
	return (struct span){ NULL, 0 };
}

/* "a%20b" and "a+b" are "a b". */
static bool
form_decode(struct arena *a, struct span s, struct span *out)
{
	char *p = arena_alloc(a, s.len + 1);
	size_t n = 0;

	if (p == NULL)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t byte;

		if (s.p[i] == '+') {
			p[n++] = ' ';
		} else if (s.p[i] != '%') {
			p[n++] = s.p[i];
		} else {
			if (i + 2 >= s.len || !hex_decode((struct span){ s.p + i + 1, 2 }, &byte, 1))
				return false;
			p[n++] = (char)byte;
			i += 2;
		}
	}
	p[n] = '\0';
	*out = (struct span){ p, n };
	return true;
}

static bool
pair_decode(struct arena *a, struct span pair, struct s3_tag *out)
{
	const char *eq = memchr(pair.p, '=', pair.len);
	struct span key = { pair.p, eq == NULL ? pair.len : (size_t)(eq - pair.p) };
	struct span value = eq == NULL ? SPAN("") : (struct span){ eq + 1, pair.len - key.len - 1 };

	return form_decode(a, key, &out->key) && form_decode(a, value, &out->value);
}

static int
bad_text(struct s3_problem *pr, struct span text)
{
	return s3_problem_argument(pr, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
	    "x-amz-tagging", text);
}

int
s3_tags_from_text(struct arena *a, struct span text, struct s3_tags *out, struct s3_problem *pr)
{
	size_t room = 1;

	*out = (struct s3_tags){ 0 };
	for (size_t i = 0; i < text.len; i++)
		room += text.p[i] == '&' ? 1 : 0;
	out->v = arena_array(a, room, sizeof(*out->v));
	if (out->v == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (size_t at = 0; at < text.len;) {
		const char *end = memchr(text.p + at, '&', text.len - at);
		size_t len = end == NULL ? text.len - at : (size_t)(end - text.p) - at;

		if (len > 0 && !pair_decode(a, (struct span){ text.p + at, len }, &out->v[out->n++]))
			return bad_text(pr, text);
		at += len + 1;
	}
	/* Of a header S3 tells these two in other words than of a document. */
	if (out->n > S3_OBJECT_TAGS_MAX)
		return s3_problem_set(pr, S3_BadRequest, "Object tags cannot be greater than 10");
	for (size_t i = 0; i < out->n; i++)
		if (s3_tags_get(&(struct s3_tags){ out->v, i }, out->v[i].key).p != NULL)
			return bad_text(pr, text);
	return check(out, S3_OBJECT_TAGS_MAX, pr);
}

int
s3_tags_from_header(struct arena *a, struct span text, struct s3_tags *out, struct s3_problem *pr)
{
	struct s3_problem letters = { 0 };

	if (s3_tags_from_text(a, text, out, pr) != 0)
		return -1;
	return s3_tags_check_letters(out->v, out->n, &letters) == 0 ? 0 : bad_text(pr, text);
}

static void
form_encode(struct strbuf *sb, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
		    c == '~')
			strbuf_ch(sb, c);
		else
			strbuf_printf(sb, "%%%02X", (unsigned)(unsigned char)c);
	}
}

const char *
s3_tags_text(struct arena *a, const struct s3_tags *tags)
{
	struct strbuf sb;

	if (tags->n == 0)
		return NULL;
	strbuf_init(&sb, a, S3_TAGS_TEXT_MAX);
	for (size_t i = 0; i < tags->n; i++) {
		if (i > 0)
			strbuf_ch(&sb, '&');
		form_encode(&sb, tags->v[i].key);
		strbuf_ch(&sb, '=');
		form_encode(&sb, tags->v[i].value);
	}
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : NULL;
}

void
s3_tags_xml(struct strbuf *sb, const struct s3_tags *tags)
{
	xml_begin(sb, "Tagging");
	xml_open(sb, "TagSet");
	for (size_t i = 0; i < tags->n; i++) {
		xml_open(sb, "Tag");
		xml_text(sb, "Key", tags->v[i].key);
		xml_text(sb, "Value", tags->v[i].value);
		xml_close(sb, "Tag");
	}
	xml_close(sb, "TagSet");
	xml_close(sb, "Tagging");
}

int
s3_bucket_tags_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	struct s3_tags tags;
	struct strbuf sb;

	if (s3_tags_from_xml(a, given, S3_BUCKET_TAGS_MAX, &tags, pr) != 0)
		return -1;
	strbuf_init(&sb, a, 4 * S3_CONFIG_BYTES_MAX);
	s3_tags_xml(&sb, &tags);
	if (!strbuf_ok(&sb))
		return s3_problem_set(pr, S3_InternalError, NULL);
	*stored = tags.n == 0 ? NULL : strbuf_cstr(&sb);
	return 0;
}
