/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/access_log.h - server access logging: a line a request, into the region's spool. */
#ifndef ANVIL_FCGI_ACCESS_LOG_H
#define ANVIL_FCGI_ACCESS_LOG_H

#include "fcgi/req.h"

/*
 * After the answer. Costs nothing where the request's bucket logs nothing, or is another region's; else six system
 * calls. Never fails: what cannot be written is counted (anvil_access_log_lost_total).
 */
void access_log(const struct req *r, int64_t dur_us);

#endif
