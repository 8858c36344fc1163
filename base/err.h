/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/err.h - what went wrong, told once.
 *
 * A call that can fail returns 0 or -1, takes a struct err, and is marked
 * MUST_CHECK. The first failure is kept: it is the cause, later ones are its
 * consequences. `code` is one of the kinds of base/err.def here, or a protocol's
 * own code from ERR_PROTOCOL on (s3/errors.def); meta/ and store/ know only kinds.
 */
#ifndef ANVIL_BASE_ERR_H
#define ANVIL_BASE_ERR_H

#include "base/base.h"

enum err_kind {
	ERR_NONE = 0,
#define ERRKIND(name, text) ERR_##name,
#include "base/err.def"
#undef ERRKIND
	ERR_PROTOCOL = 1000 /* the protocols' codes begin here */
};

struct err {
	int code;          /* enum err_kind, or a protocol's code; 0 = none */
	const char *where; /* "file:line" of the first failure */
	char detail[320];  /* for the log, never for the client */
};

/* Forget what was there. */
void err_clear(struct err *e);
/* The kind's name from err.def, "protocol" above. Never NULL. */
const char *err_kind_name(int code);

/* Records the failure if it is the first, and is -1. Keeps errno. */
#define FAIL(err, code, ...) err_fail((err), (code), ANVIL_WHERE, __VA_ARGS__)
int err_fail(struct err *e, int code, const char *where, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
#define ANVIL_STR2(x) #x
#define ANVIL_STR(x) ANVIL_STR2(x)
#define ANVIL_WHERE __FILE__ ":" ANVIL_STR(__LINE__)

#endif
