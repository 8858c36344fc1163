/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/access_log.c - delivery of server access logs.
 *
 *   store_dir/access-log/BUCKET,ID,DAY.open         workers append (fcgi/access_log.c)
 *   store_dir/access-log/BUCKET,ID,DAY-STAMP.log    taken, to be delivered; STAMP: when, in microseconds
 *
 * Owns:       an arena a file.
 * Called by:  anvil-admin maintain.
 * Blocks:     on the disk and both databases.
 * Invariant:  an object's key follows from the file's name and the place in it, so that what a crash makes
 *             delivered twice is the same object twice. A file is removed when all of it is stored.
 */
#include "admin/access_log.h"

#include <dirent.h>
#include <limits.h>

#include "base/chunk_seal.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/spool.h"
#include "meta/object.h"
#include "meta/registry.h"
#include "s3/access_log.h"
#include "s3/acl.h"
#include "s3/date.h"
#include "s3/object_meta.h"
#include "s3/policy.h"
#include "s3/sse.h"

#define FILE_ARENA ((size_t)64 * 1024 * 1024)
#define LIST_ARENA ((size_t)64 * 1024 * 1024)
#define OBJECT_MAX ((size_t)16 * 1024 * 1024) /* of lines in one object */
#define FILES_MAX 100000
#define SERVICE "logging.s3.amazonaws.com" /* that delivers, as S3's */
#define KEPT_FOR_US (INT64_C(8) * 86400 * US_PER_S) /* since its day began: what a policy forbids */

struct run {
	struct maintain *m;
	struct arena *list, *a;      /* a: of a file */
	int64_t now_us;
	char stamp[24], dir[PATH_MAX];
	char *buf;                   /* OBJECT_MAX */
};
struct delivery {
	struct maintain *m;
	struct arena *a;
	struct err *err;
	const char *file;            /* its name in the folder */
	struct bucket source, target;
	struct access_logging to;
	int64_t day_us, taken_us;
	enum sse_kind sse;           /* the target's default */
	const char *acl;             /* of the objects; NULL: private */
	const struct policy *policy; /* the target's; NULL: it has none */
	bool denied;                 /* by it */
	int64_t now_us;
	unsigned n;                  /* objects so far */
};

static const struct settings *
settings_of(const struct delivery *d)
{
	return meta_settings(meta_of(d->m->t));
}

/* ---- whose it is, and where to ---- */

/* BUCKET,ID,DAY-STAMP.log */
static bool
read_name(struct delivery *d, const char **bucket, struct uuid *id)
{
	const char *comma = strchr(d->file, ','), *comma2, *dash, *dot;
	uint64_t stamp;

	if (comma == NULL || (comma2 = strchr(comma + 1, ',')) == NULL || (dash = strchr(comma2, '-')) == NULL ||
	    (dot = strchr(dash, '.')) == NULL)
		return false;
	*bucket = arena_strndup(d->a, d->file, (size_t)(comma - d->file));
	if (*bucket == NULL || !uuid_parse((struct span){ comma + 1, (size_t)(comma2 - comma - 1) }, id) ||
	    !date_parse_day((struct span){ comma2 + 1, (size_t)(dash - comma2 - 1) }, &d->day_us) ||
	    !parse_hex_u64((struct span){ dash + 1, (size_t)(dot - dash - 1) }, &stamp))
		return false;
	d->taken_us = (int64_t)stamp;
	return true;
}

/* The bucket of that name; 0: there is none. */
static int
find_bucket(struct delivery *d, const char *name, struct bucket *out)
{
	struct err why = { 0 };

	if (registry_bucket_find(d->m->t, d->a, name, out, &why) == 0)
		return 1;
	return why.code == ERR_NOT_FOUND ? 0 : err_fail(d->err, why.code, why.where, "%s", why.detail);
}

static int
target_config(struct delivery *d, enum config_kind kind, const char **doc)
{
	return meta_bucket_config(d->m->t, d->a, &d->target, kind, doc, d->err);
}

/* The new objects of the target are encrypted as its default says. */
static int
find_encryption(struct delivery *d)
{
	struct s3_problem pr = { 0 };
	const char *doc;

	d->sse = SSE_NONE;
	if (target_config(d, CONFIG_KIND_ENCRYPTION, &doc) != 0)
		return -1;
	if (doc != NULL && sse_config_parse(d->a, span_of(doc), &d->sse, &pr) != 0)
		return FAIL(d->err, ERR_INTERNAL, "the default encryption of bucket %s cannot be read", d->target.name);
	return 0;
}

/*
 * The target's owner has all, as of any object of his; beside him who was granted something in PutBucketLogging. Where lists
 * have come to count for nothing since, or everybody is to be kept out, no list is stored that says otherwise: what S3
 * refuses of a PutObject must not keep the lines back.
 */
static int
find_acl(struct delivery *d)
{
	struct acl_owner owner = { d->target.owner_id, d->target.owner_name };
	const char *ownership, *block;
	struct s3_access_block blocked;
	struct strbuf xml;
	struct acl *acl;

	d->acl = NULL;
	if (d->to.grants == NULL)
		return 0;
	if (target_config(d, CONFIG_KIND_OWNERSHIP, &ownership) != 0 || target_config(d, CONFIG_KIND_PUBLIC_ACCESS_BLOCK, &block) != 0)
		return -1;
	if (s3_ownership_read(d->a, ownership) == S3_OWNER_ENFORCED)
		return 0;
	acl = ARENA_NEW(d->a, struct acl);
	if (acl == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	s3_access_block_read(d->a, block, &blocked);
	acl_of_owner_with(&owner, d->to.grants, blocked.block_acls, acl);
	if (!acl_is_for_others(acl, owner.id))
		return 0;
	strbuf_init(&xml, d->a, ACL_XML_MAX);
	acl_xml(&xml, acl);
	if (!strbuf_ok(&xml))
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	d->acl = strbuf_cstr(&xml);
	return 0;
}

/* What tells the object from the others of its second: the same whenever these lines are delivered again. */
static const char *
unique(struct delivery *d)
{
	char *text = arena_printf(d->a, "%s %u", d->file, d->n), *hex = arena_alloc(d->a, 2 * SHA256_LEN + 1);
	uint8_t sum[SHA256_LEN];

	if (text == NULL || hex == NULL)
		return NULL;
	sha256(text, strlen(text), sum);
	hex_encode(sum, sizeof(sum), hex);
	for (size_t i = 0; i < ACCESS_KEY_UNIQUE; i++)
		if (hex[i] >= 'a')
			hex[i] = (char)(hex[i] - ('a' - 'A'));
	hex[ACCESS_KEY_UNIQUE] = '\0';
	return hex;
}

static int
object_key(struct delivery *d, struct span *out)
{
	struct access_object at = { d->source.owner_id, d->source.region, d->source.name, d->day_us, d->taken_us, unique(d) };
	struct strbuf key;

	strbuf_init(&key, d->a, S3_KEY_MAX);
	if (at.unique == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	access_object_key(&key, &d->to, &at);
	if (!strbuf_ok(&key))
		return FAIL(d->err, ERR_LIMIT, "an access log's key is too long");
	*out = (struct span){ key.buf, key.len };
	return 0;
}

/* ---- does the target's policy forbid it ---- */

static void
circumstances(const struct delivery *d, struct policy_context *c)
{
	char now[DATE_ISO_SIZE];
	const char *const of[][2] = {
		{ "aws:CurrentTime", now },
		{ "aws:SourceArn", arena_printf(d->a, POLICY_ARN_S3 "%s", d->source.name) },
		{ "aws:SourceAccount", d->source.owner_id },
		{ "aws:PrincipalIsAWSService", "true" },
		{ "aws:PrincipalServiceName", SERVICE },
		{ "aws:ViaAWSService", "false" },
		{ "aws:SecureTransport", "true" }, /* no byte of it goes over a network in the clear */
		{ "aws:RequestedRegion", d->target.region },
		{ "aws:ResourceAccount", d->target.owner_id },
		{ "s3:ResourceAccount", d->target.owner_id },
		{ "aws:EpochTime", arena_printf(d->a, "%" PRId64, d->now_us / US_PER_S) },
	};

	date_iso_s(d->now_us, now);
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (of[i][1] != NULL)
			policy_context_add(c, of[i][0], span_of(of[i][1]));
}

/*
 * The next object. The owner of both asked for it, which is leave enough; but a Deny is a Deny, whoever it speaks of.
 * Source: S3 User Guide, "Enabling Amazon S3 server access logging", "Permissions for log delivery".
 */
static int
check_policy(struct delivery *d)
{
	struct policy_context *c;
	struct policy_principal who = { .service = SERVICE };
	struct policy_request rq = { .action = "s3:PutObject", .bucket = span_of(d->target.name), .who = &who };

	if (d->policy == NULL)
		return 0;
	c = ARENA_NEW(d->a, struct policy_context);
	if (c == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	if (object_key(d, &rq.key) != 0)
		return -1;
	circumstances(d, c);
	rq.context = c;
	d->denied = policy_eval(d->a, d->policy, &rq) == POLICY_DENY;
	return arena_overflowed(d->a) ? FAIL(d->err, ERR_LIMIT, "access logging's arena is full") : 0;
}

/* A policy that cannot be read may forbid it. */
static int
find_policy(struct delivery *d)
{
	struct s3_problem pr = { 0 };

	if (d->target.policy == NULL)
		return 0;
	d->policy = policy_parse(d->a, span_of(d->target.policy), POLICY_BUCKET, d->target.name, &pr);
	d->denied = d->policy == NULL;
	return arena_overflowed(d->a) ? FAIL(d->err, ERR_LIMIT, "access logging's arena is full") : 0;
}

/* 1: d says where to. 0: nowhere any more. */
static int
find_target(struct delivery *d)
{
	const char *name, *doc;
	struct uuid id;
	int rc;

	if (!read_name(d, &name, &id))
		return 0;
	rc = find_bucket(d, name, &d->source);
	if (rc <= 0 || memcmp(&d->source.id, &id, sizeof(id)) != 0)
		return rc < 0 ? -1 : 0;
	if (meta_bucket_config(d->m->t, d->a, &d->source, CONFIG_KIND_LOGGING, &doc, d->err) != 0)
		return -1;
	if (doc == NULL || !access_logging_read(d->a, doc, &d->to))
		return 0;
	name = arena_strndup(d->a, d->to.bucket.p, d->to.bucket.len);
	if (name == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	rc = find_bucket(d, name, &d->target);
	if (rc <= 0)
		return rc;
	if (strcmp(d->target.status, "active") != 0 || strcmp(d->target.region, settings_of(d)->region) != 0 ||
	    memcmp(&d->target.tenant_id, &d->source.tenant_id, sizeof(struct uuid)) != 0)
		return 0;
	return find_encryption(d) != 0 || find_acl(d) != 0 || find_policy(d) != 0 || check_policy(d) != 0 ? -1 : 1;
}

/* ---- one object ---- */

static int
write_sealed(struct delivery *d, struct blob_writer *w, const uint8_t *data_key, struct span bytes)
{
	uint8_t *chunk = arena_alloc(d->a, CHUNK_SEAL_SIZE), key[CHUNK_SEAL_KEY];
	struct chunk_sealer *sealer;
	struct blob_id id;
	int rc = 0;

	if (chunk == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	blob_writer_id(w, &id);
	chunk_seal_key(data_key, id.b, sizeof(id.b), key);
	sealer = chunk_sealer_new(key);
	for (int64_t i = 0, n = chunk_seal_count((int64_t)bytes.len); rc == 0 && i < n; i++) {
		size_t len = bytes.len < CHUNK_SEAL_BYTES ? bytes.len : CHUNK_SEAL_BYTES;

		memcpy(chunk, bytes.p, len);
		chunk_seal(sealer, i, i == n - 1, chunk, len);
		rc = blob_write(w, chunk, len + CHUNK_SEAL_TAG, d->err);
		bytes.p += len;
		bytes.len -= len;
	}
	chunk_sealer_free(sealer);
	crypto_wipe(key, sizeof(key));
	return rc;
}

/* data_key NULL: plain. */
static int
to_blob(struct delivery *d, const uint8_t *data_key, struct span bytes, struct object *o)
{
	struct blob_writer *w;
	struct blob_id id;

	if (store_create(d->m->st, data_key == NULL ? (int64_t)bytes.len : chunk_seal_size((int64_t)bytes.len), &w, d->err) != 0)
		return -1;
	if ((data_key == NULL ? blob_write(w, bytes.p, bytes.len, d->err) : write_sealed(d, w, data_key, bytes)) != 0) {
		blob_abort(w);
		return -1;
	}
	if (blob_commit(w, &id, d->err) != 0)
		return -1;
	memcpy(o->blob_id.b, id.b, sizeof(id.b));
	o->has_blob = true;
	return 0;
}

static int
store_bytes(struct delivery *d, struct span bytes, struct object *o)
{
	uint8_t *envelope = arena_alloc(d->a, SSE_ENVELOPE_LEN), data_key[SSE_KEY_LEN];
	int rc;

	if (d->sse == SSE_NONE) {
		if ((int64_t)bytes.len > settings_of(d)->inline_max_bytes)
			return to_blob(d, NULL, bytes, o);
		o->inline_data = bytes;
		return 0;
	}
	if (envelope == NULL)
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	crypto_random(data_key, sizeof(data_key));
	sse_envelope_s3(&settings_of(d)->master, data_key, envelope);
	o->sse = (struct span){ (const char *)envelope, SSE_ENVELOPE_LEN };
	rc = to_blob(d, data_key, bytes, o);
	crypto_wipe(data_key, sizeof(data_key));
	return rc;
}

static int
describe(struct delivery *d, struct span bytes, struct object *o)
{
	struct object_meta meta = { .content_type = SPAN("text/plain") };
	struct strbuf headers;
	struct span key;
	char *etag = arena_alloc(d->a, 2 * MD5_LEN + 1);
	uint8_t sum[MD5_LEN];

	strbuf_init(&headers, d->a, OBJECT_HEADERS_MAX);
	object_meta_encode(&headers, &meta);
	if (etag == NULL || !strbuf_ok(&headers))
		return FAIL(d->err, ERR_LIMIT, "access logging's arena is full");
	if (object_key(d, &key) != 0)
		return -1;
	md5(bytes.p, bytes.len, sum);
	hex_encode(sum, sizeof(sum), etag);
	*o = (struct object){ .key = key, .size = (int64_t)bytes.len, .etag = etag, .checksums = SPAN(""),
		.headers = { headers.buf, headers.len }, .storage_class = "STANDARD", .owner_id = d->target.owner_id,
		.acl = d->acl };
	return 0;
}

static int
drop_blob(struct delivery *d, const struct object *o)
{
	struct blob_id id;

	if (!o->has_blob)
		return 0;
	memcpy(id.b, o->blob_id.b, sizeof(id.b));
	return store_remove(d->m->st, &id, d->err);
}

/* The target's quota is used up: as if its policy forbade it, for now. */
static int
no_room(struct delivery *d, const struct object *o)
{
	*d->err = (struct err){ 0 };
	d->denied = true;
	return drop_blob(d, o);
}

static int
put_lines(struct delivery *d, struct span bytes)
{
	struct object_cond none = { .kind = COND_NONE };
	struct object_placed placed;
	enum object_wrote wrote;
	struct object o;

	/* The first one's key was asked about before the file was taken. */
	if (d->n > 0 && check_policy(d) != 0)
		return -1;
	if (d->denied)
		return 0;
	if (describe(d, bytes, &o) != 0 || store_bytes(d, bytes, &o) != 0)
		return -1;
	if (meta_object_put(d->m->t, d->a, &d->target, &o, &none, &wrote, &placed, d->err) != 0)
		return d->err->code == ERR_QUOTA ? no_room(d, &o) : -1;
	d->n++;
	if (wrote == OBJECT_WROTE) {
		d->m->logs_delivered++;
		return 0;
	}
	/* The bucket went, or one of these lines is there already and locked. */
	d->m->logs_dropped++;
	return drop_blob(d, &o);
}

/* ---- a file ---- */

/* Whole lines at a time, as many as one object takes; until the policy forbids one. */
static int
put_file(struct delivery *d, int fd, char *buf)
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf + have, OBJECT_MAX - have)) > 0) {
		const char *lf;
		size_t len;

		have += (size_t)n;
		if (have < OBJECT_MAX)
			continue;
		lf = memrchr(buf, '\n', have);
		len = lf == NULL ? have : (size_t)(lf - buf) + 1;
		if (put_lines(d, (struct span){ buf, len }) != 0)
			return -1;
		if (d->denied)
			return 0;
		have -= len;
		memmove(buf, buf + len, have);
	}
	if (n < 0)
		return FAIL(d->err, ERR_INTERNAL, "could not read \"%s\": %s", d->file, strerror(errno));
	return have == 0 ? 0 : put_lines(d, (struct span){ buf, have });
}

/* It stays for a while, as it is: workers go on with it, or somebody took it before. */
static bool
is_kept(struct delivery *d)
{
	if (!d->denied || d->now_us - d->day_us > KEPT_FOR_US)
		return false;
	d->m->logs_kept++;
	log_event(NULL, EV_ACCESS_LOG_DENIED, LS("bucket", d->source.name), LS("target", d->target.name), LS("file", d->file));
	return true;
}

/* open: not taken yet, by that name; NULL: it was. */
static int
deliver(const struct run *run, const char *open, const char *file, struct err *err)
{
	struct delivery d = { .m = run->m, .a = run->a, .err = err, .file = file, .now_us = run->now_us };
	int fd = -1, rc = find_target(&d);

	if (rc < 0)
		return -1;
	if (rc == 1 && is_kept(&d))
		return 0;
	if (open != NULL) {
		int taken = spool_take(run->dir, open, run->stamp, err);

		if (taken <= 0)
			return taken;
	}
	if (rc == 0 || d.denied) {
		run->m->logs_dropped++;
		return spool_remove(run->dir, file, err);
	}
	rc = spool_open(run->dir, file, &fd, err);
	if (rc <= 0) /* 0: another run was there first */
		return rc;
	rc = put_file(&d, fd, run->buf);
	if (rc == 0 && !is_kept(&d)) {
		run->m->logs_dropped += d.denied ? 1 : 0;
		rc = spool_remove(run->dir, file, err);
	}
	(void)close(fd);
	return rc;
}

/* ---- the folder ---- */

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n > e && strcmp(name + n - e, end) == 0;
}

/* Names that end so; *names NULL-terminated. */
static int
list_files(struct arena *a, const char *dir, const char *end, char ***names, struct err *err)
{
	struct dirent *e;
	DIR *d;
	size_t n = 0;

	*names = arena_zalloc(a, (FILES_MAX + 1) * sizeof(**names));
	if (*names == NULL)
		return FAIL(err, ERR_LIMIT, "access logging's arena is full");
	d = opendir(dir);
	if (d == NULL)
		return errno == ENOENT ? 0 : FAIL(err, ERR_INTERNAL, "could not read \"%s\": %s", dir, strerror(errno));
	while (n < FILES_MAX && (e = readdir(d)) != NULL)
		if (ends_in(e->d_name, end) && ((*names)[n] = arena_strdup(a, e->d_name)) != NULL)
			n++;
	(void)closedir(d);
	return 0;
}

/* Each file whose name ends so. */
static int
deliver_all(const struct run *run, const char *end, struct err *err)
{
	char **names;
	int rc = list_files(run->list, run->dir, end, &names, err);

	for (; rc == 0 && *names != NULL; names++) {
		const char *file = *names, *open = NULL;

		if (strcmp(end, SPOOL_OPEN) == 0) {
			open = arena_strndup(run->list, file, strlen(file) - strlen(SPOOL_OPEN));
			file = open == NULL ? NULL : arena_printf(run->list, "%s-%s" SPOOL_TAKEN, open, run->stamp);
		}
		arena_reset(run->a);
		if (file == NULL)
			rc = FAIL(err, ERR_LIMIT, "access logging's arena is full");
		else if (run->m->dry_run)
			run->m->logs_delivered++;
		else
			rc = deliver(run, open, file, err);
	}
	return rc;
}

int
maintain_access_log(struct maintain *m, int64_t now_us, struct err *err)
{
	struct run run = { .m = m, .list = arena_new(LIST_ARENA), .a = arena_new(FILE_ARENA), .now_us = now_us };
	int rc;

	run.buf = arena_alloc(run.list, OBJECT_MAX);
	ASSERT(run.buf != NULL);
	(void)snprintf(run.stamp, sizeof(run.stamp), "%016" PRIx64, (uint64_t)now_us);
	(void)snprintf(run.dir, sizeof(run.dir), "%s/" ACCESS_LOG_FOLDER, meta_settings(meta_of(m->t))->store_dir);
	/* First what another run took and did not bring to its end. */
	rc = deliver_all(&run, SPOOL_TAKEN, err);
	if (rc == 0)
		rc = deliver_all(&run, SPOOL_OPEN, err);
	arena_free(run.a);
	arena_free(run.list);
	return rc;
}
