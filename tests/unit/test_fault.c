/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_fault.c - faults for tests: in a build with them they do what
 * the environment says, in every other nothing. Each case is a process of its own,
 * since the environment is read once.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "tests/unit/suite_help.h"

#include <check.h>
#include <signal.h>
#include <sys/wait.h>

#define NOT_UNDERSTOOD 78

static int
status_of(int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int
is_off(void)
{
	return fault_off(FAULT_RULE_cas) && fault_off(FAULT_RULE_stamp) && !fault_off(FAULT_RULE_epoch);
}

static int
none_is_off(void)
{
	for (int i = 0; i < FAULT_RULE_COUNT; i++)
		if (fault_off((enum fault_rule)i))
			return 1;
	return 0;
}

static int
pass_a_point(void)
{
	fault_point(FAULT_POINT_fill_before_set);
	return 0;
}

static int
tell_wrong_clock(void)
{
	return (int)(fault_wall_us() / US_PER_S);
}

START_TEST(test_a_normal_build_has_none)
{
	setenv("ANVIL_FAULT_RULES_OFF", "cas,stamp", 1);
	setenv("ANVIL_FAULT_POINTS", "any=100%:kill", 1);
	ck_assert_int_eq(WEXITSTATUS(status_of(none_is_off)), FAULTS_BUILT);
	ck_assert_int_eq(WIFSIGNALED(status_of(pass_a_point)), FAULTS_BUILT);
}
END_TEST

START_TEST(test_rules)
{
	setenv("ANVIL_FAULT_RULES_OFF", "cas,stamp", 1);
	ck_assert_int_eq(WEXITSTATUS(status_of(is_off)), 1);
	unsetenv("ANVIL_FAULT_RULES_OFF");
	ck_assert_int_eq(WEXITSTATUS(status_of(none_is_off)), 0);
	setenv("ANVIL_FAULT_RULES_OFF", "cas,stamps", 1);
	ck_assert_int_eq(WEXITSTATUS(status_of(is_off)), NOT_UNDERSTOOD);
}
END_TEST

static const struct {
	const char *points;
	bool understood;
} plans[] = {
	{ "fill_before_set=0%:5", true },
	{ "fill_before_set=100%:0-1", true },
	{ "any=12.5%:1-2,fill_before_set=0%:0", true },
	{ "fill_before_set=0%:kill", true },
	{ "fill_before_set=101%:5", false },
	{ "fill_before_set=1%", false },
	{ "fill_before_set=1%:", false },
	{ "fill_before_set=1%:5-3", false },
	{ "fill_before_set=1.25%:5", false },
	{ "fill_before_sit=1%:5", false },
	{ "fill_before_set", false },
};

START_TEST(test_points_rows)
{
	setenv("ANVIL_FAULT_POINTS", plans[_i].points, 1);
	ck_assert_msg(WEXITSTATUS(status_of(pass_a_point)) == (plans[_i].understood ? 0 : NOT_UNDERSTOOD), "%s", plans[_i].points);
}
END_TEST

START_TEST(test_a_point_kills)
{
	int status;

	setenv("ANVIL_FAULT_POINTS", "fill_before_set=100%:kill", 1);
	status = status_of(pass_a_point);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(test_clock)
{
	char path[] = "/tmp/anvil-fault.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, "-7000\n", 6), 6);
	close(fd);
	setenv("ANVIL_FAULT_CLOCK", path, 1);
	ck_assert_int_eq((int8_t)WEXITSTATUS(status_of(tell_wrong_clock)), -7);
	unlink(path);
	ck_assert_int_eq(WEXITSTATUS(status_of(tell_wrong_clock)), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fault");
	TCase *t = tcase_create("core");

	tcase_add_test(t, test_a_normal_build_has_none);
	if (FAULTS_BUILT) {
		tcase_add_test(t, test_rules);
		tcase_add_loop_test(t, test_points_rows, 0, (int)ARRAY_LEN(plans));
		tcase_add_test(t, test_a_point_kills);
		tcase_add_test(t, test_clock);
	}
	suite_add_tcase(s, t);
	return suite_run(s);
}
