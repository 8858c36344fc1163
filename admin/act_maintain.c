/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_maintain.c - the action over admin/maintain.c.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def; a timer.
 * Blocks:     as long as it takes; may be stopped and run again at any time.
 */
#include "admin/act.h"

#include "admin/access_log.h"
#include "admin/lifecycle.h"
#include "base/clock.h"
#include "base/log.h"
#include "meta/quota.h"

#define SECONDS_A_DAY 86400

static const struct column done_cols[] = {
	{ "dry_run", "Counted only", COL_BOOL },
	{ "buckets_ended", "Deletes of buckets finished", COL_INT },
	{ "moves_ended", "Moved buckets cleared away", COL_INT },
	{ "quotas_settled", "Quotas put in force or taken back", COL_INT },
	{ "versions_expired", "Ended by lifecycle rules", COL_INT },
	{ "uploads_aborted", "Uploads given up", COL_INT },
	{ "logs_delivered", "Access logs delivered", COL_INT },
	{ "logs_dropped", "Access logs of no use", COL_INT },
	{ "logs_kept", "Access logs that a policy forbids", COL_INT },
	{ "blobs_removed", "Files removed", COL_INT },
	{ "bytes_removed", "Of orphans", COL_SIZE },
	{ "leftovers_removed", "Leftovers of broken writes", COL_INT },
	{ "blobs_seen", "Files looked at", COL_INT },
};

int
act_maintain(struct action_ctx *c, struct err *err)
{
	struct maintain m = { .t = c->thread, .st = c->store, .dry_run = arg_flag(c, "dry-run"),
		.force = arg_flag(c, "force"), .again = arg_flag(c, "lifecycle-again"),
		.lifecycle_day_s = c->settings->lifecycle_day_seconds };
	int rc = 0;

	if (maintain_buckets(&m, err) != 0 ||
	    (!m.dry_run && meta_quotas_settle(c->thread, &m.quotas_settled, err) != 0) ||
	    maintain_moves(&m, c->settings->dead_blob_grace_s, err) != 0 ||
	    maintain_uploads(&m, c->settings->upload_max_age_days * SECONDS_A_DAY, err) != 0 ||
	    maintain_lifecycle(&m, clock_wall_us(), err) != 0 ||
	    maintain_access_log(&m, clock_wall_us(), err) != 0 ||
	    maintain_dead_blobs(&m, c->settings->dead_blob_grace_s, err) != 0 ||
	    (arg_flag(c, "orphans") && maintain_orphans(&m, 0, STORE_SHARDS,
	    arg_num(c, "min-age-s", MAINTAIN_ORPHAN_AGE_S), err) != 0))
		rc = -1;
	/* What was done before it failed is said, too. */
	ROW(RESULT_RECORD(c->result, "maintain", done_cols), C_BOOL(m.dry_run), C_INT(m.buckets_ended),
	    C_INT(m.moves_ended), C_INT(m.quotas_settled), C_INT(m.versions_expired), C_INT(m.uploads_aborted), C_INT(m.logs_delivered), C_INT(m.logs_dropped), C_INT(m.logs_kept),
	    C_INT(m.blobs_removed), C_INT(m.bytes_removed), C_INT(m.leftovers_removed),
	    C_INT(m.blobs_seen));
	log_event(NULL, EV_MAINTAIN, LI("dry_run", m.dry_run), LI("buckets_ended", m.buckets_ended), LI("moves_ended", m.moves_ended),
	    LI("quotas_settled", m.quotas_settled),
	    LI("versions_expired", m.versions_expired), LI("uploads_aborted", m.uploads_aborted),
	    LI("logs_delivered", m.logs_delivered), LI("logs_dropped", m.logs_dropped), LI("logs_kept", m.logs_kept),
	    LI("blobs_removed", m.blobs_removed), LI("leftovers_removed", m.leftovers_removed));
	return rc;
}
