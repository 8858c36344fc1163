/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_corpus.c - every input that tests/fuzz keeps, through its
 * target once: what was found and mended stays so, without a fuzzer.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>

#include <check.h>

#include "tests/unit/suite_help.h"

#define INPUT_MAX ((size_t)1 << 20)

static void
run_file(const struct fuzz_target *t, const char *path)
{
	uint8_t *all = malloc(INPUT_MAX), *exact;
	FILE *f = fopen(path, "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(all, 1, INPUT_MAX, f);
	ck_assert_int_eq(fclose(f), 0);
	/* Of its own size, so that a byte too far is seen. */
	exact = malloc(n == 0 ? 1 : n);
	memcpy(exact, all, n);
	free(all);
	fuzz_run(t, exact, n);
	free(exact);
}

START_TEST(test_target)
{
	const struct fuzz_target *t = &fuzz_targets[_i];
	const char *source = getenv("ANVIL_SRCDIR");
	char dir[4096], path[8192];
	struct dirent *e;
	int n = 0;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", source == NULL ? "." : source, t->name);
	d = opendir(dir);
	ck_assert_msg(d != NULL, "there is no %s", dir);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		run_file(t, path);
		n++;
	}
	closedir(d);
	ck_assert_msg(n > 0, "%s is empty", dir);
	fuzz_run(t, (const uint8_t *)"", 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("corpus");
	TCase *t = tcase_create("targets");
	int n = 0;

	while (fuzz_targets[n].name != NULL)
		n++;
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_target, 0, n);
	suite_add_tcase(s, t);
	return suite_run(s);
}
