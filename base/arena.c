/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena.c - a chain of chunks, given out from the newest.
 *
 * Owns:      the chunks. The first stays through resets, so that a thread that
 *            serves small requests never goes to malloc at all.
 * Blocks:    no.
 * Invariant: hooks and allocations made after a mark are gone after its rewind.
 */
#include "base/arena.h"

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer) /* clang's way to say it */
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define FIRST_CHUNK ((size_t)16 * 1024)
#define MAX_CHUNK ((size_t)1024 * 1024)
#define ALIGN _Alignof(max_align_t)

struct chunk {
	struct chunk *older;
	size_t size; /* bytes of data */
	size_t used;
	_Alignas(max_align_t) char data[];
};

struct hook {
	struct hook *older;
	arena_reset_fn fn;
	void *arg;
};

struct arena {
	struct chunk *newest;
	struct hook *hooks;
	size_t cap;
	size_t total; /* bytes handed out */
	bool overflowed;
};

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		abort(); /* a stateless worker is replaced by its supervisor */
	c->older = NULL;
	c->size = size;
	c->used = 0;
	POISON(c->data, size);
	return c;
}

struct arena *
arena_new(size_t cap)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->cap = cap;
	a->newest = chunk_new(cap < FIRST_CHUNK ? cap : FIRST_CHUNK);
	return a;
}

static void
hooks_run(struct arena *a, const struct hook *until)
{
	while (a->hooks != until) {
		struct hook *h = a->hooks;

		a->hooks = h->older;
		h->fn(h->arg);
	}
}

/* Frees chunks newer than `keep`. */
static void
chunks_drop(struct arena *a, const struct chunk *keep)
{
	while (a->newest != keep) {
		struct chunk *c = a->newest;

		a->newest = c->older;
		UNPOISON(c->data, c->size);
		free(c);
	}
}

void
arena_reset(struct arena *a)
{
	struct chunk *first = a->newest;

	hooks_run(a, NULL);
	while (first->older != NULL)
		first = first->older;
	chunks_drop(a, first);
	first->used = 0;
	POISON(first->data, first->size);
	a->total = 0;
	a->overflowed = false;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	UNPOISON(a->newest->data, a->newest->size);
	free(a->newest);
	free(a);
}

static struct chunk *
chunk_for(struct arena *a, size_t need)
{
	struct chunk *c = a->newest;
	size_t size = c->size;

	if (c->size - c->used >= need)
		return c;
	if (size < MAX_CHUNK)
		size *= 2;
	if (size < need)
		size = need;
	c = chunk_new(size);
	c->older = a->newest;
	a->newest = c;
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c;
	size_t need;
	char *p;

	if (size > SIZE_MAX - 2 * ALIGN || size > a->cap) {
		a->overflowed = true;
		return NULL;
	}
	/* At least one unit, so that an empty string has an address of its own. */
	need = size == 0 ? ALIGN : (size + ALIGN - 1) / ALIGN * ALIGN;
	if (need > a->cap - a->total) {
		a->overflowed = true;
		return NULL;
	}
	c = chunk_for(a, need);
	p = c->data + c->used;
	c->used += need;
	a->total += need;
	UNPOISON(p, size == 0 ? 1 : size);
	return p;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		a->overflowed = true;
		return NULL;
	}
	return arena_zalloc(a, bytes);
}

void *
arena_memdup(struct arena *a, const void *p, size_t len)
{
	void *copy = arena_alloc(a, len);

	if (copy != NULL && len > 0)
		memcpy(copy, p, len);
	return copy;
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX) {
		a->overflowed = true;
		return NULL;
	}
	copy = arena_alloc(a, len + 1);
	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	ASSERT(len >= 0);
	s = arena_alloc(a, (size_t)len + 1);
	if (s == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return s;
}

bool
arena_overflowed(const struct arena *a)
{
	return a->overflowed;
}

size_t
arena_used(const struct arena *a)
{
	return a->total;
}

bool
arena_on_reset(struct arena *a, arena_reset_fn fn, void *arg)
{
	struct hook *h = arena_alloc(a, sizeof(*h));

	if (h == NULL)
		return false;
	h->fn = fn;
	h->arg = arg;
	h->older = a->hooks;
	a->hooks = h;
	return true;
}

struct arena_mark
arena_mark(struct arena *a)
{
	return (struct arena_mark){ a->newest, a->newest->used, a->total,
		a->hooks };
}

void
arena_rewind(struct arena *a, struct arena_mark m)
{
	struct chunk *c = m.chunk;

	hooks_run(a, m.hooks);
	chunks_drop(a, c);
	c->used = m.used;
	POISON(c->data + c->used, c->size - c->used);
	a->total = m.total;
}
