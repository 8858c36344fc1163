/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/message.c - messages to bytes and back.
 *
 * Blocks:    no.
 * Invariant: every count and length is checked before memory is asked for, so
 *            that a message costs no more memory than its own bytes justify.
 */
#include "invalidator/message.h"

#include "base/codec.h"
#include "base/crypto.h"

#define MAGIC UINT32_C(0x41564933) /* "AVI3"; who changes what a place means changes it, too */
#define HEAD_LEN (4 + BOOT_LEN)
#define TEXT_MAX 1024
#define EVENT_BYTES 11
#define MAC_KEY_LEN (MESSAGE_KEY_LEN / 2)

void
message_key(const uint8_t cluster_secret[32], uint8_t key[MESSAGE_KEY_LEN])
{
	static const char mac[] = "anvil invalidator messages 2", box[] = "anvil invalidator boxes 2";

	_Static_assert(MAC_KEY_LEN == SHA256_LEN, "two keys of an HMAC's length");
	hmac_sha256(cluster_secret, 32, mac, sizeof(mac) - 1, key);
	hmac_sha256(cluster_secret, 32, box, sizeof(box) - 1, key + MAC_KEY_LEN);
}

static struct seal_key
box_key(const uint8_t key[MESSAGE_KEY_LEN], const void *boot)
{
	struct seal_key k = { .id = MAGIC };

	hmac_sha256(key + MAC_KEY_LEN, MAC_KEY_LEN, boot, BOOT_LEN, k.key);
	return k;
}

bool
message_is_question(enum message_type t)
{
	return t >= MSG_ASK_CLOCK && t <= MSG_ASK_REGIONS;
}

bool
message_is_answer(enum message_type t)
{
	return t >= MSG_CLOCK && t <= MSG_REGIONS;
}

static void
enc_clock(struct strbuf *sb, const struct event_clock *c)
{
	strbuf_add(sb, c->epoch, EPOCH_LEN);
	enc_u64(sb, c->n);
}

static void
enc_events(struct strbuf *sb, const struct message *m)
{
	enc_u64(sb, m->from);
	enc_u64(sb, m->through);
	enc_u32(sb, (uint32_t)m->n_events);
	for (size_t i = 0; i < m->n_events; i++) {
		enc_u64(sb, m->events[i].n);
		enc_u8(sb, (uint8_t)(m->events[i].place >> 8));
		enc_u8(sb, (uint8_t)m->events[i].place);
		enc_u8(sb, m->events[i].letter);
	}
}

static void
enc_regions(struct strbuf *sb, const struct message *m)
{
	enc_u32(sb, (uint32_t)m->n_regions);
	for (size_t i = 0; i < m->n_regions; i++) {
		enc_str(sb, m->regions[i].name);
		enc_str(sb, m->regions[i].state);
		enc_str(sb, m->regions[i].pub);
		enc_str(sb, m->regions[i].rep);
	}
}

static void
enc_body(struct strbuf *sb, const struct message *m)
{
	enc_u8(sb, (uint8_t)m->type);
	enc_bytes(sb, m->sender, strlen(m->sender));
	enc_u64(sb, m->seq);
	if (message_is_question(m->type) || message_is_answer(m->type))
		strbuf_add(sb, m->nonce, NONCE_LEN);
	if (message_is_answer(m->type))
		enc_u8(sb, (uint8_t)m->code);
	enc_clock(sb, &m->clock);
	if (m->type == MSG_EVENTS || m->type == MSG_SOME_EVENTS)
		enc_events(sb, m);
	if (m->type == MSG_HELLO) {
		enc_u64(sb, m->pub_seq);
		enc_u8(sb, m->is_source);
	}
	if (m->type == MSG_REGIONS)
		enc_regions(sb, m);
}

void
message_encode(struct strbuf *sb, const struct message *m, const uint8_t key[MESSAGE_KEY_LEN])
{
	static const uint8_t room[SEAL_OVERHEAD];
	struct seal_key k = box_key(key, m->boot);
	size_t start = sb->len;
	uint8_t mac[SHA256_LEN], *box;

	ASSERT(m->n_events <= MESSAGE_EVENTS_MAX && m->n_regions <= MESSAGE_REGIONS_MAX);
	enc_u32(sb, MAGIC);
	strbuf_add(sb, m->boot, BOOT_LEN);
	strbuf_add(sb, room, SEAL_HEAD);
	enc_body(sb, m);
	strbuf_add(sb, room, SEAL_OVERHEAD - SEAL_HEAD);
	if (strbuf_ok(sb)) {
		box = (uint8_t *)sb->buf + start + HEAD_LEN;
		seal(&k, SPAN(""), box + SEAL_HEAD, sb->len - start - HEAD_LEN - SEAL_OVERHEAD, box);
		hmac_sha256(key, MAC_KEY_LEN, sb->buf + start, sb->len - start, mac);
		strbuf_add(sb, mac, sizeof(mac));
	}
	crypto_wipe(&k, sizeof(k));
}

static void
dec_clock(struct dec *d, struct event_clock *c)
{
	dec_raw(d, c->epoch, EPOCH_LEN);
	c->n = dec_u64(d);
}

static bool
dec_events(struct dec *d, struct arena *a, struct message *m)
{
	uint64_t last;
	struct stamp_event *e;

	m->from = dec_u64(d);
	m->through = dec_u64(d);
	m->n_events = dec_u32(d);
	if (d->failed || m->from > m->through || m->n_events > MESSAGE_EVENTS_MAX ||
	    (size_t)(d->end - d->p) / EVENT_BYTES < m->n_events)
		return false;
	e = arena_array(a, m->n_events + 1, sizeof(*e));
	if (e == NULL)
		return false;
	last = m->from + 1;
	for (size_t i = 0; i < m->n_events; i++) {
		e[i].n = dec_u64(d);
		e[i].place = (uint16_t)(dec_u8(d) << 8);
		e[i].place |= dec_u8(d);
		e[i].letter = dec_u8(d);
		if (e[i].n < last || e[i].n > m->through || (e[i].place != STAMP_ALL && e[i].place >= STAMP_PAGES * CACHE_SLOTS))
			return false;
		last = e[i].n;
	}
	m->events = e;
	return true;
}

static bool
dec_regions(struct dec *d, struct arena *a, struct message *m)
{
	struct message_region *r;

	m->n_regions = dec_u32(d);
	if (d->failed || m->n_regions > MESSAGE_REGIONS_MAX)
		return false;
	r = arena_array(a, m->n_regions + 1, sizeof(*r));
	for (size_t i = 0; r != NULL && i < m->n_regions; i++) {
		r[i].name = dec_str(d, a, CACHE_REGION_MAX);
		r[i].state = dec_str(d, a, TEXT_MAX);
		r[i].pub = dec_str(d, a, TEXT_MAX);
		r[i].rep = dec_str(d, a, TEXT_MAX);
		if (r[i].name == NULL || r[i].state == NULL || r[i].pub == NULL || r[i].rep == NULL)
			return false;
	}
	m->regions = r;
	return r != NULL;
}

static bool
dec_body(struct dec *d, struct arena *a, struct message *m)
{
	uint8_t code;

	if (message_is_question(m->type) || message_is_answer(m->type))
		dec_raw(d, m->nonce, NONCE_LEN);
	if (message_is_answer(m->type)) {
		code = dec_u8(d);
		if (code >= ANSWER_CODES_END)
			return false;
		m->code = (enum answer_code)code;
	}
	dec_clock(d, &m->clock);
	if ((m->type == MSG_EVENTS || m->type == MSG_SOME_EVENTS) && !dec_events(d, a, m))
		return false;
	if (m->type == MSG_HELLO) {
		m->pub_seq = dec_u64(d);
		m->is_source = dec_u8(d) != 0;
	}
	if (m->type == MSG_REGIONS && !dec_regions(d, a, m))
		return false;
	return dec_done(d);
}

/* The box's content, in the arena. NULL: not sealed so, or no memory. */
static const uint8_t *
open_box(const uint8_t *head, size_t len, const uint8_t key[MESSAGE_KEY_LEN], struct arena *a)
{
	struct seal_key k = box_key(key, head + 4);
	uint8_t *body = arena_alloc(a, len - HEAD_LEN - SEAL_OVERHEAD + 1);

	if (body != NULL && !seal_open(&k, SPAN(""), head + HEAD_LEN, len - HEAD_LEN, body))
		body = NULL;
	crypto_wipe(&k, sizeof(k));
	return body;
}

enum message_fault
message_decode(const void *p, size_t len, const uint8_t key[MESSAGE_KEY_LEN], struct arena *a, struct message *out)
{
	const uint8_t *head = p, *body;
	uint8_t mac[SHA256_LEN], type;
	struct span sender;
	struct dec d;

	memset(out, 0, sizeof(*out));
	if (len < HEAD_LEN + SEAL_OVERHEAD + SHA256_LEN || len > MESSAGE_MAX)
		return MESSAGE_MALFORMED;
	len -= SHA256_LEN;
	hmac_sha256(key, MAC_KEY_LEN, p, len, mac);
	if (!crypto_equal(mac, head + len, SHA256_LEN))
		return MESSAGE_FORGED;
	dec_init(&d, p, HEAD_LEN);
	if (dec_u32(&d) != MAGIC || (body = open_box(head, len, key, a)) == NULL)
		return MESSAGE_MALFORMED;
	dec_raw(&d, out->boot, BOOT_LEN);
	dec_init(&d, body, len - HEAD_LEN - SEAL_OVERHEAD);
	type = dec_u8(&d);
	sender = dec_bytes(&d, CACHE_REGION_MAX);
	out->seq = dec_u64(&d);
	if (d.failed || type < MSG_EVENTS || type >= MSG_TYPES_END || sender.len == 0 ||
	    memchr(sender.p, '\0', sender.len) != NULL)
		return MESSAGE_MALFORMED;
	out->type = (enum message_type)type;
	memcpy(out->sender, sender.p, sender.len);
	if (dec_body(&d, a, out))
		return MESSAGE_OK;
	out->n_events = out->n_regions = 0;
	return MESSAGE_MALFORMED;
}

/* ---- replays ---- */

static int
find_boot(const struct replay *r, const uint8_t boot[BOOT_LEN])
{
	for (int i = 0; i < REPLAY_BOOTS; i++)
		if (r->boot[i].used != 0 && memcmp(r->boot[i].boot, boot, BOOT_LEN) == 0)
			return i;
	return -1;
}

void
replay_introduce(struct replay *r, const uint8_t boot[BOOT_LEN], uint64_t seq)
{
	int i = find_boot(r, boot);

	if (i < 0) {
		i = 0;
		for (int k = 1; k < REPLAY_BOOTS; k++)
			if (r->boot[k].used < r->boot[i].used)
				i = k;
		memcpy(r->boot[i].boot, boot, BOOT_LEN);
		r->boot[i].max = seq;
		r->boot[i].seen = UINT64_MAX;
	}
	r->boot[i].used = ++r->clock;
}

enum replay_verdict
replay_check(struct replay *r, const uint8_t boot[BOOT_LEN], uint64_t seq)
{
	int i = find_boot(r, boot);
	uint64_t *max, *seen, back;

	if (i < 0)
		return REPLAY_UNKNOWN;
	max = &r->boot[i].max;
	seen = &r->boot[i].seen;
	if (seq > *max) {
		*seen = seq - *max >= 64 ? 0 : *seen << (seq - *max);
		*seen |= 1;
		*max = seq;
	} else {
		back = *max - seq;
		if (back >= 64 || (*seen >> back & 1) != 0)
			return REPLAY_AGAIN;
		*seen |= UINT64_C(1) << back;
	}
	r->boot[i].used = ++r->clock;
	return REPLAY_NEW;
}
