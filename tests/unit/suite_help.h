/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/suite_help.h - what main() of a suite ends with. */
#ifndef ANVIL_SUITE_HELP_H
#define ANVIL_SUITE_HELP_H

#include <check.h>
#include <stdlib.h>

/* Runs it, and gives the exit status. CK_VERBOSITY says how much is told. */
static inline int
suite_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
