/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/object_lock.c - documents and headers of versioning and object lock.
 *
 * Source: S3 API Reference, PutBucketVersioning, PutObjectLockConfiguration,
 *         PutObjectRetention, PutObjectLegalHold, PutObject.
 */
#include "s3/object_lock.h"

#include "base/parse.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/xml.h"

#define DAYS_MAX 36500
#define YEARS_MAX 100
#define US_PER_DAY (INT64_C(86400) * 1000000)

static struct span
trimmed(struct span s)
{
	while (s.len > 0 && xml_blank(s.p[0]))
		s.p++, s.len--;
	while (s.len > 0 && xml_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

static int
malformed(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_MalformedXML, NULL);
}

/* ---- versioning ---- */

static const struct xml_rule rules_versioning[] = {
	{ "Status", 0, 1, NULL },
	{ "MfaDelete", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};

int
versioning_parse(struct arena *a, struct span document, const char **status,
    struct s3_problem *pr)
{
	const struct xml_node *root = xml_parse(
	    a, document, "VersioningConfiguration", &XML_LIMITS_SMALL, pr);
	struct span s, mfa;

	*status = NULL;
	if (root == NULL || xml_conforms(root, rules_versioning, pr) != 0)
		return -1;
	s = trimmed(xml_at(root, "Status"));
	mfa = trimmed(xml_at(root, "MfaDelete"));
	if (span_eq(mfa, SPAN("Enabled")))
		return s3_problem_set(
		    pr, S3_NotImplemented, "MFA delete is not implemented.");
	if (mfa.p != NULL && !span_eq(mfa, SPAN("Disabled")))
		return malformed(pr);
	if (span_eq(s, SPAN("Enabled")))
		*status = "Enabled";
	else if (span_eq(s, SPAN("Suspended")))
		*status = "Suspended";
	else
		return s.p == NULL
		    ? s3_problem_set(pr, S3_IllegalVersioningConfigurationException, NULL)
		    : malformed(pr);
	return 0;
}

void
versioning_xml(struct strbuf *sb, const char *status)
{
	xml_begin(sb, "VersioningConfiguration");
	xml_str(sb, "Status", status[0] == '\0' ? NULL : status);
	xml_close(sb, "VersioningConfiguration");
}

/* ---- modes ---- */

static char
mode_of(struct span s)
{
	if (span_eq(s, SPAN("GOVERNANCE")))
		return 'G';
	return span_eq(s, SPAN("COMPLIANCE")) ? 'C' : '\0';
}

const char *
object_lock_mode_name(char mode)
{
	return mode == 'C' ? "COMPLIANCE" : "GOVERNANCE";
}

/* ---- the bucket's configuration ---- */

static const struct xml_rule rules_default[] = {
	{ "Mode", 1, 1, NULL },
	{ "Days", 0, 1, NULL },
	{ "Years", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_rule[] = {
	{ "DefaultRetention", 1, 1, rules_default },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_lock[] = {
	{ "ObjectLockEnabled", 1, 1, NULL },
	{ "Rule", 0, 1, rules_rule },
	{ NULL, 0, 0, NULL },
};

static int
default_parse(const struct xml_node *d, char out[OBJECT_LOCK_TEXT_SIZE],
    struct s3_problem *pr)
{
	struct span mode = trimmed(xml_at(d, "Mode"));
	struct span days = trimmed(xml_at(d, "Days"));
	struct span years = trimmed(xml_at(d, "Years"));
	bool in_days = days.p != NULL;
	int64_t n;

	if (mode_of(mode) == 0 || in_days == (years.p != NULL))
		return malformed(pr);
	if (!parse_i64(in_days ? days : years, INT64_MIN, INT64_MAX, &n))
		return malformed(pr);
	if (n <= 0)
		return s3_problem_argument(pr,
		    "Default retention period must be a positive integer value.",
		    in_days ? "Days" : "Years", in_days ? days : years);
	if (n > (in_days ? DAYS_MAX : YEARS_MAX))
		return s3_problem_argument(pr,
		    "Default retention period too large.",
		    in_days ? "Days" : "Years", in_days ? days : years);
	snprintf(out, OBJECT_LOCK_TEXT_SIZE, "%.*s %" PRId64 " %s",
	    (int)mode.len, mode.p, n, in_days ? "Days" : "Years");
	return 0;
}

int
object_lock_config_parse(struct arena *a, struct span document,
    char out[OBJECT_LOCK_TEXT_SIZE], struct s3_problem *pr)
{
	const struct xml_node *root = xml_parse(
	    a, document, "ObjectLockConfiguration", &XML_LIMITS_SMALL, pr);
	const struct xml_node *rule;

	if (root == NULL || xml_conforms(root, rules_lock, pr) != 0)
		return -1;
	if (!span_eq(
		trimmed(xml_at(root, "ObjectLockEnabled")), SPAN("Enabled")))
		return malformed(pr);
	snprintf(out, OBJECT_LOCK_TEXT_SIZE, "Enabled");
	rule = xml_child(root, "Rule");
	return rule == NULL
	    ? 0
	    : default_parse(xml_child(rule, "DefaultRetention"), out, pr);
}

/* Takes the text of a default apart. false: there is none. */
static bool
default_of(const char *lock, char *mode, int64_t *n, bool *days)
{
	struct span rest = span_of(lock), word[3] = { { NULL, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(word); i++)
		if (!s3_list_next(&rest, ' ', &word[i]))
			return false;
	*mode = mode_of(word[0]);
	*days = span_eq(word[2], SPAN("Days"));
	return *mode != 0 && parse_i64(word[1], 1, DAYS_MAX, n);
}

void
object_lock_config_xml(struct strbuf *sb, const char *lock)
{
	bool days;
	int64_t n;
	char mode;

	xml_begin(sb, "ObjectLockConfiguration");
	xml_str(sb, "ObjectLockEnabled", "Enabled");
	if (default_of(lock, &mode, &n, &days)) {
		xml_open(sb, "Rule");
		xml_open(sb, "DefaultRetention");
		xml_str(sb, "Mode", object_lock_mode_name(mode));
		xml_int(sb, days ? "Days" : "Years", n);
		xml_close(sb, "DefaultRetention");
		xml_close(sb, "Rule");
	}
	xml_close(sb, "ObjectLockConfiguration");
}

void
object_lock_default(const char *lock, int64_t now_us, struct object_lock *out)
{
	bool days;
	int64_t n;

	if (default_of(lock, &out->mode, &n, &days))
		out->until_us = now_us + (days ? n : 365 * n) * US_PER_DAY;
	else
		out->mode = '\0';
}

/* ---- a version's own ---- */

static int
in_the_future(int64_t until_us, int64_t now_us, const char *name,
    struct span text, struct s3_problem *pr)
{
	if (until_us > now_us)
		return 0;
	return s3_problem_argument(pr,
	    "The retain until date must be in the future!", name, text);
}

int
object_lock_headers(const struct s3_headers *hs, int64_t now_us,
    struct object_lock *out, struct s3_problem *pr)
{
	struct span mode = s3_header_get(hs, "x-amz-object-lock-mode");
	struct span until =
	    s3_header_get(hs, "x-amz-object-lock-retain-until-date");
	struct span hold = s3_header_get(hs, "x-amz-object-lock-legal-hold");

	*out = (struct object_lock){ .says_retention = mode.p != NULL,
		.says_hold = hold.p != NULL,
		.hold = span_eq(hold, SPAN("ON")) };
	if (hold.p != NULL && !out->hold && !span_eq(hold, SPAN("OFF")))
		return s3_problem_argument(pr,
		    "Legal Hold must be either of 'ON' or 'OFF'",
		    "x-amz-object-lock-legal-hold", hold);
	if ((mode.p == NULL) != (until.p == NULL))
		return s3_problem_argument(pr,
		    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
		    mode.p == NULL ? "x-amz-object-lock-mode"
				   : "x-amz-object-lock-retain-until-date",
		    SPAN(""));
	if (mode.p == NULL)
		return 0;
	out->mode = mode_of(mode);
	if (out->mode == 0)
		return s3_problem_argument(pr, "Unknown wormMode directive.",
		    "x-amz-object-lock-mode", mode);
	if (!date_parse_iso(s3_trim(until), &out->until_us) &&
	    !date_parse_http(s3_trim(until), now_us, &out->until_us))
		return s3_problem_argument(pr,
		    "The retain until date must be provided in ISO 8601 format",
		    "x-amz-object-lock-retain-until-date", until);
	return in_the_future(out->until_us, now_us,
	    "x-amz-object-lock-retain-until-date", until, pr);
}

static const struct xml_rule rules_retention[] = {
	{ "Mode", 0, 1, NULL },
	{ "RetainUntilDate", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};

int
retention_parse(struct arena *a, struct span document, int64_t now_us,
    struct object_lock *out, struct s3_problem *pr)
{
	const struct xml_node *root =
	    xml_parse(a, document, "Retention", &XML_LIMITS_SMALL, pr);
	struct span mode, until;

	*out = (struct object_lock){ .says_retention = true };
	if (root == NULL || xml_conforms(root, rules_retention, pr) != 0)
		return -1;
	mode = trimmed(xml_at(root, "Mode"));
	until = trimmed(xml_at(root, "RetainUntilDate"));
	if (mode.p == NULL && until.p == NULL)
		return 0;
	out->mode = mode_of(mode);
	if (out->mode == 0 || !date_parse_iso(until, &out->until_us))
		return malformed(pr);
	return in_the_future(out->until_us, now_us, "RetainUntilDate", until, pr);
}

void
retention_xml(struct strbuf *sb, char mode, int64_t until_us)
{
	xml_begin(sb, "Retention");
	xml_str(sb, "Mode", object_lock_mode_name(mode));
	xml_time(sb, "RetainUntilDate", until_us);
	xml_close(sb, "Retention");
}

static const struct xml_rule rules_hold[] = {
	{ "Status", 1, 1, NULL },
	{ NULL, 0, 0, NULL },
};

int
legal_hold_parse(struct arena *a, struct span document, bool *hold,
    struct s3_problem *pr)
{
	const struct xml_node *root =
	    xml_parse(a, document, "LegalHold", &XML_LIMITS_SMALL, pr);
	struct span status;

	if (root == NULL || xml_conforms(root, rules_hold, pr) != 0)
		return -1;
	status = trimmed(xml_at(root, "Status"));
	*hold = span_eq(status, SPAN("ON"));
	return *hold || span_eq(status, SPAN("OFF")) ? 0 : malformed(pr);
}

void
legal_hold_xml(struct strbuf *sb, bool hold)
{
	xml_begin(sb, "LegalHold");
	xml_str(sb, "Status", hold ? "ON" : "OFF");
	xml_close(sb, "LegalHold");
}
