/* SPDX-License-Identifier: Apache-2.0 */
/* admin/lifecycle.h - carries out the lifecycle rules of this region's buckets. */
#ifndef ANVIL_ADMIN_LIFECYCLE_H
#define ANVIL_ADMIN_LIFECYCLE_H

#include "admin/maintain.h"

/*
 * Every bucket at home here that has rules, as of now_us; once a day, unless its rules changed or m->again. Stopped at any step and run again it goes on: what a rule ends is
 * read anew each time. Cost: a bucket with rules is walked whole, below what its rules' prefixes have in common.
 */
MUST_CHECK int maintain_lifecycle(struct maintain *m, int64_t now_us, struct err *err);

#endif
