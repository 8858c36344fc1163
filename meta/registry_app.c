/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_app.c - access keys, as operators see them.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

#include "base/crypto.h"

static const char *
access_word(enum app_access access)
{
	return access == APP_FULL ? "full" : "policies";
}

static void
app_info_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct app_info *out = it;

	out->access_key = db_text(r, row, 0);
	out->name = db_text(r, row, 1);
	out->tenant_name = db_text(r, row, 2);
	memcpy(out->tenant_id.b, db_span(r, row, 3).p, UUID_LEN);
	out->enabled = db_bool(r, row, 4);
	out->tenant_enabled = db_bool(r, row, 5);
	out->access = db_bool(r, row, 6) ? APP_FULL : APP_POLICIES;
	out->policies = db_texts(r, row, 7, a);
	out->created_us = db_i64(r, row, 8);
}

/* `len` letters of an alphabet, each as likely as the other: bytes past the last whole round are thrown away. */
static void
random_word(const char *alphabet, size_t len, char *out)
{
	size_t letters = strlen(alphabet), limit = 256 - 256 % letters, n = 0;
	uint8_t bytes[64];

	while (n < len) {
		crypto_random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && n < len; i++)
			if (bytes[i] < limit)
				out[n++] = alphabet[bytes[i] % letters];
	}
	out[len] = '\0';
	crypto_wipe(bytes, sizeof(bytes));
}

int
registry_app_find(struct meta_thread *t, struct arena *a, const char *access_key, struct app_info *out, struct err *err)
{
	return registry_row(t, a, STMT_APP_INFO_FIND, P_TEXT(access_key), "access key", app_info_from_row, out, err);
}

int
registry_app_import(struct meta_thread *t, struct arena *a, const char *tenant, const char *name, enum app_access access,
    const char *access_key, const char *secret, struct app_info *out, struct err *err)
{
	uint8_t box[APP_SECRET_MAX + SEAL_OVERHEAD];
	size_t len = strlen(secret);
	struct span sealed = { (const char *)box, len + SEAL_OVERHEAD };

	if (len == 0 || len > APP_SECRET_MAX)
		return FAIL(err, ERR_INVALID, "a secret has 1 to %d bytes", APP_SECRET_MAX);
	seal(&t->meta->settings->master, span_of(access_key), secret, len, box);
	if (meta_change_one(t, STMT_APP_CREATE,
	        (const struct db_param[]){ P_TEXT(access_key), P_TEXT(name), P_TEXT(tenant), P_SPAN(sealed),
	            P_TEXT(access_word(access)) }, 5, "such tenant", err) != 0)
		return -1;
	return registry_app_find(t, a, access_key, out, err);
}

int
registry_app_create(struct meta_thread *t, struct arena *a, const char *tenant, const char *name, enum app_access access,
    struct app_info *out, char secret[SECRET_LEN + 1], struct err *err)
{
	char access_key[ACCESS_KEY_LEN + 1];
	int rc;

	random_word("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", ACCESS_KEY_LEN, access_key);
	random_word("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", SECRET_LEN, secret);
	rc = registry_app_import(t, a, tenant, name, access, access_key, secret, out, err);
	if (rc != 0)
		crypto_wipe(secret, SECRET_LEN + 1);
	return rc;
}

int
registry_app_list(struct meta_thread *t, struct arena *a, const char *tenant, const char *after, int max,
    struct app_info **out, size_t *n, struct err *err)
{
	*out = registry_rows(t, a, STMT_APP_INFO_LIST, (const struct db_param[]){ P_TEXT(tenant), P_TEXT(after), P_INT(max) }, 3,
	    app_info_from_row, sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}

int
registry_app_enable(struct meta_thread *t, const char *access_key, bool enabled, struct err *err)
{
	return meta_change_one(t, STMT_APP_ENABLE, (const struct db_param[]){ P_TEXT(access_key), P_BOOL(enabled) }, 2,
	    "such access key", err);
}

static void
sealed_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct span *out = it;
	struct span v = db_span(r, row, 0);

	*out = (struct span){ arena_memdup(a, v.p, v.len), v.len };
}

int
registry_app_end_sessions(struct meta_thread *t, struct arena *a, const char *access_key, struct err *err)
{
	const struct seal_key *master = &t->meta->settings->master;
	uint8_t box[APP_SECRET_MAX + SEAL_OVERHEAD];
	char secret[APP_SECRET_MAX];
	struct span was, sealed;
	size_t len;

	if (registry_row(t, a, STMT_APP_SEALED, P_TEXT(access_key), "access key", sealed_from_row, &was, err) != 0)
		return -1;
	if (was.p == NULL || was.len <= SEAL_OVERHEAD || was.len > sizeof(box) ||
	    !seal_open(master, span_of(access_key), (const uint8_t *)was.p, was.len, (uint8_t *)secret))
		return FAIL(err, ERR_INTERNAL, "the secret of \"%s\" does not open with this master key", access_key);
	len = was.len - SEAL_OVERHEAD;
	seal(master, span_of(access_key), secret, len, box);
	crypto_wipe(secret, sizeof(secret));
	sealed = (struct span){ (const char *)box, was.len };
	return meta_change_one(t, STMT_APP_RESEAL, (const struct db_param[]){ P_TEXT(access_key), P_SPAN(sealed), P_SPAN(was) }, 3,
	    "such access key, or it was changed just now", err);
}

int
registry_app_delete(struct meta_thread *t, const char *access_key, struct err *err)
{
	return meta_change_one(t, STMT_APP_DELETE, (const struct db_param[]){ P_TEXT(access_key) }, 1, "such access key", err);
}

int
registry_app_set_access(struct meta_thread *t, const char *access_key, enum app_access access, struct err *err)
{
	return meta_change_one(t, STMT_APP_ACCESS, (const struct db_param[]){ P_TEXT(access_key), P_TEXT(access_word(access)) },
	    2, "such access key", err);
}

int
registry_app_attach(struct meta_thread *t, const char *access_key, const char *policy, struct err *err)
{
	return meta_change_one(t, STMT_APP_ATTACH, (const struct db_param[]){ P_TEXT(access_key), P_TEXT(policy) }, 2,
	    "such access key or policy", err);
}

int
registry_app_detach(struct meta_thread *t, const char *access_key, const char *policy, struct err *err)
{
	return meta_change_one(t, STMT_APP_DETACH, (const struct db_param[]){ P_TEXT(access_key), P_TEXT(policy) }, 2,
	    "such policy attached to this access key", err);
}
