/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/ops/acl.h - lists of what is to be made: what the headers of CreateBucket ask for. */
#ifndef ANVIL_FCGI_OPS_ACL_H
#define ANVIL_FCGI_OPS_ACL_H

#include "fcgi/identity.h"

/*
 * The list and the object ownership of a bucket that is to be made, as its documents; NULL: it carries none. -1:
 * InvalidArgument, InvalidRequest, InvalidBucketAclWithObjectOwnership, AccessDenied.
 */
MUST_CHECK int acl_of_new_bucket(struct req *r, const struct identity *who, const char **acl, const char **ownership);

#endif
