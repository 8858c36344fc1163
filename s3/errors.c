/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/errors.c - the table of errors, and the document that tells them.
 *
 * Owns:      nothing.
 * Called by: whoever answers a request.
 * Invariant: a code that is in no table answers as InternalError, never as success.
 */
#include "s3/errors.h"

#include "s3/xml.h"

static const struct s3_error errors[] = {
#define ERR(code, status, message, elements) { #code, status, message, elements },
#include "s3/errors.def"
#undef ERR
};

const struct s3_error *
s3_error_find(int code)
{
	return &errors[s3_code_of(code) - S3_FIRST - 1];
}

static enum s3_code
code_of_kind(int kind)
{
	switch (kind) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return S3_SlowDown;
	case ERR_QUOTA:
		return S3_QuotaExceeded;
	case ERR_NO_SPACE:
		return S3_ServiceUnavailable;
	case ERR_CONFLICT:
	case ERR_EXISTS:
		return S3_OperationAborted;
	case ERR_INVALID:
	case ERR_LIMIT:
		return S3_InvalidRequest;
	case ERR_DENIED:
		return S3_AccessDenied;
	case ERR_CLOSED:
		return S3_RequestTimeout;
	default:
		/* INTERNAL; and NOT_FOUND, which whoever asked should have
		 * turned into NoSuchKey, NoSuchBucket ... */
		return S3_InternalError;
	}
}

enum s3_code
s3_code_of(int code)
{
	if (code > S3_FIRST && code < S3_END)
		return (enum s3_code)code;
	return code_of_kind(code);
}

enum s3_code
s3_code_by_name(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (span_eq(span_of(errors[i].name), name))
			return (enum s3_code)(S3_FIRST + 1 + (int)i);
	return S3_OK;
}

bool
s3_code_is_transient(int code)
{
	return s3_error_find(code)->status == 503;
}

int
s3_problem_argument(struct s3_problem *pr, const char *message,
    const char *name, struct span value)
{
	if (pr->code != 0)
		return -1;
	s3_problem_set(pr, S3_InvalidArgument, message);
	s3_problem_extra(pr, "ArgumentName", span_of(name));
	s3_problem_extra(pr, "ArgumentValue", value);
	return -1;
}

void
s3_problem_from_err(struct s3_problem *pr, const struct err *err)
{
	if (pr->code == 0)
		s3_problem_set(pr, s3_code_of(err->code), NULL);
}

void
s3_error_xml(struct strbuf *sb, const struct s3_problem *pr,
    struct span resource, const char *request_id, const char *host_id)
{
	const struct s3_error *e = s3_error_find(pr->code);

	/* No namespace here: AWS gives none, and strict parsers look for "Error". */
	strbuf_str(sb, XML_DECLARATION "<Error>");
	xml_str(sb, "Code", e->name);
	xml_str(sb, "Message", pr->message != NULL ? pr->message : e->message);
	for (size_t i = 0; i < pr->n_extra; i++)
		xml_text(sb, pr->extra[i].name, pr->extra[i].value);
	if (resource.p != NULL)
		xml_text(sb, "Resource", resource);
	xml_str(sb, "RequestId", request_id);
	xml_str(sb, "HostId", host_id);
	xml_close(sb, "Error");
}
