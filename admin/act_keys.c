/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_keys.c - files with secrets: the master key, the cluster secret.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the disk.
 * Invariant:  a file is never overwritten, and is never readable by others.
 */
#include "admin/act.h"

#include <fcntl.h>

#include "base/parse.h"

#define KEY_BYTES 32
#define KEY_TEXT (KEY_BYTES * 2 + 1) /* and a line feed */

static int
write_new(const char *path, const char *text, size_t len, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n;
	int rc = -1;

	if (fd < 0 && errno == EEXIST)
		return FAIL(err, ERR_EXISTS, "\"%s\" is there already; it is not overwritten", path);
	if (fd < 0)
		return FAIL(err, ERR_INTERNAL, "could not create \"%s\": %s", path, strerror(errno));
	n = write(fd, text, len);
	if (n != (ssize_t)len || fsync(fd) != 0)
		FAIL(err, ERR_INTERNAL, "could not write \"%s\": %s", path, strerror(errno));
	else
		rc = 0;
	if (close(fd) != 0 && rc == 0)
		rc = FAIL(err, ERR_INTERNAL, "could not write \"%s\": %s", path, strerror(errno));
	if (rc != 0)
		unlink(path);
	return rc;
}

int
act_keys_new(struct action_ctx *c, struct err *err)
{
	const char *path = arg_str(c, "file");
	bool master = strcmp(arg_str(c, "kind"), "master") == 0;
	uint8_t key[KEY_BYTES];
	char text[KEY_TEXT + 1];
	int rc;

	crypto_random(key, sizeof(key));
	hex_encode(key, sizeof(key), text);
	text[KEY_TEXT - 1] = '\n';
	rc = write_new(path, text, KEY_TEXT, err);
	crypto_wipe(key, sizeof(key));
	crypto_wipe(text, sizeof(text));
	if (rc != 0)
		return -1;
	if (master)
		SAY(c, "master key written to \"%s\"; every region needs the same one, and without it no secret can be opened: keep a copy",
		    path);
	else
		SAY(c, "cluster secret written to \"%s\"; every region needs the same one", path);
	return 0;
}
