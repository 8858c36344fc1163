/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_webhook.c - where buckets may send their events.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/; fcgi/, which delivers.
 * Blocks:     on the global database.
 * Invariant:  a secret is stored sealed, and bound to the webhook's name.
 */
#include "meta/internal.h"

#include "base/crypto.h"
#include "base/parse.h"

#define NAME_MAX_LEN 80
#define NEW_KEY_LEN 32

/* What the box is bound to. */
static struct span
bound_to(const char *name, char buf[NAME_MAX_LEN + 16])
{
	snprintf(buf, NAME_MAX_LEN + 16, "webhook:%s", name);
	return span_of(buf);
}

static void
webhook_from_row(const struct db_rows *r, size_t row, struct arena *a, void *it)
{
	struct span sealed = db_span(r, row, 2);

	(void)a;
	*(struct webhook *)it = (struct webhook){ db_text(r, row, 0), db_text(r, row, 1), sealed,
		db_is_null(r, row, 3) ? NULL : db_text(r, row, 3), db_is_null(r, row, 4) ? NULL : db_text(r, row, 4),
		db_i64(r, row, 5), db_bool(r, row, 6) };
}

/* The bytes of "whsec_BASE64"; false: it is none. */
static bool
key_of(const char *secret, uint8_t key[WEBHOOK_KEY_MAX], size_t *len)
{
	size_t skip = strlen(WEBHOOK_SECRET_PREFIX);
	ssize_t n;

	if (strncmp(secret, WEBHOOK_SECRET_PREFIX, skip) != 0)
		return false;
	n = base64_decode(span_of(secret + skip), key, WEBHOOK_KEY_MAX);
	*len = n < 0 ? 0 : (size_t)n;
	return n >= WEBHOOK_KEY_MIN;
}

static int
seal_secret(struct meta_thread *t, const char *name, const char *secret, uint8_t box[WEBHOOK_KEY_MAX + SEAL_OVERHEAD],
    struct span *sealed, struct err *err)
{
	char buf[NAME_MAX_LEN + 16];
	uint8_t key[WEBHOOK_KEY_MAX];
	size_t len;

	if (strlen(name) > NAME_MAX_LEN)
		return FAIL(err, ERR_INVALID, "a webhook's name has at most %d letters", NAME_MAX_LEN);
	if (!key_of(secret, key, &len))
		return FAIL(err, ERR_INVALID, "a webhook's secret is \"" WEBHOOK_SECRET_PREFIX "\" and %d to %d bytes in base64",
		    WEBHOOK_KEY_MIN, WEBHOOK_KEY_MAX);
	seal(&t->meta->settings->master, bound_to(name, buf), key, len, box);
	crypto_wipe(key, sizeof(key));
	*sealed = (struct span){ (const char *)box, len + SEAL_OVERHEAD };
	return 0;
}

int
registry_webhook_create(struct meta_thread *t, const char *name, const char *url, const char *secret, const char *tenant,
    char made[WEBHOOK_SECRET_MAX + 1], struct err *err)
{
	uint8_t box[WEBHOOK_KEY_MAX + SEAL_OVERHEAD], key[NEW_KEY_LEN];
	struct span sealed;
	int rc;

	if (secret == NULL) {
		size_t skip = strlen(WEBHOOK_SECRET_PREFIX);

		crypto_random(key, sizeof(key));
		memcpy(made, WEBHOOK_SECRET_PREFIX, skip);
		base64_encode(key, sizeof(key), made + skip);
		crypto_wipe(key, sizeof(key));
		secret = made;
	}
	rc = seal_secret(t, name, secret, box, &sealed, err);
	if (rc == 0)
		rc = meta_change_one(t, STMT_WEBHOOK_CREATE,
		    (const struct db_param[]){ P_TEXT(name), P_TEXT(url), P_SPAN(sealed), P_TEXT(tenant) }, 4, "such tenant", err);
	if (rc != 0)
		crypto_wipe(made, WEBHOOK_SECRET_MAX + 1);
	return rc;
}

int
registry_webhook_update(struct meta_thread *t, const char *name, const char *url, const char *secret, struct err *err)
{
	uint8_t box[WEBHOOK_KEY_MAX + SEAL_OVERHEAD];
	struct span sealed = { NULL, 0 };

	if (secret != NULL && seal_secret(t, name, secret, box, &sealed, err) != 0)
		return -1;
	return meta_change_one(t, STMT_WEBHOOK_UPDATE,
	    (const struct db_param[]){ P_TEXT(name), P_TEXT(url), secret == NULL ? P_NULL : P_SPAN(sealed) }, 3, "such webhook", err);
}

int
registry_webhook_find(struct meta_thread *t, struct arena *a, const char *name, struct webhook *out, struct err *err)
{
	return registry_row(t, a, STMT_WEBHOOK_FIND, P_TEXT(name), "webhook", webhook_from_row, out, err);
}

int
registry_webhook_list(struct meta_thread *t, struct arena *a, const char *after, int max, struct webhook **out, size_t *n,
    struct err *err)
{
	*out = registry_rows(t, a, STMT_WEBHOOK_LIST, (const struct db_param[]){ P_TEXT(after), P_INT(max) }, 2, webhook_from_row,
	    sizeof(**out), n, err);
	return *out == NULL ? -1 : 0;
}

int
registry_webhook_buckets(struct meta_thread *t, struct arena *a, const char *name, int64_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_WEBHOOK_BUCKETS, (const struct db_param[]){ P_TEXT(name) }, 1, &r, err) != 0)
		return -1;
	*n = db_i64(r, 0, 0);
	return 0;
}

int
registry_webhook_enable(struct meta_thread *t, const char *name, bool enabled, struct err *err)
{
	return meta_change_one(t, STMT_WEBHOOK_ENABLE, (const struct db_param[]){ P_TEXT(name), P_BOOL(enabled) }, 2, "such webhook", err);
}

int
registry_webhook_delete(struct meta_thread *t, const char *name, struct err *err)
{
	return meta_change_one(t, STMT_WEBHOOK_DELETE, (const struct db_param[]){ P_TEXT(name) }, 1, "such webhook", err);
}

int
webhook_key(const struct settings *s, const struct webhook *w, uint8_t out[WEBHOOK_KEY_MAX], size_t *len, struct err *err)
{
	char buf[NAME_MAX_LEN + 16];
	size_t n = w->sealed_secret.len;

	if (n <= SEAL_OVERHEAD || n - SEAL_OVERHEAD > WEBHOOK_KEY_MAX ||
	    !seal_open(&s->master, bound_to(w->name, buf), (const uint8_t *)w->sealed_secret.p, n, out))
		return FAIL(err, ERR_INTERNAL, "the secret of webhook \"%s\" does not open with this master key", w->name);
	*len = n - SEAL_OVERHEAD;
	return 0;
}
