/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/sse.c - the headers of encryption at rest, and a bucket's default.
 *
 * Owns:       nothing.
 * Called by:  fcgi/sse.c, fcgi/ops.
 * Blocks:     no.
 * Invariant:  no error names a client's key.
 * Source:     S3 User Guide, "Using server-side encryption with customer-provided keys"; API Reference, PutBucketEncryption.
 */
#include "s3/sse.h"

#include "base/crypto.h"
#include "base/parse.h"
#include "s3/errors.h"

#define SOURCE "x-amz-copy-source-server-side-encryption"
#define BY_CUSTOMER "Requests specifying Server Side Encryption with Customer provided keys must provide "

struct names {
	const char *algorithm, *key, *md5;
};
static const struct names customer[] = {
	[SSE_OF_OBJECT] = { SSE_HEADER "-customer-algorithm", SSE_HEADER "-customer-key", SSE_HEADER "-customer-key-md5" },
	[SSE_OF_COPY_SOURCE] = { SOURCE "-customer-algorithm", SOURCE "-customer-key", SOURCE "-customer-key-md5" },
};
static const char *const of_kms[] = { SSE_HEADER "-aws-kms-key-id", SSE_HEADER "-context" };

bool
sse_names_key(const struct s3_headers *headers, enum sse_of of)
{
	const struct names *n = &customer[of];

	return s3_header_get(headers, n->algorithm).p != NULL || s3_header_get(headers, n->key).p != NULL ||
	    s3_header_get(headers, n->md5).p != NULL;
}

static int
parse_customer(const struct s3_headers *headers, const struct names *n, struct sse_request *out, struct s3_problem *pr)
{
	struct span algorithm = s3_trim(s3_header_get(headers, n->algorithm));
	struct span key = s3_trim(s3_header_get(headers, n->key));
	uint8_t md5_sent[MD5_LEN], md5_is[MD5_LEN];

	out->key_md5 = s3_trim(s3_header_get(headers, n->md5));
	if (algorithm.len > 0 && !span_eq(algorithm, SPAN(SSE_ALGORITHM))) {
		s3_problem_set(pr, S3_InvalidEncryptionAlgorithmError, NULL);
		s3_problem_extra(pr, "ArgumentName", SPAN(SSE_HEADER));
		s3_problem_extra(pr, "ArgumentValue", algorithm);
		return -1;
	}
	if (algorithm.len == 0)
		return s3_problem_argument(pr, BY_CUSTOMER "a valid encryption algorithm.", n->algorithm, algorithm);
	if (key.len == 0)
		return s3_problem_argument(pr, BY_CUSTOMER "an appropriate secret key.", n->key, SPAN("null"));
	if (out->key_md5.len == 0)
		return s3_problem_argument(pr, BY_CUSTOMER "the client calculated MD5 of the secret key.", n->md5, SPAN("null"));
	if (base64_decode(key, out->key, sizeof(out->key)) != SSE_KEY_LEN)
		return s3_problem_argument(pr, "The secret key was invalid for the specified algorithm.", n->key, SPAN("null"));
	md5(out->key, sizeof(out->key), md5_is);
	if (base64_decode(out->key_md5, md5_sent, sizeof(md5_sent)) != MD5_LEN || memcmp(md5_sent, md5_is, MD5_LEN) != 0)
		return s3_problem_argument(pr, "The calculated MD5 hash of the key did not match the hash that was provided.",
		    n->md5, out->key_md5);
	out->kind = SSE_CUSTOMER;
	return 0;
}

/* Names of algorithms that need KMS. */
static bool
is_kms(struct span s)
{
	return span_eq(s, SPAN("aws:kms")) || span_eq(s, SPAN("aws:kms:dsse"));
}

static int
kms(struct s3_problem *pr)
{
	return s3_problem_set(pr, S3_NotImplemented, "Keys that KMS holds are not supported; the supported method is AES256.");
}

static int
parse_ours(const struct s3_headers *headers, struct sse_request *out, struct s3_problem *pr)
{
	struct span method = s3_header_get(headers, SSE_HEADER);

	if (is_kms(s3_trim(method)))
		return kms(pr);
	for (size_t i = 0; i < ARRAY_LEN(of_kms); i++) {
		struct span v = s3_header_get(headers, of_kms[i]);

		if (v.p != NULL)
			return s3_problem_argument(pr, "Server Side Encryption with AWS KMS managed key requires HTTP header "
			    SSE_HEADER " : aws:kms", of_kms[i], v);
	}
	if (method.p == NULL)
		return 0;
	if (!span_eq(s3_trim(method), SPAN(SSE_ALGORITHM)))
		return s3_problem_argument(pr, "The encryption method specified is not supported", SSE_HEADER, method);
	out->kind = SSE_S3;
	return 0;
}

int
sse_parse(const struct s3_headers *headers, enum sse_of of, struct sse_request *out, struct s3_problem *pr)
{
	*out = (struct sse_request){ .kind = SSE_NONE };
	if (of == SSE_OF_OBJECT && parse_ours(headers, out, pr) != 0)
		return -1;
	if (!sse_names_key(headers, of))
		return 0;
	if (out->kind != SSE_NONE)
		return s3_problem_argument(pr, "Server Side Encryption with Customer provided key is incompatible with the "
		    "encryption method specified", SSE_HEADER, SPAN(SSE_ALGORITHM));
	if (parse_customer(headers, &customer[of], out, pr) == 0)
		return 0;
	crypto_wipe(out->key, sizeof(out->key));
	return -1;
}

/* ---- a bucket's default ---- */

static const struct xml_rule by_default[] = {
	{ "SSEAlgorithm", 1, 1, NULL },
	{ "KMSMasterKeyID", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule blocked[] = {
	{ "EncryptionType", 0, 0, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rule[] = {
	{ "ApplyServerSideEncryptionByDefault", 0, 1, by_default },
	{ "BucketKeyEnabled", 0, 1, NULL },
	{ "BlockedEncryptionTypes", 0, 1, blocked },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule config[] = {
	{ "Rule", 1, 1, rule },
	{ NULL, 0, 0, NULL },
};

int
sse_config_parse(struct arena *a, struct span doc, enum sse_kind *out, struct s3_problem *pr)
{
	const struct xml_node *n = xml_parse(a, doc, "ServerSideEncryptionConfiguration", &XML_LIMITS_SMALL, pr);
	struct span algorithm, key;

	*out = SSE_NONE;
	if (n == NULL || xml_conforms(n, config, pr) != 0)
		return -1;
	algorithm = xml_at(n, "Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm");
	key = xml_at(n, "Rule/ApplyServerSideEncryptionByDefault/KMSMasterKeyID");
	if (is_kms(algorithm))
		return kms(pr);
	if (algorithm.p != NULL && !span_eq(algorithm, SPAN(SSE_ALGORITHM)))
		return s3_problem_set(pr, S3_MalformedXML, NULL);
	if (key.p != NULL)
		return s3_problem_argument(pr, "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
		    "aws:kms:dsse", "KMSMasterKeyID", key);
	if (algorithm.p != NULL)
		*out = SSE_S3;
	return 0;
}

enum sse_kind
sse_envelope_kind(struct span e)
{
	return e.len == 0 ? SSE_NONE : e.len > 1 && e.p[1] == 'C' ? SSE_CUSTOMER : SSE_S3;
}

bool
sse_envelope_open(const struct seal_key *k, struct span envelope, uint8_t data_key[SSE_KEY_LEN])
{
	const uint8_t *e = (const uint8_t *)envelope.p;

	return envelope.len == SSE_ENVELOPE_LEN && e[0] == SSE_ENVELOPE_VERSION &&
	    seal_open(k, sse_envelope_kind(envelope) == SSE_CUSTOMER ? SSE_AAD_CUSTOMER : SSE_AAD_S3, e + SSE_ENVELOPE_HEAD,
	        envelope.len - SSE_ENVELOPE_HEAD, data_key);
}

void
sse_envelope_s3(const struct seal_key *master, const uint8_t data_key[SSE_KEY_LEN], uint8_t out[SSE_ENVELOPE_LEN])
{
	out[0] = SSE_ENVELOPE_VERSION;
	out[1] = 'S';
	seal(master, SSE_AAD_S3, data_key, SSE_KEY_LEN, out + SSE_ENVELOPE_HEAD);
}
