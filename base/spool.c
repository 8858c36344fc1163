/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/spool.c - appending to files that are taken away meanwhile.
 *
 * Owns:       nothing between two calls.
 * Called by:  fcgi/access_log.c, admin/access_log.c.
 * Blocks:     on the disk; spool_open waits for appenders in the middle of a line.
 * Invariant:  a file without its owner's write bit gets no line more. Whoever appends looks at that under the lock,
 *             since root's open() would not.
 */
#include "base/spool.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#define TRIES 8 /* each is lost to one who took the file just then */
#define FILE_MODE 0640
#define FOLDER_MODE 0750

static int
path_of(const char *dir, const char *name, const char *end, char out[PATH_MAX], struct err *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s", dir, name, end);

	return n > 0 && n < PATH_MAX ? 0 : FAIL(err, ERR_INTERNAL, "a spool's path is too long");
}

static int
open_file(const char *dir, const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, FILE_MODE);

	if (fd < 0 && errno == ENOENT && (mkdir(dir, FOLDER_MODE) == 0 || errno == EEXIST))
		fd = open(path, flags, FILE_MODE);
	return fd;
}

static int
failed(const char *path, struct err *err)
{
	int code = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_NO_SPACE : ERR_INTERNAL;

	return FAIL(err, code, "could not append to \"%s\": %s", path, strerror(errno));
}

/* 1 written, 0 the file was taken, -1. */
static int
append_to(int fd, const char *path, const void *line, size_t len, int64_t max_bytes, struct err *err)
{
	struct stat st;
	ssize_t n;

	if (flock(fd, LOCK_SH) != 0 || fstat(fd, &st) != 0)
		return failed(path, err);
	if ((st.st_mode & S_IWUSR) == 0)
		return 0;
	if (st.st_size + (int64_t)len > max_bytes)
		return FAIL(err, ERR_NO_SPACE, "\"%s\" is as long as it may get", path);
	n = write(fd, line, len);
	if (n == (ssize_t)len)
		return 1;
	/* Part of a line: it ends here, so that the next one begins a line. */
	if (n > 0 && write(fd, "\n", 1) != 1)
		errno = ENOSPC;
	return failed(path, err);
}

int
spool_append(const char *dir, const char *name, const void *line, size_t len, int64_t max_bytes, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(dir, name, SPOOL_OPEN, path, err) != 0)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		int fd = open_file(dir, path), rc;

		if (fd < 0)
			return failed(path, err);
		rc = append_to(fd, path, line, len, max_bytes, err);
		(void)close(fd);
		if (rc != 0)
			return rc > 0 ? 0 : -1;
	}
	return FAIL(err, ERR_INTERNAL, "\"%s\" was taken each time", path);
}

int
spool_take(const char *dir, const char *name, const char *stamp, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX], end[64];

	(void)snprintf(end, sizeof(end), "-%s" SPOOL_TAKEN, stamp);
	if (path_of(dir, name, SPOOL_OPEN, from, err) != 0 || path_of(dir, name, end, to, err) != 0)
		return -1;
	if (rename(from, to) == 0)
		return 1;
	return errno == ENOENT ? 0 : FAIL(err, ERR_INTERNAL, "could not take \"%s\": %s", from, strerror(errno));
}

int
spool_open(const char *dir, const char *file, int *fd, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (path_of(dir, file, "", path, err) != 0)
		return -1;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? 0 : FAIL(err, ERR_INTERNAL, "could not open \"%s\": %s", path, strerror(errno));
	if (flock(*fd, LOCK_EX) == 0 && fstat(*fd, &st) == 0 && fchmod(*fd, 0440) == 0) {
		if (st.st_nlink > 0)
			return 1;
		(void)close(*fd); /* who had the lock before has read and removed it */
		return 0;
	}
	FAIL(err, ERR_INTERNAL, "could not seal \"%s\": %s", path, strerror(errno));
	(void)close(*fd);
	return -1;
}

int
spool_remove(const char *dir, const char *file, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(dir, file, "", path, err) != 0)
		return -1;
	return unlink(path) == 0 || errno == ENOENT ? 0
	    : FAIL(err, ERR_INTERNAL, "could not remove \"%s\": %s", path, strerror(errno));
}
