/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/settings.c - reads anvil.conf with libconfuse, as the table says.
 *
 * Owns:   a struct settings and the strings in it, until settings_free.
 * Blocks: on files, once at start.
 */
#include "base/settings.h"

#include <confuse.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/parse.h"

#define SECRET_FILE_MAX 4096

struct own {
	struct settings s; /* first: a struct settings * is a struct own * */
	cfg_t *cfg;
	char *path;
};

/* libconfuse tells its errors through a callback without an argument; loading happens once, before threads. */
static struct err *parse_err;

static void PRINTF_LIKE(2, 0)
on_parse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char what[256];

	vsnprintf(what, sizeof(what), fmt, ap);
	FAIL(parse_err, ERR_INVALID, "%s:%d: %s",
	    cfg != NULL && cfg->filename != NULL ? cfg->filename : "anvil.conf",
	    cfg != NULL ? cfg->line : 0, what);
}

static bool
word_in(const char *word, const char *words)
{
	size_t len = strlen(word);

	for (const char *p = words; p != NULL; p = strchr(p, '|')) {
		p += *p == '|';
		if (strncmp(p, word, len) == 0 && (p[len] == '|' || p[len] == '\0') && len > 0)
			return true;
	}
	return false;
}

static const char *const *
list_of(cfg_t *cfg, const char *name)
{
	unsigned int n = cfg_size(cfg, name);
	const char **list = calloc(n + 1, sizeof(*list));

	if (list == NULL)
		abort();
	for (unsigned int i = 0; i < n; i++)
		list[i] = cfg_getnstr(cfg, name, i);
	return list;
}

/* Numbers are read as text, so that "5G" or "abc" gets our own message and 64 bits work everywhere. */
static int
number_of(struct own *o, const char *name, int64_t min, int64_t max, const char *unit, int64_t *out, struct err *err)
{
	const char *text = cfg_getstr(o->cfg, name);

	if (parse_i64(span_of(text), min, max, out))
		return 0;
	return FAIL(err, ERR_INVALID, "%s: %s = \"%s\": must be a number of %s from %" PRId64 " to %" PRId64,
	    o->path, name, text, unit, min, max);
}

#define SET_STR(name, def, doc) CFG_STR(#name, def, CFGF_NONE),
#define SET_INT(name, def, min, max, unit, doc) CFG_STR(#name, #def, CFGF_NONE),
#define SET_BOOL(name, def, doc) CFG_BOOL(#name, def ? cfg_true : cfg_false, CFGF_NONE),
#define SET_LIST(name, def, doc) CFG_STR_LIST(#name, NULL, CFGF_NONE),
#define SET_ENUM(name, def, words, doc) CFG_STR(#name, def, CFGF_NONE),
static cfg_opt_t options[] = {
#include "base/settings.def"
	CFG_END()
};
#undef SET_STR
#undef SET_INT
#undef SET_BOOL
#undef SET_LIST
#undef SET_ENUM

static int
take_values(struct own *o, struct err *err)
{
	struct settings *s = &o->s;
	static const char *const none[] = { NULL };

#define SET_STR(name, def, doc) s->name = cfg_getstr(o->cfg, #name);
#define SET_INT(name, def, min, max, unit, doc)                                \
	if (number_of(o, #name, min, max, unit, &s->name, err) != 0)           \
		return -1;
#define SET_BOOL(name, def, doc) s->name = cfg_getbool(o->cfg, #name) == cfg_true;
#define SET_LIST(name, def, doc)                                               \
	do {                                                                   \
		static const char *const fallback[] = { def, NULL };           \
		s->name = cfg_size(o->cfg, #name) > 0 ? list_of(o->cfg, #name) \
		    : fallback[0] != NULL ? fallback : none;                   \
	} while (0);
#define SET_ENUM(name, def, words, doc)                                        \
	s->name = cfg_getstr(o->cfg, #name);                                   \
	if (!word_in(s->name, words))                                          \
		return FAIL(err, ERR_INVALID, "%s: %s = \"%s\": must be one of %s", o->path, #name, s->name, words);
#include "base/settings.def"
#undef SET_STR
#undef SET_INT
#undef SET_BOOL
#undef SET_LIST
#undef SET_ENUM
	return 0;
}

static int
require(const struct own *o, const char *name, const char *value, struct err *err)
{
	if (value[0] != '\0')
		return 0;
	return FAIL(err, ERR_INVALID, "%s: %s is not set; it is required", o->path, name);
}

/* Reads a whole secret file; refuses one that others can read. Returns its length without trailing white space. */
static ssize_t
read_secret(const char *name, const char *path, char *out, size_t size, struct err *err)
{
	struct stat st;
	ssize_t len = -1;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return FAIL(err, ERR_INVALID, "%s \"%s\" cannot be read: %s", name, path, strerror(errno));
	if (fstat(fileno(f), &st) != 0 || (st.st_mode & 077) != 0) {
		FAIL(err, ERR_INVALID, "%s \"%s\" must be readable by its owner alone: chmod 600 it", name, path);
		goto out;
	}
	len = (ssize_t)fread(out, 1, size, f);
	if (ferror(f) || len == (ssize_t)size) {
		len = FAIL(err, ERR_INVALID, "%s \"%s\" cannot be read, or is too long", name, path);
		goto out;
	}
	while (len > 0 && (unsigned char)out[len - 1] <= ' ')
		len--;
out:
	fclose(f);
	return len;
}

static int
read_keys(struct own *o, struct err *err)
{
	char text[SECRET_FILE_MAX];
	uint8_t hash[SHA256_LEN];
	ssize_t len;
	int rc = -1;

	len = read_secret("master_key_file", o->s.master_key_file, text, sizeof(text), err);
	if (len < 0)
		goto out;
	if (!hex_decode((struct span){ text, (size_t)len }, o->s.master.key, sizeof(o->s.master.key))) {
		FAIL(err, ERR_INVALID, "master_key_file \"%s\" must hold 64 hexadecimal digits: anvil-admin keys new writes one",
		    o->s.master_key_file);
		goto out;
	}
	/* The id tells a box of another master key apart; it must tell nothing of the key. */
	seal_derive(&o->s.master, "anvil key id", hash);
	o->s.master.id = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
	len = read_secret("cluster_secret_file", o->s.cluster_secret_file, text, sizeof(text), err);
	if (len < 0)
		goto out;
	if (len < 32) {
		FAIL(err, ERR_INVALID, "cluster_secret_file \"%s\" must hold at least 32 characters", o->s.cluster_secret_file);
		goto out;
	}
	hmac_sha256("anvil cluster", 13, text, (size_t)len, o->s.cluster_secret);
	rc = 0;
out:
	crypto_wipe(text, sizeof(text));
	return rc;
}

static int
check(struct own *o, struct err *err)
{
	const struct settings *s = &o->s;

	if (require(o, "region", s->region, err) != 0 ||
	    require(o, "global_dsn", s->global_dsn, err) != 0 ||
	    require(o, "regional_dsn", s->regional_dsn, err) != 0 ||
	    require(o, "store_dir", s->store_dir, err) != 0 ||
	    require(o, "master_key_file", s->master_key_file, err) != 0 ||
	    require(o, "cluster_secret_file", s->cluster_secret_file, err) != 0)
		return -1;
	if (s->metadata_ack_ms < s->metadata_trust_ms + s->metadata_trust_ms / 10)
		return FAIL(err, ERR_INVALID,
		    "%s: metadata_ack_ms = %" PRId64 ": must be at least a tenth more than metadata_trust_ms = %" PRId64
		    ", or a writer could be acknowledged while a cut-off region still trusts its cache",
		    o->path, s->metadata_ack_ms, s->metadata_trust_ms);
	if (s->metadata_trust_ms < 4 * s->metadata_beat_ms)
		return FAIL(err, ERR_INVALID,
		    "%s: metadata_trust_ms = %" PRId64 ": must be at least 4 beats of metadata_beat_ms = %" PRId64,
		    o->path, s->metadata_trust_ms, s->metadata_beat_ms);
	if (s->default_region[0] == '\0')
		o->s.default_region = s->region;
	return 0;
}

static int
parse_file(struct own *o, struct err *err)
{
	int rc;

	o->cfg = cfg_init(options, CFGF_NONE);
	if (o->cfg == NULL)
		abort();
	cfg_set_error_function(o->cfg, on_parse_error);
	parse_err = err;
	rc = cfg_parse(o->cfg, o->path);
	parse_err = NULL;
	if (rc == CFG_SUCCESS)
		return 0;
	/* When the parser said why, that was kept; else the file could not be read. */
	return FAIL(err, ERR_INVALID, "\"%s\" cannot be read: %s; name another with -c or ANVIL_CONF", o->path,
	    rc == CFG_FILE_ERROR ? strerror(errno) : "not a configuration file");
}

int
settings_load(const char *path, struct settings **out, struct err *err)
{
	struct own *o = calloc(1, sizeof(*o));

	if (o == NULL)
		abort();
	if (path == NULL || path[0] == '\0')
		path = getenv("ANVIL_CONF");
	o->path = strdup(path != NULL && path[0] != '\0' ? path : ANVIL_SYSCONFDIR "/anvil.conf");
	if (o->path == NULL)
		abort();
	o->s.path = o->path;
	if (parse_file(o, err) != 0 || take_values(o, err) != 0 ||
	    check(o, err) != 0 || read_keys(o, err) != 0) {
		settings_free(&o->s);
		return -1;
	}
	*out = &o->s;
	return 0;
}

void
settings_free(struct settings *s)
{
	struct own *o = (struct own *)s;

	if (s == NULL)
		return;
#define SET_STR(name, def, doc)
#define SET_INT(name, def, min, max, unit, doc)
#define SET_BOOL(name, def, doc)
#define SET_LIST(name, def, doc)                                               \
	if (o->cfg != NULL && s->name != NULL && cfg_size(o->cfg, #name) > 0)  \
		free((void *)(uintptr_t)s->name);
#define SET_ENUM(name, def, words, doc)
#include "base/settings.def"
#undef SET_STR
#undef SET_INT
#undef SET_BOOL
#undef SET_LIST
#undef SET_ENUM
	crypto_wipe(&s->master, sizeof(s->master));
	crypto_wipe(s->cluster_secret, sizeof(s->cluster_secret));
	if (o->cfg != NULL)
		cfg_free(o->cfg);
	free(o->path);
	free(o);
}
