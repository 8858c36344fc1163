/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/signing_keys.h - derived daily signing keys, kept in a worker's memory.
 *
 * A signing key costs four HMACs and the opening of a sealed secret. It is good
 * for one (secret, date, region, service) only and is found by a hash of the *sealed*
 * secret, so that a changed secret is another key; the secret itself is never
 * kept. Bounded: old entries are overwritten, and only a key that proved a
 * signature is kept, so that nobody without the secret can push others out.
 * Thread-safe.
 */
#ifndef ANVIL_FCGI_SIGNING_KEYS_H
#define ANVIL_FCGI_SIGNING_KEYS_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/settings.h"
#include "meta/meta.h"

struct signing_keys;
/* Lives in `arena`; its mutex needs no destruction. */
struct signing_keys *signing_keys_new(struct arena *arena);
/* Wipes every key. */
void signing_keys_wipe(struct signing_keys *k);
/* What a key is for, and whether it was in the table. */
struct signing_key {
	uint8_t tag[SHA256_LEN];
	uint8_t key[SHA256_LEN];
	bool kept;
};
/* The key of `app` for a date ("20261125"), region and service, derived when it is not there yet. */
MUST_CHECK int signing_key(struct signing_keys *k, const struct settings *s, const struct app *app,
    struct span date, struct span region, struct span service, struct signing_key *out, struct err *err);
/* It proved a signature: keep it. */
void signing_key_keep(struct signing_keys *k, const struct signing_key *key);

#endif
