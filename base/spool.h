/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/spool.h - lines that many processes append and one takes away: a folder with
 * an open file a name. No line is lost between the two: an appender holds a shared
 * lock while it writes, and a file that was taken (renamed) is sealed under the
 * exclusive lock before it is read.
 */
#ifndef ANVIL_BASE_SPOOL_H
#define ANVIL_BASE_SPOOL_H

#include "base/err.h"

#define SPOOL_NAME_MAX 200
#define SPOOL_OPEN ".open"
#define SPOOL_TAKEN ".log"

/*
 * One line, LF included, to the file of that name; the folder is made when it is missing. A file is not grown beyond
 * max_bytes. -1: ERR_NO_SPACE (also max_bytes), ERR_INTERNAL. Not synced: a power cut may lose the last lines.
 */
MUST_CHECK int spool_append(const char *dir, const char *name, const void *line, size_t len, int64_t max_bytes, struct err *err);
/* Takes the open file of that name as NAME-STAMP.log. 1, 0: there is none; -1. */
MUST_CHECK int spool_take(const char *dir, const char *name, const char *stamp, struct err *err);
/*
 * Seals a taken file and opens it to be read: no line is added any more, and nobody else reads it until *fd is closed.
 * 1, 0: it is not there; -1.
 */
MUST_CHECK int spool_open(const char *dir, const char *file, int *fd, struct err *err);
/* Once it was read, before it is closed. That it is not there is no error. */
MUST_CHECK int spool_remove(const char *dir, const char *file, struct err *err);

#endif
