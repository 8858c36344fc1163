/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/http.c - CGI's environment and forms read with limits, answers
 * written with the headers that every page has.
 *
 * Owns:       nothing; all is the request's arena.
 * Called by:  admin/cgi/main.c, pages.
 * Blocks:     on the body.
 */
#include "admin/cgi/http.h"

#include <strings.h>

#include "base/crypto.h"
#include "base/parse.h"

#define HEAD_MAX 16384
#define PATH_LIMIT 256
#define QUERY_LIMIT 8192

const char *
param_get(const struct params *ps, const char *name)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, name) == 0)
			return ps->p[i].value;
	return NULL;
}

/* "%41+b" to "A b"; NULL when it is not so, or holds a zero byte. */
static const char *
url_decode(struct arena *a, const char *s, size_t len)
{
	char *out = arena_alloc(a, len + 1);
	size_t n = 0;
	uint8_t byte;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '+') {
			out[n++] = ' ';
		} else if (s[i] != '%') {
			out[n++] = s[i];
		} else {
			if (i + 2 >= len || !hex_decode((struct span){ s + i + 1, 2 }, &byte, 1) ||
			    byte == 0)
				return NULL;
			out[n++] = (char)byte;
			i += 2;
		}
	}
	out[n] = '\0';
	return out;
}

bool
params_parse(struct params *ps, struct arena *a, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "&");
		const char *eq = memchr(text, '=', len);
		size_t name_len = eq == NULL ? len : (size_t)(eq - text);
		struct param *p = &ps->p[ps->n];

		if (len > 0) {
			if (ps->n >= PARAMS_MAX)
				return false;
			p->name = url_decode(a, text, name_len);
			p->value = eq == NULL ? "" :
			    url_decode(a, eq + 1, len - name_len - 1);
			if (p->name == NULL || p->value == NULL)
				return false;
			ps->n++;
		}
		text += len;
		if (*text == '&')
			text++;
	}
	return true;
}

static const char *
env_or(env_fn env, void *arg, const char *name, const char *otherwise)
{
	const char *s = env(arg, name);

	return s == NULL ? otherwise : s;
}

static int
read_form(struct http_request *rq, env_fn env, body_fn body, void *arg)
{
	static const char form_type[] = "application/x-www-form-urlencoded";
	const char *type = env_or(env, arg, "CONTENT_TYPE", "");
	const char *length = env_or(env, arg, "CONTENT_LENGTH", "");
	size_t got = 0;
	int64_t len;
	char *text;

	if (strncasecmp(type, form_type, sizeof(form_type) - 1) != 0)
		return 415;
	if (!parse_i64(span_of(length), 0, INT64_MAX, &len))
		return 411;
	if (len > BODY_MAX)
		return 413;
	text = arena_alloc(rq->arena, (size_t)len + 1);
	if (text == NULL)
		return 413;
	while (got < (size_t)len) {
		ssize_t n = body(arg, text + got, (size_t)len - got);

		if (n <= 0)
			return 400;
		got += (size_t)n;
	}
	text[got] = '\0';
	rq->raw_form = text;
	rq->raw_form_len = got;
	if (strlen(text) != got || !params_parse(&rq->form, rq->arena, text))
		return 400;
	return 0;
}

/* The query of a CGI without PATH_INFO is there all the same. Nothing is normalised: a page's path is a word. */
void
http_read(struct http_request *rq, struct arena *a, env_fn env, body_fn body, void *arg)
{
	memset(rq, 0, sizeof(*rq));
	rq->arena = a;
	rq->method = env_or(env, arg, "REQUEST_METHOD", "GET");
	rq->script = env_or(env, arg, "SCRIPT_NAME", "");
	rq->path = env_or(env, arg, "PATH_INFO", "");
	rq->query = env_or(env, arg, "QUERY_STRING", "");
	rq->remote_addr = env_or(env, arg, "REMOTE_ADDR", "");
	rq->host = env_or(env, arg, "HTTP_HOST", "");
	rq->https = strcasecmp(env_or(env, arg, "HTTPS", ""), "on") == 0 ||
	    strcmp(env_or(env, arg, "REQUEST_SCHEME", ""), "https") == 0;
	rq->fetch_site = env_or(env, arg, "HTTP_SEC_FETCH_SITE", "");
	rq->fetch_mode = env_or(env, arg, "HTTP_SEC_FETCH_MODE", "");
	rq->fetch_dest = env_or(env, arg, "HTTP_SEC_FETCH_DEST", "");
	rq->origin = env_or(env, arg, "HTTP_ORIGIN", "");
	rq->cookies = env_or(env, arg, "HTTP_COOKIE", "");
	if (strlen(rq->path) > PATH_LIMIT || strlen(rq->query) > QUERY_LIMIT)
		rq->refused = 414;
	else if (!params_parse(&rq->args, a, rq->query))
		rq->refused = 400;
	else if (strcmp(rq->method, "POST") == 0)
		rq->refused = read_form(rq, env, body, arg);
	else if (strcmp(rq->method, "GET") != 0 && strcmp(rq->method, "HEAD") != 0)
		rq->refused = 405;
}

const char *
http_cookie(const struct http_request *rq, const char *name)
{
	const char *p = rq->cookies;
	size_t len = strlen(name);

	while (*p != '\0') {
		size_t n;

		p += strspn(p, " ;");
		n = strcspn(p, ";");
		if (n > len && memcmp(p, name, len) == 0 && p[len] == '=')
			return arena_strndup(rq->arena, p + len + 1, n - len - 1);
		p += n;
	}
	return NULL;
}

void
http_forget_form(const struct http_request *rq)
{
	if (rq->raw_form != NULL)
		crypto_wipe(rq->raw_form, rq->raw_form_len);
	/* What was decoded from it lies in our arena, in copies that are ours to write. */
	for (size_t i = 0; i < rq->form.n; i++)
		if (rq->form.p[i].value[0] != '\0')
			crypto_wipe((void *)(uintptr_t)rq->form.p[i].value, strlen(rq->form.p[i].value));
}

/* ---- the answer ---- */

void
http_answer_init(struct http_answer *an, struct arena *a)
{
	memset(an, 0, sizeof(*an));
	an->status = 200;
	an->type = "text/html; charset=utf-8";
	strbuf_init(&an->head, a, HEAD_MAX);
	strbuf_init(&an->body, a, PAGE_BYTES_MAX);
}

void
http_header(struct http_answer *an, const char *name, const char *value)
{
	strbuf_printf(&an->head, "%s: ", name);
	for (; *value != '\0'; value++) /* no line of another's making */
		strbuf_ch(&an->head, *value == '\r' || *value == '\n' ? ' ' : *value);
	strbuf_str(&an->head, "\r\n");
}

void
http_set_cookie(struct http_answer *an, const struct http_request *rq, const char *name, const char *value,
    int64_t max_age_s)
{
	struct strbuf sb;

	strbuf_init(&sb, rq->arena, 4096);
	strbuf_printf(&sb, "%s=%s; Path=%s/; HttpOnly; SameSite=Strict%s", name,
	    value, rq->script, rq->https ? "; Secure" : "");
	if (max_age_s >= 0)
		strbuf_printf(&sb, "; Max-Age=%" PRId64, max_age_s);
	if (strbuf_ok(&sb))
		http_header(an, "Set-Cookie", strbuf_cstr(&sb));
}

void
http_redirect(struct http_answer *an, const struct http_request *rq, const char *where)
{
	const char *to = arena_printf(rq->arena, "%s/%s", rq->script, where);

	an->status = 303;
	http_header(an, "Location", to == NULL ? "/" : to);
}

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 303:
		return "See Other";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	default:
		return status >= 500 ? "Internal Server Error" : "Error";
	}
}

void
http_put(const struct http_answer *an, const struct http_request *rq, struct strbuf *out)
{
	strbuf_printf(out, "Status: %d %s\r\nContent-Type: %s\r\n", an->status,
	    reason(an->status), an->type);
	/*
	 * The pages share their origin with the buckets, so nothing here may be
	 * framed, opened by a script that keeps a hand on it, or kept in a cache.
	 */
	strbuf_printf(out,
	    "Cache-Control: %s\r\n"
	    "Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; "
	    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
	    "X-Frame-Options: DENY\r\nX-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n"
	    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n"
	    "X-Robots-Tag: noindex, nofollow\r\n",
	    an->cacheable ? "private, max-age=3600" : "no-store");
	strbuf_str(out, strbuf_cstr(&an->head));
	strbuf_printf(out, "Content-Length: %zu\r\n\r\n", an->body.len);
	if (strcmp(rq->method, "HEAD") != 0)
		strbuf_add(out, strbuf_cstr(&an->body), an->body.len);
}
