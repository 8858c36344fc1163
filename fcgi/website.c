/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/website.c - what a website's visitor is answered: the page, its folder's index,
 * a redirect, the error document, or an error as HTML.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, respond.c, ops/get_object.c.
 * Blocks:     as GetObject does; one more row is read for a key that is not there.
 * Invariant:  every key that is looked at was authorised for who visits: nobody.
 * Source:     S3 User Guide, "Hosting a static website using Amazon S3", "Website endpoints".
 */
#include "fcgi/website.h"

#include "base/template.h"
#include "fcgi/authorize.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "fcgi/worker.h"
#include "meta/object.h"
#include "s3/website.h"

#define PAGE_MAX 65536
#define ERROR_HEADERS_MAX 16384

struct visit {
	struct req *r;
	const struct identity *who;
	struct website site;
	struct span asked; /* the key as the URL had it */
};

int
website_refuse_method(struct req *r)
{
	(void)s3_problem_set(&r->problem, S3_MethodNotAllowed, NULL);
	s3_problem_extra(&r->problem, "Method", r->method);
	s3_problem_extra(&r->problem, "ResourceType", SPAN("OBJECT"));
	r->route = "website";
	return req_refused(r, "a website's visitor reads and does nothing else");
}

/* ---- pages ---- */

static const char page[] =
#include "fcgi/website_error_gen.h"
    ;

static const char *
load_page(void *arg, const char *name, struct arena *a)
{
	(void)arg;
	(void)a;
	return strcmp(name, "website_error") == 0 ? page : NULL;
}

static void
add_item(struct scope *s, const char *list, const char *name, struct span value)
{
	struct scope *item = scope_item(s, list);

	scope_text(item, "name", name);
	scope_printf(item, "value", "%.*s", (int)value.len, value.p == NULL ? "" : value.p);
}

/* What the page and the headers say of a problem. */
struct words {
	const char *code, *message;
	const struct s3_extra *extra;
	size_t n_extra;
};

static struct words
words_of(const struct s3_problem *pr)
{
	const struct s3_error *e = s3_error_find(pr->code);

	return (struct words){ e->name, pr->message != NULL ? pr->message : e->message, pr->extra, pr->n_extra };
}

static void
add_words(struct scope *s, const char *list, const struct words *w)
{
	add_item(s, list, "Code", span_of(w->code));
	add_item(s, list, "Message", span_of(w->message));
	for (size_t i = 0; i < w->n_extra; i++)
		add_item(s, list, w->extra[i].name, w->extra[i].value);
}

/* Programs read these: the page is for people, and an error document says nothing of the error. */
static void
error_headers(struct reply *rp, const struct words *w)
{
	reply_str(rp, "x-amz-error-code", w->code);
	reply_str(rp, "x-amz-error-message", w->message);
	for (size_t i = 0; i < w->n_extra; i++) {
		strbuf_str(&rp->head, "x-amz-error-detail-");
		reply_header(rp, w->extra[i].name, w->extra[i].value);
	}
}

static int
reply_page(struct reply *rp, const struct words *w, const struct s3_problem *no_document)
{
	struct req *r = rp->r;
	struct scope *s = scope_new(r->arena, NULL);
	struct templates set = { load_page, NULL };
	struct strbuf html;

	error_headers(rp, w);
	scope_printf(s, "title", "%d %s", r->status, reply_reason(r->status));
	scope_list(s, "item");
	add_words(s, "item", w);
	add_item(s, "item", "RequestId", span_of(r->id));
	add_item(s, "item", "HostId", span_of(r->thread->worker->host_id));
	scope_flag(s, "no_document", no_document != NULL);
	scope_list(s, "why");
	if (no_document != NULL) {
		struct words why = words_of(no_document);

		add_words(s, "why", &why);
	}
	strbuf_init(&html, r->arena, PAGE_MAX);
	if (r->is_head) {
		reply_str(rp, "Content-Type", "text/html; charset=utf-8");
		return reply_head(rp);
	}
	if (template_render(&html, &set, "website_error", s, &r->err) != 0 || !strbuf_ok(&html))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return reply_body(rp, "text/html; charset=utf-8", (struct span){ html.buf, html.len });
}

int
website_error(struct req *r)
{
	struct words w = words_of(&r->problem);
	struct reply rp;

	reply_begin(&rp, r, s3_error_find(r->problem.code)->status);
	if (s3_code_is_transient(r->problem.code))
		reply_str(&rp, "Retry-After", "1");
	if (r->problem.code == S3_MethodNotAllowed)
		reply_str(&rp, "Allow", "GET, HEAD");
	return reply_page(&rp, &w, r->website_problem);
}

/* ---- redirects ---- */

static int
go_to(struct req *r, int status, struct span location)
{
	struct reply rp;

	reply_begin(&rp, r, status);
	reply_header(&rp, "Location", location);
	return reply_empty(&rp);
}

int
website_moved(struct req *r, struct span location)
{
	return go_to(r, 301, location);
}

static int
redirect(struct visit *v, const struct website_redirect *to, struct span prefix)
{
	struct req *r = v->r;
	struct website_request rq = {
		.scheme = r->secure ? "https" : "http",
		.host = r->host,
		.key = v->asked,
		.raw_query = r->uri.raw_query,
	};
	struct strbuf sb;

	strbuf_init(&sb, r->arena, WEBSITE_LOCATION_MAX);
	website_location(&sb, to, prefix, &rq);
	if (!strbuf_ok(&sb))
		return FAIL(&r->err, ERR_LIMIT, "a website's redirect is too long");
	return go_to(r, to->status, (struct span){ sb.buf, sb.len });
}

/* "/folder" has no page, but "/folder/" has. */
static int
go_to_folder(struct visit *v)
{
	static const struct words found = { "Found", "Resource Found", NULL, 0 };
	struct req *r = v->r;
	struct reply rp;
	struct strbuf sb;

	strbuf_init(&sb, r->arena, WEBSITE_LOCATION_MAX);
	website_folder(&sb, v->asked);
	reply_begin(&rp, r, 302);
	reply_header(&rp, "Location", (struct span){ sb.buf, sb.len });
	return reply_page(&rp, &found, NULL);
}

/* ---- what is there ---- */

static bool
names_folder(struct span key)
{
	return key.len == 0 || key.p[key.len - 1] == '/';
}

static struct span
join(struct visit *v, const char *between)
{
	char *key = arena_printf(v->r->arena, "%.*s%s%.*s", (int)v->asked.len, v->asked.p, between, (int)v->site.index.len,
	    v->site.index.p);

	return key == NULL ? SPAN("") : span_of(key);
}

static int
send_key(struct visit *v, struct span key)
{
	struct req *r = v->r;

	if (key.len == 0 || key.len > S3_KEY_MAX)
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", v->asked);
	r->key = key;
	return authorize_read(r, v->who) != 0 ? -1 : op_get_object(r, v->who);
}

/* 1: the folder of that name has an index that he may read. */
static int
has_index(struct visit *v)
{
	struct req *r = v->r;
	struct span key = join(v, "/");
	struct object o;
	int found;

	if (names_folder(v->asked) || key.len == 0 || key.len > S3_KEY_MAX)
		return 0;
	r->key = key;
	if (!allowed(r, v->who, "s3:GetObject", key))
		return 0;
	found = meta_object_get(r->thread->meta, r->arena, r->bucket, key, NULL, false, &o, &r->err);
	return found == 1 ? !o.is_marker : found;
}

/* The owner's own page about the error, in the error's name. -1: there is none that he may read, and r says why. */
static int
send_error_document(struct visit *v, const struct s3_problem *pr)
{
	struct req *r = v->r;
	struct words w = words_of(pr);
	struct reply lines = { .r = r };

	strbuf_init(&lines.head, r->arena, ERROR_HEADERS_MAX);
	error_headers(&lines, &w);
	if (!strbuf_ok(&lines.head))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	r->more_headers = strbuf_cstr(&lines.head);
	r->website_status = s3_error_find(pr->code)->status;
	return send_key(v, v->site.error);
}

static void
forget_problem(struct req *r)
{
	err_clear(&r->err);
	s3_problem_clear(&r->problem);
	r->more_headers = NULL;
}

/* The page could not be sent, and nothing was: r says why. */
static int
failed(struct visit *v)
{
	struct req *r = v->r;
	struct s3_problem *pr = ARENA_NEW(r->arena, struct s3_problem);
	const struct website_rule *rule;
	struct span key = r->key;
	struct err err;
	int status, rc;

	if (pr == NULL)
		return -1;
	s3_problem_from_err(&r->problem, &r->err);
	*pr = r->problem;
	err = r->err;
	status = s3_error_find(pr->code)->status;
	forget_problem(r);
	if (status == 403 || status == 404) {
		rc = has_index(v);
		if (rc != 0)
			return rc < 0 ? -1 : go_to_folder(v);
	}
	rule = website_match(&v->site, v->asked, status);
	if (rule != NULL)
		return redirect(v, &rule->to, rule->prefix);
	if (status / 100 == 4 && v->site.error.p != NULL) {
		struct s3_problem *why = ARENA_NEW(r->arena, struct s3_problem);

		if (send_error_document(v, pr) == 0)
			return 0;
		if (r->http->started || why == NULL)
			return -1;
		s3_problem_from_err(&r->problem, &r->err);
		*why = r->problem;
		r->website_problem = why;
		r->website_status = 0;
		forget_problem(r);
	}
	r->key = key;
	r->problem = *pr;
	r->err = err;
	return -1;
}

int
website_serve(struct req *r, const struct identity *who)
{
	struct visit v = { .r = r, .who = who, .asked = r->key };
	const struct website_rule *rule;
	const char *document;

	r->route = "website";
	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_WEBSITE, &document, &r->err) != 0)
		return -1;
	if (document == NULL)
		return req_refuse(r, S3_NoSuchWebsiteConfiguration, NULL, "BucketName", span_of(r->bucket_name));
	if (!website_read(r->arena, document, &v.site))
		return FAIL(&r->err, ERR_INTERNAL, "a stored website cannot be read");
	if (v.site.all)
		return redirect(&v, &v.site.to, SPAN(""));
	rule = website_match(&v.site, v.asked, 0);
	if (rule != NULL)
		return redirect(&v, &rule->to, rule->prefix);
	if (send_key(&v, names_folder(v.asked) ? join(&v, "") : v.asked) == 0)
		return 0;
	return r->http->started ? -1 : failed(&v);
}
