/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/notify.c - whom a request's changes are told to.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     on the cache, where the bucket has a configuration.
 * Invariant:  handlers know nothing of it: what is told follows from the operation and from what the database did.
 * Source:     S3 User Guide, "Supported event types for SQS, SNS, and Lambda".
 */
#include "fcgi/notify.h"

#include "fcgi/deliver.h"
#include "fcgi/worker.h"
#include "meta/notify.h"
#include "s3/notification.h"

static const struct {
	enum s3_op op;
	const char *event[3]; /* by enum notify_change */
} tells[] = {
	{ OP_PutObject, { "ObjectCreated:Put", NULL, NULL } },
	{ OP_PostObject, { "ObjectCreated:Post", NULL, NULL } },
	{ OP_CopyObject, { "ObjectCreated:Copy", NULL, NULL } },
	{ OP_CompleteMultipartUpload, { "ObjectCreated:CompleteMultipartUpload", NULL, NULL } },
	{ OP_RenameObject, { "ObjectCreated:Copy", "ObjectRemoved:Delete", NULL } },
	{ OP_DeleteObject, { NULL, "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated" } },
	{ OP_DeleteObjects, { NULL, "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated" } },
	{ OP_PutObjectTagging, { "ObjectTagging:Put", NULL, NULL } },
	{ OP_DeleteObjectTagging, { "ObjectTagging:Delete", NULL, NULL } },
	{ OP_PutObjectAcl, { "ObjectAcl:Put", NULL, NULL } },
};

struct telling {
	struct notify n;
	const struct req *r;
	const char *const *event;
	struct notification_configs configs;
};

static bool
whom(const void *arg, enum notify_change change, struct span key, struct notify_to *out)
{
	const struct telling *w = arg;
	const struct req *r = w->r;

	out->event = w->event[change];
	/* Who asks was verified before anything is written; a form's signer only in its handler. */
	out->principal = r->acts_for != NULL ? r->acts_for : r->access_key != NULL ? r->access_key : "Anonymous";
	return notification_whom(r->arena, &w->configs, out->event, key, &out->webhook, &out->config_id);
}

const char *
notify_request(const struct req *r)
{
	return arena_printf(r->arena, "%s %s", r->id, r->thread->worker->host_id);
}

int
notify_begin(struct req *r)
{
	const char *doc, *request;
	struct telling *w;

	if (r->bucket == NULL || !bucket_has_config(r->bucket, CONFIG_KIND_NOTIFICATION))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tells); i++) {
		if (tells[i].op != r->op)
			continue;
		request = notify_request(r);
		w = ARENA_NEW(r->arena, struct telling);
		if (w == NULL || request == NULL)
			return FAIL(&r->err, ERR_LIMIT, "arena is full");
		if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_NOTIFICATION, &doc, &r->err) != 0)
			return -1;
		*w = (struct telling){ .n = { r->bucket, r->client_addr == NULL ? "" : r->client_addr, request, whom, w }, .r = r,
			.event = tells[i].event };
		notification_read(r->arena, doc, &w->configs);
		if (w->configs.n > 0)
			meta_notify(r->thread->meta, &w->n);
	}
	return 0;
}

void
notify_end(struct req *r)
{
	if (meta_notified(r->thread->meta))
		deliver_wake(r->thread->worker->deliverers);
	meta_notify(r->thread->meta, NULL);
}
