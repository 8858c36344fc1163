/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/run.h - what an action needs, opened when it is needed, and the one
 * place where an action is called: roles, audit and the outcome's words.
 */
#ifndef ANVIL_ADMIN_RUN_H
#define ANVIL_ADMIN_RUN_H

#include "admin/action.h"

struct runtime {
	struct settings *settings;
	struct meta *meta;
	struct meta_thread *thread;
	struct store *store;
	int meta_flags; /* with which meta was opened */
	int opened;     /* enum act_needs, what is there */
};
/* Opens what is missing of `needs`. May be called again with more. */
MUST_CHECK int runtime_open(struct runtime *rt, const char *conf, int needs, struct err *err);
void runtime_close(struct runtime *rt);

struct runner {
	struct runtime *rt;
	const char *conf;
	const char *actor;  /* the operator's name, or the system user */
	const char *via;    /* "cli", "page" */
	const char *origin; /* the browser's address; "" */
	enum act_role role; /* what the actor may do */
	bool (*progress)(void *arg, const char *text);
	void *progress_arg;
};
/*
 * Checks the role, opens what the row needs, calls its function, appends to the
 * audit log when it CHANGES, and says in the result how far the change got.
 * args must have been checked. 0, or -1 with err.
 */
MUST_CHECK int action_run(const struct runner *r, const struct action *act, struct args *args,
    struct arena *a, struct result *result, struct err *err);

#endif
