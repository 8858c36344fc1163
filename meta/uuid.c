/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/uuid.c - ids of buckets, tenants and blobs. Pure but for the random ones.
 */
#include "meta/meta.h"

#include "base/crypto.h"
#include "base/parse.h"

/* How many bytes stand between the dashes of the text form. */
static const size_t groups[] = { 4, 2, 2, 2, 6 };

void
uuid_random(struct uuid *u)
{
	crypto_random(u->b, sizeof(u->b));
	u->b[6] = (uint8_t)((u->b[6] & 0x0f) | 0x40);
	u->b[8] = (uint8_t)((u->b[8] & 0x3f) | 0x80);
}

void
uuid_text(const struct uuid *u, char out[UUID_TEXT_LEN + 1])
{
	const uint8_t *p = u->b;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (i > 0)
			*out++ = '-';
		hex_encode(p, groups[i], out);
		p += groups[i];
		out += 2 * groups[i];
	}
}

bool
uuid_parse(struct span s, struct uuid *u)
{
	struct uuid tmp;
	const char *p = s.p;
	uint8_t *to = tmp.b;

	if (s.len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (i > 0 && *p++ != '-')
			return false;
		if (!hex_decode((struct span){ p, 2 * groups[i] }, to, groups[i]))
			return false;
		p += 2 * groups[i];
		to += groups[i];
	}
	*u = tmp;
	return true;
}
