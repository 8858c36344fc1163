/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/ops.h - the handlers, one prototype a row of s3/operations.def.
 *
 * A handler finds the request parsed, authenticated, authorised and at home in
 * this region (ANYWHERE in the row: in any); r->bucket is there when the operation is about one (but for
 * CreateBucket). 0: answered. -1: r->err says why; when nothing was sent yet the
 * caller answers with it.
 */
#ifndef ANVIL_FCGI_OPS_H
#define ANVIL_FCGI_OPS_H

#include "fcgi/identity.h"

typedef int (*op_fn)(struct req *r, const struct identity *who);

#define OP(name, method, level, query, header, handler, action, of_version, class, body, flags, doc)                               \
	MUST_CHECK int handler(struct req *r, const struct identity *who);
#include "s3/operations.def"
#undef OP

/*
 * Headers that ask for what is not built must not be passed over: an object would
 * be stored unencrypted, unlocked, or readable by others than asked. -1: NotImplemented
 * or AccessControlListNotSupported.
 */
MUST_CHECK int ops_check_headers(struct req *r);
/* Stores (NULL: removes) a document of the request's bucket; every region knows when this returns. */
MUST_CHECK int config_store(struct req *r, enum config_kind kind, const char *document);
/* The object's row or an error: NoSuchKey (AccessDenied to those who may not list), NoSuchVersion. */
struct object;
struct version_id;
MUST_CHECK int ops_find_object(struct req *r, const struct identity *who, bool want_data, struct object *out);
/*
 * The display name of an account; NULL when there is none of that id, with err when that cannot be known. Asks the global
 * database for accounts that are neither the bucket's owner nor the asker.
 */
const char *ops_owner_name(struct req *r, const struct identity *who, const char *id, struct err *err);
/* The version that a text names; *out NULL when there is no text (p NULL). -1: InvalidArgument. */
MUST_CHECK int ops_version_of(struct req *r, struct span text, struct version_id *buf, const struct version_id **out);
/*
 * NoSuchKey; AccessDenied to one who may not list: to him a key that is not there looks like one he may not read.
 * as: the request as policies of the key's bucket see it, r itself but for a copy's source. Is -1.
 */
int ops_no_such_key(struct req *r, const struct req *as, const struct identity *who, struct span key);
/* NoSuchVersion; MethodNotAllowed for what cannot be done to a delete marker: is -1. */
int ops_no_such_version(struct req *r, struct span key, struct span version);
int ops_marker_not_allowed(struct req *r);
/*
 * Retention and legal hold of an object that is to be written: what the headers say, else the bucket's default.
 * -1: InvalidRequest where the bucket has no object lock, InvalidArgument, AccessDenied.
 */
MUST_CHECK int ops_object_lock(struct req *r, const struct identity *who, struct object *o);
/*
 * Tags of an object that is to be written, as x-amz-tagging says. -1: InvalidArgument, InvalidTag, BadRequest,
 * AccessDenied.
 */
MUST_CHECK int ops_tags(struct req *r, const struct identity *who, struct object *o);
/*
 * The access control list of an object that is to be written, as x-amz-acl or x-amz-grant-* say, and whose it will be.
 * -1: AccessControlListNotSupported, InvalidArgument, InvalidRequest, UnresolvableGrantByEmailAddress, AccessDenied.
 */
MUST_CHECK int ops_acl(struct req *r, const struct identity *who, struct object *o);
/* x-amz-expiration of a current version, where a lifecycle rule ends it. */
struct reply;
void ops_expiration(struct reply *rp, int64_t size, struct span tags, int64_t mtime_us);
/* What a change of a version came to: 0, or -1 with NoSuchKey, NoSuchVersion, AccessDenied (a lock), MethodNotAllowed. */
MUST_CHECK int ops_changed(struct req *r, int wrote);
/* The URL of the request's object, as the client reached us; "" when it is too long. */
#define OPS_LOCATION_MAX 8192
const char *ops_location(struct req *r);
/* May governance be passed: he asks for it by the header, and may. */
bool ops_bypasses_governance(const struct req *r, const struct identity *who, struct span key);

#endif
