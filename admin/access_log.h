/* SPDX-License-Identifier: Apache-2.0 */
/* admin/access_log.h - server access logs, from the spool to the buckets that they go to. */
#ifndef ANVIL_ADMIN_ACCESS_LOG_H
#define ANVIL_ADMIN_ACCESS_LOG_H

#include "admin/maintain.h"

/*
 * Takes every file of this store's spool and stores its lines as objects, counted in m->logs_delivered. A bucket that
 * logs nothing any more, or whose target may not have its lines any more, has them dropped (m->logs_dropped). When it
 * fails, what is left is delivered by the next run, under the keys that this one would have given.
 */
MUST_CHECK int maintain_access_log(struct maintain *m, int64_t now_us, struct err *err);

#endif
