/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/identity.h - the verdict about who asks. Made by authenticate() alone,
 * and handlers take it as an argument: none can be reached without one.
 */
#ifndef ANVIL_FCGI_IDENTITY_H
#define ANVIL_FCGI_IDENTITY_H

#include "fcgi/req.h"
#include "fcgi/session.h"

struct identity {
	struct sigv4_auth auth;      /* auth.form == SIGV4_ANONYMOUS: nobody in particular */
	const struct app *app;       /* NULL when anonymous */
	const struct session *session; /* temporary credentials of the app; NULL: its own */
	uint8_t key[SHA256_LEN];     /* the day's signing key, for chunk signatures; app only */
};

/*
 * Look up the key that signs and the bucket that is named (one multi-get), and
 * verify the signature. 0 with *out and r->bucket set; -1 with r->err and
 * r->problem: no handler may run. Scope and bucket policies are looked at later. It lives in the arena, as error documents
 * borrow from it.
 */
MUST_CHECK int authenticate(struct req *r, const struct identity **out);
/*
 * Of a browser's form: who signed its policy, or nobody. As above, and the scope's region is looked at, too: routing
 * was done before the form was read.
 */
MUST_CHECK int authenticate_form(struct req *r, const struct sigv4_form_fields *f, const struct identity **out);

#endif
