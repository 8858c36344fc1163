/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/crypto.c - hashes, HMAC and randomness of OpenSSL.
 *
 * Owns:   a struct hash owns its EVP context.
 * Blocks: no.
 * Algorithms are fetched once for the process: EVP_sha256() alone would look
 * the implementation up anew at each use, which costs more than a small hash.
 */
#include "base/crypto.h"

#include <pthread.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

struct hash {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

static const struct {
	const char *name;
	size_t len;
} hash_kinds[] = {
	[HASH_MD5] = { "MD5", MD5_LEN },
	[HASH_SHA1] = { "SHA1", SHA1_LEN },
	[HASH_SHA256] = { "SHA256", SHA256_LEN },
	[HASH_SHA512] = { "SHA512", 64 },
};
static EVP_MD *fetched[ARRAY_LEN(hash_kinds)];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void
fetch_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(hash_kinds); i++) {
		fetched[i] = EVP_MD_fetch(NULL, hash_kinds[i].name, NULL);
		ASSERT(fetched[i] != NULL);
	}
}

static const EVP_MD *
md_of(enum hash_kind kind)
{
	pthread_once(&fetch_once, fetch_all);
	return fetched[kind];
}

size_t
hash_len(enum hash_kind kind)
{
	return hash_kinds[kind].len;
}

struct hash *
hash_new(enum hash_kind kind)
{
	struct hash *h = malloc(sizeof(*h));

	if (h == NULL)
		abort();
	h->md = md_of(kind);
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL)
		abort();
	hash_reset(h);
	return h;
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
hash_reset(struct hash *h)
{
	if (EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
		abort();
}

void
hash_update(struct hash *h, const void *p, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, p, len) != 1)
		abort();
}

size_t
hash_final(struct hash *h, uint8_t *out)
{
	unsigned int len = 0;

	if (EVP_DigestFinal_ex(h->ctx, out, &len) != 1)
		abort();
	return len;
}

static void
digest(enum hash_kind kind, const void *p, size_t len, uint8_t *out)
{
	if (EVP_Digest(p, len, out, NULL, md_of(kind), NULL) != 1)
		abort();
}

void
sha256(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	digest(HASH_SHA256, p, len, out);
}

void
md5(const void *p, size_t len, uint8_t out[MD5_LEN])
{
	digest(HASH_MD5, p, len, out);
}

/* RFC 2104, written out: EVP_MAC costs several allocations a call, and this runs at each request. */
void
hmac_sha256(const void *key, size_t key_len, const void *p, size_t len,
    uint8_t out[SHA256_LEN])
{
	uint8_t block[64] = { 0 }, inner[SHA256_LEN];
	struct hash *h = hash_new(HASH_SHA256);

	if (key_len > sizeof(block))
		sha256(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	hash_update(h, block, sizeof(block));
	hash_update(h, p, len);
	hash_final(h, inner);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	hash_reset(h);
	hash_update(h, block, sizeof(block));
	hash_update(h, inner, sizeof(inner));
	hash_final(h, out);
	hash_free(h);
	crypto_wipe(block, sizeof(block));
	crypto_wipe(inner, sizeof(inner));
}

void
crypto_random(void *p, size_t len)
{
	uint8_t *b = p;

	while (len > 0) {
		int part = len > 65536 ? 65536 : (int)len;

		if (RAND_bytes(b, part) != 1)
			abort(); /* going on without randomness is worse */
		b += part;
		len -= (size_t)part;
	}
}

bool
crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
crypto_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}
