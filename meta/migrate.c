/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/migrate.c - the schema, brought up to what this program knows.
 *
 * Owns:       a pool of one connection while it works.
 * Called by:  admin/ (db init, migrate, status), tests.
 * Blocks:     on PostgreSQL, up to ten minutes for one migration.
 * Invariant:  a migration and its record are one transaction. A migration of the
 *             global database begins a new epoch of the event clock in it.
 */
#include "meta/migrate.h"

#include "base/crypto.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "meta/db_internal.h"
#include "meta/migrate_defs.h"

#define MIGRATE_TIMEOUT_MS 600000
#define DSN_MAX 4096
#define CHECKSUM_LEN (2 * SHA256_LEN)

static const char *
dsn_of(const struct settings *s, char which)
{
	return which == 'g' ? s->global_dsn : s->regional_dsn;
}

static struct db_pool *
pool_of(const struct settings *s, char which, const char *dsn)
{
	return db_pool_new(which, dsn, 1, MIGRATE_TIMEOUT_MS, (int)s->db_connect_timeout_s);
}

static void
checksum_of(const struct migration_def *m, char out[CHECKSUM_LEN + 1])
{
	uint8_t sum[SHA256_LEN];

	sha256(m->sql, strlen(m->sql), sum);
	hex_encode(sum, sizeof(sum), out);
}

/* Our migrations of one database, and what the database says of them. `rows` NULL = it has no schema of ours. */
static int
compare(char which, const struct db_rows *rows, struct arena *a, struct migration **out, size_t *n, struct err *err)
{
	size_t n_rows = rows == NULL ? 0 : db_count(rows);
	size_t ours = 0, at = 0, row = 0;
	struct migration *list;

	for (const struct migration_def *m = migration_defs; m->database != 0; m++)
		ours += m->database == which;
	list = arena_array(a, ours + n_rows + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "too many migrations");
	for (const struct migration_def *m = migration_defs; m->database != 0; m++) {
		char sum[CHECKSUM_LEN + 1];
		struct migration *it;

		if (m->database != which)
			continue;
		/* A record between ours that we do not know. */
		for (; row < n_rows && db_i64(rows, row, 0) < m->version; row++)
			list[at++] = (struct migration){ (int)db_i64(rows, row, 0), db_text(rows, row, 1), MIGRATE_UNKNOWN,
				db_i64(rows, row, 3) };
		it = &list[at++];
		*it = (struct migration){ m->version, m->name, MIGRATE_PENDING, 0 };
		if (row < n_rows && db_i64(rows, row, 0) == m->version) {
			checksum_of(m, sum);
			it->state = strcmp(sum, db_text(rows, row, 2)) == 0 ? MIGRATE_APPLIED : MIGRATE_CHANGED;
			it->applied_us = db_i64(rows, row, 3);
			row++;
		}
	}
	for (; row < n_rows; row++)
		list[at++] = (struct migration){ (int)db_i64(rows, row, 0), db_text(rows, row, 1), MIGRATE_UNKNOWN,
			db_i64(rows, row, 3) };
	*out = list;
	*n = at;
	return 0;
}

int
migrate_status(const struct settings *s, char which, struct arena *a, struct migration **out, size_t *n, struct err *err)
{
	struct db_pool *p = pool_of(s, which, dsn_of(s, which));
	struct db_rows *rows = NULL;
	struct err why = { 0 };
	int rc = db_query(p, a, STMT_MIGRATIONS_LIST, NULL, 0, &rows, &why);

	if (rc != 0 && strcmp(db_last_sqlstate(), "42P01") == 0) /* no such table: nothing was applied */
		rc = 0;
	if (rc != 0)
		rc = FAIL(err, why.code, "%s", why.detail);
	else
		rc = compare(which, rows, a, out, n, err);
	db_pool_free(p);
	return rc;
}

struct apply {
	char which;
	const struct migration_def *m;
	bool done; /* somebody else was faster */
};

/* One migration in its transaction. */
static int
apply_one(struct db *db, void *arg, struct err *err)
{
	struct apply *ap = arg;
	char sum[CHECKSUM_LEN + 1], reason[160];
	struct arena *a = arena_new(1 << 20);
	struct db_rows *rows;
	int rc = -1;

	ap->done = false;
	if (db_run(db, NULL, STMT_MIGRATIONS_LOCK, NULL, 0, NULL, err) != 0 ||
	    db_run(db, a, STMT_MIGRATIONS_LIST, NULL, 0, &rows, err) != 0)
		goto out;
	for (size_t i = 0; i < db_count(rows); i++)
		ap->done = ap->done || db_i64(rows, i, 0) == ap->m->version;
	if (ap->done) {
		rc = 0;
		goto out;
	}
	checksum_of(ap->m, sum);
	snprintf(reason, sizeof(reason), "migration %s", ap->m->name);
	if (db_script(db, ap->m->sql, err) != 0 ||
	    db_run(db, NULL, STMT_MIGRATION_RECORD,
	        (const struct db_param[]){ P_INT(ap->m->version), P_TEXT(ap->m->name), P_TEXT(sum) }, 3, NULL, err) != 0)
		goto out;
	/* The first ones make the clock; it begins with an epoch of its own. */
	if (ap->which == 'g' && ap->m->version > 2 &&
	    db_run(db, NULL, STMT_EPOCH_BEGIN, (const struct db_param[]){ P_TEXT(reason) }, 1, NULL, err) != 0)
		goto out;
	rc = 0;
out:
	arena_free(a);
	return rc;
}

static int
refuse_if_foreign(const struct migration *list, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].state == MIGRATE_CHANGED)
			return FAIL(err, ERR_CONFLICT, "migration %s was applied from another text than this program has: "
			    "it is not this release's database", list[i].name);
		if (list[i].state == MIGRATE_UNKNOWN)
			return FAIL(err, ERR_CONFLICT, "migration %s is unknown here: a newer release migrated this database",
			    list[i].name);
	}
	return 0;
}

static const struct migration_def *
def_of(char which, int version)
{
	for (const struct migration_def *m = migration_defs; m->database != 0; m++)
		if (m->database == which && m->version == version)
			return m;
	return NULL;
}

/* Under the lock: IF NOT EXISTS alone fails one of two that come at once. */
static int
make_table(struct db *db, void *arg, struct err *err)
{
	(void)arg;
	if (db_run(db, NULL, STMT_MIGRATIONS_LOCK, NULL, 0, NULL, err) != 0)
		return -1;
	return db_run(db, NULL, STMT_MIGRATIONS_TABLE, NULL, 0, NULL, err);
}

static int
apply_all(struct db_pool *p, char which, struct arena *a, int *applied, struct err *err)
{
	struct migration *list;
	struct db_rows *rows;
	size_t n;

	if (db_tx(p, make_table, NULL, err) != 0 ||
	    db_query(p, a, STMT_MIGRATIONS_LIST, NULL, 0, &rows, err) != 0 ||
	    compare(which, rows, a, &list, &n, err) != 0 || refuse_if_foreign(list, n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct apply ap = { which, NULL, false };

		if (list[i].state != MIGRATE_PENDING)
			continue;
		ap.m = def_of(which, list[i].version);
		ASSERT(ap.m != NULL);
		if (db_tx(p, apply_one, &ap, err) != 0)
			return -1;
		*applied += !ap.done;
	}
	return 0;
}

int
migrate_apply(const struct settings *s, char which, int *applied, struct err *err)
{
	struct arena *a = arena_new(1 << 20);
	struct db_pool *p = pool_of(s, which, dsn_of(s, which));
	int rc;

	*applied = 0;
	rc = apply_all(p, which, a, applied, err);
	db_pool_free(p);
	arena_free(a);
	return rc;
}

/* ---- making the database itself ---- */

static void
conninfo_word(struct strbuf *sb, const char *key, const char *value)
{
	strbuf_printf(sb, "%s='", key);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_ch(sb, '\\');
		strbuf_ch(sb, *value);
	}
	strbuf_str(sb, "' ");
}

/* The DSN with another database in it; *name is the one it had, NULL when it named none. */
static int
dsn_with_database(const char *dsn, const char *database, struct arena *a, const char **out, const char **name, struct err *err)
{
	char *why = NULL;
	PQconninfoOption *opts = PQconninfoParse(dsn, &why);
	struct strbuf sb;

	*name = NULL;
	if (opts == NULL) {
		(void)FAIL(err, ERR_INVALID, "the connection string cannot be read: %s", why == NULL ? "no memory" : why);
		PQfreemem(why);
		return -1;
	}
	strbuf_init(&sb, a, DSN_MAX);
	for (PQconninfoOption *o = opts; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "dbname") == 0)
			*name = arena_strdup(a, o->val);
		else
			conninfo_word(&sb, o->keyword, o->val);
	}
	conninfo_word(&sb, "dbname", database);
	PQconninfoFree(opts);
	if (!strbuf_ok(&sb))
		return FAIL(err, ERR_LIMIT, "the connection string is too long");
	*out = strbuf_cstr(&sb);
	return 0;
}

static int
create_in(struct db_pool *p, struct arena *a, const char *name, bool *created, struct err *err)
{
	struct db_rows *rows;
	struct db *db;
	char *ident;
	char sql[256];
	int rc = -1;

	if (db_acquire(p, &db, err) != 0)
		return -1;
	if (db_run(db, a, STMT_DATABASE_THERE, (const struct db_param[]){ P_TEXT(name) }, 1, &rows, err) != 0)
		goto out;
	if (db_bool(rows, 0, 0)) {
		rc = 0;
		goto out;
	}
	ident = PQescapeIdentifier(db->conn, name, strlen(name));
	if (ident == NULL || strlen(ident) > 160) {
		PQfreemem(ident);
		(void)FAIL(err, ERR_INVALID, "the database's name cannot be used");
		goto out;
	}
	/* A utility statement takes no parameters; the name is an identifier by libpq. */
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", ident);
	PQfreemem(ident);
	rc = db_script(db, sql, err);
	*created = rc == 0;
out:
	db_release(db);
	return rc;
}

int
migrate_create_database(const struct settings *s, char which, bool *created, struct err *err)
{
	struct arena *a = arena_new(1 << 16);
	const char *dsn = NULL, *name = NULL;
	struct db_pool *p = pool_of(s, which, dsn_of(s, which));
	struct err why = { 0 };
	struct db *db;
	int rc = -1;

	*created = false;
	if (db_acquire(p, &db, &why) == 0) { /* it is there */
		db_release(db);
		rc = 0;
		goto out;
	}
	if (dsn_with_database(dsn_of(s, which), "postgres", a, &dsn, &name, err) != 0)
		goto out;
	if (name == NULL) {
		(void)FAIL(err, why.code, "%s", why.detail);
		goto out;
	}
	db_pool_free(p);
	p = pool_of(s, which, dsn);
	if (create_in(p, a, name, created, err) != 0)
		goto out;
	rc = *created ? 0 : FAIL(err, why.code, "%s", why.detail); /* there, and yet not to be reached */
out:
	db_pool_free(p);
	arena_free(a);
	return rc;
}
