/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/engine_file.c - blobs as files below store_dir.
 *
 *   store_dir/3fa/3fa9...e1   a blob: 32 hexadecimal digits in the folder of
 *                             their first three, 4,096 folders made when needed
 *   store_dir/tmp/3fa9...e1   one that is being written, locked by its writer
 *
 * A blob is written in tmp/, synced, renamed into its folder, and the folder
 * is synced; a folder counts as made once store_dir was synced after it was
 * there. So whatever a name outside tmp/ leads to is whole, and what commit
 * gave an id for outlives a power cut. Syncing file and folder in the other
 * order was measured to gain nothing.
 *
 * Modes are 0640 and 0750 whatever the umask, so that a web server in the
 * group of store_dir (with its setgid bit) can send the files itself.
 *
 * Owns:      its memory, in one arena that grows to as many writers and
 *            readers as there ever were at once.
 * Blocks:    on the disk.
 * Threads:   the lock guards arena and free lists; folders_ready is atomic.
 */
#include "store/engine_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/metrics.h"
#include "base/parse.h"

#define WRITE_BUFFER ((size_t)128 * 1024)
#define EARLY_SYNC_BYTES ((int64_t)8 * 1024 * 1024) /* then the disk begins to write, so that fsync finds little left */
#define ARENA_CAP ((size_t)1024 * 1024 * 1024)
#define NAME_LEN (2 * BLOB_ID_LEN)
#define FOLDER_LEN 3
#define FOLDER_NAME(name) ((char[FOLDER_LEN + 1]){ (name)[0], (name)[1], (name)[2], 0 })
#define FILE_MODE 0640
#define FOLDER_MODE 0750
#define TMP "tmp"

struct file_store {
	struct store base;
	const char *dir;
	int dir_fd, tmp_fd;
	mode_t folder_mode; /* with store_dir's setgid bit */
	uid_t uid;          /* store_dir's: what root makes (anvil-admin maintain) is for workers that are not */
	gid_t gid;
	_Atomic uint8_t folders_ready[STORE_SHARDS]; /* durable as seen by this process */
	pthread_mutex_t lock;
	struct arena *arena;
	struct file_writer *free_writers;
	struct file_reader *free_readers;
};

struct file_writer {
	struct blob_writer base;
	struct file_store *st;
	struct file_writer *next;
	struct blob_id id;
	char name[NAME_LEN + 1];
	int fd;
	bool failed;
	size_t buffered;
	int64_t written;     /* handed to the kernel */
	int64_t early_synced;
	char *buf;
};

struct file_reader {
	struct blob_reader base;
	struct file_store *st;
	struct file_reader *next;
	int fd;
};

static void (*step_fn)(enum file_step step);

void
file_step_for_tests(void (*fn)(enum file_step step))
{
	step_fn = fn;
}

static void
step(enum file_step s)
{
	if (step_fn != NULL)
		step_fn(s);
}

/* What an errno of the file system means. */
static int
kind_of(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_NO_SPACE;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

/* The failure of a call, with errno's text. What is lost within our own folder is no "not found" of the caller's. */
static int
fail_io(struct err *err, const char *what, const char *dir, const char *name)
{
	int e = errno;
	int kind = kind_of(e);
	char text[128];

	if (kind == ERR_NOT_FOUND)
		kind = ERR_INTERNAL;
	return FAIL(err, kind, "could not %s \"%s/%s\": %s", what, dir, name, strerror_r(e, text, sizeof(text)));
}

/* ---- opening and closing the store ---- */

static int
check_writable(struct file_store *st, struct err *err)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "check.%ld", (long)getpid());
	fd = openat(st->tmp_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return FAIL(err, ERR_INVALID, "store_dir \"%s\": cannot write in its folder tmp as user %ld: errno=%d",
		    st->dir, (long)geteuid(), errno);
	close(fd);
	unlinkat(st->tmp_fd, name, 0);
	return 0;
}

/* Folders that are there now are durable once store_dir is synced. */
static int
note_folders(struct file_store *st, struct err *err)
{
	uint8_t there[STORE_SHARDS] = { 0 };
	struct dirent *e;
	uint64_t shard;
	int fd = openat(st->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return fail_io(err, "read", st->dir, ".");
	}
	while ((e = readdir(d)) != NULL)
		if (strlen(e->d_name) == FOLDER_LEN && strcmp(e->d_name, TMP) != 0 &&
		    parse_hex_u64(span_of(e->d_name), &shard))
			there[shard] = 1;
	closedir(d);
	if (fsync(st->dir_fd) != 0)
		return fail_io(err, "sync", st->dir, ".");
	for (size_t i = 0; i < STORE_SHARDS; i++)
		atomic_store(&st->folders_ready[i], there[i]);
	return 0;
}

static int
give_away(const struct file_store *st, int fd)
{
	return geteuid() != 0 || st->uid == 0 ? 0 : fchown(fd, st->uid, st->gid);
}

static int
check_dir(struct file_store *st, struct err *err)
{
	struct stat dir, tmp;

	if (st->dir_fd < 0 || fstat(st->dir_fd, &dir) != 0)
		return FAIL(err, ERR_INVALID, "store_dir \"%s\" cannot be opened (errno=%d): make the folder and give it to "
		    "the user that runs the workers", st->dir, errno);
	st->folder_mode = FOLDER_MODE | (dir.st_mode & S_ISGID);
	st->uid = dir.st_uid;
	st->gid = dir.st_gid;
	if (mkdirat(st->dir_fd, TMP, st->folder_mode) != 0 && errno != EEXIST)
		return FAIL(err, ERR_INVALID, "store_dir \"%s\": cannot make its folder tmp as user %ld: errno=%d", st->dir,
		    (long)geteuid(), errno);
	st->tmp_fd = openat(st->dir_fd, TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->tmp_fd < 0 || fstat(st->tmp_fd, &tmp) != 0)
		return FAIL(err, ERR_INVALID, "store_dir \"%s\": cannot open its folder tmp: errno=%d", st->dir, errno);
	if (tmp.st_dev != dir.st_dev)
		return FAIL(err, ERR_INVALID, "store_dir \"%s\": its folder tmp is on another filesystem; blobs are renamed "
		    "out of it, so both must be on one", st->dir);
	return check_writable(st, err);
}

static void
file_close(struct store *base)
{
	struct file_store *st = (struct file_store *)base;
	struct arena *arena = st->arena;

	if (st->tmp_fd >= 0)
		close(st->tmp_fd);
	if (st->dir_fd >= 0)
		close(st->dir_fd);
	pthread_mutex_destroy(&st->lock);
	arena_free(arena);
}

static int
file_open(const struct settings *s, struct store **out, struct err *err)
{
	struct arena *arena;
	struct file_store *st;

	if (s->store_dir == NULL || s->store_dir[0] != '/')
		return FAIL(err, ERR_INVALID, "store_dir \"%s\" is no absolute path", s->store_dir == NULL ? "" : s->store_dir);
	arena = arena_new(ARENA_CAP);
	st = ARENA_NEW(arena, struct file_store);
	ASSERT(st != NULL);
	st->base.ops = &store_engine_file;
	st->arena = arena;
	st->dir = arena_strdup(arena, s->store_dir);
	st->tmp_fd = -1;
	pthread_mutex_init(&st->lock, NULL);
	st->dir_fd = open(st->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (check_dir(st, err) != 0 || note_folders(st, err) != 0) {
		file_close(&st->base);
		return -1;
	}
	*out = &st->base;
	return 0;
}

/* ---- writing ---- */

static struct file_writer *
writer_new(struct file_store *st)
{
	struct file_writer *w;

	pthread_mutex_lock(&st->lock);
	w = st->free_writers;
	if (w != NULL) {
		st->free_writers = w->next;
	} else {
		w = ARENA_NEW(st->arena, struct file_writer);
		if (w != NULL && (w->buf = arena_alloc(st->arena, WRITE_BUFFER)) == NULL)
			w = NULL;
	}
	pthread_mutex_unlock(&st->lock);
	if (w == NULL)
		return NULL;
	w->base.ops = &store_engine_file;
	w->st = st;
	w->fd = -1;
	w->failed = false;
	w->buffered = 0;
	w->written = w->early_synced = 0;
	return w;
}

/* Closes the file, which gives up its lock, and keeps the writer for the next. */
static int
writer_done(struct file_writer *w)
{
	struct file_store *st = w->st;
	int rc = w->fd < 0 ? 0 : close(w->fd);

	pthread_mutex_lock(&st->lock);
	w->next = st->free_writers;
	st->free_writers = w;
	pthread_mutex_unlock(&st->lock);
	return rc;
}

static void
file_abort(struct blob_writer *base)
{
	struct file_writer *w = (struct file_writer *)base;

	unlinkat(w->st->tmp_fd, w->name, 0);
	(void)writer_done(w);
}

/* Is there room for it, as far as can be told now? */
static int
ask_room(struct file_store *st, int64_t size, struct err *err)
{
	int64_t free_bytes, total;

	if (store_space(&st->base, &free_bytes, &total, err) != 0)
		return -1;
	if (size > free_bytes)
		return FAIL(err, ERR_NO_SPACE, "store_dir \"%s\" has %" PRId64 " bytes free, %" PRId64 " are needed", st->dir,
		    free_bytes, size);
	return 0;
}

static int
file_create(struct store *base, int64_t size_hint, struct blob_writer **out, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	struct file_writer *w;

	if (size_hint > 0 && ask_room(st, size_hint, err) != 0)
		return -1;
	w = writer_new(st);
	if (w == NULL)
		return FAIL(err, ERR_LIMIT, "too many blobs are being written at once");
	crypto_random(&w->id, sizeof(w->id));
	hex_encode(&w->id, sizeof(w->id), w->name);
	w->fd = openat(st->tmp_fd, w->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (w->fd < 0) {
		fail_io(err, "create", st->dir, TMP);
		(void)writer_done(w);
		return -1;
	}
	/* The lock tells store_sweep that the writer lives. */
	if (flock(w->fd, LOCK_EX | LOCK_NB) != 0 || give_away(st, w->fd) != 0 || fchmod(w->fd, FILE_MODE) != 0) {
		fail_io(err, "lock", st->dir, TMP);
		file_abort(&w->base);
		return -1;
	}
	step(FILE_CREATED);
	*out = &w->base;
	return 0;
}

static int
write_out(struct file_writer *w, const char *p, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->failed = true;
			return fail_io(err, "write", w->st->dir, TMP);
		}
		p += n;
		len -= (size_t)n;
		w->written += n;
	}
	if (w->written - w->early_synced >= EARLY_SYNC_BYTES) {
		/* Only begins the writing; what fails in it fails again in fsync. */
		(void)sync_file_range(w->fd, w->early_synced, w->written - w->early_synced, SYNC_FILE_RANGE_WRITE);
		w->early_synced = w->written;
	}
	return 0;
}

static int
flush_buffer(struct file_writer *w, struct err *err)
{
	size_t len = w->buffered;

	w->buffered = 0;
	return len == 0 ? 0 : write_out(w, w->buf, len, err);
}

static int
file_write(struct blob_writer *base, const void *p, size_t len, struct err *err)
{
	struct file_writer *w = (struct file_writer *)base;
	const char *from = p;

	if (w->failed)
		return FAIL(err, ERR_INTERNAL, "a blob was written to after a failure");
	if (len > WRITE_BUFFER - w->buffered) {
		if (flush_buffer(w, err) != 0)
			return -1;
		if (len >= WRITE_BUFFER)
			return write_out(w, from, len, err);
	}
	memcpy(w->buf + w->buffered, from, len);
	w->buffered += len;
	return 0;
}

/* The blob's folder, open; made and durable. -1 with err set. */
static int
folder_open(struct file_store *st, const char *name, struct err *err)
{
	const char *folder = FOLDER_NAME(name);
	uint64_t shard = 0;
	bool ready;
	int fd;

	(void)parse_hex_u64((struct span){ name, FOLDER_LEN }, &shard);
	ready = atomic_load(&st->folders_ready[shard]) != 0;
	fd = openat(st->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && ready)
		return fd;
	if (fd < 0 && errno != ENOENT)
		return fail_io(err, "open folder", st->dir, folder);
	if (fd < 0) {
		if (mkdirat(st->dir_fd, folder, st->folder_mode) != 0 && errno != EEXIST)
			return fail_io(err, "make folder", st->dir, folder);
		fd = openat(st->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return fail_io(err, "open folder", st->dir, folder);
		(void)give_away(st, fd);
		(void)fchmod(fd, st->folder_mode); /* another process may have made it, then it does so */
	}
	/* Also when somebody else made it: he may not have come to syncing it yet. */
	if (fsync(st->dir_fd) != 0) {
		fail_io(err, "sync", st->dir, ".");
		close(fd);
		return -1;
	}
	atomic_store(&st->folders_ready[shard], 1);
	return fd;
}

static void
file_id(const struct blob_writer *base, struct blob_id *id)
{
	*id = ((const struct file_writer *)base)->id;
}

static int
file_commit(struct blob_writer *base, struct blob_id *id, struct err *err)
{
	struct file_writer *w = (struct file_writer *)base;
	struct file_store *st = w->st;
	int folder = -1;
	bool renamed = false;
	int rc = -1;

	if (w->failed) {
		FAIL(err, ERR_INTERNAL, "a blob was to be committed after a failure");
		goto out;
	}
	if (flush_buffer(w, err) != 0)
		goto out;
	step(FILE_WRITTEN);
	if (fsync(w->fd) != 0) {
		fail_io(err, "sync", st->dir, TMP);
		goto out;
	}
	step(FILE_SYNCED);
	folder = folder_open(st, w->name, err);
	if (folder < 0)
		goto out;
	step(FILE_FOLDER_MADE);
	if (renameat(st->tmp_fd, w->name, folder, w->name) != 0) {
		fail_io(err, "rename to", st->dir, w->name);
		goto out;
	}
	renamed = true;
	step(FILE_RENAMED);
	if (fsync(folder) != 0) {
		fail_io(err, "sync folder of", st->dir, w->name);
		goto out;
	}
	step(FILE_FOLDER_SYNCED);
	*id = w->id;
	metric_add(M_BLOBS_WRITTEN, 1);
	rc = 0;
out:
	if (rc != 0)
		unlinkat(renamed ? folder : st->tmp_fd, w->name, 0);
	if (folder >= 0)
		close(folder);
	(void)writer_done(w); /* synced before: a close has nothing left to lose */
	return rc;
}

/* ---- reading ---- */

static bool
file_path(struct store *base, const struct blob_id *id, char *out, size_t out_size)
{
	struct file_store *st = (struct file_store *)base;
	char name[NAME_LEN + 1];
	int n;

	hex_encode(id, sizeof(*id), name);
	n = snprintf(out, out_size, "%s/%.*s/%s", st->dir, FOLDER_LEN, name, name);
	return n > 0 && (size_t)n < out_size;
}

static size_t
file_path_prefix(const struct store *base)
{
	return strlen(((const struct file_store *)base)->dir) + 1;
}

#define REL_PATH_LEN (FOLDER_LEN + 1 + NAME_LEN)
static void
rel_path(const struct blob_id *id, char out[REL_PATH_LEN + 1])
{
	hex_encode(id, sizeof(*id), out + FOLDER_LEN + 1);
	memcpy(out, out + FOLDER_LEN + 1, FOLDER_LEN);
	out[FOLDER_LEN] = '/';
}

/* The file gets one more name, in the folder of the new id. */
static int
link_in(struct file_store *st, const char *from, int folder, const char *name, struct err *err)
{
	if (linkat(st->dir_fd, from, folder, name, 0) != 0)
		/* As many names as the filesystem counts; folders on disks of their own; a mount that has no links. */
		return errno == EMLINK || errno == EXDEV || errno == EPERM || errno == ENOTSUP ? 0 : fail_io(err, "link", st->dir, from);
	if (fsync(folder) != 0) {
		fail_io(err, "sync folder of", st->dir, name);
		unlinkat(folder, name, 0);
		return -1;
	}
	return 1;
}

static int
file_link(struct store *base, const struct blob_id *from, struct blob_id *id, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	char path[REL_PATH_LEN + 1], name[NAME_LEN + 1];
	int fd, folder, rc;

	rel_path(from, path);
	fd = openat(st->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? FAIL(err, ERR_NOT_FOUND, "there is no blob \"%s/%s\"", st->dir, path) :
		    fail_io(err, "open", st->dir, path);
	/* Before it has its name: maintain takes an old file that no row names yet for an orphan. */
	rc = futimens(fd, NULL);
	close(fd);
	if (rc != 0)
		return 0;
	crypto_random(id, sizeof(*id));
	hex_encode(id, sizeof(*id), name);
	folder = folder_open(st, name, err);
	if (folder < 0)
		return -1;
	rc = link_in(st, path, folder, name, err);
	close(folder);
	if (rc == 1)
		metric_add(M_BLOBS_WRITTEN, 1);
	return rc;
}

static void
file_close_blob(struct blob_reader *base)
{
	struct file_reader *r = (struct file_reader *)base;
	struct file_store *st = r->st;

	if (r->fd >= 0)
		close(r->fd);
	pthread_mutex_lock(&st->lock);
	r->next = st->free_readers;
	st->free_readers = r;
	pthread_mutex_unlock(&st->lock);
}

static int
file_open_blob(struct store *base, const struct blob_id *id, struct blob_reader **out, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	struct file_reader *r;
	char path[REL_PATH_LEN + 1];
	struct stat sb;

	pthread_mutex_lock(&st->lock);
	r = st->free_readers;
	if (r != NULL)
		st->free_readers = r->next;
	else
		r = ARENA_NEW(st->arena, struct file_reader);
	pthread_mutex_unlock(&st->lock);
	if (r == NULL)
		return FAIL(err, ERR_LIMIT, "too many blobs are being read at once");
	r->base.ops = &store_engine_file;
	r->st = st;
	rel_path(id, path);
	r->fd = openat(st->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &sb) != 0) {
		if (errno == ENOENT)
			FAIL(err, ERR_NOT_FOUND, "there is no blob \"%s/%s\"", st->dir, path);
		else
			fail_io(err, "open", st->dir, path);
		file_close_blob(&r->base);
		return -1;
	}
	r->base.size = sb.st_size;
	*out = &r->base;
	return 0;
}

static int
file_read(struct blob_reader *base, int64_t offset, void *p, size_t len, size_t *got, struct err *err)
{
	struct file_reader *r = (struct file_reader *)base;
	ssize_t n;

	do
		n = pread(r->fd, p, len, offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_io(err, "read a blob in", r->st->dir, ".");
	*got = (size_t)n;
	return 0;
}

/* ---- looking after it ---- */

static int
file_remove(struct store *base, const struct blob_id *id, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	char path[REL_PATH_LEN + 1];

	rel_path(id, path);
	if (unlinkat(st->dir_fd, path, 0) != 0) {
		if (errno == ENOENT)
			return 0;
		return fail_io(err, "remove", st->dir, path);
	}
	metric_add(M_BLOBS_REMOVED, 1);
	return 0;
}

static int64_t
mtime_us(const struct stat *sb)
{
	return (int64_t)sb->st_mtim.tv_sec * US_PER_S + sb->st_mtim.tv_nsec / 1000;
}

/* A folder below store_dir, to go through; *out is NULL when there is none. */
static int
folder_list(struct file_store *st, const char *folder, DIR **out, struct err *err)
{
	int fd = openat(st->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_io(err, "open folder", st->dir, folder);
	*out = fdopendir(fd);
	if (*out == NULL) {
		fail_io(err, "read folder", st->dir, folder);
		close(fd);
		return -1;
	}
	return 0;
}

/* The next entry that is no dot; NULL at the end and, with *rc -1, after a failure. */
static struct dirent *
folder_next(struct file_store *st, DIR *d, const char *folder, int *rc, struct err *err)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(d);
	} while (e != NULL && e->d_name[0] == '.');
	if (e == NULL && errno != 0)
		*rc = fail_io(err, "read folder", st->dir, folder);
	return e;
}

static int
file_each(struct store *base, unsigned shard, store_each_fn fn, void *arg, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	char folder[FOLDER_LEN + 1];
	struct blob_id id;
	struct dirent *e;
	struct stat sb;
	int rc = 0;
	DIR *d;

	snprintf(folder, sizeof(folder), "%03x", shard % STORE_SHARDS);
	if (folder_list(st, folder, &d, err) != 0)
		return -1;
	if (d == NULL)
		return 0;
	while (rc == 0 && (e = folder_next(st, d, folder, &rc, err)) != NULL) {
		if (strlen(e->d_name) != NAME_LEN || !hex_decode(span_of(e->d_name), id.b, sizeof(id.b)) ||
		    memcmp(e->d_name, folder, FOLDER_LEN) != 0)
			continue; /* none of ours: an operator's, lost+found */
		if (fstatat(dirfd(d), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT) /* removed meanwhile */
				rc = fail_io(err, "look at", st->dir, e->d_name);
			continue;
		}
		rc = fn(&id, sb.st_size, mtime_us(&sb), arg);
	}
	closedir(d);
	return rc;
}

/* Removes one leftover when its writer is dead: only then can its lock be had. */
static int
sweep_one(struct file_store *st, const char *name, int64_t older_than_us, bool *removed, struct err *err)
{
	struct stat sb;
	int rc = 0;
	int fd;

	*removed = false;
	fd = openat(st->tmp_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC); /* NFS wants that for an exclusive lock */
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_io(err, "open leftover", st->dir, name);
	if (fstat(fd, &sb) != 0)
		rc = fail_io(err, "look at leftover", st->dir, name);
	else if (mtime_us(&sb) <= older_than_us && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		/*
		 * A writer that committed since the folder was read has renamed
		 * its file: then there is nothing of this name any more.
		 */
		if (unlinkat(st->tmp_fd, name, 0) == 0)
			*removed = true;
		else if (errno != ENOENT)
			rc = fail_io(err, "remove leftover", st->dir, name);
	}
	close(fd);
	return rc;
}

static int
file_sweep(struct store *base, int64_t min_age_s, int64_t *removed, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	int64_t older_than_us = clock_wall_us() - min_age_s * US_PER_S;
	struct dirent *e;
	bool gone;
	int rc = 0;
	DIR *d;

	if (folder_list(st, TMP, &d, err) != 0)
		return -1;
	if (d == NULL)
		return 0;
	while (rc == 0 && (e = folder_next(st, d, TMP, &rc, err)) != NULL) {
		rc = sweep_one(st, e->d_name, older_than_us, &gone, err);
		*removed += gone ? 1 : 0;
	}
	closedir(d);
	return rc;
}

static int
file_space(struct store *base, int64_t *free_bytes, int64_t *total_bytes, struct err *err)
{
	struct file_store *st = (struct file_store *)base;
	struct statvfs v;

	if (fstatvfs(st->dir_fd, &v) != 0)
		return fail_io(err, "ask the space of", st->dir, ".");
	*free_bytes = (int64_t)(v.f_bavail * v.f_frsize);
	*total_bytes = (int64_t)(v.f_blocks * v.f_frsize);
	return 0;
}

const struct store_ops store_engine_file = {
	.name = "file",
	.open = file_open,
	.close = file_close,
	.create = file_create,
	.write = file_write,
	.id = file_id,
	.commit = file_commit,
	.abort = file_abort,
	.open_blob = file_open_blob,
	.read = file_read,
	.close_blob = file_close_blob,
	.link = file_link,
	.path = file_path,
	.path_prefix = file_path_prefix,
	.remove = file_remove,
	.each = file_each,
	.sweep = file_sweep,
	.space = file_space,
};
