/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/cgi/limiter.h - how often a login was refused, by address and by name,
 * kept in a small file of the state folder, so that CGI processes, which live
 * for one request, remember. A slot is taken over by another key that hashes to
 * it: an attacker gains nothing that more addresses would not give.
 */
#ifndef ANVIL_ADMIN_CGI_LIMITER_H
#define ANVIL_ADMIN_CGI_LIMITER_H

#include "base/base.h"

#define LIMITER_WINDOW_US (15 * 60 * INT64_C(1000000))
#define LIMITER_PER_ADDRESS 10
#define LIMITER_PER_NAME 50

/* Seconds to wait before another try is heard; 0 = now. Without the file everything is allowed, and that is logged. */
int64_t limiter_wait_s(const char *state_dir, const char *address, const char *name, int64_t now_us);
/* A try was refused. */
void limiter_count(const char *state_dir, const char *address, const char *name, int64_t now_us);
/* The right password: the address and the name begin anew. */
void limiter_clear(const char *state_dir, const char *address, const char *name);

#endif
