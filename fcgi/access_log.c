/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/access_log.c - what a request was, as a line in the spool of its bucket.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, after the answer.
 * Blocks:     on the disk of store_dir, which a full one does not: the line is lost, the request is not.
 * Invariant:  only the bucket's home writes, so that what is delivered there is whole.
 */
#include "fcgi/access_log.h"

#include <limits.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/spool.h"
#include "fcgi/worker.h"
#include "s3/access_log.h"
#include "s3/date.h"

#define LINES_MAX 50 /* of one DeleteObjects, in one write */

/* What the web server says in a variable of its own; NULL: nothing. */
static const char *
variable(const struct req *r, const char *name)
{
	size_t len = strlen(name);

	for (char **e = r->http->env; *e != NULL; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=' && (*e)[len + 1] != '\0')
			return *e + len + 1;
	return NULL;
}

static void
describe(const struct req *r, int64_t dur_us, struct access_record *out)
{
	const char *protocol = variable(r, "SERVER_PROTOCOL");

	*out = (struct access_record){
		.owner = r->bucket->owner_id,
		.bucket = r->bucket->name,
		.time_us = r->now_us,
		.remote_ip = r->client_addr,
		.requester = r->requester,
		.request_id = r->id,
		.op = r->op,
		.website = r->website,
		.method = r->method,
		.key = r->key,
		.target = r->target,
		.protocol = protocol == NULL ? SPAN("") : span_of(protocol),
		.status = r->status,
		.error = r->err.code == 0 ? NULL : s3_error_find(r->problem.code != 0 ? r->problem.code : r->err.code)->name,
		.bytes_sent = r->http->bytes_out,
		.object_size = r->object_size,
		.total_us = dur_us,
		/* Of a request with a body it is not known when its last byte came. */
		.first_us = r->http->expects_body || r->http->begun_us == 0 ? -1 : r->http->begun_us - r->start_us,
		.referer = req_header(r, "referer"),
		.user_agent = req_header(r, "user-agent"),
		.version = req_param(r, "versionId"),
		.host_id = r->thread->worker->host_id,
		.auth = r->auth_type,
		.is_signed = r->access_key != NULL,
		.host = r->host,
		.source_region = r->hop_from,
	};
	/* Of a relayed request that would be the other region's connection. */
	if (r->hop_from == NULL && r->secure) {
		out->tls = variable(r, "SSL_PROTOCOL");
		out->cipher = variable(r, "SSL_CIPHER");
	}
}

static void
lost(const struct req *r, int64_t n, const struct err *err)
{
	int64_t before = metric_get(M_ACCESS_LOG_LOST);

	/* A full disk loses many: one in a thousand is told of. */
	if (before == 0 || before / 1000 != (before + n) / 1000)
		log_event(r->id, EV_ACCESS_LOG_LOST, LS("bucket", r->bucket->name), LS("detail", err->detail));
	metric_add(M_ACCESS_LOG_LOST, n);
}

/* Where the lines of a bucket and day are. */
struct spool {
	char dir[PATH_MAX], name[SPOOL_NAME_MAX];
};

static void
append(const struct req *r, const struct spool *to, const struct strbuf *lines, int64_t n)
{
	struct err err = { 0 };

	if (!strbuf_ok(lines))
		(void)FAIL(&err, ERR_LIMIT, "the line is too long, or the request's arena is full");
	else if (spool_append(to->dir, to->name, lines->buf, lines->len, r->thread->settings->access_log_spool_bytes, &err) == 0) {
		metric_add(M_ACCESS_LOG_LINES, n);
		return;
	}
	lost(r, n, &err);
}

/* What became of each key of DeleteObjects: a line beside the request's. */
static void
append_deleted(const struct req *r, const struct spool *to, struct access_record *record)
{
	struct strbuf lines;

	record->batch = true;
	record->bytes_sent = record->object_size = record->total_us = record->first_us = -1;
	for (size_t i = 0, n = 0; i < r->n_deleted; i++) {
		const struct deleted_key *d = &r->deleted[i];
		const struct s3_error *e = d->code == 0 ? NULL : s3_error_find(d->code);

		if (n++ == 0)
			strbuf_init(&lines, r->arena, LINES_MAX * ACCESS_LINE_MAX);
		record->key = d->key;
		record->version = d->version;
		record->status = e == NULL ? 204 : e->status;
		record->error = e == NULL ? NULL : e->name;
		access_line(&lines, record);
		if (n < LINES_MAX && i + 1 < r->n_deleted)
			continue;
		append(r, to, &lines, (int64_t)n);
		n = 0;
	}
}

void
access_log(const struct req *r, int64_t dur_us)
{
	const struct settings *s = r->thread->settings;
	char day[DATE_DAY_SIZE], id[UUID_TEXT_LEN + 1];
	struct access_record record;
	struct strbuf line;
	struct spool to;

	if (r->bucket == NULL || !bucket_has_config(r->bucket, CONFIG_KIND_LOGGING) || strcmp(r->bucket->region, s->region) != 0)
		return;
	describe(r, dur_us, &record);
	strbuf_init(&line, r->arena, ACCESS_LINE_MAX);
	access_line(&line, &record);
	date_day(r->now_us, day);
	uuid_text(&r->bucket->id, id);
	(void)snprintf(to.dir, sizeof(to.dir), "%s/" ACCESS_LOG_FOLDER, s->store_dir);
	(void)snprintf(to.name, sizeof(to.name), "%s,%s,%s", r->bucket->name, id, day);
	append(r, &to, &line, 1);
	append_deleted(r, &to, &record);
}
