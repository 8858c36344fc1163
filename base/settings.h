/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/settings.h - anvil.conf: one row of base/settings.def a setting, which
 * makes the parser (libconfuse), the sample file and anvil.conf(5).
 * Read once at start; read-only afterwards, so that threads share it freely.
 */
#ifndef ANVIL_BASE_SETTINGS_H
#define ANVIL_BASE_SETTINGS_H

#include "base/crypto.h"
#include "base/err.h"

/* Strings are never NULL ("" = not set); lists end in NULL. */
struct settings {
#define SET_STR(name, def, doc) const char *name;
#define SET_INT(name, def, min, max, unit, doc) int64_t name;
#define SET_BOOL(name, def, doc) bool name;
#define SET_LIST(name, def, doc) const char *const *name;
#define SET_ENUM(name, def, words, doc) const char *name;
#include "base/settings.def"
#undef SET_STR
#undef SET_INT
#undef SET_BOOL
#undef SET_LIST
#undef SET_ENUM
	const char *path; /* the file it came from */
	struct seal_key master; /* read from master_key_file */
	uint8_t cluster_secret[32]; /* derived from the file's content */
};

/*
 * Read and check a file. NULL or "" means $ANVIL_CONF, else sysconfdir/anvil.conf.
 * On failure -1, err->detail is "file:line: what is wrong and what to do".
 */
MUST_CHECK int settings_load(const char *path, struct settings **out, struct err *err);
void settings_free(struct settings *s);
/* The commented sample file / the mdoc list of anvil.conf(5), from the table. */
void settings_print_sample(FILE *out);
void settings_print_man(FILE *out);

#endif
