/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/hop.c - making and checking the hop header.
 *
 * Form:   base64 of (fields, HMAC-SHA256 of fields and request). Fields are
 *         base/codec.h's, so that no value needs a separator of its own.
 * Blocks: no.
 */
#include "routing/hop.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/parse.h"

#define HOP_VERSION 1
#define HOP_VERSION_VIA 2 /* the same, and via */
#define HOP_MAX 1024
#define HOP_BOUND_MAX (HOP_MAX + 32768)
#define HOP_FRESH_US (INT64_C(900) * US_PER_S)

static bool
mac_of(struct arena *a, const struct settings *s, struct span fields, const struct hop_request *rq,
    uint8_t mac[SHA256_LEN])
{
	struct strbuf sb;

	strbuf_init(&sb, a, HOP_BOUND_MAX);
	strbuf_str(&sb, "anvil hop");
	enc_bytes(&sb, fields.p, fields.len);
	enc_bytes(&sb, rq->method.p, rq->method.len);
	enc_bytes(&sb, rq->target.p, rq->target.len);
	enc_bytes(&sb, rq->host.p, rq->host.len);
	if (!strbuf_ok(&sb))
		return false;
	hmac_sha256(s->cluster_secret, sizeof(s->cluster_secret), sb.buf, sb.len, mac);
	return true;
}

const char *
hop_make(struct arena *a, const struct settings *s, const struct hop *h, const struct hop_request *rq)
{
	uint8_t mac[SHA256_LEN];
	struct strbuf sb;
	char *text;

	strbuf_init(&sb, a, HOP_MAX);
	enc_u8(&sb, h->via == NULL ? HOP_VERSION : HOP_VERSION_VIA);
	enc_i64(&sb, h->sent_us);
	enc_u8(&sb, h->secure ? 1 : 0);
	enc_str(&sb, h->from);
	enc_str(&sb, h->to);
	enc_str(&sb, h->request_id);
	enc_str(&sb, h->client_addr);
	enc_str(&sb, h->domain);
	if (h->via != NULL)
		enc_str(&sb, h->via);
	if (!strbuf_ok(&sb) ||
	    !mac_of(a, s, (struct span){ sb.buf, sb.len }, rq, mac))
		return NULL;
	strbuf_add(&sb, mac, sizeof(mac));
	if (!strbuf_ok(&sb))
		return NULL;
	text = arena_alloc(a, base64_len(sb.len) + 1);
	if (text != NULL)
		base64_encode(sb.buf, sb.len, text);
	return text;
}

static bool
read_fields(struct arena *a, struct span fields, struct hop *out)
{
	struct dec d;
	uint8_t version;

	dec_init(&d, fields.p, fields.len);
	version = dec_u8(&d);
	if (version != HOP_VERSION && version != HOP_VERSION_VIA)
		return false;
	out->sent_us = dec_i64(&d);
	out->secure = dec_u8(&d) == 1;
	out->from = dec_str(&d, a, HOP_MAX);
	out->to = dec_str(&d, a, HOP_MAX);
	out->request_id = dec_str(&d, a, HOP_MAX);
	out->client_addr = dec_str(&d, a, HOP_MAX);
	out->domain = dec_str(&d, a, HOP_MAX);
	out->via = version == HOP_VERSION_VIA ? dec_str(&d, a, HOP_MAX) : NULL;
	if (version == HOP_VERSION_VIA && out->via == NULL)
		return false;
	return dec_done(&d) && out->from != NULL && out->to != NULL &&
	    out->request_id != NULL && out->client_addr != NULL && out->domain != NULL;
}

bool
hop_check(struct arena *a, const struct settings *s, const char *value, const struct hop_request *rq,
    int64_t now_us, struct hop *out)
{
	uint8_t bytes[HOP_MAX], mac[SHA256_LEN];
	struct span fields;
	ssize_t len;

	len = base64_decode(span_of(value), bytes, sizeof(bytes));
	if (len <= SHA256_LEN)
		return false;
	fields = (struct span){ (const char *)bytes, (size_t)len - SHA256_LEN };
	if (!mac_of(a, s, fields, rq, mac) ||
	    !crypto_equal(mac, bytes + fields.len, sizeof(mac)) ||
	    !read_fields(a, fields, out))
		return false;
	return strcmp(out->to, s->region) == 0 &&
	    out->sent_us >= now_us - HOP_FRESH_US && out->sent_us <= now_us + HOP_FRESH_US;
}
