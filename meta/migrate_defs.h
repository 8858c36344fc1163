/* SPDX-License-Identifier: Apache-2.0 */
/* meta/migrate_defs.h - the migrations of sql/, as the build put them into the library (meta/migrate_gen.c). */
#ifndef ANVIL_META_MIGRATE_DEFS_H
#define ANVIL_META_MIGRATE_DEFS_H

#include "base/base.h"

struct migration_def {
	char database;    /* 'g' global, 'r' regional; 0 ends the list */
	int version;      /* NNNN of the file's name */
	const char *name; /* the file's name */
	const char *sql;
};
extern const struct migration_def migration_defs[];

#endif
