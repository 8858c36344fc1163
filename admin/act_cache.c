/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_cache.c - the metadata cache of this region, and how far each
 * region is behind.
 *
 * Owns:       nothing.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database, on memcached, and at most watch-ms.
 */
#include "admin/act.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "meta/report.h"

#define WATCH_MS 2000

static const struct column clock_cols[] = {
	{ "epoch", "Epoch", COL_TEXT },
	{ "n", "Event number", COL_INT },
	{ "changed", "Last change", COL_TIME },
	{ "epoch_since", "Epoch since", COL_TIME },
	{ "epoch_reason", "Because", COL_TEXT },
	{ "primary", "Primary", COL_BOOL },
	{ "events_kept", "Events kept", COL_INT },
};
static const struct column region_cols[] = {
	{ "region", "Region", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "n", "Knows through", COL_INT },
	{ "behind", "Behind", COL_INT },
	{ "behind_us", "Behind for", COL_US },
	{ "heard_us", "Heard", COL_US },
};
static const struct column server_cols[] = {
	{ "address", "memcached", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "round_trip_us", "Round trip", COL_US },
	{ "pages", "Pages", COL_INT },
	{ "trusted", "Trusted", COL_INT },
	{ "beat_age_us", "Oldest beat", COL_US },
};
static const struct column invalidator_cols[] = {
	{ "invalidator", "Invalidator", COL_INT },
	{ "state", "State", COL_STATE },
	{ "since", "Since", COL_TIME },
	{ "source", "Source", COL_BOOL },
	{ "peers", "Peers", COL_INT },
	{ "n", "Knows through", COL_INT },
	{ "events", "Events applied", COL_INT },
	{ "beats", "Beats", COL_INT },
	{ "gaps", "Gaps", COL_INT },
	{ "flushes", "Pages flushed", COL_INT },
	{ "refused", "Messages refused", COL_INT },
	{ "age_us", "Said", COL_US },
};
static const struct column value_cols[] = {
	{ "hits", "Hits", COL_INT },
	{ "misses", "Misses", COL_INT },
	{ "refused_stamp", "Refused: changed since", COL_INT },
	{ "refused_epoch", "Refused: another epoch", COL_INT },
	{ "refused_untrusted", "Refused: not trusted", COL_INT },
	{ "served_old", "Served though cut off", COL_INT },
	{ "waits", "Changes that waited", COL_INT },
	{ "wait_mean_us", "Mean wait", COL_US },
	{ "wait_max_us", "Longest at most", COL_US },
	{ "wait_timeouts", "Given up after metadata_ack_ms", COL_INT },
};
static const struct column page_cols[] = {
	{ "address", "memcached", COL_TEXT },
	{ "page", "Page", COL_INT },
	{ "present", "There", COL_BOOL },
	{ "trusted", "Trusted", COL_BOOL },
	{ "n", "Event number", COL_INT },
	{ "beat", "Beat", COL_INT },
	{ "beat_age_us", "Age of the beat", COL_US },
};

static void
say_clock(struct action_ctx *c, const struct clock_status *clock)
{
	struct table *t = RESULT_RECORD(c->result, "clock", clock_cols);
	struct strbuf epoch;

	strbuf_init(&epoch, c->arena, EPOCH_LEN * 2);
	strbuf_hex(&epoch, clock->clock.epoch, EPOCH_LEN);
	ROW(t, C_TEXT(strbuf_cstr(&epoch)), C_INT(clock->clock.n), C_INT(clock->changed_us),
	    C_INT(clock->epoch_since_us), C_TEXT(clock->epoch_reason), C_BOOL(clock->primary),
	    C_INT(clock->events_kept));
}

static void
region_row(struct action_ctx *c, struct table *t, const struct region_info *r, const struct cache_ack_status *ack,
    const struct clock_status *clock, const struct report_region *said)
{
	int64_t behind_us = said == NULL ? -1 : said->behind_us;
	int64_t behind = (int64_t)(clock->clock.n - ack->clock.n);
	bool same = memcmp(ack->clock.epoch, clock->clock.epoch, EPOCH_LEN) == 0;
	const char *state;

	if (strcmp(r->r.state, "active") != 0)
		state = r->r.state;
	else if (!ack->known || ack->age_us > c->settings->metadata_trust_ms * US_PER_MS)
		state = "silent";
	else if (!same)
		state = "old epoch";
	else
		state = behind <= 0 ? "current" : "behind";
	if (!ack->known)
		ROW(t, C_TEXT(r->r.name), C_TEXT(state), C_NULL, C_NULL, behind_us < 0 ? C_NULL : C_INT(behind_us), C_NULL);
	else
		ROW(t, C_TEXT(r->r.name), C_TEXT(state), C_INT(ack->clock.n),
		    same ? C_INT(behind < 0 ? 0 : behind) : C_NULL, same && behind <= 0 ? C_INT(0) : behind_us < 0 ? C_NULL : C_INT(behind_us),
		    C_INT(ack->age_us < 0 ? 0 : ack->age_us));
}

static void
server_row(struct action_ctx *c, struct table *t, const struct cache_server_status *s, bool watched)
{
	int64_t oldest = -1;
	int present = 0;
	const char *state;

	for (int i = 0; i < CACHE_PAGES; i++) {
		present += s->page[i].present;
		if (s->page[i].beat_age_us > oldest)
			oldest = s->page[i].beat_age_us;
	}
	if (!s->reachable)
		state = "away";
	else if (s->trusted_pages == CACHE_PAGES)
		state = "trusted";
	else if (!watched && present == CACHE_PAGES && oldest >= 0 &&
	    oldest < c->settings->metadata_trust_ms * US_PER_MS)
		state = "beating";
	else
		state = "not trusted";
	if (!s->reachable)
		ROW(t, C_TEXT(s->address), C_TEXT(state), C_NULL, C_NULL, C_NULL, C_NULL);
	else
		ROW(t, C_TEXT(s->address), C_TEXT(state), C_INT(s->round_trip_us), C_INT(present),
		    watched || s->trusted_pages > 0 ? C_INT(s->trusted_pages) : C_NULL,
		    oldest < 0 ? C_NULL : C_INT(oldest));
}

static void
page_rows(struct table *t, const struct cache_server_status *s)
{
	for (int i = 0; i < CACHE_PAGES; i++) {
		const struct cache_page_status *p = &s->page[i];

		ROW(t, C_TEXT(s->address), C_INT(i), C_BOOL(p->present), C_BOOL(p->trusted),
		    C_INT(p->clock.n), C_INT(p->beat),
		    p->beat_age_us < 0 ? C_NULL : C_INT(p->beat_age_us));
	}
}

/* The region as the newest of the reports has it; NULL: none does. */
static const struct report_region *
reported(const struct report *r, uint32_t there, const char *name)
{
	const struct report *newest = report_newest(r, there);

	for (size_t i = 0; newest != NULL && i < newest->n_regions; i++)
		if (strcmp(newest->region[i].name, name) == 0)
			return &newest->region[i];
	return NULL;
}

static void
invalidator_rows(struct table *t, const struct report *reports, uint32_t there)
{
	int64_t now = clock_wall_us();

	for (unsigned i = 0; i < REPORTS_MAX; i++) {
		const struct report *r = &reports[i];

		if (there & UINT32_C(1) << i)
			ROW(t, C_INT(i), C_TEXT(r->beating ? "beating" : "cut off"), C_INT(r->since_wall_us), C_BOOL(r->source),
			    C_INT(r->peers), C_INT(r->n), C_INT(r->count[REPORT_EVENTS]), C_INT(r->count[REPORT_BEATS]),
			    C_INT(r->count[REPORT_GAPS]), C_INT(r->count[REPORT_FLUSHES]), C_INT(r->count[REPORT_REFUSED]),
			    C_INT(now - r->wall_us < 0 ? 0 : now - r->wall_us));
	}
}

/* What this host's workers have counted since their metrics' file was made; nothing where there is no worker. */
static void
say_values(struct action_ctx *c)
{
	char path[PATH_MAX];
	int64_t waits, mean_us, max_us;
	struct table *t;

	snprintf(path, sizeof(path), "%s/metrics", c->settings->state_dir);
	if (metrics_read(path) != 0)
		return;
	metric_times(H_ACK_WAIT, &waits, &mean_us, &max_us);
	t = RESULT_RECORD(c->result, "values", value_cols);
	ROW(t, C_INT(metric_get(M_CACHE_HITS)), C_INT(metric_get(M_CACHE_MISSES)), C_INT(metric_get(M_CACHE_STALE)),
	    C_INT(metric_get(M_CACHE_EPOCH)), C_INT(metric_get(M_CACHE_UNTRUSTED)), C_INT(metric_get(M_CACHE_SERVED_OLD)),
	    C_INT(waits), C_INT(mean_us), max_us < 0 ? C_NULL : C_INT(max_us), C_INT(metric_get(M_ACK_TIMEOUTS)));
}

/* What the global database says of the clock and of the regions. */
struct global_view {
	bool known;
	struct clock_status clock; /* .clock: the newest that a region acknowledged when nothing better is known */
	struct region_info *regions;
	size_t n_regions;
};

/* While the global database is away: the regions that this one's invalidators tell of. */
static int
regions_from_report(struct action_ctx *c, const struct report *r, struct global_view *out, struct err *err)
{
	out->n_regions = r == NULL ? 0 : r->n_regions;
	out->regions = arena_array(c->arena, out->n_regions + 1, sizeof(*out->regions));
	if (out->regions == NULL)
		return FAIL(err, ERR_LIMIT, "too many regions");
	for (size_t i = 0; i < out->n_regions; i++) {
		out->regions[i].r.name = r->region[i].name;
		out->regions[i].r.state = r->region[i].active ? "active" : "leaving";
	}
	return 0;
}

static int
read_global(struct action_ctx *c, const struct report *newest, struct global_view *out, struct err *err)
{
	*out = (struct global_view){ .known = true };
	if (registry_clock(c->thread, c->arena, &out->clock, err) == 0 &&
	    registry_region_list(c->thread, c->arena, &out->regions, &out->n_regions, err) == 0)
		return 0;
	if (err->code != ERR_UNAVAILABLE && err->code != ERR_TIMEOUT)
		return -1;
	WARN(c, "the global database does not answer: this is what region \"%s\" knows of itself, and the others as its invalidators last heard them",
	    c->settings->region);
	err_clear(err);
	*out = (struct global_view){ 0 };
	return regions_from_report(c, newest, out, err);
}

/* Nothing newer is known than what some region has acknowledged. */
static void
clock_from_acks(const struct cache_status *st, struct event_clock *out)
{
	for (size_t i = 0; i < st->n_acks; i++)
		if (st->acks[i].known && st->acks[i].clock.n >= out->n)
			*out = st->acks[i].clock;
}

static int
read_cache(struct action_ctx *c, const struct global_view *g, int watch_ms, struct cache_status *out, struct err *err)
{
	const char **names = arena_array(c->arena, g->n_regions + 1, sizeof(*names));

	if (names == NULL)
		return FAIL(err, ERR_LIMIT, "too many regions");
	for (size_t i = 0; i < g->n_regions; i++)
		names[i] = g->regions[i].r.name;
	names[g->n_regions] = NULL;
	return cache_status(registry_cache(c->thread), c->arena, names, watch_ms, out, err);
}

int
act_cache_status(struct action_ctx *c, struct err *err)
{
	struct report *reports = arena_array(c->arena, REPORTS_MAX, sizeof(*reports));
	uint32_t there = 0;
	int watch_ms = (int)arg_num(c, "watch-ms", WATCH_MS);
	struct global_view g;
	struct cache_status st;
	struct table *t;

	if (reports == NULL)
		return FAIL(err, ERR_LIMIT, "no memory for the reports");
	(void)!cache_reports(registry_cache(c->thread), reports, &there);
	if (read_global(c, report_newest(reports, there), &g, err) != 0 || read_cache(c, &g, watch_ms, &st, err) != 0)
		return -1;
	if (g.known)
		say_clock(c, &g.clock);
	else
		clock_from_acks(&st, &g.clock.clock);
	t = RESULT_LIST(c->result, "regions", region_cols);
	for (size_t i = 0; i < g.n_regions; i++)
		region_row(c, t, &g.regions[i], &st.acks[i], &g.clock, reported(reports, there, g.regions[i].r.name));
	t = RESULT_LIST(c->result, "servers", server_cols);
	for (size_t i = 0; i < st.n_servers; i++)
		server_row(c, t, &st.servers[i], watch_ms > 0);
	t = RESULT_LIST(c->result, "invalidators", invalidator_cols);
	invalidator_rows(t, reports, there);
	say_values(c);
	if (!arg_flag(c, "pages"))
		return 0;
	t = RESULT_LIST(c->result, "pages", page_cols);
	for (size_t i = 0; i < st.n_servers; i++)
		page_rows(t, &st.servers[i]);
	return 0;
}

int
act_cache_flush(struct action_ctx *c, struct err *err)
{
	size_t flushed = 0;

	if (arg_flag(c, "everywhere")) {
		if (registry_new_epoch(c->thread, "flushed by an operator", err) != 0)
			return -1;
		SAY(c, "a new epoch has begun: no region believes a value that it cached before");
		return 0;
	}
	if (cache_flush(registry_cache(c->thread), &flushed, err) != 0)
		return -1;
	SAY(c, "%zu memcached server%s of region \"%s\" emptied; metadata is read from the database until the pages have beaten twice",
	    flushed, flushed == 1 ? "" : "s", c->settings->region);
	return 0;
}

int
act_cache_wait(struct action_ctx *c, struct err *err)
{
	const struct registry_change *change;
	struct strbuf took;

	if (registry_wait(c->thread, err) != 0)
		return -1;
	change = registry_last_change(c->thread);
	strbuf_init(&took, c->arena, 64);
	human_us(&took, change->waited_us);
	if (!change->acknowledged)
		return FAIL(err, ERR_TIMEOUT, "not every region said within %s that it knows event %" PRIu64
		    " (see \"anvil-admin cache status\")", strbuf_cstr(&took), change->at.n);
	SAY(c, "every region knows event %" PRIu64 " (%s)", change->at.n, strbuf_cstr(&took));
	return 0;
}
