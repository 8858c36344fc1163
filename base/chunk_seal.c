/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/chunk_seal.c - long runs of bytes under AES-256-GCM in chunks.
 *
 * Owns:      a struct chunk_sealer owns its EVP context, and the key in it.
 * Blocks:    no.
 * Invariant: under one key, no nonce is used for two different chunks: it is the
 *            chunk's number and whether it is the last.
 */
#include "base/chunk_seal.h"

#include <openssl/evp.h>

#include "base/crypto.h"

#define NONCE_LEN 12

struct chunk_sealer {
	EVP_CIPHER_CTX *ctx; /* the key is set; each chunk sets its nonce */
	bool sealing;        /* which direction the context was last used in */
	uint8_t key[CHUNK_SEAL_KEY];
};

static void
must(int ok)
{
	if (ok != 1)
		abort();
}

void
chunk_seal_key(const uint8_t key[CHUNK_SEAL_KEY], const void *id, size_t id_len, uint8_t out[CHUNK_SEAL_KEY])
{
	hmac_sha256(key, CHUNK_SEAL_KEY, id, id_len, out);
}

struct chunk_sealer *
chunk_sealer_new(const uint8_t key[CHUNK_SEAL_KEY])
{
	struct chunk_sealer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->ctx = EVP_CIPHER_CTX_new();
	if (s->ctx == NULL)
		abort();
	memcpy(s->key, key, sizeof(s->key));
	must(EVP_EncryptInit_ex(s->ctx, EVP_aes_256_gcm(), NULL, s->key, NULL));
	s->sealing = true;
	return s;
}

void
chunk_sealer_free(struct chunk_sealer *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->ctx); /* wipes what it holds */
	crypto_wipe(s->key, sizeof(s->key));
	free(s);
}

static void
nonce_of(int64_t number, bool last, uint8_t out[NONCE_LEN])
{
	memset(out, 0, NONCE_LEN);
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	out[NONCE_LEN - 1] = last ? 1 : 0;
}

/* The key's schedule is kept as long as the direction is. */
static void
begin(struct chunk_sealer *s, bool sealing, const uint8_t nonce[NONCE_LEN])
{
	const uint8_t *key = s->sealing == sealing ? NULL : s->key;

	must(EVP_CipherInit_ex(s->ctx, NULL, NULL, key, nonce, sealing ? 1 : 0));
	s->sealing = sealing;
}

void
chunk_seal(struct chunk_sealer *s, int64_t number, bool last, uint8_t *p, size_t len)
{
	uint8_t nonce[NONCE_LEN];
	int n = 0;

	ASSERT(number >= 0 && len <= CHUNK_SEAL_BYTES);
	nonce_of(number, last, nonce);
	begin(s, true, nonce);
	must(EVP_EncryptUpdate(s->ctx, p, &n, p, (int)len));
	must(EVP_EncryptFinal_ex(s->ctx, p + len, &n));
	must(EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_GCM_GET_TAG, CHUNK_SEAL_TAG, p + len));
}

bool
chunk_open(struct chunk_sealer *s, int64_t number, bool last, uint8_t *p, size_t len)
{
	uint8_t nonce[NONCE_LEN], tag[CHUNK_SEAL_TAG];
	int n = 0;

	ASSERT(number >= 0 && len <= CHUNK_SEAL_SIZE);
	if (len < CHUNK_SEAL_TAG)
		return false;
	len -= CHUNK_SEAL_TAG;
	memcpy(tag, p + len, sizeof(tag));
	nonce_of(number, last, nonce);
	begin(s, false, nonce);
	must(EVP_DecryptUpdate(s->ctx, p, &n, p, (int)len));
	must(EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_GCM_SET_TAG, CHUNK_SEAL_TAG, tag));
	if (EVP_DecryptFinal_ex(s->ctx, p + len, &n) == 1)
		return true;
	crypto_wipe(p, len);
	return false;
}

bool
chunk_open_all(struct chunk_sealer *s, uint8_t *p, size_t size)
{
	uint8_t *from = p, *to = p;

	for (int64_t i = 0, n = chunk_seal_count((int64_t)size); i < n; i++) {
		size_t len = size < CHUNK_SEAL_BYTES ? size : CHUNK_SEAL_BYTES;

		if (!chunk_open(s, i, i == n - 1, from, len + CHUNK_SEAL_TAG))
			return false;
		memmove(to, from, len);
		from += len + CHUNK_SEAL_TAG;
		to += len;
		size -= len;
	}
	return true;
}

int64_t
chunk_seal_count(int64_t size)
{
	ASSERT(size >= 0);
	return size == 0 ? 1 : (size - 1) / CHUNK_SEAL_BYTES + 1;
}

int64_t
chunk_seal_size(int64_t size)
{
	return size + chunk_seal_count(size) * CHUNK_SEAL_TAG;
}
