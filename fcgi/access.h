/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/access.h - what a bucket's public access block and object ownership say, beside its policies. */
#ifndef ANVIL_FCGI_ACCESS_H
#define ANVIL_FCGI_ACCESS_H

#include "fcgi/req.h"
#include "s3/bucket_config.h"

/* Of the request's bucket, through the cache; nothing is asked where the bucket's own value says that there is none. */
MUST_CHECK int access_block(struct req *r, struct s3_access_block *out);
/* RestrictPublicBuckets of the request's bucket; true also where it cannot be known just now. */
bool access_is_restricted(const struct req *r);

#endif
