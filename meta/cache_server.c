/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_server.c - memcached servers, through libmemcached: one
 * memcached_st a server a thread, so that we alone decide which server is asked.
 *
 * Owns:      the connections. After any failure one is thrown away whole, since
 *            what the server still sends would be taken for the next answer.
 * Blocks:    yes, on memcached, at most timeout_ms for each step of a request.
 * Invariant: a cas is sent only on the connection that did the gets. CAS ids
 *            begin again when memcached restarts, and libmemcached connects anew
 *            by itself. It forgets the server's version when it closes a socket
 *            (close_socket) and we ask for the version only when we connect: a
 *            version that is known means that it is the same connection.
 */
#include "meta/cache_server.h"

#include <libmemcached/memcached.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

#define PASSWORD_MAX 256
#define DEFAULT_PORT 11211

struct mc {
	struct arena *arena;
	struct cache_servers *all;
	struct cache_server *server;
	bool prober;
	memcached_st *memc;         /* NULL: not connected */
	memcached_result_st result; /* its buffer is used again and again */
	bool have_result;
	bool fresh;                 /* connected during this request */
	uint64_t connection;        /* counts connections; the current one's number */
	const struct mc_key *keys;  /* asked for and not fetched */
	size_t n_keys;
	char error[160];
};

/* ---- addresses ---- */

static int
parse_address(struct cache_server *sv, struct arena *a, const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');
	struct span host = span_of(text);
	int64_t port = DEFAULT_PORT;

	sv->address = arena_strdup(a, text);
	sv->addr_hash = cache_addr_hash(text);
	if (text[0] == '/')
		return 0;
	if (colon != NULL && (text[0] != '[' || colon[-1] == ']')) {
		host.len = (size_t)(colon - text);
		if (!parse_i64(span_of(colon + 1), 1, 65535, &port))
			return FAIL(err, ERR_INVALID, "memcached \"%s\": no such port", text);
	}
	if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
		host.p++;
		host.len -= 2;
	}
	if (host.len == 0)
		return FAIL(err, ERR_INVALID, "memcached \"%s\": neither HOST:PORT nor the path of a socket", text);
	sv->host = arena_strndup(a, host.p, host.len);
	sv->port = (uint16_t)port;
	return 0;
}

static int
read_password(struct cache_servers *s, const char *path, struct err *err)
{
	char buf[PASSWORD_MAX + 2];
	FILE *f = fopen(path, "re");
	size_t len;

	if (f == NULL)
		return FAIL(err, ERR_INVALID, "could not open memcached_password_file \"%s\": errno=%d", path, errno);
	len = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == '\r'))
		len--;
	if (len > PASSWORD_MAX) {
		crypto_wipe(buf, sizeof(buf));
		return FAIL(err, ERR_INVALID, "memcached_password_file \"%s\": longer than %d bytes", path, PASSWORD_MAX);
	}
	s->password = arena_strndup(s->arena, buf, len);
	crypto_wipe(buf, sizeof(buf));
	return 0;
}

int
cache_servers_open(const struct settings *set, struct cache_servers **out, struct err *err)
{
	struct arena *a = arena_new(sizeof(struct cache_servers) + 16384);
	struct cache_servers *s = ARENA_NEW(a, struct cache_servers);

	ASSERT(s != NULL);
	s->arena = a;
	s->region = arena_strdup(a, set->region);
	s->timeout_ms = (int)set->cache_timeout_ms;
	s->retry_us = set->cache_retry_ms * US_PER_MS;
	s->user = arena_strdup(a, set->memcached_user);
	s->password = "";
	if (strlen(set->region) > CACHE_REGION_MAX || strpbrk(set->region, " \t\r\n") != NULL) {
		FAIL(err, ERR_INVALID, "region \"%s\": longer than %d bytes, or with a blank", set->region, CACHE_REGION_MAX);
		goto fail;
	}
	if (s->user[0] != '\0' && read_password(s, set->memcached_password_file, err) != 0)
		goto fail;
	for (; set->memcached[s->n] != NULL; s->n++) {
		if (s->n == CACHE_SERVERS_MAX) {
			FAIL(err, ERR_INVALID, "more than %d memcached servers", CACHE_SERVERS_MAX);
			goto fail;
		}
		if (parse_address(&s->server[s->n], a, set->memcached[s->n], err) != 0)
			goto fail;
		if (s->user[0] != '\0' && s->server[s->n].host == NULL) { /* libmemcached would go on without a word */
			FAIL(err, ERR_INVALID, "memcached \"%s\": memcached_user is of no use with a Unix socket, which is not "
			    "authenticated; give HOST:PORT", set->memcached[s->n]);
			goto fail;
		}
	}
	if (s->n == 0 || arena_overflowed(a)) {
		FAIL(err, ERR_INVALID, s->n == 0 ? "no memcached server is set" : "addresses of memcached are too long");
		goto fail;
	}
	*out = s;
	return 0;
fail:
	cache_servers_close(s);
	return -1;
}

void
cache_servers_close(struct cache_servers *s)
{
	if (s != NULL)
		arena_free(s->arena);
}

bool
cache_server_up(const struct cache_servers *s, size_t i)
{
	return !atomic_load_explicit(&s->server[i].down, memory_order_relaxed);
}

/* ---- connections ---- */

struct mc *
mc_new(struct cache_servers *s, size_t server, bool prober)
{
	struct arena *a = arena_new(sizeof(struct mc) + 64);
	struct mc *c = ARENA_NEW(a, struct mc);

	ASSERT(c != NULL && server < s->n);
	c->arena = a;
	c->all = s;
	c->server = &s->server[server];
	c->prober = prober;
	return c;
}

static void
disconnect(struct mc *c)
{
	if (c->have_result)
		memcached_result_free(&c->result);
	c->have_result = false;
	if (c->memc != NULL)
		memcached_free(c->memc);
	c->memc = NULL;
	c->n_keys = 0;
}

void
mc_free(struct mc *c)
{
	if (c == NULL)
		return;
	disconnect(c);
	arena_free(c->arena);
}

const char *
mc_error(const struct mc *c)
{
	return c->error;
}

/* The connection is of no use any more. The server is passed over when it did not answer in time, or a new one failed. */
static enum mc_result
failed(struct mc *c, memcached_return_t rc)
{
	struct cache_server *sv = c->server;
	int no = c->memc == NULL ? 0 : memcached_last_error_errno(c->memc);
	bool slow = rc == MEMCACHED_TIMEOUT;

	if (slow)
		snprintf(c->error, sizeof(c->error), "no answer within %d ms", c->all->timeout_ms);
	else if (rc == MEMCACHED_ERRNO && no != 0)
		snprintf(c->error, sizeof(c->error), "%s: errno=%d", c->fresh ? "could not connect" : "the connection broke", no);
	else
		snprintf(c->error, sizeof(c->error), "%s", memcached_strerror(NULL, rc));
	metric_add(M_CACHE_ERRORS, 1);
	if (slow || c->fresh) {
		atomic_store(&sv->retry_us, clock_mono_us() + c->all->retry_us);
		if (!atomic_exchange(&sv->down, true))
			log_event(NULL, EV_CACHE_DOWN, LS("server", sv->address), LS("reason", c->error));
	}
	disconnect(c);
	return slow || c->fresh ? MC_FAILED : MC_LOST;
}

static void
worked(struct mc *c)
{
	struct cache_server *sv = c->server;

	if (atomic_load_explicit(&sv->down, memory_order_relaxed) && atomic_exchange(&sv->down, false))
		log_event(NULL, EV_CACHE_UP, LS("server", sv->address));
}

static bool
same_connection(const struct mc *c)
{
	return c->memc != NULL &&
	    memcached_server_major_version(memcached_server_instance_by_position(c->memc, 0)) != UINT8_MAX;
}

static bool
configure(struct mc *c)
{
	uint64_t ms = (uint64_t)c->all->timeout_ms;
	memcached_st *m = c->memc;
	memcached_return_t rc;

	if (c->all->user[0] != '\0') { /* libmemcached knows SASL in the binary protocol only */
		memcached_behavior_set(m, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 1);
		if (memcached_failed(memcached_set_sasl_auth_data(m, c->all->user, c->all->password)))
			return false;
	}
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, ms);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, ms);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_SND_TIMEOUT, ms * 1000);
	memcached_behavior_set(m, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, ms * 1000);
	if (c->server->host == NULL) {
		rc = memcached_server_add_unix_socket(m, c->server->address);
	} else {
		memcached_behavior_set(m, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
		memcached_behavior_set(m, MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, 1);
		rc = memcached_server_add(m, c->server->host, c->server->port);
	}
	return memcached_success(rc);
}

/* May this thread ask the server now? One that is down is asked by one thread, once in a while. */
static bool
may_ask(struct mc *c)
{
	struct cache_server *sv = c->server;
	int64_t retry, now;

	if (!atomic_load_explicit(&sv->down, memory_order_relaxed))
		return true;
	if (!c->prober && atomic_load_explicit(&c->all->looked_after, memory_order_relaxed))
		return false;
	retry = atomic_load(&sv->retry_us);
	now = clock_mono_us();
	return now >= retry && atomic_compare_exchange_strong(&sv->retry_us, &retry, now + c->all->retry_us);
}

static bool
ready(struct mc *c)
{
	memcached_return_t rc;

	c->fresh = false;
	if (!may_ask(c)) {
		snprintf(c->error, sizeof(c->error), "passed over since it failed");
		return false;
	}
	if (c->memc != NULL && same_connection(c))
		return true;
	disconnect(c);
	c->fresh = true;
	c->connection++;
	c->memc = memcached_create(NULL);
	if (c->memc == NULL || !configure(c) || memcached_result_create(c->memc, &c->result) == NULL) {
		failed(c, MEMCACHED_MEMORY_ALLOCATION_FAILURE);
		return false;
	}
	c->have_result = true;
	rc = memcached_version(c->memc);
	if (memcached_failed(rc) || !same_connection(c)) {
		rc = memcached_last_error(c->memc);
		failed(c, memcached_failed(rc) ? rc : MEMCACHED_CONNECTION_FAILURE);
		return false;
	}
	return true;
}

/* ---- requests ---- */

enum mc_result
mc_send_gets(struct mc *c, const struct mc_key *keys, size_t n)
{
	const char *text[MC_KEYS_MAX];
	size_t len[MC_KEYS_MAX];
	memcached_return_t rc;

	ASSERT(n > 0 && n <= MC_KEYS_MAX);
	if (!ready(c))
		return MC_FAILED;
	for (size_t i = 0; i < n; i++) {
		text[i] = keys[i].text;
		len[i] = keys[i].len;
	}
	rc = memcached_mget(c->memc, text, len, n);
	if (rc != MEMCACHED_SUCCESS)
		return failed(c, rc);
	c->keys = keys;
	c->n_keys = n;
	return MC_OK;
}

/* Answers come in the order of the keys, with gaps. */
static bool
find_key(const struct mc *c, const char *key, size_t len, size_t *i)
{
	for (size_t tried = 0; tried < c->n_keys; tried++, *i = (*i + 1) % c->n_keys)
		if (c->keys[*i].len == len && memcmp(c->keys[*i].text, key, len) == 0)
			return true;
	return false;
}

enum mc_result
mc_fetch(struct mc *c, mc_item_fn fn, void *arg)
{
	memcached_return_t rc = MEMCACHED_SUCCESS;
	memcached_result_st *r;
	size_t i = 0;

	if (c->memc == NULL || c->n_keys == 0)
		return MC_FAILED;
	while ((r = memcached_fetch_result(c->memc, &c->result, &rc)) != NULL) {
		const char *p = memcached_result_value(r);

		if (find_key(c, memcached_result_key_value(r), memcached_result_key_length(r), &i))
			fn(arg, i, (const uint8_t *)(p == NULL ? "" : p), memcached_result_length(r), memcached_result_cas(r));
	}
	if ((rc != MEMCACHED_END && rc != MEMCACHED_NOTFOUND) || !same_connection(c))
		return failed(c, rc);
	worked(c);
	c->n_keys = 0;
	return MC_OK;
}

enum mc_result
mc_gets(struct mc *c, const struct mc_key *keys, size_t n, mc_item_fn fn, void *arg)
{
	enum mc_result r = mc_send_gets(c, keys, n);

	return r == MC_OK ? mc_fetch(c, fn, arg) : r;
}

uint64_t
mc_connection(const struct mc *c)
{
	return c->connection;
}

enum verb { VERB_SET, VERB_ADD, VERB_CAS, VERB_REPLACE };

static enum mc_result
store(struct mc *c, enum verb verb, const struct mc_key *k, const char *p, size_t len, int64_t expire_s, uint64_t cas)
{
	memcached_return_t rc = MEMCACHED_FAILURE;

	switch (verb) {
	case VERB_SET:
		rc = memcached_set(c->memc, k->text, k->len, p, len, (time_t)expire_s, 0);
		break;
	case VERB_ADD:
		rc = memcached_add(c->memc, k->text, k->len, p, len, (time_t)expire_s, 0);
		break;
	case VERB_CAS:
		rc = memcached_cas(c->memc, k->text, k->len, p, len, (time_t)expire_s, 0, cas);
		break;
	case VERB_REPLACE:
		rc = memcached_replace(c->memc, k->text, k->len, p, len, (time_t)expire_s, 0);
		break;
	}
	if (rc == MEMCACHED_SUCCESS) {
		worked(c);
		return MC_OK;
	}
	if (rc == MEMCACHED_DATA_EXISTS)
		return verb == VERB_ADD ? MC_MISS : MC_REFUSED;
	if (rc == MEMCACHED_NOTSTORED || rc == MEMCACHED_NOTFOUND)
		return MC_MISS;
	if (rc == MEMCACHED_E2BIG || rc == MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE) { /* no room; it has dropped what was there */
		metric_add(M_CACHE_ERRORS, 1);
		return MC_MISS;
	}
	return failed(c, rc);
}

/* set and add may be said again on a new connection; a cas may not. */
static enum mc_result
store_again(struct mc *c, enum verb verb, const struct mc_key *k, const void *p, size_t len, int64_t expire_s)
{
	enum mc_result r = MC_FAILED;

	for (int tries = 0; tries < 2; tries++) {
		if (!ready(c))
			return MC_FAILED;
		r = store(c, verb, k, p, len, expire_s, 0);
		if (r != MC_LOST)
			break;
	}
	return r;
}

enum mc_result
mc_set(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s)
{
	return store_again(c, VERB_SET, k, p, len, expire_s);
}

enum mc_result
mc_add(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s)
{
	return store_again(c, VERB_ADD, k, p, len, expire_s);
}

enum mc_result
mc_cas(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s, uint64_t cas, uint64_t connection)
{
	bool same = connection == c->connection && same_connection(c);
	enum mc_result r;

	if (!same && !(fault_off(FAULT_RULE_cas_connection) && ready(c)))
		return MC_LOST;
	c->fresh = false;
	/* Without the rule: an id from before a restart fits another item by chance. Tests have no time to wait for that. */
	r = store(c, same ? VERB_CAS : VERB_REPLACE, k, p, len, expire_s, cas);
	return r == MC_FAILED ? MC_LOST : r;
}

enum mc_result
mc_cas_quiet(struct mc *c, const struct mc_key *k, const void *p, size_t len, int64_t expire_s, uint64_t cas, uint64_t connection)
{
	bool binary = c->all->user[0] != '\0', same = connection == c->connection && same_connection(c);
	memcached_return_t rc;

	if (binary || !same)
		return mc_cas(c, k, p, len, expire_s, cas, connection);
	c->fresh = false;
	memcached_behavior_set(c->memc, MEMCACHED_BEHAVIOR_NOREPLY, 1);
	rc = memcached_cas(c->memc, k->text, k->len, p, len, (time_t)expire_s, 0, cas);
	memcached_behavior_set(c->memc, MEMCACHED_BEHAVIOR_NOREPLY, 0);
	if (rc == MEMCACHED_SUCCESS)
		return MC_SENT;
	failed(c, rc);
	return MC_LOST;
}

enum mc_result
mc_delete(struct mc *c, const struct mc_key *k)
{
	memcached_return_t rc;

	if (!ready(c))
		return MC_FAILED;
	rc = memcached_delete(c->memc, k->text, k->len, 0);
	if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_NOTFOUND)
		return failed(c, rc);
	worked(c);
	return rc == MEMCACHED_SUCCESS ? MC_OK : MC_MISS;
}

enum mc_result
mc_flush(struct mc *c)
{
	memcached_return_t rc;

	if (!ready(c))
		return MC_FAILED;
	rc = memcached_flush(c->memc, 0);
	return rc == MEMCACHED_SUCCESS ? MC_OK : failed(c, rc);
}
