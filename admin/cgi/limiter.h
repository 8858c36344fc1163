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

/*
 * Before a password is looked at: counts the try and gives 0, or the seconds to wait before one is heard again; in one
 * step, so that many at once are no more than one after the other. Without the file everything is allowed, and that is
 * logged.
 */
int64_t limiter_try(const char *state_dir, const char *address, const char *name, int64_t now_us);
/* The password was right: that try was none. Earlier ones stay counted, or one's own account would buy guesses at others'. */
void limiter_undo(const char *state_dir, const char *address, const char *name);

#endif
