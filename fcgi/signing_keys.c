/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/signing_keys.c - a bounded, locked table of derived signing keys.
 *
 * Owns:       the table; keys are wiped when overwritten and at the end.
 * Called by:  authenticate.c, from every thread.
 * Blocks:     for the lock alone, which guards a few compares and a copy.
 * Invariant:  an entry is found only by (sealed secret, access key, date, region, service).
 */
#include "fcgi/signing_keys.h"

#include <pthread.h>

#include "s3/sigv4.h"

#define SETS 128
#define WAYS 4

struct entry {
	uint8_t tag[SHA256_LEN]; /* all zero: empty */
	uint8_t key[SHA256_LEN];
};

struct signing_keys {
	pthread_mutex_t lock;    /* guards sets and next */
	struct entry sets[SETS][WAYS];
	uint8_t next[SETS];      /* which way is overwritten next */
};

struct signing_keys *
signing_keys_new(struct arena *arena)
{
	struct signing_keys *k = ARENA_NEW(arena, struct signing_keys);

	ASSERT(k != NULL);
	(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

void
signing_keys_wipe(struct signing_keys *k)
{
	crypto_wipe(k->sets, sizeof(k->sets));
}

/* What an entry is found by. The parts are told apart by their lengths. */
static void
entry_tag(const struct app *app, struct span date, struct span region, struct span service, uint8_t tag[SHA256_LEN])
{
	struct span parts[] = { app->sealed_secret, span_of(app->access_key), date, region, service };
	uint8_t all[2560];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = parts[i].len;

		/* All have limits below or nearly: a secret's box is 512 bytes at most, and its head is random. */
		if (len > sizeof(all) / ARRAY_LEN(parts) - 4)
			len = sizeof(all) / ARRAY_LEN(parts) - 4;
		memcpy(all + n, &parts[i].len, 4);
		memcpy(all + n + 4, parts[i].p, len);
		n += 4 + len;
	}
	sha256(all, n, tag);
}

static size_t
set_of(const uint8_t tag[SHA256_LEN])
{
	return tag[0] % SETS;
}

static bool
find(struct signing_keys *k, struct signing_key *key)
{
	struct entry *set = k->sets[set_of(key->tag)];
	bool found = false;

	(void)pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < WAYS && !found; i++)
		if (memcmp(set[i].tag, key->tag, SHA256_LEN) == 0) {
			memcpy(key->key, set[i].key, SHA256_LEN);
			found = true;
		}
	(void)pthread_mutex_unlock(&k->lock);
	return found;
}

int
signing_key(struct signing_keys *k, const struct settings *s, const struct app *app, struct span date,
    struct span region, struct span service, struct signing_key *out, struct err *err)
{
	char secret[APP_SECRET_MAX + 1];

	entry_tag(app, date, region, service, out->tag);
	out->kept = find(k, out);
	if (out->kept)
		return 0;
	if (app_secret(s, app, secret, err) != 0)
		return -1;
	sigv4_signing_key(span_of(secret), date, region, service, out->key);
	crypto_wipe(secret, sizeof(secret));
	return 0;
}

void
signing_key_keep(struct signing_keys *k, const struct signing_key *key)
{
	size_t set = set_of(key->tag);
	struct entry *e;

	if (key->kept)
		return;
	(void)pthread_mutex_lock(&k->lock);
	e = &k->sets[set][k->next[set]];
	k->next[set] = (uint8_t)((k->next[set] + 1) % WAYS);
	memcpy(e->tag, key->tag, SHA256_LEN);
	memcpy(e->key, key->key, SHA256_LEN);
	(void)pthread_mutex_unlock(&k->lock);
}
