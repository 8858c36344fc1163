/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/region.c - rows of the "regions" table and of the event clock.
 *
 * Owns:    nothing; strings are the result's.
 * Blocks:  never.
 */
#include "meta/internal.h"

void
clock_from_row(const struct db_rows *r, size_t row, int col, struct event_clock *out)
{
	struct span epoch = db_span(r, row, col);

	ASSERT(epoch.len == EPOCH_LEN);
	memcpy(out->epoch, epoch.p, EPOCH_LEN);
	out->n = (uint64_t)db_i64(r, row, col + 1);
}

/* name, endpoint, domains, inv_pub, inv_rep, state, created_at */
void
region_from_row(const struct db_rows *r, size_t row, int col, struct arena *a, struct region *out)
{
	out->name = db_text(r, row, col);
	out->endpoint = db_text(r, row, col + 1);
	out->domains = db_texts(r, row, col + 2, a);
	out->inv_pub = db_text(r, row, col + 3);
	out->inv_rep = db_text(r, row, col + 4);
	out->state = db_text(r, row, col + 5);
	out->created_us = db_i64(r, row, col + 6);
}
