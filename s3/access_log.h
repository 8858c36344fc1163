/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/access_log.h - server access logging: a bucket's configuration, one line of the
 * log as Amazon S3 writes it, and the keys of the objects that lines are delivered as.
 * Lines are written by fcgi/access_log.c and delivered by admin/access_log.c.
 */
#ifndef ANVIL_S3_ACCESS_LOG_H
#define ANVIL_S3_ACCESS_LOG_H

#include "s3/acl.h"
#include "s3/bucket_config.h"
#include "s3/operations.h"

#define ACCESS_LOG_FOLDER "access-log" /* of the spool, below store_dir */
#define ACCESS_LINE_MAX 65536
#define ACCESS_KEY_UNIQUE 16 /* upper-case hexadecimal digits */

enum access_partition { ACCESS_SIMPLE, ACCESS_BY_DELIVERY, ACCESS_BY_EVENT };
struct access_logging {
	struct span bucket, prefix; /* where to */
	enum access_partition partition;
	const struct acl *grants;   /* of what is delivered, beside its owner's; NULL: none. It says of no owner */
};

/* For a bucket's document (s3/bucket_config.h); an empty status removes it. */
MUST_CHECK int s3_logging_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* Of a stored document; false: it cannot be read. */
MUST_CHECK bool access_logging_read(struct arena *a, const char *stored, struct access_logging *out);

/* One request. What is NULL, empty or negative is not known, and written as "-". */
struct access_record {
	const char *owner, *bucket;  /* the logged bucket's */
	int64_t time_us;
	const char *remote_ip, *requester, *request_id;
	enum s3_op op;               /* OP_NONE: none fits */
	bool website;
	bool batch;                  /* one key of DeleteObjects: it has no request of its own */
	struct span method, key, target, protocol;
	int status;
	const char *error;
	int64_t bytes_sent, object_size, total_us, first_us;
	struct span referer, user_agent, version;
	const char *host_id, *auth;  /* "AuthHeader", "QueryString" */
	bool is_signed;
	struct span host;
	const char *tls, *cipher, *source_region;
};
/* The line, LF included. No field can hold a blank, a quote or a control byte that is not the format's own. */
void access_line(struct strbuf *sb, const struct access_record *r);
/* "REST.GET.OBJECT" */
void access_operation(struct strbuf *sb, const struct access_record *r);

/* The key of one object of lines. day_us: when they happened. */
struct access_object {
	const char *owner, *region, *bucket; /* the logged bucket's */
	int64_t day_us, delivered_us;
	const char *unique;
};
void access_object_key(struct strbuf *sb, const struct access_logging *l, const struct access_object *o);

#endif
