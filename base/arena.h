/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena.h - memory that lives as long as a request.
 *
 * Everything a request allocates comes from its arena and goes with one reset.
 * An arena has a cap: past it every allocation gives NULL and the arena stays
 * marked, so that one question at the end finds what no caller looked at.
 * Not thread-safe: an arena belongs to the thread that serves the request.
 */
#ifndef ANVIL_BASE_ARENA_H
#define ANVIL_BASE_ARENA_H

#include "base/base.h"

struct arena;
struct arena_mark {
	void *chunk;
	size_t used;
	size_t total;
	void *hooks;
};
typedef void (*arena_reset_fn)(void *arg);

/* A new arena of at most `cap` bytes in all. Aborts when the system is out of memory. */
struct arena *arena_new(size_t cap);
/* Resets, then frees the arena itself. NULL is fine. */
void arena_free(struct arena *a);
/* Runs the hooks in reverse order and gives back all but the first chunk. */
void arena_reset(struct arena *a);

/* `size` bytes aligned for anything, not cleared; NULL past the cap (sticky). */
void *arena_alloc(struct arena *a, size_t size);
/* The same, cleared. */
void *arena_zalloc(struct arena *a, size_t size);
/* count * size bytes, cleared; NULL when the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))

/* Copies. The string ones end in NUL whatever `len` bytes hold. NULL past the cap. */
void *arena_memdup(struct arena *a, const void *p, size_t len);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Has an allocation been refused since the last reset? */
bool arena_overflowed(const struct arena *a);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

/* Calls fn(arg) at the reset, the newest first. false past the cap (fn is not kept). */
bool arena_on_reset(struct arena *a, arena_reset_fn fn, void *arg);

/* Take back all that was allocated (and hooked) since the mark; hooks run. */
struct arena_mark arena_mark(struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);

#endif
