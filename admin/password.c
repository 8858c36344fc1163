/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/password.c - hashing and comparing passwords.
 *
 * Owns:       nothing; what crypt(3) worked with is wiped.
 * Called by:  admin/act_operator.c, admin/cgi/gate.c.
 * Blocks:     some ten milliseconds of computing, on purpose.
 */
#include "admin/password.h"

#include <crypt.h>

#include "base/crypto.h"

/* Any valid setting will do: its hash is never equal to a password's. */
#define NOBODYS "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"

const char *
password_hash(struct arena *a, const char *password, struct err *err)
{
	struct crypt_data *data = arena_zalloc(a, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash, *copy = NULL;

	if (data == NULL) {
		FAIL(err, ERR_LIMIT, "no room to hash a password");
		return NULL;
	}
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL) {
		FAIL(err, ERR_INTERNAL, "this system's crypt(3) has no yescrypt: %s", strerror(errno));
		return NULL;
	}
	hash = crypt_r(password, setting, data);
	if (hash == NULL || hash[0] == '*')
		FAIL(err, ERR_INTERNAL, "could not hash the password: %s", strerror(errno));
	else
		copy = arena_strdup(a, hash);
	crypto_wipe(data, sizeof(*data));
	if (copy == NULL)
		FAIL(err, ERR_LIMIT, "no room to hash a password");
	return copy;
}

bool
password_matches(struct arena *a, const char *password, const char *hash)
{
	struct crypt_data *data = arena_zalloc(a, sizeof(*data));
	const char *got;
	bool same = false;

	if (data == NULL)
		return false;
	got = crypt_r(password, hash == NULL ? NOBODYS : hash, data);
	if (got != NULL && got[0] != '*' && hash != NULL && strlen(got) == strlen(hash))
		same = crypto_equal(got, hash, strlen(hash));
	crypto_wipe(data, sizeof(*data));
	return same;
}
