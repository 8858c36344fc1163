/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/sendfile.h - letting the web server send a blob's file. */
#ifndef ANVIL_FCGI_SENDFILE_H
#define ANVIL_FCGI_SENDFILE_H

#include "fcgi/respond.h"
#include "meta/object.h"
#include "s3/object_meta.h"
#include "s3/range.h"

/*
 * Adds the header that makes the web server send these bytes of the blob, and is
 * true; false, and nothing added: the worker must stream them. With true the
 * answer has no Content-Length of ours and no body.
 */
bool sendfile_reply(struct reply *rp, const struct object *o, const struct object_meta *m, const struct range *range);

#endif
