/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_meta.c - metadata as programs use it: migrations, the
 * registry, buckets. Look-ups through the cache are test_find.c.
 */
#include "base/base.h"

#include <check.h>
#include <pthread.h>

#include "base/log.h"
#include "base/metrics.h"
#include "meta/fence.h"
#include "meta/migrate.h"
#include "tests/unit/meta_help.h"
#include "tests/unit/suite_help.h"

static struct scratch *scratch;
static struct settings set;
static struct arena *arena;
static struct err err;
static struct meta *meta;
static struct meta_thread *mt;

static void
start_all(void)
{
	int applied;

	scratch = scratch_new();
	(void)scratch_pg(scratch, NULL);
	meta_help_settings(scratch, NULL, &set);
	if (log_open("test_meta", LOG_ERROR, "/dev/null") != 0 || metrics_open(NULL) != 0)
		abort();
	OK(migrate_apply(&set, 'g', &applied, &err));
	ck_assert_int_gt(applied, 0);
	OK(migrate_apply(&set, 'r', &applied, &err));
	ck_assert(scratch_sql(scratch, "global",
	    "INSERT INTO regions (name, endpoint) VALUES ('eu', 'http://eu.test'), ('us', 'http://us.test')"));
}

static void
end_all(void)
{
	scratch_free(scratch);
}

static void
open_meta(int flags)
{
	OK(meta_open(&set, flags, &meta, &err));
	OK(meta_thread_new(meta, &mt, &err));
}

static void
close_meta(void)
{
	meta_thread_free(mt);
	meta_close(meta);
	mt = NULL;
	meta = NULL;
}

static void
begin(void)
{
	arena = arena_new(1 << 24);
	err_clear(&err);
	ck_assert(scratch_sql(scratch, "global",
	    "SET client_min_messages = error; TRUNCATE tenants, apps, policies, app_policies, buckets, bucket_configs, operators CASCADE"));
	open_meta(META_REGIONAL);
}

static void
end(void)
{
	close_meta();
	arena_free(arena);
}

/* ---- ids ---- */

START_TEST(test_uuid)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "01234567-89ab-4def-8123-456789abcdef", true },
		{ "01234567-89AB-4DEF-8123-456789ABCDEF", true },
		{ "0123456789ab4def8123456789abcdef", false },
		{ "01234567-89ab-4def-8123-456789abcde", false },
		{ "01234567-89ab-4def-8123-456789abcdefa", false },
		{ "01234567-89ab-4def-8123+456789abcdef", false },
		{ "g1234567-89ab-4def-8123-456789abcdef", false },
		{ "", false },
	};
	char text[UUID_TEXT_LEN + 1];
	struct uuid u, v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(uuid_parse(span_of(rows[i].text), &u) == rows[i].good, "%s", rows[i].text);
		if (!rows[i].good)
			continue;
		uuid_text(&u, text);
		ck_assert(strcasecmp(text, rows[i].text) == 0);
	}
	uuid_random(&u);
	uuid_random(&v);
	ck_assert_mem_ne(&u, &v, sizeof(u));
	uuid_text(&u, text);
	ck_assert_int_eq(text[14], '4');
	ck_assert(strchr("89ab", text[19]) != NULL);
	ck_assert(uuid_parse(span_of(text), &v));
	ck_assert_mem_eq(&u, &v, sizeof(u));
}
END_TEST

/* ---- what lies in memcached ---- */

START_TEST(test_codec_keeps_every_field)
{
	const char *const policies[] = { "{\"a\":1}", "", NULL };
	const char *const domains[] = { "s3.eu.test", NULL };
	struct app a = { .access_key = "KEY", .name = "n", .tenant_name = "t", .owner_id = "o", .enabled = true,
		.sealed_secret = { "\0\1\2", 3 }, .access = APP_FULL, .policies = policies, .created_us = -5 }, a2;
	struct bucket b = { .name = "b", .region = "eu", .owner_id = "o", .owner_name = "on", .status = "active", .routing_mode = "",
		.versioning = "Enabled", .object_lock = "GOVERNANCE 3 Days", .policy = NULL, .config_kinds = 0x80000001, .created_us = INT64_MAX }, b2;
	struct region r[2] = { { "eu", "http://x", domains, "p", "q", "active", 1 }, { "us", "http://y", domains + 1, "", "", "leaving", 2 } };
	struct region *r2;
	struct strbuf sb;
	size_t n;

	memset(&a2, 0, sizeof(a2));
	memset(&b2, 0, sizeof(b2));
	uuid_random(&a.tenant_id);
	uuid_random(&b.id);
	strbuf_init(&sb, arena, 10000);
	codec_put_app(&sb, &a);
	ck_assert(codec_get_app((struct span){ sb.buf, sb.len }, arena, &a2));
	ck_assert_str_eq(a2.access_key, "KEY");
	ck_assert(a2.enabled && a2.access == APP_FULL && a2.created_us == -5 && span_eq(a.sealed_secret, a2.sealed_secret));
	ck_assert_str_eq(a2.policies[0], "{\"a\":1}");
	ck_assert_str_eq(a2.policies[1], "");
	ck_assert_ptr_null(a2.policies[2]);
	ck_assert_mem_eq(&a.tenant_id, &a2.tenant_id, UUID_LEN);
	/* cut short anywhere, or with something behind it: refused */
	for (size_t len = 0; len < sb.len; len++)
		ck_assert_msg(!codec_get_app((struct span){ sb.buf, len }, arena, &a2), "cut at %zu", len);
	strbuf_ch(&sb, 'x');
	ck_assert(!codec_get_app((struct span){ sb.buf, sb.len }, arena, &a2));
	strbuf_clear(&sb);
	codec_put_bucket(&sb, &b);
	ck_assert(codec_get_bucket((struct span){ sb.buf, sb.len }, arena, &b2));
	ck_assert_ptr_null(b2.policy);
	ck_assert(b2.config_kinds == b.config_kinds && b2.created_us == INT64_MAX && strcmp(b2.versioning, "Enabled") == 0);
	ck_assert(!codec_get_app((struct span){ sb.buf, sb.len }, arena, &a2)); /* another kind's format */
	for (size_t len = 0; len < sb.len; len++)
		ck_assert(!codec_get_bucket((struct span){ sb.buf, len }, arena, &b2));
	strbuf_clear(&sb);
	codec_put_regions(&sb, r, 2);
	ck_assert(codec_get_regions((struct span){ sb.buf, sb.len }, arena, &r2, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(r2[0].domains[0], "s3.eu.test");
	ck_assert_str_eq(r2[1].state, "leaving");
	for (size_t len = 0; len < sb.len; len++)
		ck_assert(!codec_get_regions((struct span){ sb.buf, len }, arena, &r2, &n));
}
END_TEST

/* ---- migrations ---- */

static void *
migrate_thread(void *arg)
{
	struct err e = { 0 };
	int applied;

	if (migrate_apply(arg, 'g', &applied, &e) != 0) {
		fprintf(stderr, "migrate: %s\n", e.detail);
		return (void *)-1;
	}
	return (void *)(intptr_t)applied;
}

START_TEST(test_migrations)
{
	struct settings s = set;
	struct migration *m;
	pthread_t t[3];
	size_t n;
	intptr_t all = 0;
	bool created;
	int applied;

	s.global_dsn = arena_printf(arena, "%s dbname=fresh", set.global_dsn);
	FAILS(migrate_status(&s, 'g', arena, &m, &n, &err), ERR_UNAVAILABLE);
	OK(migrate_create_database(&s, 'g', &created, &err));
	ck_assert(created);
	OK(migrate_create_database(&s, 'g', &created, &err));
	ck_assert(!created);
	OK(migrate_status(&s, 'g', arena, &m, &n, &err));
	ck_assert_uint_ge(n, 2);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(m[i].state, MIGRATE_PENDING);
	/* several at once: each migration is applied once */
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, migrate_thread, &s), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		void *got;

		pthread_join(t[i], &got);
		ck_assert_int_ge((intptr_t)got, 0);
		all += (intptr_t)got;
	}
	ck_assert_int_eq(all, (intptr_t)n);
	OK(migrate_apply(&s, 'g', &applied, &err));
	ck_assert_int_eq(applied, 0);
	OK(migrate_status(&s, 'g', arena, &m, &n, &err));
	for (size_t i = 0; i < n; i++)
		ck_assert(m[i].state == MIGRATE_APPLIED && m[i].applied_us > 0);
	/* from a newer release, and from another text: nothing is done */
	ck_assert(scratch_sql(scratch, "fresh", "INSERT INTO schema_migrations VALUES (9999, '9999-later.sql', 'x')"));
	OK(migrate_status(&s, 'g', arena, &m, &n, &err));
	ck_assert_int_eq(m[n - 1].state, MIGRATE_UNKNOWN);
	FAILS(migrate_apply(&s, 'g', &applied, &err), ERR_CONFLICT);
	ck_assert(scratch_sql(scratch, "fresh", "DELETE FROM schema_migrations WHERE version = 9999; UPDATE schema_migrations SET checksum "
	    "= 'y' WHERE version = 1"));
	OK(migrate_status(&s, 'g', arena, &m, &n, &err));
	ck_assert_int_eq(m[0].state, MIGRATE_CHANGED);
	FAILS(migrate_apply(&s, 'g', &applied, &err), ERR_CONFLICT);
}
END_TEST

START_TEST(test_every_statement_of_the_regional_database_prepares)
{
	struct db *db;

	OK(db_acquire(meta->regional, &db, &err));
	for (int i = 0; i < STMT_COUNT; i++)
		if (stmt_defs[i].database != 'g')
			ck_assert_msg(db_check(db, (enum stmt)i, &err) == 0, "%s: %s", stmt_defs[i].name, err.detail);
	db_release(db);
}
END_TEST

/* ---- the registry ---- */

START_TEST(test_tenants)
{
	struct tenant t, found, *list;
	char text[UUID_TEXT_LEN + 1];
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &t, &err));
	ck_assert_uint_eq(strlen(t.canonical_id), 64);
	ck_assert(t.enabled && t.n_apps == 0 && t.n_buckets == 0 && t.created_us > 0);
	FAILS(registry_tenant_create(mt, arena, "one", NULL, &found, &err), ERR_EXISTS);
	FAILS(registry_tenant_create(mt, arena, "", NULL, &found, &err), ERR_INVALID);
	FAILS(registry_tenant_create(mt, arena, "three", "short", &found, &err), ERR_INVALID);
	FAILS(registry_tenant_create(mt, arena, "no\xffutf8", NULL, &found, &err), ERR_INVALID);
	OK(registry_tenant_create(mt, arena, "two", "00000000000000000000000000000000000000000000000000000000000000ff", &found, &err));
	uuid_text(&t.id, text);
	OK(registry_tenant_find(mt, arena, text, &found, &err));
	ck_assert_str_eq(found.name, "one");
	OK(registry_tenant_find(mt, arena, t.canonical_id, &found, &err));
	ck_assert_str_eq(found.name, "one");
	FAILS(registry_tenant_find(mt, arena, "nobody", &found, &err), ERR_NOT_FOUND);
	OK(registry_tenant_list(mt, arena, "", 10, &list, &n, &err));
	ck_assert_uint_eq(n, 2);
	OK(registry_tenant_list(mt, arena, "one", 10, &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].name, "two");
	OK(registry_tenant_enable(mt, "one", false, &err));
	OK(registry_tenant_find(mt, arena, "one", &found, &err));
	ck_assert(!found.enabled);
	FAILS(registry_tenant_enable(mt, "nobody", false, &err), ERR_NOT_FOUND);
	OK(registry_tenant_delete(mt, "two", &err));
	FAILS(registry_tenant_delete(mt, "two", &err), ERR_NOT_FOUND);
	ck_assert(scratch_sql(scratch, "global", "INSERT INTO buckets (name, region, tenant_id) SELECT 'bucket', 'eu', id FROM tenants"));
	FAILS(registry_tenant_delete(mt, "one", &err), ERR_CONFLICT);
}
END_TEST

START_TEST(test_apps_and_policies)
{
	struct tenant t;
	struct app_info app, *list;
	struct policy_info p, *policies;
	struct meta_found f;
	char secret[SECRET_LEN + 1], opened[APP_SECRET_MAX + 1];
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &t, &err));
	FAILS(registry_app_create(mt, arena, "nobody", "a", APP_FULL, &app, secret, &err), ERR_NOT_FOUND);
	OK(registry_app_create(mt, arena, "one", "backup", APP_FULL, &app, secret, &err));
	ck_assert(registry_last_change(mt)->changed && registry_last_change(mt)->acknowledged);
	ck_assert_uint_eq(strlen(app.access_key), ACCESS_KEY_LEN);
	ck_assert_uint_eq(strspn(app.access_key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), ACCESS_KEY_LEN);
	ck_assert_uint_eq(strlen(secret), SECRET_LEN);
	ck_assert_str_eq(app.tenant_name, "one");
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_int_eq(f.has_app, 1);
	ck_assert(f.app.enabled);
	ck_assert_ptr_null(f.app.policies[0]);
	ck_assert_str_eq(f.app.owner_id, t.canonical_id);
	OK(app_secret(&set, &f.app, opened, &err));
	ck_assert_str_eq(opened, secret);
	/* a box that was moved to another key does not open */
	f.app.access_key = "ANOTHERACCESSKEY0000";
	FAILS(app_secret(&set, &f.app, opened, &err), ERR_INTERNAL);
	FAILS(registry_app_import(mt, arena, "one", "twice", APP_FULL, app.access_key, "secret", &app, &err), ERR_EXISTS);
	OK(registry_app_import(mt, arena, "one", "imported", APP_FULL, "AKIAIMPORTED00000000", "a/secret+of=another", &app, &err));
	OK(registry_app_list(mt, arena, NULL, "", 10, &list, &n, &err));
	ck_assert_uint_eq(n, 2);
	OK(registry_app_list(mt, arena, "nobody", "", 10, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	/* policies */
	OK(registry_policy_create(mt, "read", "{\"Version\":\"2012-10-17\"}", &err));
	FAILS(registry_policy_create(mt, "read", "{}", &err), ERR_EXISTS);
	FAILS(registry_policy_create(mt, "bad", "{", &err), ERR_INVALID);
	ck_assert_int_eq(app.access, APP_FULL);
	OK(registry_app_attach(mt, app.access_key, "read", &err));
	FAILS(registry_app_set_access(mt, app.access_key, APP_FULL, &err), ERR_CONFLICT);
	FAILS(registry_app_attach(mt, app.access_key, "read", &err), ERR_EXISTS);
	FAILS(registry_app_attach(mt, app.access_key, "none", &err), ERR_NOT_FOUND);
	FAILS(registry_policy_delete(mt, "read", &err), ERR_CONFLICT);
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_str_eq(f.app.policies[0], "{\"Version\":\"2012-10-17\"}");
	ck_assert_int_eq(f.app.access, APP_POLICIES);
	OK(registry_policy_update(mt, "read", "{}", &err));
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_str_eq(f.app.policies[0], "{}");
	OK(registry_policy_find(mt, arena, "read", &p, &err));
	ck_assert_int_eq(p.n_apps, 1);
	OK(registry_app_find(mt, arena, app.access_key, &app, &err));
	ck_assert_str_eq(app.policies[0], "read");
	OK(registry_policy_list(mt, arena, "", 10, &policies, &n, &err));
	ck_assert_uint_eq(n, 1);
	OK(registry_app_detach(mt, app.access_key, "read", &err));
	FAILS(registry_app_detach(mt, app.access_key, "read", &err), ERR_NOT_FOUND);
	/* nothing, until somebody says otherwise */
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_int_eq(f.app.access, APP_POLICIES);
	ck_assert_ptr_null(f.app.policies[0]);
	FAILS(registry_app_set_access(mt, "NOSUCHKEY", APP_FULL, &err), ERR_NOT_FOUND);
	OK(registry_app_set_access(mt, app.access_key, APP_FULL, &err));
	ck_assert(registry_last_change(mt)->changed);
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_int_eq(f.app.access, APP_FULL);
	OK(registry_app_create(mt, arena, "one", "narrow", APP_POLICIES, &app, secret, &err));
	ck_assert_int_eq(app.access, APP_POLICIES);
	OK(registry_app_delete(mt, app.access_key, &err));
	app.access_key = "AKIAIMPORTED00000000";
	OK(registry_policy_delete(mt, "read", &err));
	/* disabled, by itself and by its tenant */
	OK(registry_app_enable(mt, app.access_key, false, &err));
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert(f.has_app == 1 && !f.app.enabled);
	OK(registry_app_enable(mt, app.access_key, true, &err));
	OK(registry_tenant_enable(mt, "one", false, &err));
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert(f.has_app == 1 && !f.app.enabled);
	OK(registry_app_delete(mt, app.access_key, &err));
	OK(meta_find(mt, arena, app.access_key, NULL, &f, &err));
	ck_assert_int_eq(f.has_app, 0);
	FAILS(registry_app_delete(mt, app.access_key, &err), ERR_NOT_FOUND);
}
END_TEST

START_TEST(test_regions)
{
	const char *const domains[] = { "s3.ap.test", NULL };
	struct region r = { .name = "ap", .endpoint = "https://s3.ap.test", .domains = domains };
	struct region_info *list;
	struct region *regions;
	int64_t begun_us;
	size_t n;

	set.metadata_ack_ms = 300;
	OK(registry_region_create(mt, &r, &err));
	FAILS(registry_region_create(mt, &r, &err), ERR_EXISTS);
	r.endpoint = "not an address";
	FAILS(registry_region_update(mt, &r, &err), ERR_INVALID);
	r = (struct region){ .name = "ap", .inv_pub = "tcp://1.2.3.4:1" };
	OK(registry_region_update(mt, &r, &err));
	OK(meta_regions(mt, arena, &regions, &n, &err));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(regions[0].name, "ap");
	ck_assert_str_eq(regions[0].endpoint, "https://s3.ap.test");
	ck_assert_str_eq(regions[0].domains[0], "s3.ap.test");
	ck_assert_str_eq(regions[0].inv_pub, "tcp://1.2.3.4:1");
	FAILS(registry_region_remove(mt, "ap", &err), ERR_CONFLICT);
	OK(registry_region_leave(mt, "ap", &err));
	OK(registry_region_leave(mt, "ap", &err));
	OK(registry_region_list(mt, arena, &list, &n, &err));
	ck_assert(n == 3 && strcmp(list[0].r.state, "leaving") == 0 && list[0].leaving_us > 0 && list[1].leaving_us == 0);
	/* Not before W is over: until then it may trust what it cached. */
	begun_us = clock_mono_us();
	OK(registry_region_remove(mt, "ap", &err));
	ck_assert_int_ge(clock_mono_us() - begun_us, 300 * US_PER_MS);
	FAILS(registry_region_remove(mt, "ap", &err), ERR_NOT_FOUND);
	FAILS(registry_region_leave(mt, "ap", &err), ERR_NOT_FOUND);
	set.metadata_ack_ms = 800;
}
END_TEST

START_TEST(test_operators_and_audit)
{
	struct operator_info o, *list;
	struct audit_entry e = { .actor = "root", .via = "cli", .region = "eu", .action = "app disable", .target = "KEY", .ok = true };
	struct audit_entry *log;
	int64_t session;
	size_t n;

	OK(registry_operator_create(mt, "ada", "$y$hash", "admin", &err));
	ck_assert(!registry_last_change(mt)->changed);
	FAILS(registry_operator_create(mt, "ada", "$y$hash", "admin", &err), ERR_EXISTS);
	FAILS(registry_operator_create(mt, "bob", "plain password", "admin", &err), ERR_INVALID);
	FAILS(registry_operator_create(mt, "bob", "$y$hash", "owner", &err), ERR_INVALID);
	OK(registry_operator_find(mt, arena, "ada", &o, &err));
	ck_assert_str_eq(o.password_hash, "$y$hash");
	session = o.session;
	OK(registry_operator_set_password(mt, "ada", "$y$other", &err));
	OK(registry_operator_set_role(mt, "ada", "viewer", &err));
	OK(registry_operator_logout(mt, "ada", &err));
	OK(registry_operator_enable(mt, "ada", false, &err));
	OK(registry_operator_logged_in(mt, "ada", &err));
	OK(registry_operator_by_id(mt, arena, &o.id, &o, &err));
	ck_assert(o.session == session + 4 && !o.enabled && o.last_login_us > 0 && strcmp(o.role, "viewer") == 0);
	OK(registry_operator_list(mt, arena, &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].password_hash, "");
	OK(registry_operator_delete(mt, "ada", &err));
	FAILS(registry_operator_find(mt, arena, "ada", &o, &err), ERR_NOT_FOUND);
	OK(registry_audit_append(mt, &e, &err));
	e.action = "app delete";
	e.ok = false;
	OK(registry_audit_append(mt, &e, &err));
	OK(registry_audit_list(mt, arena, 0, 10, &log, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert(strcmp(log[0].action, "app delete") == 0 && !log[0].ok && log[1].ok && log[0].at_us > 0);
	OK(registry_audit_list(mt, arena, log[0].id, 10, &log, &n, &err));
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(test_status)
{
	struct clock_status before, after;
	struct database_status db;

	OK(registry_clock(mt, arena, &before, &err));
	ck_assert(before.primary && before.clock.n > 0 && before.events_kept > 0 && before.changed_us > 0);
	OK(registry_new_epoch(mt, "for a test", &err));
	OK(registry_clock(mt, arena, &after, &err));
	ck_assert_mem_ne(before.clock.epoch, after.clock.epoch, EPOCH_LEN);
	ck_assert_str_eq(after.epoch_reason, "for a test");
	OK(registry_wait(mt, &err));
	OK(registry_database(mt, arena, 'g', &db, &err));
	ck_assert(db.size_bytes > 0 && strcmp(db.name, "global") == 0);
	OK(registry_database(mt, arena, 'r', &db, &err));
	ck_assert_str_eq(db.name, "eu");
}
END_TEST

/* ---- buckets ---- */

struct creator {
	pthread_t id;
	struct uuid tenant;
	enum bucket_made made;
	int rc;
};

static void *
create_thread(void *arg)
{
	struct creator *c = arg;
	struct meta_thread *t;
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };

	c->rc = meta_thread_new(meta, &t, &e);
	if (c->rc == 0) {
		c->rc = meta_bucket_create(t, a, "contended", "us", &c->tenant, &c->made, &e);
		meta_thread_free(t);
	}
	if (c->rc != 0)
		fprintf(stderr, "create: %s\n", e.detail);
	arena_free(a);
	return NULL;
}

START_TEST(test_buckets)
{
	struct tenant one, two;
	struct bucket b, *list;
	struct creator c[8];
	enum bucket_made made;
	enum config_done done;
	int winners = 0;
	size_t n;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(registry_tenant_create(mt, arena, "two", NULL, &two, &err));
	OK(meta_bucket_create(mt, arena, "first", "eu", &one.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_MADE);
	ck_assert(registry_last_change(mt)->changed);
	OK(meta_bucket_create(mt, arena, "first", "us", &one.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_YOURS);
	OK(meta_bucket_create(mt, arena, "first", "eu", &two.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_TAKEN);
	OK(meta_bucket_create(mt, arena, "second", "mars", &one.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_NO_REGION);
	FAILS(meta_bucket_create(mt, arena, "Not A Name", "eu", &one.id, &made, &err), ERR_INVALID);
	/* several tenants at once: one has it */
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i].tenant = i % 2 == 0 ? one.id : two.id;
		ck_assert_int_eq(pthread_create(&c[i].id, NULL, create_thread, &c[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		pthread_join(c[i].id, NULL);
		ck_assert_int_eq(c[i].rc, 0);
		winners += c[i].made == BUCKET_MADE;
	}
	ck_assert_int_eq(winners, 1);
	OK(registry_bucket_find(mt, arena, "contended", &b, &err));
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		ck_assert(c[i].made == (memcmp(&c[i].tenant, &b.tenant_id, UUID_LEN) != 0 ? BUCKET_TAKEN : c[i].made));
	/* lists */
	OK(meta_bucket_create(mt, arena, "fir", "us", &one.id, &made, &err));
	OK(meta_bucket_create(mt, arena, "other", "us", &two.id, &made, &err));
	OK(meta_bucket_list(mt, arena, &one.id, "fir", "", NULL, 10, &list, &n, &err));
	ck_assert(n == 2 && strcmp(list[0].name, "fir") == 0 && strcmp(list[1].name, "first") == 0);
	OK(meta_bucket_list(mt, arena, &one.id, "", "fir", "eu", 10, &list, &n, &err));
	ck_assert(n == 1 && strcmp(list[0].owner_name, "one") == 0);
	OK(registry_bucket_list(mt, arena, "two", "us", NULL, "", 10, &list, &n, &err));
	ck_assert_uint_ge(n, 1);
	/* settings and documents */
	OK(registry_bucket_set_routing(mt, "first", "relay", &err));
	FAILS(registry_bucket_set_routing(mt, "first", "teleport", &err), ERR_INVALID);
	FAILS(registry_bucket_set_routing(mt, "nowhere", "relay", &err), ERR_NOT_FOUND);
	OK(registry_bucket_find(mt, arena, "first", &b, &err));
	OK(meta_bucket_set_config(mt, arena, &b.id, "policy", "{\"a\":1}", &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
	OK(meta_bucket_set_config(mt, arena, &b.id, "cors", "<x/>", &done, &err));
	FAILS(meta_bucket_set_config(mt, arena, &b.id, "colour", "red", &done, &err), ERR_INVALID);
	FAILS(meta_bucket_set_config(mt, arena, &b.id, "policy", "no json", &done, &err), ERR_INVALID);
	OK(meta_bucket_set_config(mt, arena, &one.id, "policy", "{\"a\":1}", &done, &err));
	ck_assert_int_eq(done, CONFIG_NO_BUCKET);
	OK(registry_bucket_find(mt, arena, "first", &b, &err));
	ck_assert_str_eq(b.policy, "{\"a\":1}");
	ck_assert_str_eq(b.routing_mode, "relay");
	ck_assert_uint_eq(b.config_kinds, 3);
	OK(meta_bucket_set_config(mt, arena, &b.id, "policy", NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
	OK(meta_bucket_set_config(mt, arena, &b.id, "policy", NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_NONE);
}
END_TEST

START_TEST(test_bucket_is_deleted_and_made_again)
{
	struct tenant one;
	struct meta_found f;
	struct bucket old;
	enum bucket_made made;
	enum bucket_gone gone;
	bool open;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(meta_bucket_create(mt, arena, "phoenix", "eu", &one.id, &made, &err));
	OK(meta_find(mt, arena, NULL, "phoenix", &f, &err));
	ck_assert_int_eq(f.has_bucket, 1);
	old = f.bucket;
	OK(meta_fence_open(mt, arena, &old.id, &open, &err));
	ck_assert(open);
	OK(meta_bucket_delete(mt, arena, &old, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_GONE);
	OK(meta_bucket_delete(mt, arena, &old, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_NOT_THERE);
	ck_assert(registry_last_change(mt)->changed); /* the first delete's number was waited for again */
	OK(meta_find(mt, arena, NULL, "phoenix", &f, &err));
	ck_assert_int_eq(f.has_bucket, 0);
	OK(meta_bucket_create(mt, arena, "phoenix", "eu", &one.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_MADE);
	OK(meta_find(mt, arena, NULL, "phoenix", &f, &err));
	ck_assert_mem_ne(&f.bucket.id, &old.id, UUID_LEN);
	/* the old one's end does not touch the new one, nor does its fence open again */
	OK(meta_bucket_delete(mt, arena, &old, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_NOT_THERE);
	OK(meta_fence_open(mt, arena, &old.id, &open, &err));
	ck_assert(!open);
	OK(meta_find(mt, arena, NULL, "phoenix", &f, &err));
	ck_assert_int_eq(f.has_bucket, 1);
	/* another region's bucket is not ours to delete */
	OK(meta_bucket_create(mt, arena, "far-away", "us", &one.id, &made, &err));
	OK(meta_find(mt, arena, NULL, "far-away", &f, &err));
	FAILS(meta_bucket_delete(mt, arena, &f.bucket, &gone, &err), ERR_INVALID);
}
END_TEST

/* What cannot be ended is not begun: a fence that was closed would stay so. */
START_TEST(test_no_delete_while_the_primary_is_away)
{
	struct tenant one;
	struct meta_found f;
	enum bucket_made made;
	enum bucket_gone gone;
	bool open;

	OK(registry_tenant_create(mt, arena, "one", NULL, &one, &err));
	OK(meta_bucket_create(mt, arena, "kept", "eu", &one.id, &made, &err));
	OK(meta_find(mt, arena, NULL, "kept", &f, &err));
	OK(meta_fence_open(mt, arena, &f.bucket.id, &open, &err));
	ck_assert(scratch_sql(scratch, "eu", "ALTER DATABASE global ALLOW_CONNECTIONS false"));
	ck_assert(scratch_sql(scratch, "eu", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'global'"));
	FAILS(meta_bucket_delete(mt, arena, &f.bucket, &gone, &err), ERR_UNAVAILABLE);
	ck_assert(scratch_sql(scratch, "eu", "ALTER DATABASE global ALLOW_CONNECTIONS true"));
	ck_assert_str_eq(scratch_query(scratch, "eu", "SELECT count(*) FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL"), "0");
	for (int i = 0; meta_bucket_delete(mt, arena, &f.bucket, &gone, &err) != 0; i++) {
		ck_assert_msg(i < 200, "the primary is back: %s", err.detail);
		err_clear(&err);
		clock_sleep_us(50 * US_PER_MS);
	}
	ck_assert_int_eq(gone, BUCKET_GONE);
}
END_TEST

/* ---- a COMMIT whose answer is lost ---- */

static atomic_bool answers_stop;

static void
standby(const char *names)
{
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
	ck_assert(scratch_sql(scratch, "eu", sql));
	ck_assert(scratch_sql(scratch, "eu", "SELECT pg_reload_conf()"));
}

/* Ends the first server process that has committed and waits for a standby that there is not: its client hears nothing. */
static void *
lose_an_answer(void *arg)
{
	(void)arg;
	while (!atomic_load(&answers_stop)) {
		const char *n;

		/* The region's own database is in the same cluster: its answers come. */
		(void)scratch_query(scratch, "eu", "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
						   " WHERE wait_event = 'SyncRep' AND datname <> 'global'");
		n = scratch_query(scratch, "eu", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
						 " WHERE wait_event = 'SyncRep' AND datname = 'global'");

		if (strcmp(n, "0") != 0)
			break;
		clock_sleep_us(10 * US_PER_MS);
	}
	standby("");
	return NULL;
}

/* Runs fn(i) until the answer to a COMMIT of it was lost: the server's processes hear of the setting one by one. */
static void
with_a_lost_answer(void (*before_it)(int i), void (*fn)(int i))
{
	int64_t before = metric_get(M_COMMITS_UNKNOWN);

	for (int i = 0; metric_get(M_COMMITS_UNKNOWN) == before; i++) {
		pthread_t id;

		ck_assert_msg(i < 20, "no answer was lost");
		if (before_it != NULL)
			before_it(i);
		atomic_store(&answers_stop, false);
		standby("nobody");
		ck_assert_int_eq(pthread_create(&id, NULL, lose_an_answer, NULL), 0);
		clock_sleep_us(50 * US_PER_MS);
		fn(i);
		atomic_store(&answers_stop, true);
		pthread_join(id, NULL);
	}
}

static struct tenant lost_tenant;
static struct bucket lost_bucket;

static void
create_lost(int i)
{
	enum bucket_made made;
	char name[20];

	(void)snprintf(name, sizeof(name), "lost-%d", i);
	OK(meta_bucket_create(mt, arena, name, "eu", &lost_tenant.id, &made, &err));
	ck_assert_int_eq(made, BUCKET_MADE);
}

static void
config_lost(int i)
{
	enum config_done done;

	(void)i;
	OK(meta_bucket_set_config(mt, arena, &lost_bucket.id, "policy", "{\"a\":1}", &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
}

static void
config_gone_lost(int i)
{
	enum config_done done;

	(void)i;
	OK(meta_bucket_set_config(mt, arena, &lost_bucket.id, "policy", NULL, &done, &err));
	ck_assert_int_eq(done, CONFIG_DONE);
}

static void
make_one(int i)
{
	enum bucket_made made;

	(void)i;
	OK(meta_bucket_create(mt, arena, "gone", "eu", &lost_tenant.id, &made, &err));
	OK(registry_bucket_find(mt, arena, "gone", &lost_bucket, &err));
}

static void
delete_lost(int i)
{
	enum bucket_gone gone;
	struct bucket b;

	(void)i;
	OK(meta_bucket_delete(mt, arena, &lost_bucket, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_GONE);
	FAILS(registry_bucket_find(mt, arena, "gone", &b, &err), ERR_NOT_FOUND);
}

/* Each is tried again, knows its own doing, and is told as done. */
START_TEST(test_lost_answers)
{
	enum bucket_made made;

	OK(registry_tenant_create(mt, arena, "one", NULL, &lost_tenant, &err));
	OK(meta_bucket_create(mt, arena, "mine", "eu", &lost_tenant.id, &made, &err));
	OK(registry_bucket_find(mt, arena, "mine", &lost_bucket, &err));
	with_a_lost_answer(NULL, create_lost);
	with_a_lost_answer(NULL, config_lost);
	with_a_lost_answer(config_lost, config_gone_lost);
	with_a_lost_answer(make_one, delete_lost);
	ck_assert_str_eq(scratch_query(scratch, "eu", "SELECT count(*) FROM bucket_fences WHERE closed_at IS NOT NULL AND ended_at IS NULL"), "0");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("meta");
	TCase *plain = tcase_create("plain");

	tcase_add_unchecked_fixture(plain, start_all, end_all);
	tcase_add_checked_fixture(plain, begin, end);
	tcase_set_timeout(plain, 60);
	tcase_add_test(plain, test_uuid);
	tcase_add_test(plain, test_codec_keeps_every_field);
	tcase_add_test(plain, test_migrations);
	tcase_add_test(plain, test_every_statement_of_the_regional_database_prepares);
	tcase_add_test(plain, test_tenants);
	tcase_add_test(plain, test_apps_and_policies);
	tcase_add_test(plain, test_regions);
	tcase_add_test(plain, test_operators_and_audit);
	tcase_add_test(plain, test_status);
	tcase_add_test(plain, test_buckets);
	tcase_add_test(plain, test_bucket_is_deleted_and_made_again);
	tcase_add_test(plain, test_no_delete_while_the_primary_is_away);
	tcase_add_test(plain, test_lost_answers);
	suite_add_tcase(s, plain);
	return suite_run(s);
}
