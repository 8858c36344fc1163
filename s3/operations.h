/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/operations.h - the table of operations, and which of them a request asks for.
 *
 * The most specific row wins. A subresource that no row of the method has never
 * falls through to another operation. Handlers belong to fcgi/: include
 * s3/operations.def there with an OP() of your own to get an array of them.
 */
#ifndef ANVIL_S3_OPERATIONS_H
#define ANVIL_S3_OPERATIONS_H

#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/uri.h"

enum s3_method {
	S3_METHOD_GET, S3_METHOD_HEAD, S3_METHOD_PUT, S3_METHOD_POST,
	S3_METHOD_DELETE, S3_METHOD_OPTIONS, S3_METHOD_OTHER
};
enum s3_level {
	S3_LEVEL_SERVICE = 1 << 0,
	S3_LEVEL_BUCKET = 1 << 1,
	S3_LEVEL_OBJECT = 1 << 2,
	S3_LEVEL_TARGET = S3_LEVEL_BUCKET | S3_LEVEL_OBJECT
};
enum s3_class { S3_CLASS_READ, S3_CLASS_WRITE, S3_CLASS_LIST };
enum s3_body { S3_BODY_NONE, S3_BODY_XML, S3_BODY_JSON, S3_BODY_STREAM, S3_BODY_FORM };
enum s3_op_flags {
	S3_OP_PLAIN = 0,
	S3_OP_ANYWHERE = 1 << 0, /* answered in any region, from metadata */
	S3_OP_VERSION = 1 << 1   /* takes versionId */
};

enum s3_op {
	OP_NONE = -1, /* no operation: not known, or not yet */
#define OP(name, method, level, query, header, handler, action, of_version, class, body, flags, doc) OP_##name,
#include "s3/operations.def"
#undef OP
	S3_OP_COUNT
};

struct s3_operation {
	const char *name;
	enum s3_method method;
	int levels; /* bits of enum s3_level */
	const char *query, *header, *handler;
	const char *action; /* "s3:GetObject"; "" = none needed */
	const char *of_version; /* instead, when a version is named; NULL = the same */
	enum s3_class class;
	enum s3_body body;
	int flags;
	const char *doc;
};

const struct s3_operation *s3_operation(enum s3_op op);
/* What policies allow or deny. of_version: a version is named. */
const char *s3_operation_action(enum s3_op op, bool of_version);
/* false: op_not_implemented answers. */
bool s3_operation_built(enum s3_op op);
/* The name, NULL past the last row (so that metrics_print can walk them). */
const char *s3_operation_name(int op);
enum s3_op s3_operation_by_name(struct span name);

enum s3_method s3_method_parse(struct span method);
const char *s3_method_name(enum s3_method m);

struct s3_match {
	struct span method; /* as sent */
	enum s3_level level;
	const struct s3_query *query;
	const struct s3_headers *headers;
};
/*
 * Which operation is asked for. 0 with *out set, or -1 with pr:
 * MethodNotAllowed (a subresource that has other methods; a method S3 has not),
 * InvalidArgument (two subresources; a versionId where none goes; partNumber
 * without uploadId), NotImplemented (a subresource that S3 does not have).
 * X-Amz-* and x-id never count; other parameters with a value are ignored, as AWS does.
 */
MUST_CHECK int s3_operation_match(struct arena *a, const struct s3_match *m, enum s3_op *out, struct s3_problem *pr);
/* What a 405 says in Allow: the methods that this target and subresource have. */
void s3_operation_allow(struct strbuf *sb, const struct s3_match *m);

#endif
