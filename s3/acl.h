/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/acl.h - access control lists of buckets and objects: who is granted what, as
 * canned words, as x-amz-grant-* headers, as documents, and as they are stored.
 *
 * Stored is a canned word ("private", "public-read" ...), which means what it means
 * when it is read, or a whole AccessControlPolicy document.
 */
#ifndef ANVIL_S3_ACL_H
#define ANVIL_S3_ACL_H

#include "base/strbuf.h"
#include "s3/headers.h"
#include "s3/problem.h"
#include "s3/xml.h"

#define ACL_GRANTS_MAX 100
#define ACL_OTHERS_MAX (ACL_GRANTS_MAX - 1) /* beside the owner's */
#define ACL_XML_MAX 65536

enum acl_permission { ACL_READ = 1 << 0, ACL_WRITE = 1 << 1, ACL_READ_ACP = 1 << 2, ACL_WRITE_ACP = 1 << 3, ACL_FULL = 15 };
enum acl_grantee { ACL_USER, ACL_EVERYBODY, ACL_AUTHENTICATED, ACL_LOG_DELIVERY };
struct acl_grant {
	enum acl_grantee grantee;
	const char *id, *name;     /* of ACL_USER: canonical id, display name ("": not known) */
	int permission;            /* one of enum acl_permission */
};
struct acl_owner {
	const char *id, *name;
};
struct acl {
	struct acl_owner owner;    /* of what the list belongs to */
	struct acl_grant v[ACL_GRANTS_MAX];
	size_t n;
};

/* What a list is about: of an object it matters whose the bucket is. */
struct acl_subject {
	bool is_bucket;
	struct acl_owner owner, bucket_owner;
};

/* The canned list; false: S3 has no such word. */
bool acl_canned(const struct acl_subject *s, struct span word, struct acl *out);
/* Is one of the headers there that acl_from_headers reads? Most requests have none, and need no room for a list. */
bool acl_in_headers(const struct s3_headers *h);
/*
 * x-amz-acl or x-amz-grant-*, not both. *word: the canned word, p NULL when there is none; out->n > 0 or a word: something was said.
 * -1 with pr: InvalidArgument, InvalidRequest, UnresolvableGrantByEmailAddress, NotImplemented.
 */
MUST_CHECK int acl_from_headers(struct arena *a, const struct acl_subject *s, const struct s3_headers *h, struct span *word,
    struct acl *out, struct s3_problem *pr);
/* A document. -1 with pr: MalformedACLError, AccessDenied (another owner), InvalidArgument, UnresolvableGrantByEmailAddress. */
MUST_CHECK int acl_from_xml(struct arena *a, const struct acl_subject *s, struct span doc, struct acl *out, struct s3_problem *pr);
/*
 * The Grant elements of another document's list, which conforms to acl_rules_list, added to out; what they call somebody is
 * left out. -1 with pr: MalformedXML, InvalidArgument, InvalidRequest, UnresolvableGrantByEmailAddress.
 */
extern const struct xml_rule acl_rules_list[];
MUST_CHECK int acl_from_grants(struct arena *a, const struct xml_node *list, struct acl *out, struct s3_problem *pr);
/* As it is stored; one that cannot be read grants its owner all and others nothing. NULL is "private". */
void acl_read(struct arena *a, const struct acl_subject *s, const char *stored, struct acl *out);
/* The whole document: groups first, then users, as they were granted. */
void acl_xml(struct strbuf *sb, const struct acl *acl);
/* Its grants alone, in their order: what stands in a list of another document. */
void acl_grants_xml(struct strbuf *sb, const struct acl *acl);
/*
 * What an object of this owner gets whose maker was told to grant others this: the owner has all; grants to everybody are left
 * out where skip_public says so. others: at most ACL_OTHERS_MAX.
 */
void acl_of_owner_with(const struct acl_owner *owner, const struct acl *others, bool skip_public, struct acl *out);

/* Does it grant everybody, or everybody with an account, anything? */
bool acl_is_public(const struct acl *acl);
/* Does it grant anybody but this owner anything? */
bool acl_is_for_others(const struct acl *acl, const char *owner_id);
/* id NULL: nobody in particular. skip_public: grants to everybody do not count. */
bool acl_grants(const struct acl *acl, const char *id, enum acl_permission want, bool skip_public);

#endif
