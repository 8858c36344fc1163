/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_dns.c - zone lines for those who want no relays: BUCKET.DOMAIN is an
 * alias of its home's endpoint. Printed once, or kept current in a file.
 *
 * Owns:       the file while it is written.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; with --follow until a signal ends it.
 * Invariant:  the file is replaced whole or not at all, and only when it changes.
 */
#include "admin/act.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "routing/zone.h"

#define TTL_S 60
#define PAGE 1000                      /* buckets a statement */
#define LOOK_US US_PER_S               /* how often --follow looks at the event clock */
#define ZONE_MAX ((size_t)512 << 20)   /* about five million buckets */

static const char *
endpoint_of(const struct region_info *regions, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(regions[i].r.name, name) == 0)
			return regions[i].r.endpoint;
	return NULL;
}

/* Every bucket's line. *count: how many. */
static int
write_lines(struct action_ctx *c, struct strbuf *sb, const struct region_info *regions, size_t n_regions,
    size_t *count, struct err *err)
{
	char after[256] = "";
	size_t n = PAGE;

	*count = 0;
	while (n == PAGE) {
		struct arena *a = arena_new((size_t)16 << 20);
		struct bucket *list;
		int rc = registry_bucket_list(c->thread, a, NULL, NULL, NULL, after, PAGE, &list, &n, err);

		for (size_t i = 0; rc == 0 && i < n; i++) {
			const char *endpoint = endpoint_of(regions, n_regions, list[i].region);

			if (endpoint != NULL)
				zone_line(sb, list[i].name, endpoint);
			*count += endpoint != NULL;
		}
		if (rc == 0 && n > 0)
			snprintf(after, sizeof(after), "%s", list[n - 1].name);
		arena_free(a);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
make_zone(struct action_ctx *c, struct strbuf *sb, size_t *count, struct err *err)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct region_info *regions;
	const char *here;
	size_t n;
	int rc = registry_region_list(c->thread, a, &regions, &n, err);

	if (rc == 0) {
		here = endpoint_of(regions, n, c->settings->region);
		if (here == NULL)
			rc = FAIL(err, ERR_NOT_FOUND, "this region, \"%s\", has no row", c->settings->region);
		else
			zone_begin(sb, arg_str(c, "domain"), (int)arg_num(c, "ttl", TTL_S), here);
	}
	if (rc == 0)
		rc = write_lines(c, sb, regions, n, count, err);
	if (rc == 0 && !strbuf_ok(sb))
		rc = FAIL(err, ERR_LIMIT, "the zone is larger than %zu bytes", ZONE_MAX);
	arena_free(a);
	return rc;
}

/* ---- the file ---- */

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
replace_file(const char *path, const struct strbuf *sb, struct err *err)
{
	char temp[PATH_MAX];
	int fd, rc;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return FAIL(err, ERR_INVALID, "the name \"%s\" is too long", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return FAIL(err, ERR_INVALID, "cannot write \"%s\": errno=%d", temp, errno);
	rc = write_all(fd, sb->buf, sb->len) == 0 && fsync(fd) == 0 ? 0 : -1;
	if (close(fd) != 0)
		rc = -1;
	if (rc == 0)
		rc = rename(temp, path);
	if (rc == 0)
		return 0;
	rc = FAIL(err, ERR_NO_SPACE, "cannot write \"%s\": errno=%d", path, errno);
	(void)unlink(temp);
	return rc;
}

/* ---- once, and ever again ---- */

/* What was written last, to write only what is new. */
struct zone_state {
	const char *path;
	struct arena *arena;
	struct strbuf text;
	size_t buckets;
};

static int
write_zone(struct action_ctx *c, struct zone_state *z, struct err *err)
{
	struct arena *a = arena_new(ZONE_MAX + 4096);
	struct strbuf sb;
	bool same;
	size_t n;
	int rc;

	strbuf_init(&sb, a, ZONE_MAX);
	rc = make_zone(c, &sb, &n, err);
	same = rc == 0 && z->arena != NULL && sb.len == z->text.len && memcmp(sb.buf, z->text.buf, sb.len) == 0;
	if (rc == 0 && !same)
		rc = replace_file(z->path, &sb, err);
	if (rc != 0 || same) {
		arena_free(a);
		return rc;
	}
	if (z->arena != NULL)
		arena_free(z->arena);
	z->arena = a;
	z->text = sb;
	z->buckets = n;
	return 0;
}

/*
 * Looks at the event clock each second; any change of metadata moves it. While
 * the database is away the file stays as it is: what it says is still the best known.
 */
static int
follow(struct action_ctx *c, struct zone_state *z, struct err *err)
{
	struct event_clock seen = { .n = 0 };

	for (;;) {
		struct arena *a = arena_new((size_t)1 << 20);
		struct clock_status now;
		struct err why = { 0 };
		int rc = registry_clock(c->thread, a, &now, &why);

		arena_free(a);
		if (rc == 0 && (now.clock.n != seen.n || memcmp(now.clock.epoch, seen.epoch, EPOCH_LEN) != 0)) {
			rc = write_zone(c, z, &why);
			if (rc == 0)
				seen = now.clock;
		}
		if (rc != 0 && why.code != ERR_UNAVAILABLE && why.code != ERR_TIMEOUT)
			return err_fail(err, why.code, why.where, "%s", why.detail);
		clock_sleep_us(LOOK_US);
	}
}

int
act_dns_zone(struct action_ctx *c, struct err *err)
{
	struct zone_state z = { .path = arg_str(c, "file") };
	struct arena *a;
	struct strbuf sb;
	size_t n;
	int rc;

	if (z.path != NULL && arg_flag(c, "follow"))
		return follow(c, &z, err);
	if (arg_flag(c, "follow"))
		return FAIL(err, ERR_INVALID, "--follow keeps a file current: say which with --file");
	if (z.path != NULL) {
		rc = write_zone(c, &z, err);
		if (rc == 0)
			SAY(c, "%zu buckets are in \"%s\"", z.buckets, z.path);
		if (z.arena != NULL)
			arena_free(z.arena);
		return rc;
	}
	a = arena_new(ZONE_MAX + 4096);
	strbuf_init(&sb, a, ZONE_MAX);
	rc = make_zone(c, &sb, &n, err);
	if (rc == 0 && write_all(STDOUT_FILENO, sb.buf, sb.len) != 0)
		rc = FAIL(err, ERR_NO_SPACE, "cannot write to standard output: errno=%d", errno);
	arena_free(a);
	return rc;
}
