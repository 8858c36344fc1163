/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/report.c - reports of invalidators, as items in memcached.
 *
 * Blocks:    yes, on one memcached server.
 * Invariant: a place belongs to one process until it has been silent for
 *            REPORT_OLD_US, by the wall clock of whoever wants it.
 */
#include "meta/report.h"

#include "base/clock.h"
#include "base/codec.h"
#include "meta/cache_impl.h"

#define MAGIC UINT32_C(0x41565231) /* "AVR1" */
#define EXPIRE_S 3600

void
report_encode(struct strbuf *sb, const struct report *r)
{
	enc_u32(sb, MAGIC);
	strbuf_add(sb, r->boot, REPORT_BOOT_LEN);
	enc_i64(sb, r->wall_us);
	enc_u8(sb, r->source);
	enc_u8(sb, r->beating);
	enc_i64(sb, r->since_wall_us);
	enc_i64(sb, r->peers);
	enc_u64(sb, r->n);
	for (int i = 0; i < REPORT_COUNT_END; i++)
		enc_i64(sb, r->count[i]);
	enc_u8(sb, (uint8_t)r->n_regions);
	for (size_t i = 0; i < r->n_regions; i++) {
		enc_bytes(sb, r->region[i].name, strlen(r->region[i].name));
		enc_u8(sb, r->region[i].active);
		enc_u64(sb, r->region[i].behind);
		enc_i64(sb, r->region[i].behind_us);
		enc_i64(sb, r->region[i].heard_age_us);
	}
}

bool
report_decode(const void *p, size_t len, struct report *out)
{
	struct dec d;

	memset(out, 0, sizeof(*out));
	dec_init(&d, p, len);
	if (dec_u32(&d) != MAGIC)
		return false;
	dec_raw(&d, out->boot, REPORT_BOOT_LEN);
	out->wall_us = dec_i64(&d);
	out->source = dec_u8(&d) != 0;
	out->beating = dec_u8(&d) != 0;
	out->since_wall_us = dec_i64(&d);
	out->peers = dec_i64(&d);
	out->n = dec_u64(&d);
	for (int i = 0; i < REPORT_COUNT_END; i++)
		out->count[i] = dec_i64(&d);
	out->n_regions = dec_u8(&d);
	if (d.failed || out->n_regions > REPORT_REGIONS_MAX)
		return false;
	for (size_t i = 0; i < out->n_regions; i++) {
		struct span name = dec_bytes(&d, CACHE_REGION_MAX);

		if (name.len > 0)
			memcpy(out->region[i].name, name.p, name.len);
		out->region[i].active = dec_u8(&d) != 0;
		out->region[i].behind = dec_u64(&d);
		out->region[i].behind_us = dec_i64(&d);
		out->region[i].heard_age_us = dec_i64(&d);
	}
	return dec_done(&d);
}

struct places {
	struct report *report;
	uint32_t there, readable;
	uint64_t cas[REPORTS_MAX];
};

static void
got(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct places *pl = arg;

	pl->there |= UINT32_C(1) << i;
	pl->cas[i] = cas;
	if (report_decode(p, len, &pl->report[i]))
		pl->readable |= UINT32_C(1) << i;
}

static enum mc_result
read_places(struct mc *c, const char *region, struct mc_key keys[REPORTS_MAX], struct places *pl)
{
	enum mc_result r = MC_LOST;

	for (unsigned i = 0; i < REPORTS_MAX; i++)
		keys[i].len = cache_key_report(keys[i].text, region, i);
	for (int tries = 0; r == MC_LOST && tries < 2; tries++) {
		pl->there = pl->readable = 0;
		r = mc_gets(c, keys, REPORTS_MAX, got, pl);
	}
	return r;
}

/* Who loses a race for a place tries again with its next report. */
static enum mc_result
write_place(struct mc *c, struct strbuf *sb, const struct mc_key *keys, const struct places *pl, const struct report *r)
{
	int missing = -1, old = -1;

	for (int i = REPORTS_MAX - 1; i >= 0; i--) {
		bool readable = (pl->readable & UINT32_C(1) << i) != 0;

		if (readable && memcmp(pl->report[i].boot, r->boot, REPORT_BOOT_LEN) == 0)
			return mc_set(c, &keys[i], sb->buf, sb->len, EXPIRE_S);
		if (!(pl->there & UINT32_C(1) << i))
			missing = i;
		else if (!readable || r->wall_us - pl->report[i].wall_us > REPORT_OLD_US)
			old = i;
	}
	if (old >= 0)
		return mc_cas(c, &keys[old], sb->buf, sb->len, EXPIRE_S, pl->cas[old], mc_connection(c));
	return missing >= 0 ? mc_add(c, &keys[missing], sb->buf, sb->len, EXPIRE_S) : MC_REFUSED;
}

void
report_write(struct mc *c, const char *region, const struct report *r)
{
	struct arena *a = arena_new(REPORTS_MAX * sizeof(struct report) + 2 * REPORT_BYTES);
	struct places pl = { .report = arena_array(a, REPORTS_MAX, sizeof(struct report)) };
	struct mc_key keys[REPORTS_MAX];
	struct strbuf sb;

	strbuf_init(&sb, a, REPORT_BYTES);
	report_encode(&sb, r);
	if (pl.report != NULL && strbuf_ok(&sb) && read_places(c, region, keys, &pl) == MC_OK)
		(void)write_place(c, &sb, keys, &pl, r);
	arena_free(a);
}

bool
report_read(struct mc *c, const char *region, struct report out[REPORTS_MAX], uint32_t *there)
{
	struct places pl = { .report = out };
	struct mc_key keys[REPORTS_MAX];
	int64_t now = clock_wall_us();
	bool ok = read_places(c, region, keys, &pl) == MC_OK;

	*there = 0;
	for (unsigned i = 0; ok && i < REPORTS_MAX; i++)
		if (pl.readable & UINT32_C(1) << i && now - out[i].wall_us <= REPORT_OLD_US)
			*there |= UINT32_C(1) << i;
	return ok;
}

const struct report *
report_newest(const struct report reports[REPORTS_MAX], uint32_t there)
{
	const struct report *newest = NULL;

	for (unsigned i = 0; i < REPORTS_MAX; i++)
		if (there & UINT32_C(1) << i && (newest == NULL || reports[i].wall_us > newest->wall_us))
			newest = &reports[i];
	return newest;
}

bool
cache_reports(struct cache_thread *t, struct report out[REPORTS_MAX], uint32_t *there)
{
	*there = 0;
	for (size_t s = 0; s < t->cache->servers->n; s++)
		if (report_read(t->mc[s], t->cache->servers->region, out, there))
			return true;
	return false;
}
