/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/fault.c - what $ANVIL_FAULT_* ask for. Empty unless built with --enable-faults.
 *
 * Owns:      the table of rules and points, written once.
 * Blocks:    fault_point, as long as it is told to.
 * Invariant: a name that is in no table ends the program.
 */
#include "base/fault.h"

#ifdef ANVIL_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/parse.h"

#define TENTHS_PER_CENT 10
#define MS_MAX 600000
#define ALWAYS (100 * TENTHS_PER_CENT)
#define CLOCK_BYTES 32

static const char *const rule_names[] = {
#define FAULT_RULE(name, doc) #name,
#define FAULT_POINT(name, doc)
#include "base/fault.def"
#undef FAULT_RULE
#undef FAULT_POINT
};
static const char *const point_names[] = {
#define FAULT_RULE(name, doc)
#define FAULT_POINT(name, doc) #name,
#include "base/fault.def"
#undef FAULT_RULE
#undef FAULT_POINT
};

struct plan { /* of one point */
	int64_t chance; /* in tenths of a per cent; 0 = none */
	int64_t min_ms, max_ms;
	bool kill;
	atomic_uint_fast64_t passed;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool off[FAULT_RULE_COUNT];
static struct plan plans[FAULT_POINT_COUNT];
static int64_t seed;
static bool seed_given;
static const char *clock_path;
static _Atomic int64_t clock_wrong_us, clock_next_us;

__attribute__((noreturn)) static void
misspelt(const char *variable, struct span what)
{
	fprintf(stderr, "%s: \"%.*s\" is not understood\n", variable, (int)what.len, what.p);
	_exit(78);
}

/* The next part of a list, and what follows it. */
static struct span
part(struct span *rest, char separator)
{
	const char *end = memchr(rest->p, separator, rest->len);
	struct span s = { rest->p, end == NULL ? rest->len : (size_t)(end - rest->p) };

	*rest = end == NULL ? (struct span){ rest->p + rest->len, 0 } : (struct span){ end + 1, rest->len - s.len - 1 };
	return s;
}

static void
read_rules(const char *text)
{
	struct span rest = span_of(text), name;
	size_t i;

	while (rest.len > 0) {
		name = part(&rest, ',');
		for (i = 0; i < FAULT_RULE_COUNT && !span_eq(name, span_of(rule_names[i])); i++)
			continue;
		if (i == FAULT_RULE_COUNT)
			misspelt("ANVIL_FAULT_RULES_OFF", name);
		off[i] = true;
	}
}

/* "20%:0-800", "0.5%:300", "1%:kill" */
static bool
read_plan(struct span s, struct plan *p)
{
	struct span chance = part(&s, '%'), whole = part(&chance, '.'), low;
	int64_t tenths = 0;

	if (!parse_i64(whole, 0, 100, &p->chance) || (chance.len > 0 && !parse_i64(chance, 0, 9, &tenths)))
		return false;
	p->chance = p->chance * TENTHS_PER_CENT + tenths;
	if (s.len == 0 || s.p[0] != ':')
		return false;
	s.p++;
	s.len--;
	p->kill = span_eq(s, SPAN("kill"));
	if (p->kill)
		return true;
	low = part(&s, '-');
	if (!parse_i64(low, 0, MS_MAX, &p->min_ms))
		return false;
	p->max_ms = p->min_ms;
	return s.len == 0 || parse_i64(s, p->min_ms, MS_MAX, &p->max_ms);
}

static void
read_points(const char *text)
{
	struct span rest = span_of(text), one, value, name;

	while (rest.len > 0) {
		struct plan plan = { 0 };
		bool known = false;

		one = value = part(&rest, ',');
		name = part(&value, '=');
		if (!read_plan(value, &plan))
			misspelt("ANVIL_FAULT_POINTS", one);
		for (size_t i = 0; i < FAULT_POINT_COUNT; i++)
			if (span_eq(name, span_of(point_names[i])) || span_eq(name, SPAN("any"))) {
				plans[i].chance = plan.chance;
				plans[i].min_ms = plan.min_ms;
				plans[i].max_ms = plan.max_ms;
				plans[i].kill = plan.kill;
				known = true;
			}
		if (!known)
			misspelt("ANVIL_FAULT_POINTS", one);
	}
}

static void
read_environment(void)
{
	const char *rules = getenv("ANVIL_FAULT_RULES_OFF"), *points = getenv("ANVIL_FAULT_POINTS");
	const char *number = getenv("ANVIL_FAULT_SEED");

	if (rules != NULL)
		read_rules(rules);
	if (points != NULL)
		read_points(points);
	if (number == NULL)
		seed = clock_mono_us();
	else if (!parse_i64(span_of(number), 0, INT64_MAX, &seed))
		misspelt("ANVIL_FAULT_SEED", span_of(number));
	seed_given = number != NULL;
	clock_path = getenv("ANVIL_FAULT_CLOCK");
}

bool
fault_off(enum fault_rule rule)
{
	pthread_once(&once, read_environment);
	return off[rule];
}

/* splitmix64: well mixed from any sequence of inputs. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void
fault_point(enum fault_point point)
{
	int saved = errno;
	struct plan *p = &plans[point];
	uint64_t dice, own;

	pthread_once(&once, read_environment);
	if (p->chance == 0)
		return;
	/* A supervisor has read the environment before it forks: each of its workers draws for itself. */
	own = seed_given ? 0 : (uint64_t)getpid() << 24;
	dice = mix(mix(((uint64_t)seed ^ own) ^ (uint64_t)point << 56) ^ atomic_fetch_add(&p->passed, 1));
	if ((int64_t)(dice % ALWAYS) >= p->chance)
		return;
	if (p->kill)
		(void)raise(SIGKILL);
	clock_sleep_us((p->min_ms + (int64_t)(mix(dice) % (uint64_t)(p->max_ms - p->min_ms + 1))) * US_PER_MS);
	errno = saved;
}

/* What the file says; what it does not say well is no error: it is rewritten while we run. */
static int64_t
read_clock_file(void)
{
	char text[CLOCK_BYTES];
	FILE *f = fopen(clock_path, "re");
	struct span s = { text, 0 };
	int64_t ms = 0;

	if (f == NULL)
		return 0;
	s.len = fread(text, 1, sizeof(text), f);
	fclose(f);
	while (s.len > 0 && (s.p[s.len - 1] == '\n' || s.p[s.len - 1] == ' '))
		s.len--;
	return parse_i64(s, -INT64_C(1000000000000), INT64_C(1000000000000), &ms) ? ms * US_PER_MS : 0;
}

int64_t
fault_wall_us(void)
{
	int64_t now, next;

	pthread_once(&once, read_environment);
	if (clock_path == NULL)
		return 0;
	now = clock_mono_us();
	next = atomic_load(&clock_next_us);
	if (now >= next && atomic_compare_exchange_strong(&clock_next_us, &next, now + US_PER_S)) {
		int saved = errno;

		atomic_store(&clock_wrong_us, read_clock_file());
		errno = saved;
	}
	return atomic_load(&clock_wrong_us);
}

#endif
