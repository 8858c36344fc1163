/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/ops/acl.h - lists of what is to be made: what the headers of CreateBucket ask for; whom lists may name. */
#ifndef ANVIL_FCGI_OPS_ACL_H
#define ANVIL_FCGI_OPS_ACL_H

#include "fcgi/identity.h"
#include "s3/acl.h"

/*
 * The list and the object ownership of a bucket that is to be made, as its documents; NULL: it carries none. -1:
 * InvalidArgument, InvalidRequest, InvalidBucketAclWithObjectOwnership, AccessDenied.
 */
MUST_CHECK int acl_of_new_bucket(struct req *r, const struct identity *who, const char **acl, const char **ownership);
/*
 * Who is granted something must be there; names of users become what they are called here. Blocks on the global database where
 * that is neither the bucket's owner nor who asks. 0, or -1: InvalidArgument.
 */
MUST_CHECK int acl_name_grantees(struct req *r, const struct identity *who, struct acl *acl);

#endif
