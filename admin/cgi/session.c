/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/session.c - tokens of sessions, forms and notices.
 *
 * Owns:       nothing.
 * Called by:  admin/cgi/gate.c.
 * Blocks:     never.
 * Invariant:  nothing of a token is believed before its MAC is.
 */
#include "admin/cgi/session.h"

#include "base/codec.h"
#include "base/parse.h"

#define TOKEN_VERSION 1
#define PAYLOAD_LEN (1 + UUID_LEN + 8 + 8 + 16)
#define TOKEN_HEX ((PAYLOAD_LEN + SHA256_LEN) * 2 + 1)

void
session_keys_init(struct session_keys *k, const struct seal_key *master)
{
	memset(k, 0, sizeof(*k));
	seal_derive(master, "admin session", k->sign);
	seal_derive(master, "admin notice", k->seal.key);
	k->seal.id = 1;
}

const char *
session_make(const struct session_keys *k, struct arena *a, const struct uuid *operator_id, int64_t number,
    int64_t expires_us)
{
	uint8_t nonce[16], mac[SHA256_LEN];
	struct strbuf payload, token;

	crypto_random(nonce, sizeof(nonce));
	strbuf_init(&payload, a, PAYLOAD_LEN);
	enc_u8(&payload, TOKEN_VERSION);
	strbuf_add(&payload, operator_id->b, UUID_LEN);
	enc_i64(&payload, number);
	enc_i64(&payload, expires_us);
	strbuf_add(&payload, nonce, sizeof(nonce));
	if (!strbuf_ok(&payload))
		return NULL;
	hmac_sha256(k->sign, sizeof(k->sign), payload.buf, payload.len, mac);
	strbuf_init(&token, a, TOKEN_HEX);
	strbuf_hex(&token, payload.buf, payload.len);
	strbuf_ch(&token, '.');
	strbuf_hex(&token, mac, sizeof(mac));
	return strbuf_ok(&token) ? strbuf_cstr(&token) : NULL;
}

bool
session_read(const struct session_keys *k, const char *token, int64_t now_us, struct session *out)
{
	uint8_t payload[PAYLOAD_LEN], mac[SHA256_LEN], want[SHA256_LEN];
	struct dec d;

	if (strlen(token) != TOKEN_HEX || token[PAYLOAD_LEN * 2] != '.' ||
	    !hex_decode((struct span){ token, PAYLOAD_LEN * 2 }, payload, PAYLOAD_LEN) ||
	    !hex_decode((struct span){ token + PAYLOAD_LEN * 2 + 1, SHA256_LEN * 2 },
	    mac, SHA256_LEN))
		return false;
	hmac_sha256(k->sign, sizeof(k->sign), payload, sizeof(payload), want);
	if (!crypto_equal(mac, want, sizeof(mac)))
		return false;
	dec_init(&d, payload, sizeof(payload));
	if (dec_u8(&d) != TOKEN_VERSION)
		return false;
	if (!dec_raw(&d, out->operator_id.b, UUID_LEN))
		return false;
	out->number = dec_i64(&d);
	out->expires_us = dec_i64(&d);
	return dec_raw(&d, out->nonce, sizeof(out->nonce)) && dec_done(&d) &&
	    now_us < out->expires_us;
}

void
csrf_make(const struct session_keys *k, const char *cookie, char out[CSRF_LEN + 1])
{
	static const char purpose[] = "form ";
	uint8_t inner[SHA256_LEN], mac[SHA256_LEN];

	/* Another purpose than a session's MAC: the key is used with a prefix. */
	hmac_sha256(k->sign, sizeof(k->sign), purpose, sizeof(purpose) - 1, inner);
	hmac_sha256(inner, sizeof(inner), cookie, strlen(cookie), mac);
	hex_encode(mac, CSRF_LEN / 2, out);
}

bool
csrf_check(const struct session_keys *k, const char *cookie, const char *given)
{
	char want[CSRF_LEN + 1];

	csrf_make(k, cookie, want);
	return given != NULL && strlen(given) == CSRF_LEN &&
	    crypto_equal(want, given, CSRF_LEN);
}

const char *
flash_make(const struct session_keys *k, struct arena *a, const char *session_token, const char *text)
{
	size_t len = strlen(text), box_len = len + SEAL_OVERHEAD;
	uint8_t *box;
	char *out;

	if (len > FLASH_MAX)
		return NULL;
	box = arena_alloc(a, box_len);
	out = arena_alloc(a, base64_len(box_len) + 1);
	if (box == NULL || out == NULL)
		return NULL;
	seal(&k->seal, span_of(session_token), text, len, box);
	base64_encode(box, box_len, out);
	return out;
}

const char *
flash_read(const struct session_keys *k, struct arena *a, const char *session_token, const char *box64)
{
	size_t room = strlen(box64);
	ssize_t len;
	uint8_t *box, *text;

	if (room > base64_len(FLASH_MAX + SEAL_OVERHEAD))
		return NULL;
	box = arena_alloc(a, room + 1);
	text = arena_alloc(a, room + 1);
	if (box == NULL || text == NULL)
		return NULL;
	len = base64_decode(span_of(box64), box, room);
	if (len < SEAL_OVERHEAD ||
	    !seal_open(&k->seal, span_of(session_token), box, (size_t)len, text))
		return NULL;
	text[(size_t)len - SEAL_OVERHEAD] = '\0';
	return (const char *)text;
}
