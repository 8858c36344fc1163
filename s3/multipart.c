/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/multipart.c - uploads in parts: what requests say, and what the whole
 * object's ETag and checksum are.
 *
 * Owns:       hash contexts, which go with the arena.
 * Called by:  fcgi/ops.
 * Blocks:     no.
 * Source:     S3 User Guide, "Uploading and copying objects using multipart
 *             upload" and "Checking object integrity"; API Reference.
 */
#include "s3/multipart.h"

#include "base/parse.h"
#include "s3/condition.h"
#include "s3/errors.h"
#include "s3/xml.h"

#define ALGORITHM "x-amz-checksum-algorithm"
#define TYPE "x-amz-checksum-type"
#define ATTRIBUTES "x-amz-object-attributes"
#define LIST_PARTS_MAX 1000

static int
invalid(struct s3_problem *pr, const char *message)
{
	return s3_problem_set(pr, S3_InvalidRequest, message);
}

/* "crc32", as S3's messages have it. */
static const char *
lower_name(struct arena *a, enum checksum c)
{
	char *name = arena_strndup(a, checksum_table[c].name, strlen(checksum_table[c].name));

	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return name;
}

/* ---- the checksum of an upload ---- */

static bool
parse_type(struct span text, enum checksum_type *out)
{
	*out = s3_ieq(text, SPAN("COMPOSITE")) ? CHECKSUM_COMPOSITE : CHECKSUM_FULL_OBJECT;
	return *out == CHECKSUM_COMPOSITE || s3_ieq(text, SPAN("FULL_OBJECT"));
}

int
multipart_sum_parse(struct arena *a, const struct s3_headers *headers, struct multipart_sum *out, struct s3_problem *pr)
{
	struct span algo = s3_trim(s3_header_get(headers, ALGORITHM)), type = s3_trim(s3_header_get(headers, TYPE));
	const struct checksum_info *info;

	*out = (struct multipart_sum){ CHECKSUM_CRC64NVME, CHECKSUM_FULL_OBJECT, algo.len > 0 };
	if (!out->asked)
		return type.len == 0 ? 0 :
		    invalid(pr, "The " TYPE " header can only be used with the " ALGORITHM " header.");
	if (checksum_algorithm(a, algo, &out->algo, pr) != 0)
		return -1;
	info = &checksum_table[out->algo];
	out->type = info->composite ? CHECKSUM_COMPOSITE : CHECKSUM_FULL_OBJECT;
	if (type.len > 0 && !parse_type(type, &out->type))
		return invalid(pr, "Value for " TYPE " header is invalid.");
	if (out->type == CHECKSUM_COMPOSITE ? info->composite : info->full_object)
		return 0;
	return invalid(pr, arena_printf(a, "The %s checksum type cannot be used with the %s checksum algorithm.",
	    checksum_type_name(out->type), lower_name(a, out->algo)));
}

void
multipart_sum_encode(struct strbuf *sb, const struct multipart_sum *s)
{
	struct checksum_stored stored = { .algo = s->asked ? s->algo : CHECKSUM_NONE, .type = s->type };

	checksum_encode(sb, &stored);
}

bool
multipart_sum_decode(struct span bytes, struct multipart_sum *out)
{
	struct checksum_stored stored;

	*out = (struct multipart_sum){ CHECKSUM_CRC64NVME, CHECKSUM_FULL_OBJECT, false };
	if (!checksum_decode(bytes, &stored))
		return false;
	if (stored.algo != CHECKSUM_NONE)
		*out = (struct multipart_sum){ stored.algo, stored.type, true };
	return true;
}

int
multipart_sum_check(struct arena *a, const struct multipart_sum *s, enum checksum algo, bool whole, struct s3_problem *pr)
{
	/* An SDK adds its own default to each part; where none was asked for, both are computed. */
	if (algo == s->algo || (!s->asked && !whole))
		return 0;
	/* One that can be of the full object is computed here when the client leaves it out. */
	if (algo == CHECKSUM_NONE && (whole || s->type == CHECKSUM_FULL_OBJECT))
		return 0;
	return invalid(pr, arena_printf(a, "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
	    lower_name(a, s->algo), algo == CHECKSUM_NONE ? "null" : lower_name(a, algo)));
}

/* ---- completing ---- */

static const struct xml_rule rules_part[] = {
	{ "PartNumber", 1, 1, NULL },
	{ "ETag", 1, 1, NULL },
#define CHECKSUM(id, name, header, xml, len, composite, full) { xml, 0, 1, NULL },
#include "s3/checksum.def"
#undef CHECKSUM
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_complete[] = {
	{ "Part", 0, MULTIPART_PARTS_MAX, rules_part },
	{ NULL, 0, 0, NULL },
};
static const struct xml_limits limits = { MULTIPART_DOCUMENT_MAX, 8, 65536 };

int
multipart_number_parse(struct span text, int *out, struct s3_problem *pr)
{
	int64_t n;

	if (!parse_i64(s3_trim(text), 1, MULTIPART_PARTS_MAX, &n))
		return s3_problem_argument(pr, "Part number must be an integer between 1 and 10000, inclusive", "partNumber", text);
	*out = (int)n;
	return 0;
}

static int
read_part(const struct xml_node *n, struct multipart_part *p, struct s3_problem *pr)
{
	*p = (struct multipart_part){ .algo = CHECKSUM_NONE };
	if (multipart_number_parse(xml_at(n, "PartNumber"), &p->number, pr) != 0)
		return -1;
	/* "*" is an ETag for a condition, not for a part; InvalidPart says so, as no part has it. */
	if (!condition_etag(xml_at(n, "ETag"), &p->etag))
		p->etag = SPAN("");
	for (int i = 0; i < CHECKSUM_COUNT && p->algo == CHECKSUM_NONE; i++) {
		p->sum = s3_trim(xml_at(n, checksum_table[i].xml));
		if (p->sum.len > 0)
			p->algo = (enum checksum)i;
	}
	return 0;
}

int
multipart_complete_parse(struct arena *a, struct span document, struct multipart_part **out, size_t *n, struct s3_problem *pr)
{
	const struct xml_node *root = xml_parse(a, document, "CompleteMultipartUpload", &limits, pr), *part;
	struct multipart_part *list;

	*n = 0;
	if (root == NULL || xml_conforms(root, rules_complete, pr) != 0)
		return -1;
	if (xml_child(root, "Part") == NULL) /* then, as it conforms, there is nothing in it but blanks */
		return invalid(pr, "You must specify at least one part");
	list = arena_array(a, MULTIPART_PARTS_MAX, sizeof(*list));
	if (list == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (part = xml_child(root, "Part"); part != NULL; part = xml_again(part)) {
		struct multipart_part p;

		if (read_part(part, &p, pr) != 0)
			return -1;
		if (*n > 0 && p.number < list[*n - 1].number)
			return s3_problem_set(pr, S3_InvalidPartOrder, NULL);
		/* A client that sent a part twice may list it twice: the last is meant. */
		if (*n == 0 || p.number > list[*n - 1].number)
			(*n)++;
		list[*n - 1] = p;
	}
	*out = list;
	return 0;
}

static void
free_hash(void *arg)
{
	hash_free(arg);
}

bool
multipart_whole_init(struct multipart_whole *w, struct arena *a, const struct multipart_sum *s)
{
	*w = (struct multipart_whole){ .sum = *s, .md5 = hash_new(HASH_MD5) };
	if (!arena_on_reset(a, free_hash, w->md5)) {
		hash_free(w->md5);
		return false;
	}
	if (s->type == CHECKSUM_FULL_OBJECT) {
		checksum_combiner_init(&w->crc, s->algo);
		return true;
	}
	w->parts = checksums_new(a, CHECKSUM_BIT(s->algo));
	return w->parts != NULL;
}

bool
multipart_whole_add(struct multipart_whole *w, const char *etag, const uint8_t *value, int64_t size)
{
	uint8_t md5[MD5_LEN];

	if (!hex_decode(span_of(etag), md5, sizeof(md5)))
		return false;
	hash_update(w->md5, md5, sizeof(md5));
	if (w->sum.type == CHECKSUM_FULL_OBJECT)
		checksum_combine(&w->crc, value, size);
	else
		checksums_update(w->parts, value, checksum_table[w->sum.algo].len);
	w->n++;
	return true;
}

void
multipart_whole_end(struct multipart_whole *w, char etag[MULTIPART_ETAG_SIZE], struct checksum_stored *sum)
{
	uint8_t md5[HASH_MAX_LEN];
	struct checksum_values v;

	(void)hash_final(w->md5, md5);
	hex_encode(md5, MD5_LEN, etag);
	(void)snprintf(etag + 2 * MD5_LEN, MULTIPART_ETAG_SIZE - 2 * MD5_LEN, "-%d", w->n);
	*sum = (struct checksum_stored){ .algo = w->sum.algo, .type = w->sum.type };
	if (w->sum.type == CHECKSUM_FULL_OBJECT) {
		checksum_combined(&w->crc, sum->value);
		return;
	}
	checksums_final(w->parts, &v);
	memcpy(sum->value, v.v[w->sum.algo], sizeof(sum->value));
	sum->parts = w->n;
}

/* The one x-amz-checksum-ALGORITHM of the request; CHECKSUM_NONE: there is none. */
static enum checksum
declared(const struct s3_headers *headers, struct span *value)
{
	for (int i = 0; i < CHECKSUM_COUNT; i++) {
		*value = s3_trim(s3_header_get(headers, checksum_table[i].header));
		if (value->len > 0)
			return (enum checksum)i;
	}
	return CHECKSUM_NONE;
}

int
multipart_whole_check(struct arena *a, const struct s3_headers *headers, const struct multipart_sum *s,
    const struct checksum_stored *sum, int64_t size, struct s3_problem *pr)
{
	struct span said_size = s3_trim(s3_header_get(headers, "x-amz-mp-object-size"));
	struct span said_type = s3_trim(s3_header_get(headers, TYPE)), value;
	enum checksum algo = declared(headers, &value);
	char text[CHECKSUM_TEXT_SIZE];
	enum checksum_type type;
	int64_t n;

	if (said_size.len > 0 && (!parse_i64(said_size, 0, INT64_MAX, &n) || n != size))
		return invalid(pr, arena_printf(a, "The provided 'x-amz-mp-object-size' header value %.*s does not match what was "
		    "computed: %" PRId64, (int)said_size.len, said_size.p, size));
	if (said_type.len > 0 && (!parse_type(said_type, &type) || type != s->type))
		return invalid(pr, arena_printf(a, "The upload was created using the %s checksum mode. The complete request must use "
		    "the same checksum mode.", checksum_type_name(s->type)));
	if (algo == CHECKSUM_NONE)
		return 0;
	if (multipart_sum_check(a, s, algo, true, pr) != 0)
		return -1;
	checksum_text(sum, text);
	/* A composite one may be said without its "-N". */
	if (span_eq(value, span_of(text)) ||
	    (s->type == CHECKSUM_COMPOSITE && span_eq(value, (struct span){ text, strcspn(text, "-") })))
		return 0;
	return s3_problem_set(pr, S3_BadDigest,
	    arena_printf(a, "The %s you specified did not match the calculated checksum.", lower_name(a, algo)));
}

/* ---- parameters ---- */

static int
number_param(struct span v, const char *name, int otherwise, int max, int *out, struct s3_problem *pr)
{
	int64_t n;

	*out = otherwise;
	if (v.len == 0)
		return 0;
	if (!parse_i64(v, 0, INT_MAX, &n))
		return s3_problem_argument(pr, "The parameter must be an integer between 0 and 2147483647", name, v);
	*out = n < max ? (int)n : max;
	return 0;
}

int
list_parts_params_parse(const struct s3_query *q, struct list_parts_params *out, struct s3_problem *pr)
{
	return number_param(s3_query_get(q, "max-parts"), "max-parts", LIST_PARTS_MAX, LIST_PARTS_MAX, &out->max, pr) != 0 ||
	    number_param(s3_query_get(q, "part-number-marker"), "part-number-marker", 0, INT_MAX, &out->marker, pr) != 0 ? -1 : 0;
}

int
list_uploads_params_parse(struct arena *a, const struct s3_query *q, struct list_uploads_params *out, struct s3_problem *pr)
{
	struct list_params lp; /* what it has in common with a list of objects */

	if (list_params_parse(a, q, false, &lp, pr) != 0)
		return -1;
	*out = (struct list_uploads_params){ .url = lp.url, .prefix = lp.prefix, .delimiter = lp.delimiter,
		.key_marker = s3_query_get(q, "key-marker"), .id_marker = s3_query_get(q, "upload-id-marker") };
	if (!utf8_valid(out->key_marker) || out->key_marker.len > S3_KEY_MAX)
		return s3_problem_argument(pr, "The key marker is no key", "key-marker", SPAN(""));
	if (out->key_marker.len == 0)
		out->id_marker = (struct span){ NULL, 0 };
	return number_param(s3_query_get(q, "max-uploads"), "max-uploads", LIST_MAX_KEYS, LIST_MAX_KEYS, &out->max, pr);
}

int
attributes_params_parse(const struct s3_headers *headers, struct attributes_params *out, struct s3_problem *pr)
{
	static const struct {
		struct span name;
		unsigned bit;
	} known[] = { { SPAN("ETag"), ATTRIBUTE_ETAG }, { SPAN("Checksum"), ATTRIBUTE_CHECKSUM },
		{ SPAN("ObjectParts"), ATTRIBUTE_PARTS }, { SPAN("StorageClass"), ATTRIBUTE_CLASS },
		{ SPAN("ObjectSize"), ATTRIBUTE_SIZE } };
	struct span rest = s3_header_get(headers, ATTRIBUTES), item;

	*out = (struct attributes_params){ .set = 0 };
	while (s3_list_next(&rest, ',', &item)) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) && !span_eq(item, known[i].name))
			i++;
		if (i == ARRAY_LEN(known))
			return s3_problem_argument(pr, "Invalid attribute name specified.", ATTRIBUTES, item);
		out->set |= known[i].bit;
	}
	if (out->set == 0)
		return invalid(pr, "The " ATTRIBUTES " header specifying the attributes to be retrieved is either missing or empty");
	return number_param(s3_trim(s3_header_get(headers, "x-amz-max-parts")), "x-amz-max-parts", LIST_PARTS_MAX, LIST_PARTS_MAX,
	    &out->parts.max, pr) != 0 ||
	    number_param(s3_trim(s3_header_get(headers, "x-amz-part-number-marker")), "x-amz-part-number-marker", 0, INT_MAX,
	    &out->parts.marker, pr) != 0 ? -1 : 0;
}
