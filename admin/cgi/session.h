/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/session.h - who is logged in, told by a signed cookie; nothing is
 * kept on the server but the operator's row, whose session number ends every
 * cookie of an older number. Pure but for random bytes: time is an argument.
 *
 * A token is PAYLOAD "." MAC in hexadecimal; the payload holds the operator's
 * id, session number, expiry and a random part, and the MAC is under a key
 * derived from the master key, so that every process and host agrees.
 */
#ifndef ANVIL_ADMIN_CGI_SESSION_H
#define ANVIL_ADMIN_CGI_SESSION_H

#include "base/crypto.h"
#include "base/strbuf.h"
#include "meta/meta.h"

#define SESSION_COOKIE "anvil_session"
#define LOGIN_COOKIE "anvil_login" /* a random word, so that a login form can be proved ours */
#define FLASH_COOKIE "anvil_flash"
#define SESSION_KEY_LEN 32
#define CSRF_LEN 32 /* hexadecimal digits */

struct session {
	struct uuid operator_id;
	int64_t number;     /* of the operator's row when logged in */
	int64_t expires_us;
	uint8_t nonce[16];
};
struct session_keys {
	uint8_t sign[SESSION_KEY_LEN];
	struct seal_key seal;
};
void session_keys_init(struct session_keys *k, const struct seal_key *master);

/* A new token; NULL when the arena is full. */
const char *session_make(const struct session_keys *k, struct arena *a, const struct uuid *operator_id, int64_t number,
    int64_t expires_us);
/* Is it ours and not expired? The operator's row is the caller's to compare. */
bool session_read(const struct session_keys *k, const char *token, int64_t now_us, struct session *out);
/* The form's token that belongs to a cookie's value (a session's or a login's). */
void csrf_make(const struct session_keys *k, const char *cookie, char out[CSRF_LEN + 1]);
bool csrf_check(const struct session_keys *k, const char *cookie, const char *given);

/* What is said once after a redirect: sealed for this session, so that neither browser nor disk can read a secret. */
#define FLASH_MAX 2000
const char *flash_make(const struct session_keys *k, struct arena *a, const char *session_token, const char *text);
/* NULL when it is not one of this session's. */
const char *flash_read(const struct session_keys *k, struct arena *a, const char *session_token, const char *box);

#endif
