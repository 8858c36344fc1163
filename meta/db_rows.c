/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/db_rows.c - parameters to PostgreSQL's binary form, results back.
 *
 * Owns:       nothing; a result is cleared when the caller's arena is reset.
 * Called by:  db.c, and everyone who reads a row.
 * Blocks:     never.
 * Invariant:  a column is read as the type it has; anything else is a bug of
 *             ours and asserts, because statements and readers are built together.
 */
#include "meta/db_internal.h"

#include "base/strbuf.h"

static void
put_be(uint8_t *out, int bytes, uint64_t v)
{
	for (int i = bytes - 1; i >= 0; i--) {
		out[i] = (uint8_t)(v & 0xff);
		v >>= 8;
	}
}

static uint64_t
get_be(const char *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

static void
add_be32(struct strbuf *sb, size_t v)
{
	uint8_t b[4];

	put_be(b, 4, v);
	strbuf_add(sb, b, 4);
}

/* One dimension, no nulls: count, flags, element type, size, lower bound, elements. */
static void
array_begin(struct strbuf *sb, enum db_oid element, size_t count)
{
	add_be32(sb, count == 0 ? 0 : 1);
	add_be32(sb, 0);
	add_be32(sb, (size_t)element);
	if (count == 0)
		return;
	add_be32(sb, count);
	add_be32(sb, 1);
}

static int
encode_array(const struct db_param *p, struct db_encoded *e, size_t i, struct err *err)
{
	struct strbuf sb;

	if (e->tmp == NULL)
		e->tmp = arena_new(2 * (size_t)DB_ARRAY_BYTES_MAX + 65536);
	strbuf_init(&sb, e->tmp, DB_ARRAY_BYTES_MAX);
	if (p->type == DB_UUID_ARRAY) {
		const uint8_t *u = p->p;

		array_begin(&sb, OID_UUID, p->len);
		for (size_t k = 0; k < p->len; k++) {
			add_be32(&sb, 16);
			strbuf_add(&sb, u + 16 * k, 16);
		}
	} else {
		const char *const *list = p->p;
		size_t count = 0;

		while (list[count] != NULL)
			count++;
		array_begin(&sb, OID_TEXT, count);
		for (size_t k = 0; k < count; k++) {
			size_t len = strlen(list[k]);

			add_be32(&sb, len);
			strbuf_add(&sb, list[k], len);
		}
	}
	if (!strbuf_ok(&sb))
		return FAIL(err, ERR_LIMIT, "a list is too long for one statement");
	e->value[i] = strbuf_cstr(&sb);
	e->len[i] = (int)sb.len;
	return 0;
}

static int
encode_bytes(uint32_t oid, const char *p, size_t len, struct db_encoded *e, size_t i, struct err *err)
{
	ASSERT(oid == OID_TEXT || oid == OID_BYTEA);
	if (p == NULL && len == 0)
		p = ""; /* an empty span is empty, not null */
	if (len > (size_t)INT_MAX / 2)
		return FAIL(err, ERR_LIMIT, "a value is too long for one statement");
	e->value[i] = p;
	e->len[i] = (int)len;
	return 0;
}

static int
encode_int(uint32_t oid, int64_t v, struct db_encoded *e, size_t i, struct err *err)
{
	int bytes = 8;

	ASSERT(oid == OID_INT8 || oid == OID_INT4 || oid == OID_INT2 || oid == OID_TIMESTAMPTZ);
	if (oid == OID_INT4 || oid == OID_INT2) {
		int64_t max = oid == OID_INT4 ? INT32_MAX : INT16_MAX;

		if (v > max || v < -max - 1)
			return FAIL(err, ERR_INVALID, "a number is out of range: %" PRId64, v);
		bytes = oid == OID_INT4 ? 4 : 2;
	} else if (oid == OID_TIMESTAMPTZ && __builtin_sub_overflow(v, PG_EPOCH_US, &v))
		return FAIL(err, ERR_INVALID, "a time is out of range");
	put_be(e->fixed[i], bytes, (uint64_t)v);
	e->value[i] = (const char *)e->fixed[i];
	e->len[i] = bytes;
	return 0;
}

static int
encode_one(uint32_t oid, const struct db_param *p, struct db_encoded *e, size_t i, struct err *err)
{
	switch (p->type) {
	case DB_NULL:
		return 0;
	case DB_TEXT:
		if (p->p == NULL)
			return 0;
		return encode_bytes(oid, p->p, strlen(p->p), e, i, err);
	case DB_BYTES:
		return encode_bytes(oid, p->p, p->len, e, i, err);
	case DB_INT:
		return encode_int(oid, p->n, e, i, err);
	case DB_BOOL:
		ASSERT(oid == OID_BOOL);
		e->fixed[i][0] = p->n != 0;
		e->value[i] = (const char *)e->fixed[i];
		e->len[i] = 1;
		return 0;
	case DB_UUID:
		ASSERT(oid == OID_UUID);
		e->value[i] = p->p;
		e->len[i] = 16;
		return 0;
	case DB_TEXT_ARRAY:
	case DB_UUID_ARRAY:
		ASSERT(oid == (p->type == DB_UUID_ARRAY ? OID_UUID_ARRAY : OID_TEXT_ARRAY));
		return p->p == NULL && p->type == DB_TEXT_ARRAY ? 0 : encode_array(p, e, i, err);
	}
	ASSERT(!"a type of parameter");
	return -1;
}

int
db_encode(const struct stmt_def *st, const struct db_param *params, size_t n, struct db_encoded *out, struct err *err)
{
	ASSERT(n == st->n_params && n <= DB_PARAMS_MAX);
	out->tmp = NULL;
	for (size_t i = 0; i < n; i++) {
		out->value[i] = NULL;
		out->len[i] = 0;
		out->format[i] = 1;
		if (encode_one(st->types[i], &params[i], out, i, err) != 0) {
			db_encoded_release(out);
			return -1;
		}
	}
	return 0;
}

void
db_encoded_release(struct db_encoded *e)
{
	arena_free(e->tmp);
	e->tmp = NULL;
}

static void
clear_result(void *arg)
{
	PQclear(arg);
}

int
db_rows_new(struct arena *a, PGresult *res, struct db_rows **out, struct err *err)
{
	struct db_rows *r = ARENA_NEW(a, struct db_rows);

	if (r == NULL || !arena_on_reset(a, clear_result, res)) {
		PQclear(res);
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	}
	r->res = res;
	*out = r;
	return 0;
}

size_t
db_count(const struct db_rows *r)
{
	return (size_t)PQntuples(r->res);
}

bool
db_is_null(const struct db_rows *r, size_t row, int col)
{
	return PQgetisnull(r->res, (int)row, col) != 0;
}

int64_t
db_i64(const struct db_rows *r, size_t row, int col)
{
	const char *p = PQgetvalue(r->res, (int)row, col);
	int len = PQgetlength(r->res, (int)row, col);

	if (db_is_null(r, row, col))
		return 0;
	switch (PQftype(r->res, col)) {
	case OID_INT2:
		ASSERT(len == 2);
		return (int16_t)get_be(p, 2);
	case OID_INT4:
		ASSERT(len == 4);
		return (int32_t)get_be(p, 4);
	case OID_OID:
		ASSERT(len == 4);
		return (int64_t)get_be(p, 4);
	case OID_INT8:
	case OID_XID8:
		ASSERT(len == 8);
		return (int64_t)get_be(p, 8);
	case OID_TIMESTAMPTZ: {
		int64_t v = (int64_t)get_be(p, 8);

		/* "infinity" stays what it is */
		return v == INT64_MAX || v == INT64_MIN || __builtin_add_overflow(v, PG_EPOCH_US, &v) ? INT64_MAX : v;
	}
	default:
		ASSERT(!"a column that is a number");
		return 0;
	}
}

bool
db_bool(const struct db_rows *r, size_t row, int col)
{
	if (db_is_null(r, row, col))
		return false;
	ASSERT(PQftype(r->res, col) == OID_BOOL);
	return PQgetvalue(r->res, (int)row, col)[0] != 0;
}

struct span
db_span(const struct db_rows *r, size_t row, int col)
{
	if (db_is_null(r, row, col))
		return (struct span){ NULL, 0 };
	return (struct span){ PQgetvalue(r->res, (int)row, col), (size_t)PQgetlength(r->res, (int)row, col) };
}

/* libpq ends every value with a NUL of its own. */
const char *
db_text(const struct db_rows *r, size_t row, int col)
{
	return db_is_null(r, row, col) ? NULL : PQgetvalue(r->res, (int)row, col);
}

const char *const *
db_texts(const struct db_rows *r, size_t row, int col, struct arena *a)
{
	struct span s = db_span(r, row, col);
	const char **list;
	const char *p = s.p, *end = s.p + s.len;
	size_t count = 0;

	ASSERT(PQftype(r->res, col) == OID_TEXT_ARRAY);
	if (s.len >= 20 && get_be(p, 4) == 1) {
		count = (size_t)get_be(p + 12, 4);
		p += 20;
	}
	list = arena_array(a, count + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		uint32_t len;

		ASSERT(end - p >= 4);
		len = (uint32_t)get_be(p, 4);
		p += 4;
		if (len == UINT32_MAX) /* a null element reads as "" */
			len = 0;
		ASSERT((size_t)(end - p) >= len);
		list[i] = arena_strndup(a, p, len);
		if (list[i] == NULL)
			return NULL;
		p += len;
	}
	return list;
}
