/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/libfuzzer.c - libFuzzer's door to the targets: ANVIL_FUZZ names one.
 *
 * Called by:  libFuzzer; tests/fuzz/run starts it.
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static const struct fuzz_target *target;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("ANVIL_FUZZ");

	(void)argc;
	(void)argv;
	target = fuzz_find(name == NULL ? "" : name);
	if (target == NULL) {
		fputs("ANVIL_FUZZ must name a target:", stderr);
		for (const struct fuzz_target *t = fuzz_targets; t->name != NULL; t++)
			fprintf(stderr, " %s", t->name);
		fputs("\n", stderr);
		exit(2);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	fuzz_run(target, p, len);
	return 0;
}
