/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/codec.c - rows to bytes and back, as they lie in memcached.
 *
 * Blocks:     never.
 * Invariant:  each value begins with its format's number, and everything is read
 *             to the last byte; whatever does not fit is a miss, never a misreading.
 *             An app's secret is inside only as it lies in the database: sealed.
 */
#include "meta/internal.h"

#include "base/codec.h"

/* A changed layout takes another number: an old worker and a new one share memcached. */
enum {
	FORMAT_APP = 0xa2,
	FORMAT_BUCKET = 0xb2,
	FORMAT_REGIONS = 0xc1,
	FORMAT_DOCUMENT = 0xd1
};
#define TEXT_MAX 65536
#define LIST_MAX 10000
#define DOCUMENT_MAX 262144 /* what bucket_configs takes */

static void
enc_texts(struct strbuf *sb, const char *const *list)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	enc_u32(sb, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		enc_str(sb, list[i]);
}

static const char *const *
dec_texts(struct dec *d, struct arena *a)
{
	uint32_t n = dec_u32(d);
	const char **list;

	if (d->failed || n > LIST_MAX) {
		d->failed = true;
		return NULL;
	}
	list = arena_array(a, (size_t)n + 1, sizeof(*list));
	if (list == NULL) {
		d->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		list[i] = dec_str(d, a, TEXT_MAX);
		if (list[i] == NULL)
			d->failed = true;
	}
	return list;
}

/* A string that is never NULL. */
static const char *
dec_text(struct dec *d, struct arena *a)
{
	const char *s = dec_str(d, a, TEXT_MAX);

	if (s == NULL)
		d->failed = true;
	return s;
}

void
codec_put_app(struct strbuf *sb, const struct app *app)
{
	enc_u8(sb, FORMAT_APP);
	enc_str(sb, app->access_key);
	enc_str(sb, app->name);
	strbuf_add(sb, app->tenant_id.b, UUID_LEN);
	enc_str(sb, app->tenant_name);
	enc_str(sb, app->owner_id);
	enc_u8(sb, app->enabled);
	enc_bytes(sb, app->sealed_secret.p, app->sealed_secret.len);
	enc_u8(sb, (uint8_t)app->access);
	enc_texts(sb, app->policies);
	enc_i64(sb, app->created_us);
}

bool
codec_get_app(struct span data, struct arena *a, struct app *out)
{
	struct dec d;

	dec_init(&d, data.p, data.len);
	if (dec_u8(&d) != FORMAT_APP)
		return false;
	out->access_key = dec_text(&d, a);
	out->name = dec_text(&d, a);
	(void)dec_raw(&d, out->tenant_id.b, UUID_LEN);
	out->tenant_name = dec_text(&d, a);
	out->owner_id = dec_text(&d, a);
	out->enabled = dec_u8(&d) == 1;
	out->sealed_secret = dec_bytes(&d, TEXT_MAX);
	out->access = dec_u8(&d) == APP_FULL ? APP_FULL : APP_POLICIES;
	out->policies = dec_texts(&d, a);
	out->created_us = dec_i64(&d);
	return dec_done(&d);
}

void
codec_put_bucket(struct strbuf *sb, const struct bucket *b)
{
	enc_u8(sb, FORMAT_BUCKET);
	strbuf_add(sb, b->id.b, UUID_LEN);
	enc_str(sb, b->name);
	enc_str(sb, b->region);
	strbuf_add(sb, b->tenant_id.b, UUID_LEN);
	enc_str(sb, b->owner_id);
	enc_str(sb, b->owner_name);
	enc_str(sb, b->status);
	enc_str(sb, b->routing_mode);
	enc_str(sb, b->versioning);
	enc_str(sb, b->object_lock);
	enc_str(sb, b->policy);
	enc_u32(sb, b->config_kinds);
	enc_i64(sb, b->created_us);
}

bool
codec_get_bucket(struct span data, struct arena *a, struct bucket *out)
{
	struct dec d;

	dec_init(&d, data.p, data.len);
	if (dec_u8(&d) != FORMAT_BUCKET)
		return false;
	(void)dec_raw(&d, out->id.b, UUID_LEN);
	out->name = dec_text(&d, a);
	out->region = dec_text(&d, a);
	(void)dec_raw(&d, out->tenant_id.b, UUID_LEN);
	out->owner_id = dec_text(&d, a);
	out->owner_name = dec_text(&d, a);
	out->status = dec_text(&d, a);
	out->routing_mode = dec_text(&d, a);
	out->versioning = dec_text(&d, a);
	out->object_lock = dec_text(&d, a);
	out->policy = dec_str(&d, a, TEXT_MAX);
	out->config_kinds = dec_u32(&d);
	out->created_us = dec_i64(&d);
	return dec_done(&d);
}

void
codec_put_document(struct strbuf *sb, const char *document)
{
	enc_u8(sb, FORMAT_DOCUMENT);
	enc_str(sb, document);
}

bool
codec_get_document(struct span data, struct arena *a, const char **out)
{
	struct dec d;

	dec_init(&d, data.p, data.len);
	if (dec_u8(&d) != FORMAT_DOCUMENT)
		return false;
	*out = dec_str(&d, a, DOCUMENT_MAX);
	return dec_done(&d) && *out != NULL;
}

void
codec_put_regions(struct strbuf *sb, const struct region *r, size_t n)
{
	enc_u8(sb, FORMAT_REGIONS);
	enc_u32(sb, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		enc_str(sb, r[i].name);
		enc_str(sb, r[i].endpoint);
		enc_texts(sb, r[i].domains);
		enc_str(sb, r[i].inv_pub);
		enc_str(sb, r[i].inv_rep);
		enc_str(sb, r[i].state);
		enc_i64(sb, r[i].created_us);
	}
}

bool
codec_get_regions(struct span data, struct arena *a, struct region **out, size_t *n)
{
	struct dec d;
	struct region *list;
	uint32_t count;

	dec_init(&d, data.p, data.len);
	if (dec_u8(&d) != FORMAT_REGIONS)
		return false;
	count = dec_u32(&d);
	if (d.failed || count > LIST_MAX)
		return false;
	list = arena_array(a, (size_t)count + 1, sizeof(*list));
	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		list[i].name = dec_text(&d, a);
		list[i].endpoint = dec_text(&d, a);
		list[i].domains = dec_texts(&d, a);
		list[i].inv_pub = dec_text(&d, a);
		list[i].inv_rep = dec_text(&d, a);
		list[i].state = dec_text(&d, a);
		list[i].created_us = dec_i64(&d);
	}
	*out = list;
	*n = count;
	return dec_done(&d);
}
