/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_spool.c - no line is lost between those who append and who takes the file away.
 */
#include "base/spool.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/suite_help.h"

#define WRITERS 4
#define LINES 2000

static char dir[200];
static struct err err;

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");
	char made[190];

	snprintf(made, sizeof(made), "%s/anvil-spool-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	ck_assert(mkdtemp(made) != NULL);
	snprintf(dir, sizeof(dir), "%s/s", made);
	err_clear(&err);
}

static void
end(void)
{
	char command[300];

	*strrchr(dir, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void *
writer(void *arg)
{
	char line[64];
	struct err why = { 0 };

	for (int i = 0; i < LINES; i++) {
		int n = snprintf(line, sizeof(line), "%d %d\n", *(const int *)arg, i);

		if (spool_append(dir, "f", line, (size_t)n, INT64_MAX, &why) != 0)
			return &err;
	}
	return NULL;
}

/* Lines of the file, all whole; it is gone then. */
static int
take(int number)
{
	char stamp[16], file[40], buf[65536];
	int fd, lines = 0;
	ssize_t n;

	snprintf(stamp, sizeof(stamp), "%d", number);
	snprintf(file, sizeof(file), "f-%s" SPOOL_TAKEN, stamp);
	if (spool_take(dir, "f", stamp, &err) != 1)
		return 0;
	ck_assert_int_eq(spool_open(dir, file, &fd, &err), 1);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	ck_assert_int_eq(spool_remove(dir, file, &err), 0);
	close(fd);
	return lines;
}

START_TEST(test_none_is_lost)
{
	pthread_t threads[WRITERS];
	int ids[WRITERS], lines = 0;

	for (int i = 0; i < WRITERS; i++) {
		ids[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, writer, &ids[i]), 0);
	}
	for (int i = 0; i < 50; i++)
		lines += take(i);
	for (int i = 0; i < WRITERS; i++) {
		void *failed;

		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert(failed == NULL);
	}
	ck_assert_int_eq(lines + take(99), WRITERS * LINES);
}
END_TEST

START_TEST(test_limits)
{
	int fd;

	ck_assert_int_eq(spool_take(dir, "f", "1", &err), 0);
	ck_assert_int_eq(spool_append(dir, "f", "abc\n", 4, 6, &err), 0);
	ck_assert_int_eq(spool_append(dir, "f", "abc\n", 4, 6, &err), -1);
	ck_assert_int_eq(err.code, ERR_NO_SPACE);
	ck_assert_int_eq(take(1), 1);
	ck_assert_int_eq(spool_open(dir, "f-1" SPOOL_TAKEN, &fd, &err), 0);
	ck_assert_int_eq(spool_remove(dir, "f-1" SPOOL_TAKEN, &err), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("spool");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_none_is_lost);
	tcase_add_test(tc, test_limits);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
