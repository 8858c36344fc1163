/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/fault.h - faults for tests: rules of the cache protocol that can be
 * switched off, to show that the tests would notice, and places where a process
 * may pause or die. Only a build with --enable-faults has them; in every other
 * these calls are constants and leave nothing in the program.
 *
 *   ANVIL_FAULT_RULES_OFF   names of rules, comma-separated
 *   ANVIL_FAULT_POINTS      comma-separated: NAME=CHANCE%:MS, NAME=CHANCE%:MIN-MAX, NAME=CHANCE%:kill;
 *                           chances are whole numbers or have one decimal; the name "any" stands for every point
 *   ANVIL_FAULT_SEED        a number; the same seed gives each point the same sequence. Without it each process
 *                           has its own, else one that died early would die there again when started anew
 *   ANVIL_FAULT_CLOCK       a file with a signed number of ms by which this process's wall clock is wrong;
 *                           read each second
 *
 * They are read at first use. What cannot be understood ends the program: a test
 * with a misspelt fault would prove nothing. Thread-safe.
 */
#ifndef ANVIL_BASE_FAULT_H
#define ANVIL_BASE_FAULT_H

#include "base/base.h"

enum fault_rule {
#define FAULT_RULE(name, doc) FAULT_RULE_##name,
#define FAULT_POINT(name, doc)
#include "base/fault.def"
#undef FAULT_RULE
#undef FAULT_POINT
	FAULT_RULE_COUNT
};
enum fault_point {
#define FAULT_RULE(name, doc)
#define FAULT_POINT(name, doc) FAULT_POINT_##name,
#include "base/fault.def"
#undef FAULT_RULE
#undef FAULT_POINT
	FAULT_POINT_COUNT
};

#ifdef ANVIL_FAULTS
#define FAULTS_BUILT true
/* Is this rule switched off? */
bool fault_off(enum fault_rule rule);
/* Perhaps sleeps, or ends the process. Keeps errno. */
void fault_point(enum fault_point point);
/* How far the wall clock is wrong. */
int64_t fault_wall_us(void);
#else
#define FAULTS_BUILT false
static inline bool
fault_off(enum fault_rule rule)
{
	(void)rule;
	return false;
}
static inline void
fault_point(enum fault_point point)
{
	(void)point;
}
static inline int64_t
fault_wall_us(void)
{
	return 0;
}
#endif

#endif
