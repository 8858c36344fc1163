/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/region_help.h - a region of a test's own: both databases with
 * their schema, a tenant, and a meta_thread without a cache.
 */
#ifndef ANVIL_TESTS_REGION_HELP_H
#define ANVIL_TESTS_REGION_HELP_H

#include "base/base.h"

#include <check.h>
#include <libpq-fe.h>

#include "base/log.h"
#include "base/parse.h"
#include "meta/fence.h"
#include "meta/migrate.h"
#include "meta/version.h"
#include "meta/registry.h"
#include "tests/lib/scratch.h"

static struct scratch *scratch;
static struct settings settings;
static struct meta *meta;
static struct meta_thread *thread;
static struct arena *arena;
static struct tenant tenant;
static struct err err;

#define OK(call) ck_assert_msg((call) == 0, "%s: %s %s", #call, err_kind_name(err.code), err.detail)

/* Check forks for each test, and connections must not be shared. */
static void
region_begin(void)
{
	err_clear(&err);
	arena = arena_new((size_t)256 << 20);
	OK(meta_open(&settings, META_REGIONAL, &meta, &err));
	OK(meta_thread_new(meta, &thread, &err));
	OK(registry_tenant_find(thread, arena, "tenant", &tenant, &err) == 0 || err.code == ERR_NOT_FOUND ? 0 : -1);
	err_clear(&err);
}

static void
region_end(void)
{
	meta_thread_free(thread);
	meta_close(meta);
	arena_free(arena);
}

static void
region_start(void)
{
	const char *domains[] = { NULL };
	struct region eu = { .name = "eu", .endpoint = "http://eu.test", .domains = domains };
	struct region us = { .name = "us", .endpoint = "http://us.test", .domains = domains };
	int applied;

	scratch = scratch_new();
	(void)scratch_pg(scratch, NULL);
	settings.region = "eu";
	settings.global_dsn = scratch_database(scratch, "global");
	settings.regional_dsn = scratch_database(scratch, "regional");
	settings.db_connections = 70;
	settings.db_global_connections = 8;
	settings.db_timeout_ms = 20000;
	settings.db_connect_timeout_s = 20;
	settings.metadata_consistency = "eventual";
	if (log_open("test", LOG_ERROR, NULL) != 0)
		abort();
	OK(migrate_apply(&settings, 'g', &applied, &err));
	OK(migrate_apply(&settings, 'r', &applied, &err));
	region_begin();
	OK(registry_region_create(thread, &eu, &err));
	OK(registry_region_create(thread, &us, &err));
	OK(registry_tenant_create(thread, arena, "tenant", NULL, &tenant, &err));
	region_end();
}

static void
region_stop(void)
{
	scratch_free(scratch);
}

/* A bucket of this region, or of "us"; its row as a request would have it. */
static inline struct bucket
new_bucket_in(const char *region)
{
	static int n;
	char name[64];
	enum bucket_made made;
	struct bucket b;

	snprintf(name, sizeof(name), "bucket-%d-%d", (int)getpid(), n++);
	OK(meta_bucket_create(thread, arena, name, region, &tenant.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_MADE);
	OK(registry_bucket_find(thread, arena, name, &b, &err));
	return b;
}

static inline struct bucket
new_bucket(void)
{
	return new_bucket_in("eu");
}

/* One number from the regional database. */
static inline int64_t
regional(const char *sql)
{
	const char *line = scratch_query(scratch, "regional", sql);
	int64_t n;

	return parse_i64(span_of(line), INT64_MIN, INT64_MAX, &n) ? n : -1;
}

static inline struct object
inline_object(const char *key, const char *data)
{
	return (struct object){ .key = span_of(key), .size = (int64_t)strlen(data), .etag = data, .inline_data = span_of(data) };
}

/* Without naming a version; cond may be NULL. */
static inline int
delete_object(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key, const struct object_cond *cond,
    enum object_wrote *wrote, bool *was_there, struct err *e)
{
	struct object_removal what = { .key = key, .etag = cond != NULL && cond->kind == COND_IF_MATCH ? cond->etag : NULL };
	struct object_removed out;

	if (meta_object_delete(t, a, b, &what, NULL, &out, e) != 0)
		return -1;
	*wrote = out.wrote;
	*was_there = out.was_there;
	return 0;
}

static inline struct object
blob_object(const char *key, const struct uuid *blob, int64_t size, const char *etag)
{
	return (struct object){ .key = span_of(key), .size = size, .etag = etag, .has_blob = true, .blob_id = *blob };
}

#endif
