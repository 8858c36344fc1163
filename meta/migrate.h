/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/migrate.h - the schema: forward only, a transaction a migration, each
 * recorded with the checksum of its text. `anvil-admin db init|migrate|status`.
 * Two that migrate at once wait for each other.
 */
#ifndef ANVIL_META_MIGRATE_H
#define ANVIL_META_MIGRATE_H

#include "meta/meta.h"

enum migrate_state { MIGRATE_APPLIED, MIGRATE_PENDING, MIGRATE_CHANGED /* applied, but from another text */,
	MIGRATE_UNKNOWN /* applied by a newer release */ };
struct migration {
	int version;
	const char *name;
	enum migrate_state state;
	int64_t applied_us; /* 0 when pending */
};
/* which: 'g' or 'r'. In order of versions. A database without our schema is one with everything pending. */
MUST_CHECK int migrate_status(const struct settings *s, char which, struct arena *a, struct migration **out, size_t *n,
    struct err *err);
/*
 * Applies what is pending; *applied is how many. A migration of the global
 * database begins a new epoch of the event clock. ERR_CONFLICT when one that was
 * applied has another text, or a newer release was here: nothing is done then.
 */
MUST_CHECK int migrate_apply(const struct settings *s, char which, int *applied, struct err *err);
/* Creates the database that the DSN names if it is missing and the user may; *created tells. */
MUST_CHECK int migrate_create_database(const struct settings *s, char which, bool *created, struct err *err);

#endif
