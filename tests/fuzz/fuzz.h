/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz.h - a target takes any bytes and an arena that is new each
 * time. It may not crash, leak, or break what FUZZ_CHECK says always holds.
 *
 * Inputs are text where they can be, so that the corpus can be read and written
 * by hand: the first line is the target's own, then "name: value" lines, then an
 * empty line and the rest.
 */
#ifndef ANVIL_TESTS_FUZZ_FUZZ_H
#define ANVIL_TESTS_FUZZ_FUZZ_H

#include "base/arena.h"
#include "s3/headers.h"
#include "s3/problem.h"

typedef void (*fuzz_fn)(struct arena *a, struct span in);
struct fuzz_target {
	const char *name;
	fuzz_fn fn;
};
/* The rows of targets.def, ending in a NULL name. */
extern const struct fuzz_target fuzz_targets[];
/* Runs one input, and frees what it took. */
void fuzz_run(const struct fuzz_target *t, const uint8_t *p, size_t len);
/* The target of that name, or NULL. */
const struct fuzz_target *fuzz_find(const char *name);

#define FUZZ(name, doc) void fuzz_##name(struct arena *a, struct span in);
#include "tests/fuzz/targets.def"
#undef FUZZ

/* What always holds. */
#define FUZZ_CHECK(cond) ASSERT(cond)
/* A refusal has a reason. */
#define FUZZ_REFUSED(pr) FUZZ_CHECK((pr)->code != 0)

/* Up to the next LF, which is taken too; *in moves behind it. */
struct span fuzz_line(struct span *in);
/* One byte, 0 at the end. */
uint8_t fuzz_byte(struct span *in);
/* "name: value" lines up to an empty one, folded to lower case as a web server gives them. */
struct s3_headers fuzz_headers(struct arena *a, struct span *in);

#endif
