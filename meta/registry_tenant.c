/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_tenant.c - tenants, as operators see them.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

#include "base/crypto.h"
#include "base/parse.h"

static void
tenant_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct tenant *out = it;

	(void)a;
	memcpy(out->id.b, db_span(r, row, 0).p, UUID_LEN);
	out->name = db_text(r, row, 1);
	out->canonical_id = db_text(r, row, 2);
	out->enabled = db_bool(r, row, 3);
	out->n_apps = db_i64(r, row, 4);
	out->n_buckets = db_i64(r, row, 5);
	out->created_us = db_i64(r, row, 6);
	out->limits.buckets = db_i64(r, row, 7);
	out->limits.of_bucket = (struct quota){ quota_limit_at(r, row, 8), quota_limit_at(r, row, 9) };
}

int
registry_tenant_find(struct meta_thread *t, struct arena *a, const char *name, struct tenant *out, struct err *err)
{
	return registry_row(t, a, STMT_TENANT_FIND, P_TEXT(name), "tenant", tenant_from_row, out, err);
}

int
registry_tenant_create(struct meta_thread *t, struct arena *a, const char *name, const char *canonical_id,
    struct tenant *out, struct err *err)
{
	char random_id[2 * SHA256_LEN + 1];
	uint8_t bytes[SHA256_LEN];
	struct uuid id;

	uuid_random(&id);
	if (canonical_id == NULL) {
		crypto_random(bytes, sizeof(bytes));
		hex_encode(bytes, sizeof(bytes), random_id);
		canonical_id = random_id;
	}
	if (meta_change_one(t, STMT_TENANT_CREATE,
	        (const struct db_param[]){ P_UUID(&id), P_TEXT(name), P_TEXT(canonical_id) }, 3, "tenant", err) != 0)
		return -1;
	return registry_tenant_find(t, a, name, out, err);
}

int
registry_tenant_list(struct meta_thread *t, struct arena *a, const char *after, int max, struct tenant **out, size_t *n,
    struct err *err)
{
	*out = registry_rows(t, a, STMT_TENANT_LIST, (const struct db_param[]){ P_TEXT(after), P_INT(max) }, 2, tenant_from_row,
	    sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}

int
registry_tenant_set_limits(struct meta_thread *t, const char *name, const struct tenant_limits *limits, struct err *err)
{
	return meta_change_one(t, STMT_TENANT_LIMITS,
	    (const struct db_param[]){ P_TEXT(name), P_INT(limits->buckets), quota_limit_param(limits->of_bucket.bytes),
	        quota_limit_param(limits->of_bucket.objects) }, 4, "such tenant", err);
}

int
registry_tenant_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err)
{
	return meta_change_one(t, STMT_TENANT_ENABLE, (const struct db_param[]){ P_TEXT(name), P_BOOL(enabled) }, 2,
	    "such tenant", err);
}

int
registry_tenant_delete(struct meta_thread *t, const char *name, struct err *err)
{
	return meta_change_one(t, STMT_TENANT_DELETE, (const struct db_param[]){ P_TEXT(name) }, 1, "such tenant", err);
}
