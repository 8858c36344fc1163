/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/authenticate.c - who asks: nobody, or the app whose secret signed this.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, once a request, before routing and handlers; post_object.c
 *             once more, for who signed a form.
 * Blocks:     on memcached; on a miss on the global database.
 * Invariant:  the only place that makes a struct identity.
 */
#include "fcgi/identity.h"

#include "base/metrics.h"
#include "fcgi/worker.h"
#include "routing/decide.h"
#include "s3/object_meta.h"

#define ACCESS_KEY_MAX 128

static int
refused(struct req *r, const char *detail)
{
	metric_add(M_AUTH_REFUSED, 1);
	return req_refused(r, detail);
}

static int
no_such_key(struct req *r, const char *detail)
{
	(void)s3_problem_set(&r->problem, S3_InvalidAccessKeyId, NULL);
	s3_problem_extra(&r->problem, "AWSAccessKeyId", span_of(r->access_key));
	return refused(r, detail);
}

/*
 * CGI folds "_" into "-", but metadata names keep what the client signed: where
 * SignedHeaders spells a header with "_", the header gets its name from there.
 */
static void
unfold_names(struct req *r, struct span signed_headers)
{
	struct span name;

	if (memchr(signed_headers.p, '_', signed_headers.len) == NULL)
		return;
	while (s3_list_next(&signed_headers, ';', &name)) {
		if (memchr(name.p, '_', name.len) == NULL)
			continue;
		for (size_t i = 0; i < r->headers.n; i++)
			if (s3_header_name_eq(r->header[i].name, name)) {
				r->header[i].name = name;
				break;
			}
	}
}

/*
 * Web servers leave out a header that is empty (lighttpd does). The signature was
 * right with it being there and empty: then it was. Metadata keeps it, and a
 * digest of nothing is refused as none.
 */
static int
restore_empty(struct req *r, struct span signed_headers)
{
	struct span name;

	while (s3_list_next(&signed_headers, ';', &name)) {
		if ((!s3_istarts(name, OBJECT_META_PREFIX) && !s3_ieq(name, SPAN("content-md5"))) ||
		    s3_header_span(&r->headers, name).p != NULL)
			continue;
		if (r->headers.n == REQ_HEADERS_MAX)
			return req_refuse(r, S3_RequestHeaderSectionTooLarge, NULL, NULL, SPAN(""));
		r->header[r->headers.n++] = (struct s3_header){ name, SPAN("") };
	}
	return 0;
}

static int
bad_token(struct req *r, enum s3_code code, struct span token, const char *detail)
{
	(void)s3_problem_set(&r->problem, (int)code, NULL);
	s3_problem_extra(&r->problem, "Token-0", token);
	return refused(r, detail);
}

/* What the session token says, which came with the access key; out->session stays NULL without one. */
static int
open_token(struct req *r, struct identity *out)
{
	struct span token = out->auth.token;
	struct session *s;

	if (out->auth.form == SIGV4_ANONYMOUS || token.p == NULL)
		return 0;
	s = ARENA_NEW(r->arena, struct session);
	if (s == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (!session_open(r->arena, r->thread->settings, token, s) || !span_eq(out->auth.key_id, span_of(s->access_key)))
		return bad_token(r, S3_InvalidToken, token, "the session token is not ours, or is another key's");
	if (r->now_us >= s->expires_us)
		return bad_token(r, S3_ExpiredToken, token, "the session token has expired");
	out->session = s;
	r->acts_for = s->app;
	return 0;
}

static int
look_up(struct req *r, const struct identity *who, struct meta_found *found)
{
	const struct sigv4_auth *auth = &who->auth;
	const char *key;
	/* A bucket that is to be made need not be known: its row decides. A form's is known already. */
	const char *bucket = r->op == OP_CreateBucket || r->bucket != NULL ? NULL : r->bucket_name;

	if (auth->form != SIGV4_ANONYMOUS) {
		if (auth->key_id.len == 0 || auth->key_id.len > ACCESS_KEY_MAX ||
		    memchr(auth->key_id.p, '\0', auth->key_id.len) != NULL) {
			r->access_key = "";
			return no_such_key(r, "the access key's form is wrong");
		}
		r->access_key = arena_strndup(r->arena, auth->key_id.p, auth->key_id.len);
		if (r->access_key == NULL)
			return FAIL(&r->err, ERR_LIMIT, "arena is full");
	}
	key = who->session != NULL ? who->session->app : r->access_key;
	if (key == NULL && bucket == NULL)
		return 0;
	if (meta_find(r->thread->meta, r->arena, key, bucket, found, &r->err) != 0)
		return -1;
	if (found->has_bucket)
		r->bucket = &found->bucket;
	return 0;
}

/* The day's key of whoever is said to have signed. */
static int
find_key(struct req *r, const struct app *app, const struct identity *who, struct signing_key *key)
{
	const struct sigv4_auth *auth = &who->auth;

	if (who->session == NULL)
		return signing_key(r->thread->worker->signing_keys, r->thread->settings, app, auth->day, auth->region,
		    auth->service, key, &r->err);
	sigv4_signing_key(span_of(who->session->secret), auth->day, auth->region, auth->service, key->key);
	key->kept = true; /* a session is short, and its secret is at hand: not worth a place in the table */
	return 0;
}

/* policy: of a form, else p is NULL. */
static int
check_signature(struct req *r, const struct app *app, struct span policy, struct identity *out)
{
	struct signing_keys *keys = r->thread->worker->signing_keys;
	struct signing_key key;
	int rc = -1;

	if (find_key(r, app, out, &key) != 0)
		return -1;
	if ((policy.p != NULL ? sigv4_verify_form(r->arena, policy, &out->auth, key.key, &r->problem) :
	    sigv4_verify(r->arena, &r->signed_request, &out->auth, key.key, &r->problem)) != 0) {
		(void)refused(r, "the signature does not match");
		goto out;
	}
	signing_key_keep(keys, &key);
	memcpy(out->key, key.key, sizeof(out->key));
	rc = 0;
out:
	crypto_wipe(&key, sizeof(key));
	return rc;
}

static int
verify(struct req *r, const struct meta_found *found, struct span policy, struct identity *out)
{
	if (!found->has_app)
		return no_such_key(r, "no such access key");
	if (!found->app.enabled)
		return no_such_key(r, "the access key or its tenant is disabled");
	if (out->session != NULL && !session_fits(out->session, &found->app))
		return bad_token(r, S3_InvalidToken, out->auth.token, "the app's sessions were ended");
	if (check_signature(r, &found->app, policy, out) != 0)
		return -1;
	out->app = &found->app;
	r->requester = found->app.owner_id;
	return 0;
}

int
authenticate(struct req *r, const struct identity **out)
{
	struct meta_found *found = ARENA_NEW(r->arena, struct meta_found);
	struct identity *who = ARENA_NEW(r->arena, struct identity);

	if (found == NULL || who == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	/* A browser asks about a request, be it presigned, and signs nothing; a website's visitor is nobody in particular. */
	if (r->op == OP_CorsPreflight || r->website)
		who->auth.form = SIGV4_ANONYMOUS;
	else if (sigv4_parse(r->arena, &r->signed_request, r->now_us, &who->auth, &r->problem) != 0)
		return refused(r, "the credentials' form is wrong");
	r->auth_type = who->auth.form == SIGV4_HEADER ? "AuthHeader" : who->auth.form == SIGV4_PRESIGNED ? "QueryString" : NULL;
	if (open_token(r, who) != 0 || look_up(r, who, found) != 0)
		return -1;
	if (who->auth.form != SIGV4_ANONYMOUS) {
		if (verify(r, found, (struct span){ NULL, 0 }, who) != 0)
			return -1;
		unfold_names(r, who->auth.signed_headers);
		if (restore_empty(r, who->auth.signed_headers) != 0)
			return -1;
	}
	*out = who;
	return 0;
}

/* As routing accepts it: the form was read in the bucket's home. */
static int
check_form_scope(struct req *r, const struct sigv4_auth *auth)
{
	const char *here = r->thread->settings->region;
	const char *allowed[] = { here, r->hop_from, r->hop_via, ROUTE_SDK_DEFAULT_REGION };

	if (sigv4_check_region(r->arena, auth, allowed, ARRAY_LEN(allowed), here, &r->problem) != 0)
		return refused(r, "the signature's scope names another region");
	return 0;
}

int
authenticate_form(struct req *r, const struct sigv4_form_fields *f, const struct identity **out)
{
	struct meta_found *found = ARENA_NEW(r->arena, struct meta_found);
	struct identity *who = ARENA_NEW(r->arena, struct identity);

	if (found == NULL || who == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (sigv4_parse_form(r->arena, f, r->now_us, &who->auth, &r->problem) != 0)
		return refused(r, "the form's credentials are wrong in form");
	if (who->auth.form != SIGV4_ANONYMOUS &&
	    (open_token(r, who) != 0 || look_up(r, who, found) != 0 || verify(r, found, f->policy, who) != 0 ||
		check_form_scope(r, &who->auth) != 0))
		return -1;
	*out = who;
	return 0;
}
