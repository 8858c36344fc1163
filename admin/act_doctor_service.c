/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_doctor_service.c - checks of what runs: memcached and trust,
 * regions, the store, and requests through the public endpoint.
 *
 * Owns:       for a moment, one blob of the store and one object of a bucket.
 * Called by:  admin/act_doctor.c.
 * Blocks:     within the settings' limits; on HTTP at most HTTP_TIMEOUT_MS each.
 */
#include "admin/act.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include "admin/run.h"
#include "base/clock.h"
#include "s3/sigv4.h"
#include "store/engine.h"

#define WATCH_MS 2500
#define HTTP_TIMEOUT_MS 5000
#define PRESIGN_S 60
#define BODY "doctor\n"
#define ANSWER_MAX 4096

/* ---- the cache and the regions ---- */

static void
check_server(struct doctor *d, const struct cache_server_status *s)
{
	int64_t trust_us = d->ctx->settings->metadata_trust_ms * US_PER_MS, oldest = -1;
	int present = 0;

	for (int i = 0; i < CACHE_PAGES; i++) {
		present += s->page[i].present;
		if (s->page[i].beat_age_us > oldest)
			oldest = s->page[i].beat_age_us;
	}
	if (!s->reachable)
		check_say(d, CHECK_FAIL, "memcached", "start it, or mend \"memcached\" in anvil.conf",
		    "%s does not answer; metadata is read from the database", s->address);
	else if (present == 0)
		check_say(d, CHECK_FAIL, "memcached", "start this region's anvil-invalidator",
		    "%s answers, but nobody keeps its stamp pages", s->address);
	else if (oldest < 0 || oldest > trust_us)
		check_say(d, CHECK_FAIL, "memcached", "look at the log of this region's anvil-invalidator: it must reach a source",
		    "%s: a page was not beaten for %" PRId64 " ms; cached metadata is not believed", s->address,
		    oldest < 0 ? 0 : oldest / US_PER_MS);
	else if (s->trusted_pages < CACHE_PAGES)
		check_say(d, CHECK_WARN, "memcached", "run doctor again in some seconds",
		    "%s: %d of %d pages are trusted", s->address, s->trusted_pages, CACHE_PAGES);
	else
		check_say(d, CHECK_OK, "memcached", NULL, "%s answers in %" PRId64 " us, its pages are beaten by CAS and trusted",
		    s->address, s->round_trip_us);
}

static void
check_region(struct doctor *d, const struct region_info *r, const struct cache_ack_status *ack, const struct clock_status *clock)
{
	const char *what = arena_printf(d->ctx->arena, "region %s", r->r.name);
	uint64_t n = clock->clock.n;

	if (what == NULL)
		what = "region";
	if (strcmp(r->r.state, "active") != 0)
		check_say(d, CHECK_WARN, what, "\"anvil-admin region remove\" once its buckets are gone", "it is %s", r->r.state);
	else if (!ack->known)
		check_say(d, CHECK_WARN, what, "start its anvil-invalidator; look whether inv_pub and inv_rep of its row can be reached from here",
		    "nothing was heard of it: every change of metadata waits for it");
	else if (ack->age_us > d->ctx->settings->metadata_trust_ms * US_PER_MS)
		check_say(d, CHECK_WARN, what, "look at its anvil-invalidator and the network between",
		    "last heard %" PRId64 " ms ago: changes of metadata wait for it", ack->age_us / US_PER_MS);
	else if (memcmp(ack->clock.epoch, clock->clock.epoch, EPOCH_LEN) != 0)
		check_say(d, CHECK_WARN, what, "run doctor again in some seconds", "it has not heard of the new epoch yet");
	else
		check_say(d, CHECK_OK, what, NULL, "%" PRIu64 " events behind", ack->clock.n >= n ? 0 : n - ack->clock.n);
}

static void
check_own_row(struct doctor *d, const struct region_info *regions, size_t n)
{
	const char *here = d->ctx->settings->region;

	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].r.name, here) == 0)
			return;
	check_say(d, CHECK_FAIL, "region", "\"anvil-admin region create\" with this region's endpoint",
	    "region \"%s\" of anvil.conf has no row: nobody can make buckets here, and its cache is not fed", here);
}

void
check_cache(struct doctor *d)
{
	struct meta_thread *t = d->ctx->runtime->thread;
	struct arena *a = d->ctx->arena;
	struct region_info *regions = NULL;
	struct clock_status clock = { 0 };
	struct cache_status st;
	struct err err = { 0 };
	const char **names;
	size_t n = 0;
	bool known;

	known = registry_clock(t, a, &clock, &err) == 0 && registry_region_list(t, a, &regions, &n, &err) == 0;
	err_clear(&err);
	names = arena_array(a, n + 1, sizeof(*names));
	if (names == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		names[i] = regions[i].r.name;
	if (cache_status(registry_cache(t), a, names, WATCH_MS, &st, &err) != 0) {
		check_say(d, CHECK_FAIL, "memcached", "see the detail", "%s", err.detail);
		return;
	}
	for (size_t i = 0; i < st.n_servers; i++)
		check_server(d, &st.servers[i]);
	if (!known)
		return;
	check_own_row(d, regions, n);
	for (size_t i = 0; i < n; i++)
		check_region(d, &regions[i], &st.acks[i], &clock);
}

/* ---- the store ---- */

static int
write_and_read(struct store *st, struct err *err)
{
	struct blob_writer *w = NULL;
	struct blob_reader *r = NULL;
	struct blob_id id;
	char back[sizeof(BODY)];
	size_t got = 0;
	int rc = -1;

	if (store_create(st, sizeof(BODY), &w, err) != 0)
		return -1;
	if (blob_write(w, BODY, sizeof(BODY), err) != 0) {
		blob_abort(w);
		return -1;
	}
	if (blob_commit(w, &id, err) != 0)
		return -1;
	if (store_open_blob(st, &id, &r, err) == 0) {
		if (blob_read(r, 0, back, sizeof(back), &got, err) != 0)
			;
		else if (got != sizeof(BODY) || memcmp(back, BODY, sizeof(BODY)) != 0)
			FAIL(err, ERR_INTERNAL, "what was read is not what was written");
		else
			rc = 0;
		blob_close(r);
	}
	if (store_remove(st, &id, err) != 0)
		rc = -1;
	return rc;
}

/* What another user than the service's writes, the service cannot remove. */
static bool
store_is_ours(struct doctor *d)
{
	struct stat st;

	if (stat(d->ctx->settings->store_dir, &st) != 0 || st.st_uid == geteuid())
		return true;
	check_say(d, CHECK_WARN, "store", "run doctor as the user that owns store_dir to try writing",
	    "\"%s\" is another user's; nothing was written to it", d->ctx->settings->store_dir);
	return false;
}

static void
check_room(struct doctor *d)
{
	int64_t free_bytes, total, percent;
	struct err err = { 0 };
	struct strbuf room;

	if (d->ctx->runtime->store == NULL || store_space(d->ctx->runtime->store, &free_bytes, &total, &err) != 0)
		return;
	percent = total <= 0 ? 0 : free_bytes / ((total + 99) / 100);
	strbuf_init(&room, d->ctx->arena, 64);
	human_size(&room, free_bytes);
	check_say(d, percent < 1 ? CHECK_FAIL : percent < 5 ? CHECK_WARN : CHECK_OK, "room",
	    "make room: \"anvil-admin maintain --orphans\", delete objects, a larger disk",
	    "%s (%" PRId64 " %%) free", strbuf_cstr(&room), percent);
}

void
check_store(struct doctor *d)
{
	int64_t begin = clock_mono_us();
	struct err err = { 0 };

	if (!store_is_ours(d))
		return;
	if (runtime_open(d->ctx->runtime, d->ctx->conf, NEED_STORE, &err) != 0 ||
	    write_and_read(d->ctx->runtime->store, &err) != 0)
		check_say(d, CHECK_FAIL, "store", "look at store_dir, its owner and its disk", "%s", err.detail);
	else
		check_say(d, CHECK_OK, "store", NULL, "a file was written durably, read and removed in %" PRId64 " ms",
		    (clock_mono_us() - begin) / US_PER_MS);
	check_room(d);
}

/* ---- through the public endpoint ---- */

struct answer {
	char body[ANSWER_MAX];
	size_t len;
};

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t len = size * n, room = sizeof(a->body) - 1 - a->len;

	memcpy(a->body + a->len, p, len < room ? len : room);
	a->len += len < room ? len : room;
	a->body[a->len] = '\0';
	return len;
}

/* The HTTP status; 0 when there was no answer, and why in `why`. */
static long
http(const char *method, const char *url, struct answer *out, char why[CURL_ERROR_SIZE])
{
	CURL *h = curl_easy_init();
	long status = 0;

	memset(out, 0, sizeof(*out));
	why[0] = '\0';
	if (h == NULL)
		return 0;
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)HTTP_TIMEOUT_MS);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, out);
	if (strcmp(method, "GET") != 0)
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method);
	if (strcmp(method, "PUT") == 0) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, BODY);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)strlen(BODY));
	}
	if (curl_easy_perform(h) == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(h);
	return status;
}

static const char *
own_endpoint(struct doctor *d)
{
	struct region_info *regions;
	struct err err = { 0 };
	size_t n;

	if (registry_region_list(d->ctx->runtime->thread, d->ctx->arena, &regions, &n, &err) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].r.name, d->ctx->settings->region) == 0)
			return regions[i].r.endpoint;
	return NULL;
}

static bool
check_health(struct doctor *d, const char *endpoint)
{
	const char *url = arena_printf(d->ctx->arena, "%s/-/health", endpoint);
	char why[CURL_ERROR_SIZE];
	struct answer a;
	long status = url == NULL ? 0 : http("GET", url, &a, why);

	if (status == 0)
		check_say(d, CHECK_FAIL, "endpoint", "look whether the web server runs, and at the endpoint of the region's row",
		    "%s does not answer: %s", endpoint, url == NULL ? "" : why);
	else if (status != 200)
		check_say(d, CHECK_FAIL, "endpoint", "look at the web server's log and at anvil-s3.fcgi",
		    "%s/-/health answered %ld", endpoint, status);
	else if (strstr(a.body, "\"degraded\"") != NULL)
		check_say(d, CHECK_WARN, "endpoint", "look at the lines about databases and cache",
		    "%s/-/health answers that it is degraded: %s", endpoint, a.body);
	else
		check_say(d, CHECK_OK, "endpoint", NULL, "%s answers that it is well", endpoint);
	return status == 200;
}

static const char *
signed_url(struct doctor *d, const char *method, const char *endpoint, const char *path, const char *key, const char *secret)
{
	const char *host = strstr(endpoint, "://") + 3;
	struct s3_header h = { SPAN("host"), span_of(host) };
	struct s3_headers headers = { &h, 1 };
	struct s3_query query = { 0 };
	struct sigv4_request rq = { .method = span_of(method), .path = span_of(path), .query = &query, .headers = &headers };
	struct sigv4_signer by = { span_of(key), span_of(secret), { NULL, 0 },
		span_of(d->ctx->settings->region), SPAN("s3"), clock_wall_us() };

	return sigv4_presign(d->ctx->arena, &rq, &by, endpoint, PRESIGN_S);
}

static void
put_get_delete(struct doctor *d, const char *endpoint, const char *bucket, const char *key, const char *secret)
{
	static const char *const methods[] = { "PUT", "GET", "DELETE" };
	const char *path = arena_printf(d->ctx->arena, "/%s/anvil-doctor-%" PRId64, bucket, clock_wall_us());
	int64_t begin = clock_mono_us();
	char why[CURL_ERROR_SIZE];
	struct answer a;

	for (size_t i = 0; path != NULL && i < ARRAY_LEN(methods); i++) {
		const char *url = signed_url(d, methods[i], endpoint, path, key, secret);
		long status = url == NULL ? 0 : http(methods[i], url, &a, why);

		if (status / 100 != 2) {
			check_say(d, CHECK_FAIL, "object", "look at the access log by the request id, and at the worker's log",
			    "%s answered %ld: %.300s", methods[i], status, status == 0 && url != NULL ? why : a.body);
			return;
		}
		if (i == 1 && strcmp(a.body, BODY) != 0) {
			check_say(d, CHECK_FAIL, "object", "report it: this must not be", "GET gave other bytes than PUT took");
			return;
		}
	}
	check_say(d, CHECK_OK, "object", NULL, "PUT, GET and DELETE through %s took %" PRId64 " ms", endpoint,
	    (clock_mono_us() - begin) / US_PER_MS);
}

void
check_endpoint(struct doctor *d)
{
	const char *key = arg_str(d->ctx, "key"), *bucket = arg_str(d->ctx, "bucket");
	const char *endpoint = arg_str_or(d->ctx, "endpoint", own_endpoint(d));
	char secret[APP_SECRET_MAX + 1];
	struct meta_found found;
	struct err err = { 0 };

	if (endpoint == NULL || !check_health(d, endpoint) || key == NULL || bucket == NULL)
		return;
	if (meta_find(d->ctx->runtime->thread, d->ctx->arena, key, NULL, &found, &err) != 0 || !found.has_app ||
	    app_secret(d->ctx->settings, &found.app, secret, &err) != 0) {
		check_say(d, CHECK_FAIL, "access key", "see \"anvil-admin app list\"; every region needs the same master key",
		    "key %s cannot be used: %s", key, err.code != 0 ? err.detail : "it is not there");
		return;
	}
	put_get_delete(d, endpoint, bucket, key, secret);
	crypto_wipe(secret, sizeof(secret));
}
