/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/clock.c - time without locale and without surprises.
 *
 * The civil calendar is computed with the days-from-civil arithmetic (eras of
 * 400 years), so that no time zone file and no static buffer takes part.
 */
#include "base/clock.h"

#include <stdatomic.h>

#include "base/fault.h"

static _Atomic int64_t test_wall_us;
static _Atomic int64_t test_mono_us;

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	int64_t fixed = atomic_load_explicit(&test_wall_us, memory_order_relaxed);

	return fixed != 0 ? fixed : read_clock(CLOCK_REALTIME) + fault_wall_us();
}

int64_t
clock_mono_us(void)
{
	int64_t fixed = atomic_load_explicit(&test_mono_us, memory_order_relaxed);

	return fixed != 0 ? fixed : read_clock(CLOCK_MONOTONIC);
}

void
clock_set_wall_for_tests(int64_t wall_us)
{
	atomic_store(&test_wall_us, wall_us);
}

void
clock_set_mono_for_tests(int64_t mono_us)
{
	atomic_store(&test_mono_us, mono_us);
}

void
clock_sleep_us(int64_t us)
{
	struct timespec ts;

	if (us <= 0)
		return;
	ts.tv_sec = us / US_PER_S;
	ts.tv_nsec = us % US_PER_S * 1000;
	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		continue;
}

void
clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr) | pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) | pthread_cond_init(cond, &attr);

	ASSERT(rc == 0);
	pthread_condattr_destroy(&attr);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void
clock_utc(int64_t wall_us, struct clock_utc *out)
{
	int64_t seconds = floor_div(wall_us, US_PER_S);
	int64_t days = floor_div(seconds, 86400);
	int64_t in_day = seconds - days * 86400;
	int64_t z = days + 719468; /* days since 1 March of year 0 */
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)month;
	out->year = (int)(yoe + era * 400 + (month <= 2));
	out->hour = (int)(in_day / 3600);
	out->minute = (int)(in_day % 3600 / 60);
	out->second = (int)(in_day % 60);
	out->weekday = (int)((((days + 4) % 7) + 7) % 7); /* 1970-01-01 was a Thursday */
	out->usec = (int)(wall_us - seconds * US_PER_S);
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

bool
clock_from_utc(const struct clock_utc *in, int64_t *wall_us)
{
	int64_t y, era, yoe, doy, doe, days;

	if (in->year < 0 || in->year > 9999 || in->month < 1 ||
	    in->month > 12 || in->day < 1 ||
	    in->day > days_in_month(in->year, in->month) || in->hour < 0 ||
	    in->hour > 23 || in->minute < 0 || in->minute > 59 ||
	    in->second < 0 || in->second > 60 || in->usec < 0 ||
	    in->usec > 999999)
		return false;
	y = in->year - (in->month <= 2);
	era = floor_div(y, 400);
	yoe = y - era * 400;
	doy = (153 * (in->month + (in->month > 2 ? -3 : 9)) + 2) / 5 + in->day - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	days = era * 146097 + doe - 719468;
	*wall_us = (days * 86400 + in->hour * 3600 + in->minute * 60 + in->second) *
		US_PER_S + in->usec;
	return true;
}
