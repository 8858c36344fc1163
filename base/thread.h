/* SPDX-License-Identifier: Apache-2.0 */
/* base/thread.h - threads of which a process has many. */
#ifndef ANVIL_BASE_THREAD_H
#define ANVIL_BASE_THREAD_H

#include <pthread.h>

#include "base/err.h"

/*
 * Of the stack of such a thread: what handlers keep on theirs is bounded, and the
 * system's default (8 MiB) a thread makes a worker look like gigabytes.
 */
#define THREAD_STACK_BYTES ((size_t)512 * 1024)

/* Starts fn(arg) with such a stack; who starts it joins it. 0, or -1 with *id untouched. */
MUST_CHECK int thread_start_small(pthread_t *id, void *(*fn)(void *), void *arg, struct err *err);

#endif
