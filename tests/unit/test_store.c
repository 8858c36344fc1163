/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_store.c - store/: every promise of engine.h, for the file
 * engine: what is committed is there and whole; what fails, is aborted or dies
 * leaves nothing under an id, and nothing at all once it was swept.
 */
#include "store/engine_file.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/crypto.h"
#include "tests/unit/suite_help.h"

static char dir[256];
static struct settings settings;
static struct store *st;
static struct err err;

static void
store_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/anvil-store.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	settings.store_engine = "file";
	settings.store_dir = dir;
	err_clear(&err);
	ck_assert_msg(store_open(&settings, &st, &err) == 0, "%s", err.detail);
}

static void
store_end(void)
{
	char command[300];

	store_close(st);
	st = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* Bytes that depend on their place and on a seed, so that a mix-up shows. */
static void
fill(uint8_t *p, size_t len, int64_t offset, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t x = (uint64_t)offset + i + seed * UINT64_C(7919);

		p[i] = (uint8_t)(x ^ x >> 8 ^ x >> 16);
	}
}

/* Writes `size` bytes in pieces of `piece`; 0 or -1 with err set. */
static int
put(struct store *s, int64_t size, size_t piece, unsigned seed, struct blob_id *id, struct err *e)
{
	static __thread uint8_t buf[300000];
	struct blob_writer *w;

	ck_assert(piece <= sizeof(buf));
	if (store_create(s, size, &w, e) != 0)
		return -1;
	for (int64_t at = 0; at < size; at += (int64_t)piece) {
		size_t n = size - at < (int64_t)piece ? (size_t)(size - at) : piece;

		fill(buf, n, at, seed);
		if (blob_write(w, buf, n, e) != 0) {
			blob_abort(w);
			return -1;
		}
	}
	return blob_commit(w, id, e);
}

static bool
is_whole(struct store *s, const struct blob_id *id, int64_t size, unsigned seed)
{
	static __thread uint8_t got[70001], want[70001];
	struct blob_reader *r;
	struct err e = { 0 };
	int64_t at = 0;
	size_t n;

	if (store_open_blob(s, id, &r, &e) != 0)
		return false;
	if (blob_size(r) != size)
		at = -1;
	while (at >= 0 && at < size) {
		if (blob_read(r, at, got, sizeof(got), &n, &e) != 0 || n == 0) {
			at = -1;
			break;
		}
		fill(want, n, at, seed);
		if (memcmp(got, want, n) != 0)
			at = -1;
		else
			at += (int64_t)n;
	}
	blob_close(r);
	return at == size;
}

struct seen {
	int64_t blobs, bytes;
	struct blob_id last;
};
static int
note(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg)
{
	struct seen *s = arg;

	(void)mtime_us;
	s->blobs++;
	s->bytes += size;
	s->last = *id;
	return 0;
}

static struct seen
all_blobs(struct store *s)
{
	struct seen seen = { 0 };
	struct err e = { 0 };

	for (unsigned shard = 0; shard < STORE_SHARDS; shard++)
		ck_assert_int_eq(store_each(s, shard, note, &seen, &e), 0);
	return seen;
}

static int
count_tmp(const char *of)
{
	char path[300];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/tmp", of);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

START_TEST(test_put_get)
{
	static const struct {
		int64_t size;
		size_t piece;
	} row[] = { { 0, 1 }, { 1, 1 }, { 4096, 100 }, { 131072, 131072 }, { 131073, 65536 }, { 262144, 3 },
		{ 1000000, 300000 }, { 20000000, 131071 } };
	struct blob_id id;

	ck_assert_msg(put(st, row[_i].size, row[_i].piece, (unsigned)_i, &id, &err) == 0, "%s", err.detail);
	ck_assert(is_whole(st, &id, row[_i].size, (unsigned)_i));
	ck_assert_int_eq(count_tmp(dir), 0);
}
END_TEST

START_TEST(test_read_at)
{
	struct blob_reader *r;
	struct blob_id id;
	uint8_t got[16], want[16];
	size_t n;

	ck_assert_int_eq(put(st, 100, 100, 5, &id, &err), 0);
	ck_assert_int_eq(store_open_blob(st, &id, &r, &err), 0);
	fill(want, 16, 90, 5);
	ck_assert_int_eq(blob_read(r, 90, got, 16, &n, &err), 0);
	ck_assert_uint_eq(n, 10);
	ck_assert_mem_eq(got, want, 10);
	ck_assert_int_eq(blob_read(r, 100, got, 16, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(blob_read(r, -1, got, 16, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	/* Removed under a reader: it reads on. */
	ck_assert_int_eq(store_remove(st, &id, &err), 0);
	ck_assert_int_eq(blob_read(r, 0, got, 16, &n, &err), 0);
	ck_assert_uint_eq(n, 16);
	blob_close(r);
	blob_close(NULL);
	ck_assert_int_eq(store_open_blob(st, &id, &r, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	err_clear(&err);
	ck_assert_int_eq(store_remove(st, &id, &err), 0);
}
END_TEST

START_TEST(test_abort_leaves_nothing)
{
	struct blob_writer *w;
	uint8_t buf[200000];

	fill(buf, sizeof(buf), 0, 1);
	for (size_t len = 0; len <= sizeof(buf); len += 50000) {
		ck_assert_int_eq(store_create(st, -1, &w, &err), 0);
		ck_assert_int_eq(blob_write(w, buf, len, &err), 0);
		blob_abort(w);
	}
	blob_abort(NULL);
	ck_assert_int_eq(count_tmp(dir), 0);
	ck_assert_int_eq(all_blobs(st).blobs, 0);
}
END_TEST

START_TEST(test_modes_and_path)
{
	mode_t old = umask(077);
	struct blob_id id;
	struct stat sb;
	char path[400];

	ck_assert_int_eq(chmod(dir, 02750), 0);
	store_close(st);
	ck_assert_int_eq(store_open(&settings, &st, &err), 0);
	ck_assert_int_eq(put(st, 10, 10, 1, &id, &err), 0);
	umask(old);
	ck_assert(store_path(st, &id, path, sizeof(path)));
	ck_assert_uint_eq(store_path_prefix(st), strlen(dir) + 1);
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 07777, 0640);
	ck_assert_int_eq(sb.st_size, 10);
	path[strlen(path) - 33] = '\0';
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 07777, 02750);
	ck_assert(!store_path(st, &id, path, 20));
}
END_TEST

START_TEST(test_open_refuses)
{
	struct settings s = settings;
	char path[300];
	struct store *other;

	s.store_dir = "relative";
	ck_assert_int_eq(store_open(&s, &other, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	err_clear(&err);
	snprintf(path, sizeof(path), "%s/not/there", dir);
	s.store_dir = path;
	ck_assert_int_eq(store_open(&s, &other, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.detail, "cannot be opened"));
	err_clear(&err);
	s = settings;
	s.store_engine = "tape";
	ck_assert_int_eq(store_open(&s, &other, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.detail, "tape"));
}
END_TEST

/* Root may write anywhere, so somebody else tries. */
START_TEST(test_open_not_writable)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(dir, 0755), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = { 0 };
		struct store *other;

		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		_exit(store_open(&settings, &other, &e) == -1 && strstr(e.detail, "its folder tmp") != NULL ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(test_each_and_shards)
{
	struct blob_id id, first, last;
	struct seen seen;
	char path[400];
	FILE *f;

	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(put(st, i, 300000, 1, &id, &err), 0);
	seen = all_blobs(st);
	ck_assert_int_eq(seen.blobs, 200);
	ck_assert_int_eq(seen.bytes, 199 * 200 / 2);
	/* What is not ours is passed over. */
	ck_assert(store_path(st, &id, path, sizeof(path)));
	memcpy(path + strlen(path) - 4, "junk", 4);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(all_blobs(st).blobs, 200);
	store_shard_range(0xabc, &first, &last);
	ck_assert_uint_eq(first.b[0], 0xab);
	ck_assert_uint_eq(first.b[1], 0xc0);
	ck_assert_uint_eq(last.b[1], 0xcf);
	ck_assert_uint_eq(last.b[15], 0xff);
	/* Each id is seen in the shard that its range says. */
	for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
		memset(&seen, 0, sizeof(seen));
		ck_assert_int_eq(store_each(st, shard, note, &seen, &err), 0);
		store_shard_range(shard, &first, &last);
		if (seen.blobs > 0)
			ck_assert(memcmp(&seen.last, &first, 16) >= 0 && memcmp(&seen.last, &last, 16) <= 0);
	}
}
END_TEST

static int
stop_at_3(const struct blob_id *id, int64_t size, int64_t mtime_us, void *arg)
{
	(void)id, (void)size, (void)mtime_us;
	return ++*(int *)arg == 3 ? 7 : 0;
}

START_TEST(test_each_stops)
{
	struct blob_id id;
	int n = 0, rc = 0;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(put(st, 1, 1, 1, &id, &err), 0);
	for (unsigned shard = 0; shard < STORE_SHARDS && rc == 0; shard++)
		rc = store_each(st, shard, stop_at_3, &n, &err);
	ck_assert_int_eq(rc, 7);
	ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(test_sweep)
{
	struct blob_writer *w;
	struct blob_id id;
	int64_t removed;
	char path[300];
	FILE *f;

	ck_assert_int_eq(store_create(st, -1, &w, &err), 0);
	ck_assert_int_eq(blob_write(w, "abc", 3, &err), 0);
	snprintf(path, sizeof(path), "%s/tmp/0123456789abcdef0123456789abcdef", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(store_sweep(st, 3600, &removed, &err), 0);
	ck_assert_int_eq(removed, 0); /* too young */
	ck_assert_int_eq(store_sweep(st, 0, &removed, &err), 0);
	ck_assert_int_eq(removed, 1); /* the living writer's is kept */
	ck_assert_int_eq(count_tmp(dir), 1);
	ck_assert_int_eq(blob_commit(w, &id, &err), 0);
	ck_assert_int_eq(store_sweep(st, 0, &removed, &err), 0);
	ck_assert_int_eq(removed, 0);
	ck_assert_int_eq(all_blobs(st).blobs, 1);
}
END_TEST

/* ---- a process that dies between any two steps ---- */

static int die_at;

static void
die(enum file_step s)
{
	if ((int)s == die_at)
		kill(getpid(), SIGKILL);
}

START_TEST(test_killed_at_step)
{
	struct blob_id id = { { 0 } };
	struct seen seen;
	int64_t removed;
	int status;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = { 0 };

		die_at = _i;
		file_step_for_tests(die);
		(void)!put(st, 300000, 100000, 3, &id, &e);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	seen = all_blobs(st);
	/* Nothing, or an orphan that is whole. */
	ck_assert_int_eq(seen.blobs, _i < FILE_RENAMED ? 0 : 1);
	if (seen.blobs > 0)
		ck_assert(is_whole(st, &seen.last, 300000, 3));
	ck_assert_int_eq(store_sweep(st, 0, &removed, &err), 0);
	ck_assert_int_eq(removed, _i < FILE_RENAMED ? 1 : 0);
	ck_assert_int_eq(count_tmp(dir), 0);
	/* The store goes on, also where a folder was made but not synced. */
	ck_assert_int_eq(put(st, 300000, 100000, 4, &id, &err), 0);
	ck_assert(is_whole(st, &id, 300000, 4));
}
END_TEST

/* ---- no space ---- */

/* A limit on a file's size stands for a full disk where we cannot mount one. */
START_TEST(test_file_limit)
{
	struct rlimit old, small = { 200000, 200000 };
	struct blob_id id;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(put(st, 1000000, 100000, 1, &id, &err), -1);
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	err_clear(&err);
	ck_assert_int_eq(put(st, 200001, 100, 1, &id, &err), -1); /* found by commit's flush */
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	err_clear(&err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(count_tmp(dir), 0);
	ck_assert_int_eq(all_blobs(st).blobs, 0);
	ck_assert_int_eq(put(st, 1000000, 100000, 1, &id, &err), 0);
}
END_TEST

START_TEST(test_disk_full)
{
	char mount_dir[300];
	struct settings s = settings;
	struct store *full;
	struct blob_id id[100];
	struct blob_writer *w;
	uint8_t buf[4096];
	int64_t free_bytes, total;
	int n = 0;

	snprintf(mount_dir, sizeof(mount_dir), "%s/full", dir);
	ck_assert_int_eq(mkdir(mount_dir, 0750), 0);
	if (geteuid() != 0 || mount("tmpfs", mount_dir, "tmpfs", 0, "size=3m") != 0)
		return; /* test_file_limit has the same paths but for folders */
	s.store_dir = mount_dir;
	ck_assert_int_eq(store_open(&s, &full, &err), 0);
	/* An announced size that cannot fit is refused before a byte is taken. */
	ck_assert_int_eq(store_create(full, 10000000, &w, &err), -1);
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	err_clear(&err);
	while (n < 100 && put(full, 100000, 5000, (unsigned)n, &id[n], &err) == 0)
		n++;
	ck_assert_int_gt(n, 20);
	ck_assert_int_lt(n, 40);
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	err_clear(&err);
	/* Nothing was announced: the disk itself says so. */
	memset(buf, 'x', sizeof(buf));
	ck_assert_int_eq(store_create(full, -1, &w, &err), 0);
	for (int i = 0; i < 1000; i++)
		if (blob_write(w, buf, sizeof(buf), &err) != 0)
			break;
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	blob_abort(w);
	err_clear(&err);
	ck_assert_int_eq(count_tmp(mount_dir), 0);
	ck_assert_int_eq(all_blobs(full).blobs, n);
	for (int i = 0; i < n; i++)
		ck_assert(is_whole(full, &id[i], 100000, (unsigned)i));
	ck_assert_int_eq(store_remove(full, &id[0], &err), 0);
	ck_assert_int_eq(put(full, 90000, 5000, 1, &id[0], &err), 0);
	ck_assert_int_eq(store_space(full, &free_bytes, &total, &err), 0);
	ck_assert_int_eq(total, 3 * 1024 * 1024);
	ck_assert_int_lt(free_bytes, total);
	store_close(full);
	ck_assert_int_eq(umount(mount_dir), 0);
}
END_TEST

START_TEST(test_other_filesystem)
{
	struct settings s = settings;
	struct store *other;
	char path[300];

	snprintf(path, sizeof(path), "%s/tmp", dir);
	if (geteuid() != 0 || mount("tmpfs", path, "tmpfs", 0, "size=1m") != 0)
		return;
	ck_assert_int_eq(store_open(&s, &other, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.detail, "another filesystem"));
	ck_assert_int_eq(umount(path), 0);
}
END_TEST

/* ---- many at once ---- */

#define WRITERS 16
#define EACH 40
/* NULL when all went well. */
static void *
write_many(void *arg)
{
	struct blob_id id[EACH];
	struct err e = { 0 };
	unsigned me = *(unsigned *)arg;

	for (unsigned i = 0; i < EACH; i++)
		if (put(st, 1000 + i * 997, 700, me * 1000 + i, &id[i], &e) != 0)
			return arg;
	for (unsigned i = 0; i < EACH; i++)
		if (!is_whole(st, &id[i], 1000 + i * 997, me * 1000 + i))
			return arg;
	return NULL;
}

START_TEST(test_concurrent_writers)
{
	pthread_t th[WRITERS];
	unsigned me[WRITERS];
	void *what;

	for (unsigned i = 0; i < WRITERS; i++) {
		me[i] = i;
		ck_assert_int_eq(pthread_create(&th[i], NULL, write_many, &me[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		ck_assert_int_eq(pthread_join(th[i], &what), 0);
		ck_assert_ptr_null(what);
	}
	ck_assert_int_eq(all_blobs(st).blobs, WRITERS * EACH);
	ck_assert_int_eq(count_tmp(dir), 0);
}
END_TEST

/* Two processes on one folder: neither disturbs the other, nor does a sweep. */
START_TEST(test_two_processes)
{
	struct store *mine;
	struct blob_id id;
	int64_t removed;
	int status;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = { 0 };

		if (store_open(&settings, &mine, &e) != 0)
			_exit(2);
		for (unsigned i = 0; i < 100; i++)
			if (put(mine, 5000, 700, i, &id, &e) != 0 || !is_whole(mine, &id, 5000, i))
				_exit(3);
		_exit(0);
	}
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_int_eq(put(st, 5000, 700, i, &id, &err), 0);
		ck_assert_int_eq(store_sweep(st, 1, &removed, &err), 0);
		ck_assert_int_eq(removed, 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(all_blobs(st).blobs, 200);
}
END_TEST

/* Two blobs of one file: each whole, each removed alone, and neither old to who looks for orphans. */
START_TEST(test_link)
{
	const struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	struct blob_id a, b, c, none = { { 0 } };
	struct stat sb;
	char path[300];

	ck_assert_int_eq(put(st, 300000, 100000, 1, &a, &err), 0);
	ck_assert(store_path(st, &a, path, sizeof(path)));
	ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
	ck_assert_msg(store_link(st, &a, &b, &err) == 1, "%s", err.detail);
	ck_assert(memcmp(&a, &b, sizeof(a)) != 0);
	ck_assert(store_path(st, &b, path, sizeof(path)));
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert(sb.st_nlink == 2 && sb.st_size == 300000 && sb.st_mtime > 1000000000);
	ck_assert_int_eq(store_link(st, &b, &c, &err), 1);
	ck_assert_int_eq(store_remove(st, &a, &err), 0);
	ck_assert_int_eq(store_remove(st, &c, &err), 0);
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert(sb.st_nlink == 1 && sb.st_size == 300000);
	ck_assert_int_eq(store_link(st, &none, &c, &err), -1);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, store_begin, store_end);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_put_get, 0, 8);
	tcase_add_test(tc, test_read_at);
	tcase_add_test(tc, test_abort_leaves_nothing);
	tcase_add_test(tc, test_link);
	tcase_add_test(tc, test_modes_and_path);
	tcase_add_test(tc, test_open_refuses);
	tcase_add_test(tc, test_open_not_writable);
	tcase_add_test(tc, test_each_and_shards);
	tcase_add_test(tc, test_each_stops);
	tcase_add_test(tc, test_sweep);
	tcase_add_loop_test(tc, test_killed_at_step, 0, FILE_STEPS);
	tcase_add_test(tc, test_file_limit);
	tcase_add_test(tc, test_disk_full);
	tcase_add_test(tc, test_other_filesystem);
	tcase_add_test(tc, test_concurrent_writers);
	tcase_add_test(tc, test_two_processes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
