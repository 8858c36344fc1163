/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/notification.h - a bucket's notification configuration: the document, whom it wants
 * told of an event, and the event as the receiver gets it.
 *
 * Destinations are webhooks, named by the last part of an ARN: arn:aws:sqs:::NAME in a
 * QueueConfiguration, arn:aws:sns:::NAME in a TopicConfiguration. Region and account may
 * be given; they are kept and mean nothing.
 */
#ifndef ANVIL_S3_NOTIFICATION_H
#define ANVIL_S3_NOTIFICATION_H

#include "base/arena.h"
#include "s3/problem.h"

#define NOTIFICATIONS_MAX 100 /* configurations of one bucket, as S3 */

struct notification_config {
	struct span id, arn, webhook; /* webhook: the ARN's last part */
	uint32_t events;              /* bits */
	struct span prefix, suffix;   /* of keys; empty: any */
};
struct notification_configs {
	struct notification_config *v;
	size_t n;
};

/* For a bucket's document (s3/bucket_config.h): configurations without an Id get one. */
MUST_CHECK int s3_notification_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* Of a stored document; one that cannot be read, and NULL, has none. */
void notification_read(struct arena *a, const char *stored, struct notification_configs *out);
/* Which of them is told of "ObjectCreated:Put" of that key: one at most, since they may not overlap. NULL: none. */
const struct notification_config *notification_match(const struct notification_configs *c, const char *event, struct span key);
/* The same as texts of an arena (NULL: it is full): which webhook, by which configuration. false: none is told. event NULL: nothing is. */
bool notification_whom(struct arena *a, const struct notification_configs *c, const char *event, struct span key, const char **webhook,
    const char **config_id);

struct notification_event {
	const char *event;            /* "ObjectCreated:Put" */
	const char *config_id, *region, *bucket, *owner_id, *principal, *address, *request_id, *host_id;
	int64_t at_us, number;        /* number: grows with each event of a key */
	struct span key;              /* UTF-8 */
	const char *version;          /* NULL: none */
	const char *etag;             /* with size; NULL: neither is known */
	int64_t size;
};
/* {"Records": [...]}, eventVersion 2.1; NULL: the arena is full. */
const char *notification_json(struct arena *a, const struct notification_event *v, size_t n);
/* What a new configuration begins with. */
const char *notification_test_json(struct arena *a, const struct notification_event *v);

#endif
