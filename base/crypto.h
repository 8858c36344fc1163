/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/crypto.h - what we need of OpenSSL, in few words. Failures of OpenSSL
 * itself (out of memory) abort; there is nothing a caller could do. Thread-safe
 * except that a struct hash belongs to one thread at a time.
 */
#ifndef ANVIL_BASE_CRYPTO_H
#define ANVIL_BASE_CRYPTO_H

#include "base/base.h"

#define SHA256_LEN 32
#define SHA1_LEN 20
#define MD5_LEN 16
#define HASH_MAX_LEN 64

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA512 };

struct hash;
struct hash *hash_new(enum hash_kind kind);
void hash_free(struct hash *h);          /* NULL is fine */
void hash_reset(struct hash *h);         /* begin again */
void hash_update(struct hash *h, const void *p, size_t len);
/* `out` takes hash_len(kind) bytes, at most HASH_MAX_LEN; returns how many. */
size_t hash_final(struct hash *h, uint8_t *out);
size_t hash_len(enum hash_kind kind);

void sha256(const void *p, size_t len, uint8_t out[SHA256_LEN]);
void md5(const void *p, size_t len, uint8_t out[MD5_LEN]);
void hmac_sha256(const void *key, size_t key_len, const void *p, size_t len, uint8_t out[SHA256_LEN]);

void crypto_random(void *p, size_t len);
/* Constant in time for a given len. */
bool crypto_equal(const void *a, const void *b, size_t len);
void crypto_wipe(void *p, size_t len);

/*
 * Sealing: AES-256-GCM under the master key. `aad` binds the box to what it
 * belongs to (an access key's id), so that a box cannot be moved to another row.
 * A box is version(1) | key id(4) | nonce(12) | ciphertext | tag(16).
 */
#define SEAL_OVERHEAD 33
#define SEAL_HEAD 17 /* before the ciphertext */
struct seal_key {
	uint32_t id;
	uint8_t key[32];
};
/* out takes len + SEAL_OVERHEAD bytes; p may stand at out + SEAL_HEAD. */
void seal(const struct seal_key *k, struct span aad, const void *p, size_t len, uint8_t *out);
/* out takes box_len - SEAL_OVERHEAD bytes; false when it was not sealed so. */
bool seal_open(const struct seal_key *k, struct span aad, const uint8_t *box, size_t box_len, uint8_t *out);
/* A key for one purpose, derived from the master key ("session", "cluster" ...). */
void seal_derive(const struct seal_key *k, const char *purpose, uint8_t out[32]);

#endif
