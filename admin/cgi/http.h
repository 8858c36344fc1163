/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/http.h - one request as CGI gives it, and the answer. The same
 * for a CGI process and for FastCGI: an environment, a body, an output.
 */
#ifndef ANVIL_ADMIN_CGI_HTTP_H
#define ANVIL_ADMIN_CGI_HTTP_H

#include "base/err.h"
#include "base/strbuf.h"

#define BODY_MAX 131072   /* a policy of 20,480 bytes, each as %XX, and room */
#define PARAMS_MAX 256
#define PAGE_BYTES_MAX ((size_t)8 << 20)

struct param {
	const char *name, *value;
};
struct params {
	struct param p[PARAMS_MAX];
	size_t n;
};
/* The first value of a name; NULL when there is none. */
const char *param_get(const struct params *ps, const char *name);
/* "a=b&c=d" as browsers send it. false: too many, or a %XX that is none, or a zero byte. */
bool params_parse(struct params *ps, struct arena *a, const char *text);

struct http_request {
	struct arena *arena;
	const char *method, *script, *path, *query; /* path: behind script, "/..." or "" */
	const char *remote_addr, *host;
	bool https;
	const char *fetch_site, *fetch_mode, *fetch_dest, *origin; /* "" when not sent */
	const char *cookies;
	struct params args; /* of the query */
	struct params form; /* of the body */
	char *raw_form; /* as it came; may hold a password */
	size_t raw_form_len;
	int refused; /* status when the request itself is wrong; 0 = fine */
};
typedef const char *(*env_fn)(void *arg, const char *name);
typedef ssize_t (*body_fn)(void *arg, char *buf, size_t len);
void http_read(struct http_request *rq, struct arena *a, env_fn env, body_fn body, void *arg);
/* A cookie's value; NULL when it was not sent. */
const char *http_cookie(const struct http_request *rq, const char *name);

/* Wipes passwords that the form held. Its values are gone then. */
void http_forget_form(const struct http_request *rq);

struct http_answer {
	int status;
	struct strbuf head; /* header lines of our own, each with CR LF */
	struct strbuf body;
	const char *type;
	bool cacheable;
};
void http_answer_init(struct http_answer *an, struct arena *a);
void http_header(struct http_answer *an, const char *name, const char *value);
/* Set-Cookie with HttpOnly, SameSite=Strict, the script's path, Secure with https. max_age_s 0 removes; -1: until the browser ends. */
void http_set_cookie(struct http_answer *an, const struct http_request *rq, const char *name, const char *value,
    int64_t max_age_s);
/* 303 to a place below the script ("tenants", "tenant?name=x"). */
void http_redirect(struct http_answer *an, const struct http_request *rq, const char *where);
/* Status line for CGI, security headers, our own, body (not for HEAD). */
void http_put(const struct http_answer *an, const struct http_request *rq, struct strbuf *out);

#endif
