/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/clock.h - the two clocks. Wall time is int64_t microseconds UTC since
 * 1970 and is taken once a request; durations use the monotonic clock, read
 * anew each time. Thread-safe.
 */
#ifndef ANVIL_BASE_CLOCK_H
#define ANVIL_BASE_CLOCK_H

#include "base/base.h"

#include <pthread.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

int64_t clock_wall_us(void);
int64_t clock_mono_us(void);
void clock_sleep_us(int64_t us);
/* A condition whose timed waits go by the monotonic clock. The caller destroys it. */
void clock_cond_init(pthread_cond_t *cond);

/* Broken-down UTC without locale or TZ; good for years 0 to 9999. */
struct clock_utc {
	int year, month, day, hour, minute, second, weekday /* 0 = Sunday */, usec;
};
void clock_utc(int64_t wall_us, struct clock_utc *out);
/* The reverse; false when a field is out of range. */
bool clock_from_utc(const struct clock_utc *in, int64_t *wall_us);

/* Tests only: a fixed time; 0 gives the real clock back. */
void clock_set_wall_for_tests(int64_t wall_us);
void clock_set_mono_for_tests(int64_t mono_us);

#endif
