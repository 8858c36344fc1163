/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/base.h - the first include of every file: config.h, the system headers
 * that everyone uses, a few words of our own, and the calls we do not make.
 */
#ifndef ANVIL_BASE_BASE_H
#define ANVIL_BASE_BASE_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Bytes with a known length, borrowed from whoever holds them. */
struct span {
	const char *p;
	size_t len;
};
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

static inline struct span
span_of(const char *s)
{
	return (struct span){ s, s == NULL ? 0 : strlen(s) };
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/*
 * What only our own code can cause. On in release builds: the worker dies and
 * its supervisor starts another, which beats going on with a broken state.
 */
#define ASSERT(cond)                                                           \
	do {                                                                   \
		if (!(cond))                                                   \
			assert_failed(#cond, __FILE__, __LINE__);              \
	} while (0)
__attribute__((noreturn, cold)) void assert_failed(
    const char *cond, const char *file, int line);

#include "base/banned.h"

#endif
