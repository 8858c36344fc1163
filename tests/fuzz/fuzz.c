/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz.c - the table of targets, and how they take their input apart.
 *
 * Called by:  libfuzzer.c (--enable-fuzz), and tests/unit/test_corpus, which runs the corpus
 *             in every build.
 */
#include "tests/fuzz/fuzz.h"

#define ARENA_CAP ((size_t)8 << 20)
#define HEADERS_MAX 64

const struct fuzz_target fuzz_targets[] = {
#define FUZZ(name, doc) { #name, fuzz_##name },
#include "tests/fuzz/targets.def"
#undef FUZZ
	{ NULL, NULL },
};

const struct fuzz_target *
fuzz_find(const char *name)
{
	for (const struct fuzz_target *t = fuzz_targets; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

void
fuzz_run(const struct fuzz_target *t, const uint8_t *p, size_t len)
{
	struct arena *a = arena_new(ARENA_CAP);

	t->fn(a, (struct span){ (const char *)p, len });
	arena_free(a);
}

struct span
fuzz_line(struct span *in)
{
	const char *end = in->len == 0 ? NULL : memchr(in->p, '\n', in->len);
	struct span line = { in->p, end == NULL ? in->len : (size_t)(end - in->p) };
	size_t used = line.len + (end != NULL);

	in->p += used;
	in->len -= used;
	return line;
}

uint8_t
fuzz_byte(struct span *in)
{
	uint8_t b;

	if (in->len == 0)
		return 0;
	b = (uint8_t)in->p[0];
	in->p++;
	in->len--;
	return b;
}

static struct span
lower(struct arena *a, struct span s)
{
	char *p = arena_strndup(a, s.p, s.len);

	for (size_t i = 0; i < s.len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	return (struct span){ p, s.len };
}

struct s3_headers
fuzz_headers(struct arena *a, struct span *in)
{
	struct s3_header *h = arena_array(a, HEADERS_MAX, sizeof(*h));
	size_t n = 0;

	while (in->len > 0) {
		struct span line = fuzz_line(in);
		const char *colon = line.len == 0 ? NULL : memchr(line.p, ':', line.len);

		if (line.len == 0)
			break;
		if (colon == NULL || n == HEADERS_MAX)
			continue;
		h[n].name = lower(a, (struct span){ line.p, (size_t)(colon - line.p) });
		h[n++].value = s3_trim((struct span){ colon + 1, line.len - (size_t)(colon + 1 - line.p) });
	}
	return (struct s3_headers){ h, n };
}
