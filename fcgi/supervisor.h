/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/supervisor.h - a listening socket, and worker processes kept running on it. */
#ifndef ANVIL_FCGI_SUPERVISOR_H
#define ANVIL_FCGI_SUPERVISOR_H

#include "base/err.h"
#include "base/settings.h"

/* PATH (anything with a '/'), HOST:PORT or [V6]:PORT. `mode` is a Unix socket's. The descriptor, or -1. */
MUST_CHECK int supervisor_listen(const char *where, unsigned int mode, struct err *err);
/* Runs `processes` workers until SIGTERM or SIGINT. `where` is unlinked at the end when it is a path. Exit status. */
int supervisor_run(const struct settings *s, int fd, const char *where, int processes);

#endif
