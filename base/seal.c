/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/seal.c - secrets at rest: AES-256-GCM under the master key.
 *
 * Owns:      nothing.
 * Invariant: a box opens only with its own key, and only for the `aad` it was
 *            sealed for. Layout in base/crypto.h; the version byte comes first so
 *            that a later form can be told apart.
 */
#include "base/crypto.h"

#include <openssl/evp.h>

#define BOX_VERSION 1
#define NONCE_AT 5
#define NONCE_LEN 12
#define DATA_AT (NONCE_AT + NONCE_LEN)
#define TAG_LEN 16

_Static_assert(DATA_AT == SEAL_HEAD && DATA_AT + TAG_LEN == SEAL_OVERHEAD, "layout of a box");

static void
must(int ok)
{
	if (ok != 1)
		abort();
}

void
seal(const struct seal_key *k, struct span aad, const void *p, size_t len,
    uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	ASSERT(c != NULL && len <= INT_MAX && aad.len <= INT_MAX);
	out[0] = BOX_VERSION;
	for (int i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(k->id >> (24 - 8 * i));
	crypto_random(out + NONCE_AT, NONCE_LEN);
	must(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->key, out + NONCE_AT));
	must(EVP_EncryptUpdate(c, NULL, &n, out, NONCE_AT));
	if (aad.len > 0)
		must(EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)aad.p, (int)aad.len));
	must(EVP_EncryptUpdate(c, out + DATA_AT, &n, p, (int)len));
	must(EVP_EncryptFinal_ex(c, out + DATA_AT + n, &n));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + DATA_AT + len));
	EVP_CIPHER_CTX_free(c);
}

bool
seal_open(const struct seal_key *k, struct span aad, const uint8_t *box,
    size_t box_len, uint8_t *out)
{
	uint8_t tag[TAG_LEN];
	EVP_CIPHER_CTX *c;
	uint32_t id = 0;
	size_t len;
	bool ok;
	int n;

	if (box_len < SEAL_OVERHEAD || box_len > INT_MAX || aad.len > INT_MAX ||
	    box[0] != BOX_VERSION)
		return false;
	for (int i = 0; i < 4; i++)
		id = id << 8 | box[1 + i];
	if (id != k->id)
		return false;
	len = box_len - SEAL_OVERHEAD;
	memcpy(tag, box + DATA_AT + len, TAG_LEN);
	c = EVP_CIPHER_CTX_new();
	ASSERT(c != NULL);
	must(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->key, box + NONCE_AT));
	must(EVP_DecryptUpdate(c, NULL, &n, box, NONCE_AT));
	if (aad.len > 0)
		must(EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)aad.p, (int)aad.len));
	must(EVP_DecryptUpdate(c, out, &n, box + DATA_AT, (int)len));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag));
	ok = EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok)
		crypto_wipe(out, len);
	return ok;
}

void
seal_derive(const struct seal_key *k, const char *purpose, uint8_t out[32])
{
	hmac_sha256(k->key, sizeof(k->key), purpose, strlen(purpose), out);
}
