/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_server.h - memcached servers of a region, and one thread's
 * connection to one of them. For meta/ and invalidator/ only.
 *
 * What is known of a server (does it answer?) is shared by the process: a server
 * that fails costs whoever asked it the time limit once, then all pass it over
 * for cache_retry_ms. A connection belongs to one thread.
 */
#ifndef ANVIL_META_CACHE_SERVER_H
#define ANVIL_META_CACHE_SERVER_H

#include "base/base.h"

#include <stdatomic.h>

#include "meta/cache.h"
#include "meta/cache_key.h"

struct cache_server {
	const char *address;      /* as in the settings */
	const char *host;         /* of TCP; NULL for a Unix socket */
	uint16_t port;
	uint32_t addr_hash;
	atomic_bool down;         /* failed at its last use */
	_Atomic int64_t retry_us; /* when down: not asked before (monotonic) */
};
struct cache_servers {
	struct arena *arena;
	const char *region;
	int timeout_ms;
	int64_t retry_us;
	const char *user, *password; /* SASL; "" = none */
	/* One thread looks after servers that are down; the others never try those. */
	atomic_bool looked_after;
	size_t n;
	struct cache_server server[CACHE_SERVERS_MAX];
};
/* Reads the settings. ERR_INVALID: an address that cannot be. */
MUST_CHECK int cache_servers_open(const struct settings *s, struct cache_servers **out, struct err *err);
void cache_servers_close(struct cache_servers *s);
bool cache_server_up(const struct cache_servers *s, size_t i);

/* ---- one thread's connection to one server ---- */

struct mc;
/* prober: this thread tries a server that is down whatever the others do. */
struct mc *mc_new(struct cache_servers *s, size_t server, bool prober);
void mc_free(struct mc *c);

enum mc_result {
	MC_OK,
	MC_SENT,    /* cas_quiet: it is under way */
	MC_MISS,    /* get: not there; add: it is there; delete: was not there */
	MC_REFUSED, /* cas: somebody changed it */
	MC_LOST,    /* the connection broke, or (cas) is not the one that did the gets. Once more, from the gets on */
	MC_FAILED,  /* the server does not answer, or is passed over */
};
struct mc_key {
	char text[CACHE_MC_KEY_MAX];
	size_t len;
};
#define MC_KEYS_MAX 32
/* Called for each item that is there; i is its index among the keys. p is valid during the call. */
typedef void (*mc_item_fn)(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas);
/*
 * A multi-get in two halves, so that several servers work at once. keys stay the
 * caller's until the fetch. Unless the fetch is MC_OK, items may be missing, and
 * no cas of them is of use.
 */
MUST_CHECK enum mc_result mc_send_gets(struct mc *c, const struct mc_key *keys, size_t n);
enum mc_result mc_fetch(struct mc *c, mc_item_fn fn, void *arg);
MUST_CHECK enum mc_result mc_gets(struct mc *c, const struct mc_key *keys, size_t n, mc_item_fn fn, void *arg);
/* Number of the connection that did the last gets. */
uint64_t mc_connection(const struct mc *c);

enum mc_result mc_set(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s);
MUST_CHECK enum mc_result mc_add(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s);
/* With the cas of a gets on that connection: MC_LOST when there is another by now. */
MUST_CHECK enum mc_result mc_cas(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s,
    uint64_t cas, uint64_t connection);
/*
 * The same without waiting for what came of it (MC_SENT): a gets on this connection tells. Where
 * the protocol has no such thing (binary, with SASL) it is mc_cas.
 */
MUST_CHECK enum mc_result mc_cas_quiet(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s,
    uint64_t cas, uint64_t connection);
enum mc_result mc_delete(struct mc *c, const struct mc_key *k);
MUST_CHECK enum mc_result mc_flush(struct mc *c);

/* For logs: of the last failure. */
const char *mc_error(const struct mc *c);

#endif
