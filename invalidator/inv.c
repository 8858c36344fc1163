/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/inv.c - the daemon as a whole: made, started, stopped; and the few
 * words that its modules share.
 *
 * Blocks:    inv_close, until every thread has ended.
 */
#include "invalidator/inv.h"

#include <signal.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

#define DB_CONNECTIONS 4          /* the pump, the beat, two answers */
#define DB_TIMEOUT_MAX_MS 1000    /* a source that is slower is of no use within F */
#define ADDRESS_MAX 256
#define CACHE_TIMEOUT_MIN_MS 250  /* no request waits for us, and a server passed over costs each writer a second */

int
inv_thread(struct inv_thread *t, void *(*fn)(void *), void *arg, struct err *err)
{
	int rc = pthread_create(&t->id, NULL, fn, arg);

	if (rc != 0)
		return FAIL(err, ERR_INTERNAL, "could not start a thread: errno=%d", rc);
	t->running = true;
	return 0;
}

void
inv_join(struct inv_thread *t)
{
	if (t->running)
		pthread_join(t->id, NULL);
	t->running = false;
}

void
inv_set_source(struct inv *inv, bool is, const char *reason)
{
	if (atomic_exchange(&inv->is_source, is) == is)
		return;
	metric_set(M_INV_SOURCE, is);
	if (is)
		log_event(NULL, EV_INV_SOURCE, LS("region", inv->region));
	else
		log_event(NULL, EV_INV_NO_SOURCE, LS("region", inv->region), LS("reason", reason));
}

void
inv_refused(struct inv *inv, const char *why, const char *who)
{
	int64_t now = clock_mono_us(), last = atomic_load(&inv->refused_us);

	metric_add(M_INV_REFUSED, 1);
	if ((last == 0 || now - last >= US_PER_S) && atomic_compare_exchange_strong(&inv->refused_us, &last, now))
		log_event(NULL, EV_INV_REFUSED, LS("reason", why), LS("sender", who));
}

/* The second address, or the first with its port plus one. */
static int
answer_address(const struct settings *s, char out[ADDRESS_MAX], struct err *err)
{
	const char *first = s->invalidator_listen[0], *colon;
	int64_t port;

	if (first == NULL)
		return FAIL(err, ERR_INVALID, "invalidator_listen is empty: give the address to publish at");
	if (s->invalidator_listen[1] != NULL) {
		snprintf(out, ADDRESS_MAX, "%s", s->invalidator_listen[1]);
		return 0;
	}
	colon = strrchr(first, ':');
	if (colon == NULL || strncmp(strncmp(first, "tls+", 4) == 0 ? first + 4 : first, "tcp://", 6) != 0 || !parse_i64(span_of(colon + 1), 1, 65534, &port))
		return FAIL(err, ERR_INVALID, "invalidator_listen \"%s\": give a second address to answer at", first);
	snprintf(out, ADDRESS_MAX, "%.*s:%" PRId64, (int)(colon - first), first, port + 1);
	return 0;
}

/* A memcached without CAS can keep no stamps, and is refused. One that is away now is looked at by each beat. */
static int
refuse_without_cas(const struct inv *inv, struct err *err)
{
	static const uint8_t no_epoch[EPOCH_LEN];
	struct stamp_round round;

	for (size_t i = 0; i < inv->servers->n; i++) {
		struct mc *mc = mc_new(inv->servers, i, true);
		enum stamp_result r = stamp_beat_begin(mc, inv->region, no_epoch, &round);

		mc_free(mc);
		if (r == STAMP_NO_CAS)
			return FAIL(err, ERR_INVALID, "memcached \"%s\" runs without CAS: start it without its option -C",
			    inv->servers->server[i].address);
	}
	return 0;
}

int
inv_open(const struct settings *s, struct inv **out, struct err *err)
{
	int64_t timeout_ms = s->db_timeout_ms < DB_TIMEOUT_MAX_MS ? s->db_timeout_ms : DB_TIMEOUT_MAX_MS;
	struct cache_servers *servers;
	char answers[ADDRESS_MAX];
	struct arena *a;
	struct inv *inv;

	if (answer_address(s, answers, err) != 0 || cache_servers_open(s, &servers, err) != 0)
		return -1;
	a = arena_new(sizeof(*inv) + 256);
	inv = ARENA_NEW(a, struct inv);
	ASSERT(inv != NULL);
	inv->arena = a;
	inv->settings = s;
	inv->region = s->region;
	inv->servers = servers;
	if (servers->timeout_ms < CACHE_TIMEOUT_MIN_MS && s->metadata_trust_ms > 4 * CACHE_TIMEOUT_MIN_MS)
		servers->timeout_ms = CACHE_TIMEOUT_MIN_MS;
	message_key(s->cluster_secret, inv->key);
	crypto_random(inv->boot, BOOT_LEN);
	inv->db = db_pool_new('g', s->global_dsn, DB_CONNECTIONS, (int)timeout_ms, (int)s->db_connect_timeout_s);
	inv->ring = ring_new();
	links_new(inv);
	regions_new(inv);
	acks_new(inv);
	apply_new(inv);
	peers_new(inv);
	answers_new(inv);
	source_new(inv);
	outbox_new(inv);
	beat_new(inv);
	report_new(inv);
	*out = inv;
	if (refuse_without_cas(inv, err) != 0 || links_open(inv, err) != 0 || peers_start(inv, err) != 0 ||
	    answers_start(inv, answers, err) != 0 || acks_start(inv, err) != 0 || apply_start(inv, err) != 0 ||
	    source_start(inv, err) != 0 || beat_start(inv, err) != 0 || report_start(inv, err) != 0) {
		inv_close(inv);
		return -1;
	}
	return 0;
}

void
inv_close(struct inv *inv)
{
	atomic_store(&inv->stop, true);
	report_stop(inv);
	beat_stop(inv);
	source_stop(inv);
	apply_stop(inv);
	acks_stop(inv);
	answers_stop(inv);
	peers_stop(inv);
	report_free(inv);
	beat_free(inv);
	outbox_free(inv);
	source_free(inv);
	answers_free(inv);
	peers_free(inv);
	apply_free(inv);
	acks_free(inv);
	regions_free(inv);
	links_free(inv);
	ring_free(inv->ring);
	db_pool_free(inv->db);
	cache_servers_close(inv->servers);
	crypto_wipe(inv->key, sizeof(inv->key));
	arena_free(inv->arena);
}
