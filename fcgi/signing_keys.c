/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/signing_keys.c - a bounded, locked table of derived signing keys.
 *
 * Owns:       the table; keys are wiped when overwritten and at the end.
 * Called by:  authenticate.c, from every thread.
 * Blocks:     for the lock alone, which guards a few compares and a copy.
 * Invariant:  an entry is found only by (sealed secret, access key, date, region).
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
entry_tag(const struct app *app, struct span date, struct span region, uint8_t tag[SHA256_LEN])
{
	struct span parts[4] = { app->sealed_secret, span_of(app->access_key), date, region };
	uint8_t all[1024];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = parts[i].len;

		/* all four have limits far below; cut is safe, since the length is in the tag */
		if (len > sizeof(all) / 4 - 4)
			len = sizeof(all) / 4 - 4;
		memcpy(all + n, &parts[i].len, 4);
		memcpy(all + n + 4, parts[i].p, len);
		n += 4 + len;
	}
	sha256(all, n, tag);
}

static bool
find(struct signing_keys *k, size_t set, const uint8_t tag[SHA256_LEN], uint8_t out[SHA256_LEN])
{
	bool found = false;

	(void)pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < WAYS && !found; i++)
		if (memcmp(k->sets[set][i].tag, tag, SHA256_LEN) == 0) {
			memcpy(out, k->sets[set][i].key, SHA256_LEN);
			found = true;
		}
	(void)pthread_mutex_unlock(&k->lock);
	return found;
}

static void
keep(struct signing_keys *k, size_t set, const uint8_t tag[SHA256_LEN], const uint8_t key[SHA256_LEN])
{
	struct entry *e;

	(void)pthread_mutex_lock(&k->lock);
	e = &k->sets[set][k->next[set]];
	k->next[set] = (uint8_t)((k->next[set] + 1) % WAYS);
	memcpy(e->tag, tag, SHA256_LEN);
	memcpy(e->key, key, SHA256_LEN);
	(void)pthread_mutex_unlock(&k->lock);
}

int
signing_key(struct signing_keys *k, const struct settings *s, const struct app *app, struct span date,
    struct span region, uint8_t out[SHA256_LEN], struct err *err)
{
	char secret[APP_SECRET_MAX + 1];
	uint8_t tag[SHA256_LEN];
	size_t set;

	entry_tag(app, date, region, tag);
	set = tag[0] % SETS;
	if (find(k, set, tag, out))
		return 0;
	if (app_secret(s, app, secret, err) != 0)
		return -1;
	sigv4_signing_key(span_of(secret), date, region, SPAN("s3"), out);
	crypto_wipe(secret, sizeof(secret));
	keep(k, set, tag, out);
	return 0;
}
