/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_maintain.c - bytes and rows in step: what is dead or an
 * orphan goes, what a row names stays, doctor finds each fault.
 */
#include "tests/unit/region_help.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/access_log.h"
#include "admin/maintain.h"
#include "base/clock.h"
#include "base/spool.h"
#include "s3/bucket_config.h"
#include "tests/unit/suite_help.h"

#define DAY 86400

static struct store *st;
static struct bucket bucket;
static struct maintain m;

static void
begin(void)
{
	static char dir[300];

	region_begin();
	snprintf(dir, sizeof(dir), "%s/store", scratch_dir(scratch));
	ck_assert(mkdir(dir, 0750) == 0 || errno == EEXIST);
	settings.store_engine = "file";
	settings.store_dir = dir;
	OK(store_open(&settings, &st, &err));
	bucket = new_bucket();
	m = (struct maintain){ .t = thread, .st = st };
}

static void
end(void)
{
	char command[400];

	store_close(st);
	snprintf(command, sizeof(command), "rm -rf '%s'", settings.store_dir);
	ck_assert_int_eq(system(command), 0);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM objects; TRUNCATE dead_blobs"));
	region_end();
}

/* A blob of `size` bytes that is `age_s` old. */
static struct uuid
blob(int64_t size, int64_t age_s)
{
	static const char zeros[10000];
	struct blob_writer *w;
	struct blob_id id;
	struct uuid u;
	struct timespec times[2];
	char path[400];

	OK(store_create(st, size, &w, &err));
	OK(blob_write(w, zeros, (size_t)size, &err));
	OK(blob_commit(w, &id, &err));
	times[0].tv_sec = times[1].tv_sec = (time_t)(clock_wall_us() / US_PER_S - age_s);
	times[0].tv_nsec = times[1].tv_nsec = 0;
	ck_assert(store_path(st, &id, path, sizeof(path)));
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	memcpy(&u, &id, sizeof(u));
	return u;
}

static void
put(const char *key, const struct uuid *id, int64_t size)
{
	struct object o = blob_object(key, id, size, "e");
	enum object_wrote wrote;
	struct object_placed placed;

	OK(meta_object_put(thread, arena, &bucket, &o, NULL, &wrote, &placed, &err));
	ck_assert_int_eq(wrote, OBJECT_WROTE);
}

static bool
is_there(const struct uuid *u)
{
	struct blob_reader *r;
	struct blob_id id;
	struct err e = { 0 };

	memcpy(&id, u, sizeof(id));
	if (store_open_blob(st, &id, &r, &e) != 0)
		return false;
	blob_close(r);
	return true;
}

START_TEST(test_dead_blobs_go_after_their_grace)
{
	struct uuid old = blob(10, DAY), live = blob(20, DAY);

	put("k", &old, 10);
	put("k", &live, 20);
	OK(maintain_dead_blobs(&m, 3600, &err));
	ck_assert(is_there(&old) && m.blobs_removed == 0);
	m.dry_run = true;
	OK(maintain_dead_blobs(&m, 0, &err));
	ck_assert(is_there(&old) && m.blobs_removed == 1);
	m.dry_run = false;
	m.blobs_removed = 0;
	OK(maintain_dead_blobs(&m, 0, &err));
	ck_assert(!is_there(&old) && is_there(&live) && m.blobs_removed == 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM dead_blobs"), 0);
	OK(maintain_dead_blobs(&m, 0, &err));
	ck_assert_int_eq(m.blobs_removed, 1);
}
END_TEST

START_TEST(test_dead_blobs_in_batches)
{
	struct uuid id;

	/* Most were removed before a crash that came before they were forgotten. */
	ck_assert(scratch_sql(scratch, "regional",
	    "INSERT INTO dead_blobs (bucket_id, blob_id, died_at) SELECT gen_random_uuid(), gen_random_uuid(),"
	    " now() - interval '2 days' FROM generate_series(1, 2500)"));
	id = blob(10, DAY);
	put("k", &id, 10);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM objects"));
	OK(maintain_dead_blobs(&m, 0, &err));
	ck_assert_int_eq(m.blobs_removed, 2501);
	ck_assert(!is_there(&id));
	ck_assert_int_eq(regional("SELECT count(*) FROM dead_blobs"), 0);
}
END_TEST

START_TEST(test_orphans)
{
	struct uuid orphan = blob(100, 2 * DAY), young = blob(1, 60), live = blob(5, 2 * DAY), dead = blob(7, 2 * DAY);
	struct uuid part = blob(9, 2 * DAY);
	char sql[400], id[UUID_TEXT_LEN + 1];

	put("k", &dead, 7);
	put("k", &live, 5);
	uuid_text(&part, id);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO parts (bucket_id, upload_id, part_no, size, mtime, etag, blob_id) VALUES (gen_random_uuid(),"
	    " gen_random_uuid(), 1, 9, now(), 'e', '%s')",
	    id);
	ck_assert(scratch_sql(scratch, "regional", sql));
	m.dry_run = true;
	OK(maintain_orphans(&m, 0, STORE_SHARDS, DAY, &err));
	ck_assert(is_there(&orphan) && m.blobs_removed == 1 && m.blobs_seen == 5);
	m = (struct maintain){ .t = thread, .st = st };
	OK(maintain_orphans(&m, 0, STORE_SHARDS, DAY, &err));
	ck_assert(!is_there(&orphan) && is_there(&young) && is_there(&live) && is_there(&dead) && is_there(&part));
	ck_assert_int_eq(m.blobs_removed, 1);
	ck_assert_int_eq(m.bytes_removed, 100);
	ck_assert_int_eq(maintain_orphans(&m, 0, STORE_SHARDS, 60, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert(scratch_sql(scratch, "regional", "DELETE FROM parts"));
}
END_TEST

/* The database of another store: nearly all that it has must stay. */
START_TEST(test_orphans_by_the_thousand_are_suspected)
{
	for (int i = 0; i < 1100; i++)
		(void)blob(1, 2 * DAY);
	ck_assert_int_eq(maintain_orphans(&m, 0, STORE_SHARDS, DAY, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_int_le(m.blobs_removed, 1000);
	err_clear(&err);
	m = (struct maintain){ .t = thread, .st = st, .force = true };
	OK(maintain_orphans(&m, 0, STORE_SHARDS, DAY, &err));
	m = (struct maintain){ .t = thread, .st = st };
	OK(maintain_orphans(&m, 0, STORE_SHARDS, DAY, &err));
	ck_assert_int_eq(m.blobs_seen, 0);
}
END_TEST

START_TEST(test_half_done_buckets)
{
	struct bucket b = new_bucket(), whole = new_bucket(), got;
	bool closed;

	OK(meta_fence_close(thread, arena, &b.id, &closed, &err)); /* and then the power went */
	m.dry_run = true;
	OK(maintain_buckets(&m, &err));
	ck_assert_int_eq(m.buckets_ended, 1);
	OK(registry_bucket_find(thread, arena, b.name, &got, &err));
	m = (struct maintain){ .t = thread, .st = st };
	OK(maintain_buckets(&m, &err));
	ck_assert_int_eq(m.buckets_ended, 1);
	ck_assert_int_eq(registry_bucket_find(thread, arena, b.name, &got, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	err_clear(&err);
	OK(registry_bucket_find(thread, arena, whole.name, &got, &err));
	m.buckets_ended = 0;
	OK(maintain_buckets(&m, &err));
	ck_assert_int_eq(m.buckets_ended, 0);
}
END_TEST

/* A global database from before a DeleteBucket: the bucket is back, and nobody could write to it. */
START_TEST(test_deleted_buckets_that_a_restore_brought_back)
{
	struct bucket b = new_bucket(), whole = new_bucket(), got;
	enum bucket_gone gone;
	char sql[256], row[UUID_TEXT_LEN + 1];

	m = (struct maintain){ .t = thread, .st = st };
	OK(registry_bucket_find(thread, arena, b.name, &got, &err));
	OK(meta_bucket_delete(thread, arena, &got, &gone, &err));
	ck_assert_int_eq(gone, BUCKET_GONE);
	uuid_text(&got.id, row);
	snprintf(sql, sizeof(sql), "INSERT INTO buckets (id, name, region, tenant_id) SELECT '%s', '%s', region, tenant_id FROM buckets WHERE name = '%s'",
	    row, b.name, whole.name);
	ck_assert(scratch_sql(scratch, "global", sql));
	OK(maintain_buckets(&m, &err));
	ck_assert_int_eq(m.buckets_ended, 1);
	ck_assert_int_eq(registry_bucket_find(thread, arena, b.name, &got, &err), -1);
	err_clear(&err);
	OK(registry_bucket_find(thread, arena, whole.name, &got, &err));
}
END_TEST

START_TEST(test_uploads_that_nobody_completed)
{
	struct object o = { .key = SPAN("k") }, part = { .size = 3, .etag = "a", .has_blob = true, .blob_id = blob(3, 0) };
	struct uuid old, young;
	enum upload_did did;
	int64_t mtime;

	OK(meta_upload_create(thread, arena, &bucket, &o, &old, &did, &err));
	OK(meta_upload_part(thread, arena, &bucket, o.key, &old, 1, &part, &mtime, &did, &err));
	ck_assert(scratch_sql(scratch, "regional", "UPDATE uploads SET started_at = now() - interval '7 days'"));
	OK(meta_upload_create(thread, arena, &bucket, &o, &young, &did, &err));
	OK(maintain_uploads(&m, 8 * DAY, &err));
	ck_assert_int_eq(m.uploads_aborted, 0);
	m.dry_run = true;
	OK(maintain_uploads(&m, 6 * DAY, &err));
	ck_assert_int_eq(m.uploads_aborted, 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM uploads"), 2);
	m.dry_run = false;
	m.uploads_aborted = 0;
	OK(maintain_uploads(&m, 6 * DAY, &err));
	ck_assert_int_eq(m.uploads_aborted, 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM uploads"), 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM parts"), 0);
	OK(maintain_dead_blobs(&m, 0, &err));
	ck_assert(m.blobs_removed == 1 && !is_there(&part.blob_id));
}
END_TEST

struct found {
	int n[3];
	struct uuid last[3];
	char key[3][20];
	int64_t file_size[3];
};

static int
note(const struct blob_finding *f, void *arg)
{
	struct found *to = arg;

	to->n[f->fault]++;
	memcpy(&to->last[f->fault], &f->id, UUID_LEN);
	to->file_size[f->fault] = f->file_size;
	if (f->row != NULL)
		snprintf(to->key[f->fault], sizeof(to->key[0]), "%.*s", (int)f->row->key.len, f->row->key.p);
	return 0;
}

static int
stop(const struct blob_finding *f, void *arg)
{
	(void)f, (void)arg;
	return 42;
}

START_TEST(test_doctor)
{
	struct uuid good = blob(10, 2 * DAY), wrong = blob(11, 2 * DAY), orphan = blob(12, 2 * DAY), young = blob(13, 0);
	struct uuid missing, dead = blob(14, 2 * DAY);
	struct found found = { 0 };

	(void)young;
	uuid_random(&missing);
	put("dead", &dead, 14);
	put("dead", &good, 10);
	put("wrong", &wrong, 99);
	put("missing", &missing, 5);
	OK(maintain_check(&m, 0, STORE_SHARDS, DAY, note, &found, &err));
	ck_assert_int_eq(found.n[BLOB_MISSING], 1);
	ck_assert_int_eq(found.n[BLOB_WRONG_SIZE], 1);
	ck_assert_int_eq(found.n[BLOB_ORPHAN], 1);
	ck_assert_mem_eq(&found.last[BLOB_MISSING], &missing, UUID_LEN);
	ck_assert_mem_eq(&found.last[BLOB_WRONG_SIZE], &wrong, UUID_LEN);
	ck_assert_mem_eq(&found.last[BLOB_ORPHAN], &orphan, UUID_LEN);
	ck_assert_str_eq(found.key[BLOB_MISSING], "missing");
	ck_assert_str_eq(found.key[BLOB_WRONG_SIZE], "wrong");
	ck_assert_int_eq(found.file_size[BLOB_WRONG_SIZE], 11);
	ck_assert_int_eq(found.file_size[BLOB_MISSING], -1);
	ck_assert_int_eq(m.rows_seen, 3);
	ck_assert_int_eq(m.blobs_seen, 5);
	ck_assert_int_eq(maintain_check(&m, 0, STORE_SHARDS, DAY, stop, NULL, &err), 42);
}
END_TEST

/* More rows and files in one shard than a batch holds. */
START_TEST(test_doctor_in_batches)
{
	struct found found = { 0 };
	char sql[500], id[UUID_TEXT_LEN + 1];

	uuid_text(&bucket.id, id);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO objects (bucket_id, key, size, mtime, etag, blob_id) SELECT '%s', 'k' || i, 1, now(), 'e',"
	    " ('ffff0000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid FROM generate_series(1, 2345) i;"
	    "UPDATE objects SET blob_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE key = 'k2345'; TRUNCATE dead_blobs",
	    id);
	ck_assert(scratch_sql(scratch, "regional", sql));
	OK(maintain_check(&m, 4000, STORE_SHARDS, DAY, note, &found, &err));
	ck_assert_int_eq(found.n[BLOB_MISSING], 2345);
	ck_assert_int_eq(m.rows_seen, 2345);
}
END_TEST

/* ---- access logs ---- */

#define PIECE 65536
#define LINE "0123456789abcde\n"

static void
set_config(enum config_kind kind, const char *doc)
{
	enum config_done done;

	OK(meta_bucket_set_config(thread, arena, &bucket.id, config_kind_name(kind), doc, &done, &err));
}

static void
log_to_with(const char *prefix, const char *more)
{
	set_config(CONFIG_KIND_LOGGING, arena_printf(arena, "<BucketLoggingStatus><LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix>%s</TargetPrefix>"
	    "%s</LoggingEnabled></BucketLoggingStatus>", bucket.name, prefix, more));
}

/* The bucket logs to itself; NULL: no more. */
static void
log_to(const char *prefix)
{
	if (prefix == NULL)
		set_config(CONFIG_KIND_LOGGING, NULL);
	else
		log_to_with(prefix, "");
}

/* So many pieces of lines into the spool, as of one day. */
static const char *
spool(int pieces, const char *stamp)
{
	char piece[PIECE], id[UUID_TEXT_LEN + 1];
	const char *dir = arena_printf(arena, "%s/access-log", settings.store_dir), *name;

	uuid_text(&bucket.id, id);
	name = arena_printf(arena, "%s,%s,20260101", bucket.name, id);
	for (size_t i = 0; i < PIECE; i += sizeof(LINE) - 1)
		memcpy(piece + i, LINE, sizeof(LINE) - 1);
	for (int i = 0; i < pieces; i++)
		OK(spool_append(dir, name, piece, PIECE, INT64_MAX, &err));
	if (stamp != NULL)
		ck_assert_int_eq(spool_take(dir, name, stamp, &err), 1);
	return arena_printf(arena, "%s/%s-%016x.log", dir, name, 1);
}

START_TEST(test_access_logs)
{
	int pieces = 257; /* 16 MiB and a piece more: two objects */

	log_to("a/");
	(void)spool(pieces, NULL);
	m.dry_run = true;
	OK(maintain_access_log(&m, 1, &err));
	ck_assert_int_eq(m.logs_delivered, 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM objects"), 0);
	m.dry_run = false;
	m.logs_delivered = 0;
	OK(maintain_access_log(&m, 1, &err));
	ck_assert_int_eq(m.logs_delivered, 2);
	ck_assert_int_eq(regional("SELECT count(*) FROM objects WHERE key LIKE 'a/1970-01-01-00-00-00-%' AND size % 16 = 0"), 2);
	ck_assert_int_eq(regional("SELECT sum(size) FROM objects"), (int64_t)pieces * PIECE);
	OK(maintain_access_log(&m, 2, &err));
	ck_assert_int_eq(m.logs_delivered, 2);
}
END_TEST

START_TEST(test_access_logs_after_a_crash)
{
	const char *path;

	log_to("b/");
	/* What was delivered and not removed is delivered again, as the same object. */
	for (int i = 0; i < 2; i++) {
		path = spool(1, "0000000000000001");
		OK(maintain_access_log(&m, 5, &err));
		ck_assert(access(path, F_OK) != 0);
	}
	ck_assert_int_eq(m.logs_delivered, 2);
	ck_assert_int_eq(regional("SELECT count(*) FROM objects"), 1);
	/* Nobody wants them any more. */
	log_to(NULL);
	path = spool(1, "0000000000000001");
	OK(maintain_access_log(&m, 5, &err));
	ck_assert(access(path, F_OK) != 0);
	ck_assert_int_eq(m.logs_dropped, 1);
	ck_assert_int_eq(regional("SELECT count(*) FROM objects"), 1);
}
END_TEST

/* Who is granted the objects, as the target's other documents are at the delivery. */
START_TEST(test_access_logs_granted)
{
	static const char grants[] = "<TargetGrants><Grant><Grantee><ID>them</ID></Grantee><Permission>READ</Permission></Grant><Grant><Grantee>"
	    "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></TargetGrants>";
	static const char them[] = "<ID>them</ID></Grantee><Permission>READ<", everybody[] = "AllUsers</URI></Grantee><Permission>READ<";
	static const struct {
		const char *prefix, *ownership, *block;
		bool them, everybody;
	} rows[] = {
		{ "enforced/", NULL, NULL, false, false },
		{ "both/", S3_OWNERSHIP_NONE, NULL, true, true },
		{ "not-all/", S3_OWNERSHIP_NONE, "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
		    true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_config(CONFIG_KIND_OWNERSHIP, rows[i].ownership);
		set_config(CONFIG_KIND_PUBLIC_ACCESS_BLOCK, rows[i].block);
		log_to_with(rows[i].prefix, grants);
		(void)spool(1, NULL);
		OK(maintain_access_log(&m, 1, &err));
		ck_assert_int_eq(regional(arena_printf(arena, "SELECT count(*) FROM objects WHERE key LIKE '%s%%'"
		    " AND coalesce(acl, '') LIKE '%%%s%%' = %s AND coalesce(acl, '') LIKE '%%%s%%' = %s"
		    " AND coalesce(acl, '<ID>%s</ID><Permission>FULL_CONTROL<') LIKE '%%<ID>%s</ID>%%<Permission>FULL_CONTROL<%%'",
		    rows[i].prefix, them, rows[i].them ? "true" : "false", everybody, rows[i].everybody ? "true" : "false", bucket.owner_id,
		    bucket.owner_id)), 1);
	}
	ck_assert_int_eq(m.logs_delivered, 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("maintain");
	TCase *tc = tcase_create("maintain");

	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_dead_blobs_go_after_their_grace);
	tcase_add_test(tc, test_dead_blobs_in_batches);
	tcase_add_test(tc, test_orphans);
	tcase_add_test(tc, test_orphans_by_the_thousand_are_suspected);
	tcase_add_test(tc, test_half_done_buckets);
	tcase_add_test(tc, test_deleted_buckets_that_a_restore_brought_back);
	tcase_add_test(tc, test_uploads_that_nobody_completed);
	tcase_add_test(tc, test_doctor);
	tcase_add_test(tc, test_doctor_in_batches);
	tcase_add_test(tc, test_access_logs);
	tcase_add_test(tc, test_access_logs_after_a_crash);
	tcase_add_test(tc, test_access_logs_granted);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
