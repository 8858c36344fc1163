/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_export.c - what is in a bucket, a line an object: what Amazon S3's inventory reports say.
 *
 * Owns:       the file while it is written.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on both databases, a page at a time; holds no lock between pages.
 * Invariant:  a file is there whole or not at all. What is written or removed meanwhile may be in it or not; all else is,
 *             once.
 * Source:     S3 User Guide, "Amazon S3 Inventory list".
 */
#include "admin/act.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "meta/version.h"
#include "s3/date.h"
#include "s3/listing.h"

#define PAGE 1000
#define PAGE_ARENA ((size_t)64 * 1024 * 1024)
#define KEY_ROOM (3 * 1024 + 16) /* of a key whose every byte is %XX */

struct export {
	struct action_ctx *c;
	struct bucket b;
	FILE *f;
	bool versions;
	int64_t n;
	/* where the page ends */
	char after[1025];
	size_t after_len;
	struct version_id after_version;
};

static int
write_line(struct export *x, struct arena *a, const struct object *o, struct err *err)
{
	char at[DATE_ISO_SIZE];
	struct strbuf key;

	date_iso_ms(o->mtime_us, at);
	strbuf_init(&key, a, KEY_ROOM);
	list_url_encode(&key, o->key);
	if (!strbuf_ok(&key))
		return FAIL(err, ERR_LIMIT, "a page of objects does not fit in memory");
	fprintf(x->f, "\"%s\",\"%s\"", x->b.name, strbuf_cstr(&key));
	if (x->versions)
		fprintf(x->f, ",\"%s\",\"%s\",\"%s\"", o->version, o->is_latest ? "true" : "false", o->is_marker ? "true" : "false");
	if (o->is_marker)
		fprintf(x->f, ",\"\",\"%s\",\"\",\"\"\n", at);
	else
		fprintf(x->f, ",\"%" PRId64 "\",\"%s\",\"%s\",\"%s\"\n", o->size, at, o->etag, o->storage_class);
	x->n++;
	return 0;
}

static int
one_page(struct export *x, struct arena *a, struct list_entry **v, size_t *n, bool *more, struct err *err)
{
	struct span prefix = span_of(arg_str_or(x->c, "prefix", "")), after = { x->after, x->after_len }, next;
	struct version_query vq = { .prefix = prefix, .after = after, .after_version = x->n > 0 ? &x->after_version : NULL, .max = PAGE };
	struct list_query q = { .prefix = prefix, .after = after, .max = PAGE };

	if (x->versions)
		return meta_object_list_versions(x->c->thread, a, &x->b, &vq, v, n, more, err);
	return meta_object_list(x->c->thread, a, &x->b, &q, v, n, more, &next, err);
}

static int
write_all(struct export *x, struct err *err)
{
	struct arena *a = arena_new(PAGE_ARENA);
	struct list_entry *v;
	bool more = true;
	int rc = 0;
	size_t n;

	while (rc == 0 && more) {
		arena_reset(a);
		rc = one_page(x, a, &v, &n, &more, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = write_line(x, a, &v[i].obj, err);
		if (rc != 0 || n == 0)
			break;
		x->after_len = v[n - 1].obj.key.len;
		ASSERT(x->after_len < sizeof(x->after));
		memcpy(x->after, v[n - 1].obj.key.p, x->after_len);
		if (x->versions && !version_parse(span_of(v[n - 1].obj.version), &x->after_version))
			rc = FAIL(err, ERR_INTERNAL, "version \"%s\" is none", v[n - 1].obj.version);
	}
	arena_free(a);
	if (rc == 0 && (fflush(x->f) != 0 || ferror(x->f)))
		rc = FAIL(err, ERR_NO_SPACE, "cannot write: %s", strerror(errno));
	return rc;
}

static int
to_file(struct export *x, const char *path, struct err *err)
{
	char temp[PATH_MAX];
	int rc;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return FAIL(err, ERR_INVALID, "the name \"%s\" is too long", path);
	x->f = fopen(temp, "we");
	if (x->f == NULL)
		return FAIL(err, ERR_INVALID, "cannot write \"%s\": %s", temp, strerror(errno));
	rc = write_all(x, err);
	if (rc == 0 && fsync(fileno(x->f)) != 0)
		rc = FAIL(err, ERR_NO_SPACE, "cannot write \"%s\": %s", temp, strerror(errno));
	if (fclose(x->f) != 0 && rc == 0)
		rc = FAIL(err, ERR_NO_SPACE, "cannot write \"%s\": %s", temp, strerror(errno));
	if (rc == 0 && rename(temp, path) != 0)
		rc = FAIL(err, ERR_NO_SPACE, "cannot write \"%s\": %s", path, strerror(errno));
	if (rc != 0)
		(void)unlink(temp);
	return rc;
}

int
act_bucket_export(struct action_ctx *c, struct err *err)
{
	const char *path = arg_str(c, "file");
	struct export x = { .c = c, .versions = arg_flag(c, "versions"), .f = stdout };

	if (act_bucket_here(c, arg_str(c, "name"), &x.b, err) != 0)
		return -1;
	if (path == NULL)
		return write_all(&x, err);
	if (to_file(&x, path, err) != 0)
		return -1;
	SAY(c, "%" PRId64 " lines are in \"%s\"", x.n, path);
	return 0;
}
