/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/acl.c - access control lists, read, checked, written and asked.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/access.c, fcgi/ops/acl.c, access_log.c, admin/access_log.c.
 * Source:    S3 User Guide, "Access control list (ACL) overview"; API Reference, PutBucketAcl.
 */
#include "s3/acl.h"

#include "base/parse.h"
#include "s3/errors.h"

#define GROUPS "http://acs.amazonaws.com/groups/"
#define XSI "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

static const char *const groups[] = {
	[ACL_EVERYBODY] = GROUPS "global/AllUsers",
	[ACL_AUTHENTICATED] = GROUPS "global/AuthenticatedUsers",
	[ACL_LOG_DELIVERY] = GROUPS "s3/LogDelivery",
};

/* In the order in which S3 documents the headers. */
static const struct {
	const char *word, *header;
	int permission;
} permissions[] = {
	{ "READ", "x-amz-grant-read", ACL_READ },
	{ "WRITE", "x-amz-grant-write", ACL_WRITE },
	{ "READ_ACP", "x-amz-grant-read-acp", ACL_READ_ACP },
	{ "WRITE_ACP", "x-amz-grant-write-acp", ACL_WRITE_ACP },
	{ "FULL_CONTROL", "x-amz-grant-full-control", ACL_FULL },
};

static void
grant(struct acl *acl, enum acl_grantee who, const struct acl_owner *user, int permission)
{
	struct acl_grant *g = &acl->v[acl->n];

	ASSERT(acl->n < ACL_GRANTS_MAX);
	*g = (struct acl_grant){ .grantee = who, .id = "", .name = "", .permission = permission };
	if (user != NULL) {
		g->id = user->id;
		g->name = user->name;
	}
	acl->n++;
}

/* ---- canned ---- */

bool
acl_canned(const struct acl_subject *s, struct span word, struct acl *out)
{
	bool of_other = !s->is_bucket && strcmp(s->owner.id, s->bucket_owner.id) != 0;

	out->owner = s->owner;
	out->n = 0;
	if (span_eq(word, SPAN("public-read")) || span_eq(word, SPAN("public-read-write")))
		grant(out, ACL_EVERYBODY, NULL, ACL_READ);
	if (span_eq(word, SPAN("public-read-write")))
		grant(out, ACL_EVERYBODY, NULL, ACL_WRITE);
	if (span_eq(word, SPAN("authenticated-read")))
		grant(out, ACL_AUTHENTICATED, NULL, ACL_READ);
	if (span_eq(word, SPAN("log-delivery-write")) && s->is_bucket) {
		grant(out, ACL_LOG_DELIVERY, NULL, ACL_WRITE);
		grant(out, ACL_LOG_DELIVERY, NULL, ACL_READ_ACP);
	}
	if (out->n == 0 && !span_eq(word, SPAN("private")) && !span_eq(word, SPAN("bucket-owner-read")) &&
	    !span_eq(word, SPAN("bucket-owner-full-control")))
		return false;
	grant(out, ACL_USER, &s->owner, ACL_FULL);
	if (of_other && span_eq(word, SPAN("bucket-owner-read")))
		grant(out, ACL_USER, &s->bucket_owner, ACL_READ);
	if (of_other && span_eq(word, SPAN("bucket-owner-full-control")))
		grant(out, ACL_USER, &s->bucket_owner, ACL_FULL);
	return true;
}

/* ---- grantees ---- */

static int
unresolvable(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_UnresolvableGrantByEmailAddress, NULL);
}

static int
add_group(struct acl *out, struct span uri, int permission, const char *named, struct s3_problem *pr)
{
	for (int g = ACL_EVERYBODY; g <= ACL_LOG_DELIVERY; g++)
		if (span_eq(uri, span_of(groups[g]))) {
			grant(out, (enum acl_grantee)g, NULL, permission);
			return 0;
		}
	return s3_problem_argument(pr, "Invalid group uri", named, uri);
}

/* What can be a canonical id, in headers and in documents alike; whether somebody has it is the caller's to look up. */
static bool
is_id(struct span id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.p[i] <= ' ' || id.p[i] > '~')
			return false;
	return id.len > 0 && id.len <= 255;
}

static int
add_user(struct arena *a, struct acl *out, struct span id, int permission, const char *named, struct s3_problem *pr)
{
	struct acl_owner user = { .id = arena_strndup(a, id.p, id.len), .name = "" };

	if (!is_id(id))
		return s3_problem_argument(pr, "Invalid id", named, id);
	if (user.id == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	grant(out, ACL_USER, &user, permission);
	return 0;
}

static int
too_many(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_InvalidRequest, "An access control list has at most 100 grants.");
}

/* ---- headers ---- */

static struct span
unquote(struct span s)
{
	s = s3_trim(s);
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		return (struct span){ s.p + 1, s.len - 2 };
	return s;
}

/* id="...", uri="...", emailAddress="..." with commas between. */
static int
add_header(struct arena *a, struct acl *out, const struct s3_header *h, int permission, struct s3_problem *pr)
{
	struct span rest = h->value, item;

	while (s3_list_next(&rest, ',', &item)) {
		const char *eq = memchr(item.p, '=', item.len);
		struct span name, value;
		int rc;

		if (eq == NULL)
			return s3_problem_argument(pr, "Argument format not recognized", arena_strndup(a, h->name.p, h->name.len), h->value);
		name = s3_trim((struct span){ item.p, (size_t)(eq - item.p) });
		value = unquote((struct span){ eq + 1, item.len - (size_t)(eq - item.p) - 1 });
		if (out->n == ACL_GRANTS_MAX)
			return too_many(pr);
		if (s3_ieq(name, SPAN("id")))
			rc = add_user(a, out, value, permission, "id", pr);
		else if (s3_ieq(name, SPAN("uri")))
			rc = add_group(out, value, permission, "uri", pr);
		else if (s3_ieq(name, SPAN("emailAddress")))
			rc = unresolvable(pr);
		else
			rc = s3_problem_argument(pr, "Argument format not recognized", arena_strndup(a, h->name.p, h->name.len), h->value);
		if (rc != 0)
			return -1;
	}
	return 0;
}

bool
acl_in_headers(const struct s3_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (s3_ieq(h->h[i].name, SPAN("x-amz-acl")))
			return true;
		for (size_t k = 0; k < ARRAY_LEN(permissions); k++)
			if (s3_ieq(h->h[i].name, span_of(permissions[k].header)))
				return true;
	}
	return false;
}

int
acl_from_headers(struct arena *a, const struct acl_subject *s, const struct s3_headers *h, struct span *word, struct acl *out,
    struct s3_problem *pr)
{
	out->owner = s->owner;
	out->n = 0;
	*word = s3_header_get(h, "x-amz-acl");
	for (size_t k = 0; k < ARRAY_LEN(permissions); k++)
		for (size_t i = 0; i < h->n; i++) {
			if (!s3_ieq(h->h[i].name, span_of(permissions[k].header)))
				continue;
			if (word->p != NULL)
				return s3_problem_set(pr, S3_InvalidRequest,
				    "Specifying both Canned ACLs and Header Grants is not allowed");
			if (add_header(a, out, &h->h[i], permissions[k].permission, pr) != 0)
				return -1;
		}
	if (word->p == NULL)
		return 0;
	if (span_eq(*word, SPAN("aws-exec-read")))
		return s3_problem_set(pr, S3_NotImplemented, "The canned ACL aws-exec-read is not implemented.");
	if (!acl_canned(s, *word, out))
		return s3_problem_argument(pr, NULL, "x-amz-acl", *word);
	return 0;
}

/* ---- documents ---- */

static const struct xml_rule rules_owner[] = { { "ID", 1, 1, NULL }, { "DisplayName", 0, 1, NULL }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_grantee[] = {
	{ "ID", 0, 1, NULL },
	{ "DisplayName", 0, 1, NULL },
	{ "URI", 0, 1, NULL },
	{ "EmailAddress", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_grant[] = { { "Grantee", 1, 1, rules_grantee }, { "Permission", 1, 1, NULL }, { NULL, 0, 0, NULL } };
const struct xml_rule acl_rules_list[] = { { "Grant", 0, 0, rules_grant }, { NULL, 0, 0, NULL } };
static const struct xml_rule rules_policy[] = {
	{ "Owner", 1, 1, rules_owner },
	{ "AccessControlList", 1, 1, acl_rules_list },
	{ NULL, 0, 0, NULL },
};

static int
malformed(struct s3_problem *pr)
{
	s3_problem_clear(pr);
	return s3_problem_set(pr, S3_MalformedACLError, NULL);
}

static int
permission_of(struct span word)
{
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++)
		if (span_eq(word, span_of(permissions[i].word)))
			return permissions[i].permission;
	return 0;
}

/* xsi:type says which kind it is; what is there decides where it does not. */
static int
add_grantee(struct arena *a, struct acl *out, const struct xml_node *g, int permission, struct s3_problem *pr)
{
	struct span type = xml_attr(g, "type"), id = xml_at(g, "ID"), uri = xml_at(g, "URI"), name = xml_at(g, "DisplayName");

	if (out->n == ACL_GRANTS_MAX)
		return too_many(pr);
	if (span_eq(type, SPAN("Group")) || (type.p == NULL && uri.p != NULL))
		return uri.p == NULL ? malformed(pr) : add_group(out, s3_trim(uri), permission, "Group/URI", pr);
	if (span_eq(type, SPAN("AmazonCustomerByEmail")) || (type.p == NULL && xml_child(g, "EmailAddress") != NULL))
		return unresolvable(pr);
	if ((type.p != NULL && !span_eq(type, SPAN("CanonicalUser"))) || id.p == NULL)
		return malformed(pr);
	if (add_user(a, out, s3_trim(id), permission, "CanonicalUser/ID", pr) != 0)
		return -1;
	if (name.p != NULL)
		out->v[out->n - 1].name = arena_strndup(a, name.p, name.len);
	return out->v[out->n - 1].name != NULL ? 0 : s3_problem_set(pr, S3_InternalError, NULL);
}

static int
add_grants(struct arena *a, struct acl *out, const struct xml_node *list, struct s3_problem *pr)
{
	for (const struct xml_node *g = xml_child(list, "Grant"); g != NULL; g = xml_again(g)) {
		int permission = permission_of(s3_trim(xml_at(g, "Permission")));

		if (permission == 0)
			return malformed(pr);
		if (add_grantee(a, out, xml_child(g, "Grantee"), permission, pr) != 0)
			return -1;
	}
	return 0;
}

int
acl_from_grants(struct arena *a, const struct xml_node *list, struct acl *out, struct s3_problem *pr)
{
	if (add_grants(a, out, list, pr) != 0) {
		if (pr->code != S3_MalformedACLError)
			return -1;
		s3_problem_clear(pr);
		return s3_problem_set(pr, S3_MalformedXML, NULL);
	}
	for (size_t i = 0; i < out->n; i++)
		out->v[i].name = "";
	return 0;
}

/* 64 hexadecimal digits, as the ids that tenants get. */
static bool
looks_like_one_of_ours(struct span id)
{
	uint8_t bytes[32];

	return id.len == 2 * sizeof(bytes) && hex_decode(id, bytes, sizeof(bytes));
}

int
acl_from_xml(struct arena *a, const struct acl_subject *s, struct span doc, struct acl *out, struct s3_problem *pr)
{
	const struct xml_node *root = xml_parse(a, doc, "AccessControlPolicy", &XML_LIMITS_SMALL, pr);
	struct span id;

	out->owner = s->owner;
	out->n = 0;
	if (root == NULL || xml_conforms(root, rules_policy, pr) != 0)
		return pr->code == S3_MalformedXML ? malformed(pr) : -1;
	id = s3_trim(xml_at(root, "Owner/ID"));
	if (!span_eq(id, span_of(s->owner.id)))
		return looks_like_one_of_ours(id) ? s3_problem_set(pr, S3_AccessDenied, NULL) :
		    s3_problem_argument(pr, "Invalid id", "CanonicalUser/ID", id);
	return add_grants(a, out, xml_child(root, "AccessControlList"), pr);
}

void
acl_read(struct arena *a, const struct acl_subject *s, const char *stored, struct acl *out)
{
	struct s3_problem pr = { 0 };

	if (stored != NULL && stored[0] == '<' ? acl_from_xml(a, s, span_of(stored), out, &pr) == 0 :
	    acl_canned(s, span_of(stored == NULL ? "private" : stored), out))
		return;
	(void)acl_canned(s, SPAN("private"), out);
}

static void
grant_xml(struct strbuf *sb, const struct acl_grant *g)
{
	strbuf_printf(sb, "<Grant><Grantee " XSI " xsi:type=\"%s\">", g->grantee == ACL_USER ? "CanonicalUser" : "Group");
	if (g->grantee == ACL_USER) {
		xml_str(sb, "ID", g->id);
		if (g->name[0] != '\0')
			xml_str(sb, "DisplayName", g->name);
	} else
		xml_str(sb, "URI", groups[g->grantee]);
	xml_close(sb, "Grantee");
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++)
		if (permissions[i].permission == g->permission)
			xml_str(sb, "Permission", permissions[i].word);
	xml_close(sb, "Grant");
}

void
acl_grants_xml(struct strbuf *sb, const struct acl *acl)
{
	for (size_t i = 0; i < acl->n; i++)
		grant_xml(sb, &acl->v[i]);
}

void
acl_xml(struct strbuf *sb, const struct acl *acl)
{
	xml_begin(sb, "AccessControlPolicy");
	xml_open(sb, "Owner");
	xml_str(sb, "ID", acl->owner.id);
	if (acl->owner.name[0] != '\0')
		xml_str(sb, "DisplayName", acl->owner.name);
	xml_close(sb, "Owner");
	xml_open(sb, "AccessControlList");
	for (int users = 0; users <= 1; users++)
		for (size_t i = 0; i < acl->n; i++)
			if ((acl->v[i].grantee == ACL_USER) == (users == 1))
				grant_xml(sb, &acl->v[i]);
	xml_close(sb, "AccessControlList");
	xml_close(sb, "AccessControlPolicy");
}

/* ---- what it says ---- */

static bool
is_public(const struct acl_grant *g)
{
	return g->grantee == ACL_EVERYBODY || g->grantee == ACL_AUTHENTICATED;
}

void
acl_of_owner_with(const struct acl_owner *owner, const struct acl *others, bool skip_public, struct acl *out)
{
	ASSERT(others->n <= ACL_OTHERS_MAX);
	out->owner = *owner;
	out->n = 0;
	grant(out, ACL_USER, owner, ACL_FULL);
	for (size_t i = 0; i < others->n; i++) {
		const struct acl_grant *g = &others->v[i];
		bool own = g->grantee == ACL_USER && strcmp(g->id, owner->id) == 0;

		if (!own && !(skip_public && is_public(g)))
			out->v[out->n++] = *g;
	}
}

bool
acl_is_public(const struct acl *acl)
{
	for (size_t i = 0; i < acl->n; i++)
		if (is_public(&acl->v[i]))
			return true;
	return false;
}

bool
acl_is_for_others(const struct acl *acl, const char *owner_id)
{
	for (size_t i = 0; i < acl->n; i++)
		if (acl->v[i].grantee != ACL_USER || strcmp(acl->v[i].id, owner_id) != 0)
			return true;
	return false;
}

bool
acl_grants(const struct acl *acl, const char *id, enum acl_permission want, bool skip_public)
{
	int has = 0;

	for (size_t i = 0; i < acl->n; i++) {
		const struct acl_grant *g = &acl->v[i];

		if ((g->grantee == ACL_USER && id != NULL && strcmp(g->id, id) == 0) ||
		    (g->grantee == ACL_EVERYBODY && !skip_public) ||
		    (g->grantee == ACL_AUTHENTICATED && !skip_public && id != NULL))
			has |= g->permission;
	}
	return (has & (int)want) == (int)want;
}
