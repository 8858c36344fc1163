/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move_row.c - bytes of a bucket that moves against what their row says.
 *
 * Owns:       an arena while rows are looked at; data keys, until they are wiped.
 * Called by:  admin/move_blob.c for blobs, admin/move.c for bytes in rows.
 * Blocks:     on the regional database, for the bytes in rows.
 * Invariant:  a move must not make of a broken object a sound one.
 */
#include "admin/move_row.h"

#include "base/log.h"
#include "s3/sse.h"

#define KEY_SHOWN 80
#define ROW_ARENA ((size_t)16 * 1024 * 1024) /* the largest inline_max_bytes, many times */

/* Of bytes that we can open. NULL: the envelope does not open. */
static struct chunk_sealer *
opener_of(const struct move_row *r, const struct settings *s)
{
	uint8_t data_key[SSE_KEY_LEN], key[CHUNK_SEAL_KEY];
	struct chunk_sealer *opener = NULL;

	if (sse_envelope_open(&s->master, r->sse, data_key)) {
		chunk_seal_key(data_key, r->sealed_as.b, UUID_LEN, key);
		opener = chunk_sealer_new(key);
	}
	crypto_wipe(data_key, sizeof(data_key));
	crypto_wipe(key, sizeof(key));
	return opener;
}

static bool
has_checksum(const struct move_row *r)
{
	return r->known.algo != CHECKSUM_NONE && r->known.type == CHECKSUM_FULL_OBJECT;
}

int
move_row_begin(const struct move_row *r, const struct settings *s, struct arena *a, int64_t stored, struct checksums **sums,
    struct chunk_sealer **opener, const char **damage, struct err *err)
{
	enum sse_kind kind = sse_envelope_kind(r->sse);
	unsigned set = 0;

	*sums = NULL;
	*opener = NULL;
	*damage = NULL;
	if (r->size < 0 || stored != (kind != SSE_NONE ? chunk_seal_size(r->size) : r->size))
		*damage = "it has not as many bytes as its row says";
	if (*damage != NULL || kind == SSE_CUSTOMER)
		return 0;
	if (strlen(r->etag) == 2 * MD5_LEN)
		set |= CHECKSUM_MD5_BIT;
	if (has_checksum(r))
		set |= CHECKSUM_BIT(r->known.algo);
	*sums = checksums_new(a, set);
	if (*sums == NULL)
		return FAIL(err, ERR_LIMIT, "no memory for a blob's checksums");
	if (kind == SSE_S3 && (*opener = opener_of(r, s)) == NULL)
		*damage = "its data key does not open with this master key";
	return 0;
}

const char *
move_row_compare(const struct move_row *r, struct checksums *sums)
{
	struct checksum_values got;
	char hex[2 * MD5_LEN + 1];

	checksums_final(sums, &got);
	hex_encode(got.md5, MD5_LEN, hex);
	if ((got.set & CHECKSUM_MD5_BIT) != 0 && strcmp(hex, r->etag) != 0)
		return "its MD5 is not its row's";
	if (has_checksum(r) && memcmp(got.v[r->known.algo], r->known.value, checksum_table[r->known.algo].len) != 0)
		return "its checksum is not its row's";
	return NULL;
}

int
move_row_damaged(const struct move_row *r, const struct region *source, const char *blob, const char *damage, struct err *err)
{
	int shown = r->key.len < KEY_SHOWN ? (int)r->key.len : KEY_SHOWN;
	const char *more = r->key.len < KEY_SHOWN ? "" : "...";

	log_event(NULL, EV_MOVE_DAMAGED, LS("region", source->name), LSPAN("key", r->key), LI("part", r->part_no),
	    LS("blob", blob), LS("reason", damage));
	if (blob[0] == '\0')
		return FAIL(err, ERR_INTERNAL, "what the row of \"%.*s%s\" holds is damaged in region \"%s\": %s. Store the object anew, "
		    "or delete it, and run this again", shown, r->key.p, more, source->name, damage);
	return FAIL(err, ERR_INTERNAL, "blob %s is damaged in region \"%s\": %s; it has bytes of \"%.*s%s\". Bring the file back "
	    "from a copy of store_dir, or delete the object, and run this again", blob, source->name, damage, shown, r->key.p, more);
}

/* ---- bytes in rows ---- */

static int
check_one(struct arena *a, const struct settings *s, const struct move_row *r, struct span data, const char **damage, struct err *err)
{
	uint8_t *plain = arena_memdup(a, data.p, data.len);
	struct chunk_sealer *opener;
	struct checksums *sums;

	if (plain == NULL)
		return FAIL(err, ERR_LIMIT, "no memory for what a row holds");
	if (move_row_begin(r, s, a, (int64_t)data.len, &sums, &opener, damage, err) != 0)
		return -1;
	if (opener != NULL && !chunk_open_all(opener, plain, (size_t)r->size))
		*damage = MOVE_ROW_NOT_SEALED;
	chunk_sealer_free(opener);
	if (*damage != NULL || sums == NULL)
		return 0;
	checksums_update(sums, plain, (size_t)r->size);
	*damage = move_row_compare(r, sums);
	return 0;
}

int
move_rows_check(struct meta_thread *t, struct arena *a, const struct settings *s, const struct region *source, struct span items,
    struct err *err)
{
	struct arena *own = arena_new(ROW_ARENA);
	struct moving_bytes *d;
	size_t n;
	int rc = meta_moving_data(t, a, items, &d, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct move_row r = { .key = d[i].key, .part_no = d[i].part_no, .size = d[i].size, .etag = d[i].etag, .sse = d[i].sse };
		const char *damage = NULL;

		arena_reset(own);
		if (!checksum_decode(d[i].checksums, &r.known))
			damage = "its checksum cannot be read";
		else
			rc = check_one(own, s, &r, d[i].data, &damage, err);
		if (rc == 0 && damage != NULL)
			rc = move_row_damaged(&r, source, "", damage, err);
	}
	arena_free(own);
	return rc;
}
