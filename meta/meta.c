/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/meta.c - opening, and the state of a thread. Looking things up is
 * meta/find.c, changing them meta/change.c.
 *
 * Owns:      pools, the process's cache, each thread's connections to it.
 * Blocks:    opening does not: databases are connected at their first use.
 */
#include "meta/internal.h"

#include "base/clock.h"

int
meta_open(const struct settings *s, int flags, struct meta **out, struct err *err)
{
	struct arena *a = arena_new(65536);
	struct meta *m = ARENA_NEW(a, struct meta);

	ASSERT(m != NULL);
	m->arena = a;
	m->settings = s;
	m->flags = flags;
	m->global = db_pool_new('g', s->global_dsn, (int)s->db_global_connections, (int)s->db_timeout_ms,
	    (int)s->db_connect_timeout_s);
	if ((flags & META_CACHE) != 0 && s->global_replica_dsn[0] != '\0')
		m->replica = db_pool_new('s', s->global_replica_dsn, (int)s->db_global_connections,
		    (int)s->global_replica_timeout_ms, (int)s->db_connect_timeout_s);
	if ((flags & META_REGIONAL) != 0)
		m->regional = db_pool_new('r', s->regional_dsn, (int)s->db_connections, (int)s->db_timeout_ms,
		    (int)s->db_connect_timeout_s);
	meta_flights_init(&m->flights);
	if ((flags & META_CACHE) != 0 &&
	    (cache_open(s, &m->cache, err) != 0 || cache_start(m->cache, err) != 0)) {
		meta_close(m);
		return -1;
	}
	*out = m;
	return 0;
}

void
meta_close(struct meta *m)
{
	if (m == NULL)
		return;
	cache_close(m->cache);
	db_pool_free(m->global);
	db_pool_free(m->replica);
	db_pool_free(m->regional);
	meta_flights_release(&m->flights);
	arena_free(m->arena);
}

const struct settings *
meta_settings(const struct meta *m)
{
	return m->settings;
}

int
meta_thread_new(struct meta *m, struct meta_thread **out, struct err *err)
{
	struct arena *a = arena_new(65536);
	struct meta_thread *t = ARENA_NEW(a, struct meta_thread);

	ASSERT(t != NULL);
	t->arena = a;
	t->meta = m;
	if (m->cache != NULL && cache_thread_new(m->cache, &t->cache, err) != 0) {
		arena_free(a);
		return -1;
	}
	*out = t;
	return 0;
}

void
meta_thread_free(struct meta_thread *t)
{
	if (t == NULL)
		return;
	cache_thread_free(t->cache);
	arena_free(t->arena);
}

struct meta *
meta_of(const struct meta_thread *t)
{
	return t->meta;
}

/* The database layer counts by thread; what it counted since the last look is added here. */
struct meta_spent *
meta_spent(struct meta_thread *t)
{
	struct db_spent s = db_spent(true);

	t->spent.db_us += s.us;
	t->spent.global_queries += s.global_queries;
	t->spent.regional_queries += s.regional_queries;
	return &t->spent;
}

struct cache_thread *
registry_cache(struct meta_thread *t)
{
	return t->cache;
}

const struct registry_change *
registry_last_change(const struct meta_thread *t)
{
	return &t->change;
}

int
app_secret(const struct settings *s, const struct app *app, char out[APP_SECRET_MAX + 1], struct err *err)
{
	size_t len = app->sealed_secret.len;

	if (len <= SEAL_OVERHEAD || len - SEAL_OVERHEAD > APP_SECRET_MAX ||
	    !seal_open(&s->master, span_of(app->access_key), (const uint8_t *)app->sealed_secret.p, len, (uint8_t *)out))
		return FAIL(err, ERR_INTERNAL, "the secret of \"%s\" does not open with this master key", app->access_key);
	out[len - SEAL_OVERHEAD] = '\0';
	return 0;
}
