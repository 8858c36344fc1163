/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/access.h - what a bucket's public access block, object ownership and access
 * control lists say, beside its policies.
 */
#ifndef ANVIL_FCGI_ACCESS_H
#define ANVIL_FCGI_ACCESS_H

#include "fcgi/identity.h"
#include "meta/object.h"
#include "s3/acl.h"
#include "s3/bucket_config.h"

/* Of the request's bucket, through the cache; nothing is asked where the bucket's own value says that there is none. */
MUST_CHECK int access_block(struct req *r, struct s3_access_block *out);
/* RestrictPublicBuckets of the request's bucket; true also where it cannot be known just now. */
bool access_is_restricted(const struct req *r);
/* Who owns what is stored in the request's bucket. BucketOwnerEnforced: lists count for nothing. */
MUST_CHECK int access_ownership(const struct req *r, enum s3_ownership *out, struct err *err);
struct acl_owner access_bucket_owner(const struct req *r);
/* The request's bucket's own list. */
MUST_CHECK int access_bucket_acl(const struct req *r, struct acl *out, struct err *err);
/* An object's list, where lists count. */
void access_object_acl(const struct req *r, const struct object *o, struct acl *out);

/*
 * Does a list let him do it, where no policy speaks against it? For the action's own key in the version that the request
 * names. false also when it cannot be known just now. Cost: nothing where ownership is enforced; at most three reads through
 * the cache; of an object's list one statement on the regional database.
 */
bool access_list_allows(const struct req *r, const struct identity *who, const char *action, struct span key);
/*
 * An object that another account than the bucket's owns is that account's to share: policies do not speak for it. 0, or
 * -1 with AccessDenied. Nothing is asked of objects that are the bucket's owner's.
 */
MUST_CHECK int access_to_object(struct req *r, const struct identity *who, const struct object *o, enum acl_permission want);

#endif
