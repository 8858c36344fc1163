/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/lib/scratch.h - services of a test's own: a folder below $TMPDIR, a
 * PostgreSQL, memcached servers. All end and go with scratch_free(), which is
 * also run when the program exits. Failures end the test program with a message;
 * exit status 77 (skipped) when a service is not installed.
 */
#ifndef ANVIL_TESTS_SCRATCH_H
#define ANVIL_TESTS_SCRATCH_H

#include "base/base.h"

struct scratch;
struct scratch *scratch_new(void);
void scratch_free(struct scratch *s);
const char *scratch_dir(const struct scratch *s);

/* Starts the PostgreSQL (once; options as "name=value", ends in NULL); its DSN for the database "postgres". */
const char *scratch_pg(struct scratch *s, const char *const *options);
/* A new empty database in it; the DSN, valid until scratch_free. */
const char *scratch_database(struct scratch *s, const char *name);
/* Runs SQL with psql in a database; false when it failed (its words are on standard error). */
bool scratch_sql(struct scratch *s, const char *database, const char *sql);
/* The first line psql -At prints, in a static buffer of the calling thread. */
const char *scratch_query(struct scratch *s, const char *database, const char *sql);
/* A streaming standby of it (once, after the databases were made); DSN of the database "name". */
const char *scratch_standby(struct scratch *s, const char *name);
/* As scratch_query, scratch_pg_verb and scratch_pg_signal, of the standby. */
const char *scratch_standby_query(struct scratch *s, const char *database, const char *sql);
void scratch_standby_verb(struct scratch *s, const char *verb);
void scratch_standby_signal(struct scratch *s, int sig);
/* verb: "stop", "kill", "restart" of tests/lib/pg.sh. */
void scratch_pg_verb(struct scratch *s, const char *verb);
/* A signal to the postmaster and all its children (SIGSTOP, SIGCONT). */
void scratch_pg_signal(struct scratch *s, int sig);

/* Starts memcached on a Unix socket, its path; with `args` besides ("-m 64"), may be NULL. At most 8. */
const char *scratch_memcached(struct scratch *s, const char *args);
/* The same on a free port of the loopback: "127.0.0.1:PORT". */
const char *scratch_memcached_tcp(struct scratch *s, const char *args);
/* verb: "kill" ends the i-th at once, "restart" does and starts it empty at the same path. */
void scratch_memcached_verb(struct scratch *s, int i, const char *verb);
/* The process id of the i-th, to stop or kill it. */
pid_t scratch_memcached_pid(const struct scratch *s, int i);
/* SIGSTOP and waits until it stands still, or SIGCONT. */
void scratch_memcached_signal(const struct scratch *s, int i, int sig);

#endif
