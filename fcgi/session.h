/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/session.h - temporary credentials: an access key and a secret that hold until
 * a time, for an app of ours, with a session token that says all this. The token is
 * sealed under the master key, so that every region can read it and none keeps it;
 * it ends with its time, and with its app: whoever disables, removes or seals the
 * app's secret anew ends its sessions everywhere before that change returns.
 */
#ifndef ANVIL_FCGI_SESSION_H
#define ANVIL_FCGI_SESSION_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/settings.h"
#include "meta/meta.h"

#define SESSION_KEY_LEN 20
#define SESSION_SECRET_LEN 40
#define SESSION_POLICY_MAX 2048 /* as STS has it */
#define SESSION_NAME_MAX 64
#define SESSION_TOKEN_MAX 8192

struct session {
	const char *access_key, *secret;
	const char *app;         /* the access key of the app that it acts for */
	const char *role_name;   /* RoleSessionName of AssumeRole; NULL: of GetSessionToken */
	const char *policy;      /* JSON; what the app may do is narrowed to this; NULL: not narrowed */
	int64_t issued_us, expires_us;
	uint8_t app_tag[SHA256_LEN]; /* of the app as it was: see session_fits */
};

/* Fills in key, secret and app_tag of a session for this app; its strings live in `a`. false past the arena's cap. */
MUST_CHECK bool session_make(struct arena *a, const struct app *app, struct session *s);
/* The token, base64; NULL past the arena's cap. */
const char *session_token(struct arena *a, const struct settings *settings, const struct session *s);
/* false: not one of ours, or not as we made it. Its time is for the caller to look at. */
bool session_open(struct arena *a, const struct settings *settings, struct span token, struct session *out);
/* Is this still the app that the session was made for, with the secret it had then? */
bool session_fits(const struct session *s, const struct app *app);

#endif
