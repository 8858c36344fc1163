/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/uri.c - request target and Host to bucket, key and query; percent-encoding.
 *
 * Owns:       nothing; what is decoded lives in the caller's arena, what needs
 *             no decoding is borrowed from the target.
 * Called by:  fcgi/ once a request, s3/sigv4.c, writers of URLs.
 * Blocks:     no.
 * Invariant:  a path is decoded once and never normalised.
 */
#include "s3/uri.h"

#include "base/parse.h"
#include "s3/bucket_name.h"
#include "s3/errors.h"
#include "s3/headers.h"

/* --- percent-encoding --- */

static const char hex_upper[] = "0123456789ABCDEF";

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static void
encode(struct strbuf *sb, struct span s, bool keep_slash)
{
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char esc[3];

		if (is_unreserved(c) || (c == '/' && keep_slash))
			continue;
		if (i > from)
			strbuf_add(sb, s.p + from, i - from);
		esc[0] = '%';
		esc[1] = hex_upper[c >> 4];
		esc[2] = hex_upper[c & 15];
		strbuf_add(sb, esc, sizeof(esc));
		from = i + 1;
	}
	if (s.len > from)
		strbuf_add(sb, s.p + from, s.len - from);
}

void
uri_path(struct strbuf *sb, struct span s)
{
	encode(sb, s, true);
}

void
uri_query(struct strbuf *sb, struct span s)
{
	encode(sb, s, false);
}

ssize_t
uri_decode(struct span s, bool plus_is_blank, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '%') {
			int hi, lo;

			if (s.len - i < 3)
				return -1;
			hi = hex_digit(s.p[i + 1]);
			lo = hex_digit(s.p[i + 2]);
			if (hi < 0 || lo < 0)
				return -1;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[n++] = c;
	}
	return (ssize_t)n;
}

/* 0 ok, -1 malformed or past the arena's cap. Borrows when there is nothing to decode. */
static int
decode(struct arena *a, struct span s, bool plus_is_blank, struct span *out)
{
	char *buf;
	ssize_t n;

	*out = s;
	if (s.len > 0 && (memchr(s.p, '%', s.len) != NULL || (plus_is_blank && memchr(s.p, '+', s.len) != NULL))) {
		buf = arena_alloc(a, s.len);
		if (buf == NULL)
			return -1;
		n = uri_decode(s, plus_is_blank, buf);
		if (n < 0)
			return -1;
		*out = (struct span){ buf, (size_t)n };
	}
	if (out->len > 0 && memchr(out->p, '\0', out->len) != NULL)
		return -1;
	return utf8_valid(*out) ? 0 : -1;
}

static int
bad_uri(struct s3_problem *pr, struct span raw)
{
	if (pr->code == 0) {
		s3_problem_set(pr, S3_InvalidURI, NULL);
		s3_problem_extra(pr, "URI", raw);
	}
	return -1;
}

/* --- the query --- */

int
s3_query_parse(struct arena *a, struct span raw, struct s3_query *out, struct s3_problem *pr)
{
	struct s3_param *p;
	struct span rest = raw, item;
	size_t n = 0, max = 1;

	out->p = NULL;
	out->n = 0;
	if (raw.len == 0)
		return 0;
	for (size_t i = 0; i < raw.len; i++)
		max += raw.p[i] == '&';
	if (max > S3_PARAMS_MAX)
		return bad_uri(pr, raw);
	p = arena_array(a, max, sizeof(*p));
	if (p == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	while (rest.len > 0) {
		const char *amp = memchr(rest.p, '&', rest.len);
		const char *eq;

		item = (struct span){ rest.p, amp == NULL ? rest.len : (size_t)(amp - rest.p) };
		rest.p += item.len + (amp != NULL);
		rest.len -= item.len + (amp != NULL);
		if (item.len == 0)
			continue;
		eq = memchr(item.p, '=', item.len);
		if (eq != NULL) {
			size_t name_len = (size_t)(eq - item.p);

			p[n].has_value = true;
			if (decode(a, (struct span){ eq + 1, item.len - name_len - 1 }, true, &p[n].value) != 0)
				return bad_uri(pr, raw);
			item.len = name_len;
		} else {
			p[n].value = SPAN("");
		}
		if (decode(a, item, true, &p[n].name) != 0)
			return bad_uri(pr, raw);
		n++;
	}
	out->p = p;
	out->n = n;
	return 0;
}

const struct s3_param *
s3_query_find(const struct s3_query *q, const char *name)
{
	struct span want = span_of(name);

	for (size_t i = 0; i < q->n; i++)
		if (span_eq(q->p[i].name, want))
			return &q->p[i];
	return NULL;
}

struct span
s3_query_get(const struct s3_query *q, const char *name)
{
	const struct s3_param *p = s3_query_find(q, name);

	return p == NULL ? (struct span){ NULL, 0 } : p->value;
}

/* --- host --- */

/* Without port and one last dot. An IPv6 literal keeps its brackets, so that it is no domain. */
static struct span
host_name(struct span host)
{
	host = s3_trim(host);
	if (host.len > 0 && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.len);

		if (end != NULL)
			host.len = (size_t)(end - host.p) + 1;
		return host;
	}
	for (size_t i = host.len; i-- > 0;) {
		if (host.p[i] == ':') {
			host.len = i;
			break;
		}
		if (host.p[i] < '0' || host.p[i] > '9')
			break;
	}
	if (host.len > 0 && host.p[host.len - 1] == '.')
		host.len--;
	return host;
}

static struct span
lower_copy(struct arena *a, struct span s)
{
	char *p = arena_strndup(a, s.p, s.len);

	if (p == NULL)
		return (struct span){ NULL, 0 };
	for (size_t i = 0; i < s.len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	return (struct span){ p, s.len };
}

/* Sets style, domain and, for a virtual host, bucket. true: the host is one of ours. */
static bool
host_match(const char *const *domains, struct s3_uri *u)
{
	struct span best = { NULL, 0 };

	u->style = S3_STYLE_PATH;
	for (; domains != NULL && *domains != NULL; domains++) {
		struct span d = host_name(span_of(*domains));
		struct span tail;

		if (d.len == 0 || d.len > u->host.len || d.len <= best.len)
			continue;
		tail = (struct span){ u->host.p + (u->host.len - d.len), d.len };
		if (!s3_ieq(tail, d))
			continue;
		/* "xs3.example" is no bucket of "s3.example". */
		if (d.len < u->host.len && (u->host.len - d.len < 2 || tail.p[-1] != '.'))
			continue;
		best = tail;
	}
	if (best.len == 0 || best.len == u->host.len)
		return best.len > 0;
	u->style = S3_STYLE_VHOST;
	u->domain = best;
	u->bucket = (struct span){ u->host.p, u->host.len - best.len - 1 };
	return true;
}

/* --- the whole --- */

/* Cuts scheme and authority off an absolute-form target. 0, or -1 when it is no such form. */
static int
absolute_form(struct span *target, struct span *authority)
{
	size_t skip = s3_istarts(*target, "http://") ? 7 : s3_istarts(*target, "https://") ? 8 : 0;
	size_t i = skip;

	if (skip == 0)
		return -1;
	while (i < target->len && target->p[i] != '/' && target->p[i] != '?')
		i++;
	*authority = (struct span){ target->p + skip, i - skip };
	if (authority->len == 0 || memchr(authority->p, '@', authority->len) != NULL)
		return -1;
	target->p += i;
	target->len -= i;
	return 0;
}

/* bucket and key out of the raw path, each decoded once. */
static int
path_split(struct arena *a, struct s3_uri *u, struct s3_problem *pr)
{
	struct span rest = { u->raw_path.p + 1, u->raw_path.len - 1 };

	if (decode(a, u->raw_path, false, &u->path) != 0)
		return bad_uri(pr, u->raw_path);
	if (u->style == S3_STYLE_PATH) {
		const char *slash = rest.len == 0 ? NULL : memchr(rest.p, '/', rest.len);
		struct span first = { rest.p, slash == NULL ? rest.len : (size_t)(slash - rest.p) };

		if (slash != NULL && first.len == 0) {
			if (pr->code == 0) {
				s3_problem_set(pr, S3_InvalidBucketName, NULL);
				s3_problem_extra(pr, "BucketName", SPAN(""));
			}
			return -1;
		}
		if (decode(a, first, false, &u->bucket) != 0)
			return bad_uri(pr, u->raw_path);
		rest = slash == NULL ? SPAN("") : (struct span){ slash + 1, rest.len - first.len - 1 };
	}
	if (decode(a, rest, false, &u->key) != 0)
		return bad_uri(pr, u->raw_path);
	if (u->key.len > S3_KEY_MAX) {
		char *size = arena_printf(a, "%zu", u->key.len);

		if (pr->code == 0) {
			s3_problem_set(pr, S3_KeyTooLongError, NULL);
			s3_problem_extra(pr, "Size", span_of(size));
			s3_problem_extra(pr, "MaxSizeAllowed", SPAN("1024"));
		}
		return -1;
	}
	return 0;
}

/* domains of a custom host: the whole host is the bucket. */
static const char *const custom[] = { NULL };

static int
parse(struct arena *a, struct span target, struct span host, const char *const *domains, struct s3_uri *out,
    struct s3_problem *pr)
{
	struct span whole = target, authority = { NULL, 0 };
	const char *q;

	memset(out, 0, sizeof(*out));
	out->bucket = out->key = out->domain = out->raw_query = SPAN("");
	if (target.len > S3_TARGET_MAX)
		return bad_uri(pr, (struct span){ target.p, 256 });
	if (target.len > 0 && target.p[0] != '/') {
		if (absolute_form(&target, &authority) != 0)
			return bad_uri(pr, whole);
		if (host.len > 0 && !s3_ieq(host_name(authority), host_name(host)))
			return bad_uri(pr, whole);
		host = authority;
	}
	out->raw_path = target;
	q = target.len == 0 ? NULL : memchr(target.p, '?', target.len);
	if (q != NULL) {
		out->raw_path.len = (size_t)(q - target.p);
		out->raw_query = (struct span){ q + 1, target.len - out->raw_path.len - 1 };
	}
	if (out->raw_path.len == 0)
		out->raw_path = SPAN("/");
	out->host = lower_copy(a, host_name(host));
	if (out->host.p == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	if (domains == custom) {
		out->style = S3_STYLE_VHOST;
		out->bucket = out->host;
	} else {
		(void)host_match(domains, out);
	}
	if (path_split(a, out, pr) != 0)
		return -1;
	return s3_query_parse(a, out->raw_query, &out->query, pr);
}

int
s3_uri_parse(struct arena *a, struct span target, struct span host, const char *const *domains,
    struct s3_uri *out, struct s3_problem *pr)
{
	return parse(a, target, host, domains, out, pr);
}

int
s3_uri_parse_custom(struct arena *a, struct span target, struct span host, struct s3_uri *out, struct s3_problem *pr)
{
	return parse(a, target, host, custom, out, pr);
}

bool
s3_host_is_custom(struct arena *a, struct span host, const char *const *domains, struct span *bucket)
{
	struct s3_uri u = { .host = lower_copy(a, host_name(host)) };

	if (u.host.p == NULL || memchr(u.host.p, '.', u.host.len) == NULL || !bucket_name_valid(u.host))
		return false;
	*bucket = u.host;
	return !host_match(domains, &u);
}

bool
s3_host_is_website(struct arena *a, struct span host, const char *const *domains, const char *const *website)
{
	struct s3_uri site = { .host = lower_copy(a, host_name(host)) }, api = { .host = site.host };

	if (site.host.p == NULL || !host_match(website, &site) || site.style != S3_STYLE_VHOST)
		return false;
	return !host_match(domains, &api) || (api.style == S3_STYLE_VHOST && api.domain.len < site.domain.len);
}
