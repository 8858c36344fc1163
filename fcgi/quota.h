/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/quota.h - requests and the quotas of buckets. What refuses a write is the statement that would
 * write the row (meta/quota.h); here is what spares sending much in vain, and what notices changes.
 */
#ifndef ANVIL_FCGI_QUOTA_H
#define ANVIL_FCGI_QUOTA_H

#include "fcgi/req.h"

/*
 * Before a blob of `size` bytes (-1: not known) is begun for the object or part that r names: -1 with ERR_QUOTA in
 * r->err when its bucket has no room for it. Costs nothing for a bucket without a quota, else a statement.
 */
MUST_CHECK int quota_admit(struct req *r, int64_t size);
/* When the request is over: has its bucket's account here to be settled? */
void quota_watch(struct req *r);

#endif
