/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/limiter.c - counts of refused logins in a file.
 *
 * Owns:       STATE_DIR/admin-logins: SLOTS records of fixed size.
 * Called by:  admin/cgi/gate.c.
 * Blocks:     on the file's lock, for microseconds.
 */
#include "admin/cgi/limiter.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/crypto.h"
#include "base/log.h"

#define SLOTS 1024
#define PATH_LIMIT 512

struct slot {
	uint8_t key[16];
	int64_t begun_us;
	int64_t refused;
};

static int
open_file(const char *state_dir)
{
	char path[PATH_LIMIT];
	int n = snprintf(path, sizeof(path), "%s/admin-logins", state_dir);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_event(NULL, EV_LOGIN_FAILED, LS("detail", "refused logins cannot be counted"),
		    LS("file", path), LI("errno", errno));
		return -1;
	}
	if (flock(fd, LOCK_EX) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The slot of "address x" or "name y": what is there, if it is this one's. */
static off_t
read_slot(int fd, char kind, const char *word, struct slot *out)
{
	uint8_t hash[SHA256_LEN];
	char text[PATH_LIMIT];
	struct slot there;
	off_t at;

	snprintf(text, sizeof(text), "%c %s", kind, word);
	sha256(text, strlen(text), hash);
	at = (off_t)(((size_t)hash[16] << 8 | hash[17]) % SLOTS * sizeof(struct slot));
	memset(out, 0, sizeof(*out));
	memcpy(out->key, hash, sizeof(out->key));
	if (pread(fd, &there, sizeof(there), at) == (ssize_t)sizeof(there) &&
	    memcmp(there.key, out->key, sizeof(there.key)) == 0)
		*out = there;
	return at;
}

static int64_t
wait_of(const struct slot *s, int64_t limit, int64_t now_us)
{
	int64_t left = s->begun_us + LIMITER_WINDOW_US - now_us;

	/* A clock that went back must not lock anybody out for longer than the window. */
	if (s->refused < limit || left <= 0 || left > LIMITER_WINDOW_US)
		return 0;
	return left / 1000000 + 1;
}

static void
write_slot(int fd, const struct slot *s, off_t at)
{
	if (pwrite(fd, s, sizeof(*s), at) != (ssize_t)sizeof(*s))
		log_event(NULL, EV_LOGIN_FAILED, LS("detail", "refused logins cannot be counted"),
		    LI("errno", errno));
}

static void
count_one(int fd, struct slot *s, off_t at, int64_t now_us)
{
	if (now_us - s->begun_us >= LIMITER_WINDOW_US || s->begun_us > now_us) {
		s->begun_us = now_us;
		s->refused = 0;
	}
	s->refused++;
	write_slot(fd, s, at);
}

int64_t
limiter_try(const char *state_dir, const char *address, const char *name, int64_t now_us)
{
	int fd = open_file(state_dir);
	struct slot by_address, by_name;
	int64_t wait_s, name_s;
	off_t at_address, at_name;

	if (fd < 0)
		return 0;
	at_address = read_slot(fd, 'a', address, &by_address);
	at_name = read_slot(fd, 'n', name, &by_name);
	wait_s = wait_of(&by_address, LIMITER_PER_ADDRESS, now_us);
	name_s = wait_of(&by_name, LIMITER_PER_NAME, now_us);
	if (name_s > wait_s)
		wait_s = name_s;
	if (wait_s == 0) {
		count_one(fd, &by_address, at_address, now_us);
		count_one(fd, &by_name, at_name, now_us);
	}
	close(fd);
	return wait_s;
}

void
limiter_undo(const char *state_dir, const char *address, const char *name)
{
	int fd = open_file(state_dir);
	const char *words[2] = { address, name };
	struct slot s;

	if (fd < 0)
		return;
	for (int i = 0; i < 2; i++) {
		off_t at = read_slot(fd, i == 0 ? 'a' : 'n', words[i], &s);

		if (s.refused == 0)
			continue;
		s.refused--;
		write_slot(fd, &s, at);
	}
	close(fd);
}
