/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/err.c - keeping the first failure.
 *
 * Blocks: no. Thread-safe as far as the struct err is one thread's.
 */
#include "base/err.h"

static const char *const kind_names[] = {
	"NONE",
#define ERRKIND(name, text) #name,
#include "base/err.def"
#undef ERRKIND
};

void
err_clear(struct err *e)
{
	e->code = ERR_NONE;
	e->where = NULL;
	e->detail[0] = '\0';
}

const char *
err_kind_name(int code)
{
	if (code < 0 || (size_t)code >= ARRAY_LEN(kind_names))
		return "protocol";
	return kind_names[code];
}

int
err_fail(struct err *e, int code, const char *where, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (e->code != ERR_NONE)
		return -1;
	e->code = code;
	e->where = where;
	va_start(ap, fmt);
	vsnprintf(e->detail, sizeof(e->detail), fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}
