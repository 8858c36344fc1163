/* SPDX-License-Identifier: Apache-2.0 */
/* admin/password.h - operators' passwords: crypt(3) with yescrypt. */
#ifndef ANVIL_ADMIN_PASSWORD_H
#define ANVIL_ADMIN_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"

/* A new hash of the password; NULL with err. */
const char *password_hash(struct arena *a, const char *password, struct err *err);
/* In the same time for an operator that is not there: hash NULL. */
bool password_matches(struct arena *a, const char *password, const char *hash);

#endif
