/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/session.c - making, sealing and opening session tokens.
 *
 * Owns:       nothing.
 * Called by:  authenticate.c for each request with a token; ops/security_token.c.
 * Blocks:     no.
 * Invariant:  what opens was sealed here: a token is bound to a purpose that no
 *             access key's name can be, so that no other sealed thing passes for one.
 */
#include "fcgi/session.h"

#include "base/codec.h"
#include "base/parse.h"

#define TOKEN_PURPOSE SPAN("session token") /* a blank: no access key has one */
#define TOKEN_VERSION 1
#define TEXT_MAX 4096

/* What changes when the app's key is made anew, or its secret is sealed anew to end its sessions. */
static void
tag_of(const struct app *app, uint8_t out[SHA256_LEN])
{
	sha256(app->sealed_secret.p, app->sealed_secret.len, out);
}

/* `len` letters and digits of an alphabet of 2^k characters. */
static char *
random_text(struct arena *a, const char *prefix, size_t len, const char *alphabet)
{
	size_t n = strlen(alphabet), at = strlen(prefix);
	uint8_t raw[SESSION_SECRET_LEN];
	char *out = arena_alloc(a, len + 1);

	ASSERT(len <= sizeof(raw) && (n & (n - 1)) == 0);
	if (out == NULL)
		return NULL;
	crypto_random(raw, sizeof(raw));
	memcpy(out, prefix, at);
	for (; at < len; at++)
		out[at] = alphabet[raw[at] & (n - 1)];
	out[len] = '\0';
	crypto_wipe(raw, sizeof(raw));
	return out;
}

bool
session_make(struct arena *a, const struct app *app, struct session *s)
{
	s->access_key = random_text(a, "ASIA", SESSION_KEY_LEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	s->secret = random_text(a, "", SESSION_SECRET_LEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	s->app = app->access_key;
	tag_of(app, s->app_tag);
	return s->access_key != NULL && s->secret != NULL;
}

const char *
session_token(struct arena *a, const struct settings *settings, const struct session *s)
{
	struct strbuf sb;
	uint8_t *box;
	char *out;

	strbuf_init(&sb, a, TEXT_MAX);
	enc_u8(&sb, TOKEN_VERSION);
	enc_str(&sb, s->access_key);
	enc_str(&sb, s->secret);
	enc_str(&sb, s->app);
	enc_str(&sb, s->role_name);
	enc_str(&sb, s->policy);
	enc_i64(&sb, s->issued_us);
	enc_i64(&sb, s->expires_us);
	strbuf_add(&sb, s->app_tag, sizeof(s->app_tag));
	box = arena_alloc(a, sb.len + SEAL_OVERHEAD);
	out = arena_alloc(a, base64_len(sb.len + SEAL_OVERHEAD) + 1);
	if (!strbuf_ok(&sb) || box == NULL || out == NULL)
		return NULL;
	seal(&settings->master, TOKEN_PURPOSE, sb.buf, sb.len, box);
	base64_encode(box, sb.len + SEAL_OVERHEAD, out);
	crypto_wipe(sb.buf, sb.len);
	return out;
}

bool
session_open(struct arena *a, const struct settings *settings, struct span token, struct session *out)
{
	uint8_t *box, *text;
	struct dec d;
	ssize_t len;

	if (token.len == 0 || token.len > SESSION_TOKEN_MAX)
		return false;
	box = arena_alloc(a, token.len);
	text = arena_alloc(a, token.len);
	if (box == NULL || text == NULL)
		return false;
	len = base64_decode(token, box, token.len);
	if (len < SEAL_OVERHEAD || !seal_open(&settings->master, TOKEN_PURPOSE, box, (size_t)len, text))
		return false;
	dec_init(&d, text, (size_t)len - SEAL_OVERHEAD);
	if (dec_u8(&d) != TOKEN_VERSION)
		return false;
	*out = (struct session){ 0 };
	out->access_key = dec_str(&d, a, SESSION_KEY_LEN);
	out->secret = dec_str(&d, a, SESSION_SECRET_LEN);
	out->app = dec_str(&d, a, TEXT_MAX);
	out->role_name = dec_str(&d, a, SESSION_NAME_MAX);
	out->policy = dec_str(&d, a, SESSION_POLICY_MAX);
	out->issued_us = dec_i64(&d);
	out->expires_us = dec_i64(&d);
	return dec_raw(&d, out->app_tag, sizeof(out->app_tag)) && dec_done(&d) && out->access_key != NULL && out->secret != NULL &&
	    out->app != NULL;
}

bool
session_fits(const struct session *s, const struct app *app)
{
	uint8_t now[SHA256_LEN];

	tag_of(app, now);
	return strcmp(s->app, app->access_key) == 0 && crypto_equal(now, s->app_tag, sizeof(now));
}
