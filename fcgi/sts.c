/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/sts.c - requests of the Security Token Service: what is read before their
 * signature is checked, and their error documents.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, before authentication; respond.c.
 * Blocks:     on the client, for at most BODY_MAX bytes of nobody in particular.
 * Invariant:  the hash that the signature must cover is of the bytes that are read.
 */
#include "fcgi/sts.h"

#include "base/parse.h"
#include "s3/xml.h"

#define BODY_MAX 65536

/* ---- reading ---- */

static int
read_body(struct req *r, struct span *out)
{
	char *body;
	size_t n = 0;

	if (r->content_length > BODY_MAX)
		return req_refuse(r, S3_MaxMessageLengthExceeded, NULL, "MaxMessageLengthBytes", SPAN(ANVIL_STR(BODY_MAX)));
	body = arena_alloc(r->arena, BODY_MAX + 1);
	if (body == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	for (;;) {
		ssize_t got = http_read(r->http, body + n, BODY_MAX + 1 - n);

		if (got < 0)
			return req_refuse(r, S3_IncompleteBody, NULL, NULL, SPAN(""));
		n += (size_t)got;
		if (n > BODY_MAX)
			return req_refuse(r, S3_MaxMessageLengthExceeded, NULL, "MaxMessageLengthBytes", SPAN(ANVIL_STR(BODY_MAX)));
		if (got == 0)
			break;
	}
	*out = (struct span){ body, n };
	return r->content_length >= 0 && (int64_t)n != r->content_length ? req_refuse(r, S3_IncompleteBody, NULL, NULL, SPAN("")) : 0;
}

int
sts_read(struct req *r)
{
	uint8_t hash[SHA256_LEN];
	struct span body = SPAN("");
	char *hex = arena_alloc(r->arena, SIGV4_HEX_SIZE);

	if (hex == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (r->op == OP_SecurityToken && read_body(r, &body) != 0)
		return -1;
	r->sts = r->uri.query;
	if (r->op == OP_SecurityToken && s3_query_parse(r->arena, body, &r->sts, &r->problem) != 0)
		return req_refused(r, "the form is malformed");
	sha256(body.p, body.len, hash);
	hex_encode(hash, sizeof(hash), hex);
	r->signed_request.service = SPAN("sts");
	r->signed_request.body_sha256 = span_of(hex);
	return 0;
}

/* ---- errors ---- */

void
sts_error_xml(struct req *r, struct strbuf *xml)
{
	static const struct {
		enum s3_code code;
		const char *name;
	} names[] = {
		{ S3_AuthorizationHeaderMalformed, "IncompleteSignature" },
		{ S3_AuthorizationQueryParametersError, "IncompleteSignature" },
		{ S3_InternalError, "InternalFailure" },
		{ S3_InvalidAccessKeyId, "InvalidClientTokenId" },
		{ S3_InvalidArgument, "ValidationError" },
		{ S3_InvalidToken, "InvalidClientTokenId" },
		{ S3_MalformedPolicy, "MalformedPolicyDocument" },
		{ S3_RequestTimeTooSkewed, "SignatureDoesNotMatch" },
	};
	const struct s3_error *e = s3_error_find(r->problem.code);
	const char *name = e->name;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((int)names[i].code == r->problem.code)
			name = names[i].name;
	strbuf_str(xml, XML_DECLARATION "<ErrorResponse xmlns=\"" STS_NS "\"><Error>");
	xml_str(xml, "Type", e->status < 500 ? "Sender" : "Receiver");
	xml_str(xml, "Code", name);
	xml_str(xml, "Message", r->problem.message != NULL ? r->problem.message : e->message);
	xml_close(xml, "Error");
	xml_str(xml, "RequestId", r->id);
	xml_close(xml, "ErrorResponse");
}
