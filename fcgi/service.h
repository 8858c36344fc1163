/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/service.h - what is not S3: /-/health and /-/metrics. Anyone may ask; the
 * web server's configuration fences them where they are not for all.
 */
#ifndef ANVIL_FCGI_SERVICE_H
#define ANVIL_FCGI_SERVICE_H

#include "fcgi/req.h"

/* Is it one of ours? ("-" cannot be a bucket's name.) */
bool service_is(const struct req *r);
MUST_CHECK int service_answer(struct req *r);
/* region_metrics.c: what is looked up for /-/metrics. */
void region_metrics(struct req *r, struct strbuf *sb);

#endif
