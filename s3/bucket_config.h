/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/bucket_config.h - the smaller documents that a bucket carries: what S3 takes,
 * and what they say. Larger ones (CORS, lifecycle, notification, website) have files of their own.
 *
 * A check is given a body as it came, and gives what is stored: the same document in
 * one form, which Get answers. NULL stored: the bucket is to carry none.
 * -1 with pr: MalformedXML, MaxMessageLengthExceeded, InvalidRequest and what is said.
 */
#ifndef ANVIL_S3_BUCKET_CONFIG_H
#define ANVIL_S3_BUCKET_CONFIG_H

#include "base/arena.h"
#include "s3/problem.h"
#include "s3/xml.h"

#define S3_CONFIG_BYTES_MAX 65536 /* of a document as it comes, but for */
#define S3_LIFECYCLE_BYTES_MAX 262144 /* its thousand rules */
#define S3_CONFIG_WRITTEN_MAX 262144 /* of one as it is stored, with what was left out: what readers (XML_LIMITS_CONFIG) and the database take */

typedef int (*s3_config_check)(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);

/* For checks: the tree when it conforms to the rules, else NULL with pr. */
const struct xml_node *s3_config_read(struct arena *a, struct span given, const char *root, const struct xml_rule *rules,
    struct s3_problem *pr);
/* The tree in the one form. */
MUST_CHECK int s3_config_write(struct arena *a, const struct xml_node *root, const char **stored, struct s3_problem *pr);
/* One that its check wrote into sb (of S3_CONFIG_WRITTEN_MAX), where it has a form that the tree does not give. */
MUST_CHECK int s3_config_written(struct strbuf *sb, const char **stored, struct s3_problem *pr);
/* Is the text one of the words? */
bool s3_config_word(struct span text, const char *const *words);
/* "true" and "1", "false" and "0", as XML schema has it; false: neither. */
bool s3_config_bool(struct span text, bool *out);
/* Without XML's blanks at both ends. */
struct span s3_config_trim(struct span text);

MUST_CHECK int s3_accelerate_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
MUST_CHECK int s3_request_payment_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);

/* ---- what public access is refused ---- */

struct s3_access_block {
	bool block_acls, ignore_acls, block_policy, restrict_buckets;
};
MUST_CHECK int s3_access_block_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* Of a stored document; one that cannot be read refuses all. NULL: nothing is refused. */
void s3_access_block_read(struct arena *a, const char *stored, struct s3_access_block *out);

/* ---- who owns what others store ---- */

enum s3_ownership { S3_OWNER_ENFORCED, S3_OWNER_PREFERRED, S3_OWNER_WRITER };
MUST_CHECK int s3_ownership_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);
/* "BucketOwnerEnforced" ...; false: no such word. */
bool s3_ownership_word(struct span word, enum s3_ownership *out);
const char *s3_ownership_name(enum s3_ownership o);
/* The document that says so. */
const char *s3_ownership_document(struct arena *a, enum s3_ownership o);
/*
 * What a bucket carries whose owner removed the rule: as before S3 had any, writers own what they write. A bucket that
 * carries no document (NULL) is one of BucketOwnerEnforced, so that what most buckets have costs nothing to look up.
 */
#define S3_OWNERSHIP_NONE "<OwnershipControls/>"
/* Of a stored document; enforced where it cannot be read. */
enum s3_ownership s3_ownership_read(struct arena *a, const char *stored);

#endif
