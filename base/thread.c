/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/thread.c - threads with a small stack.
 *
 * Owns:      nothing.
 * Called by: the worker, for those that serve, deliver and count.
 * Blocks:    no.
 */
#include "base/thread.h"

#include <string.h>

int
thread_start_small(pthread_t *id, void *(*fn)(void *), void *arg, struct err *err)
{
	pthread_attr_t attr;
	pthread_t made;
	int rc = pthread_attr_init(&attr);

	ASSERT(rc == 0);
	rc = pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	ASSERT(rc == 0);
	rc = pthread_create(&made, &attr, fn, arg);
	(void)pthread_attr_destroy(&attr);
	if (rc != 0)
		return FAIL(err, ERR_INTERNAL, "could not start a thread: %s", strerror(rc));
	*id = made;
	return 0;
}
