/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/xml.h - XML out and in.
 *
 * The writer appends to a strbuf and escapes as S3 does: & < > " by name, CR, LF,
 * TAB and the control characters that XML 1.0 cannot hold as character references
 * (clients ask for encoding-type=url to be spared them).
 * The reader makes a small tree in an arena: no entities, no DTD, no network, and
 * limits on size, depth and count. Namespaces are dropped, comments ignored.
 */
#ifndef ANVIL_S3_XML_H
#define ANVIL_S3_XML_H

#include "base/strbuf.h"
#include "s3/problem.h"

#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_S3_NS "http://s3.amazonaws.com/doc/2006-03-01/"

/* The declaration and the root element in S3's namespace. */
void xml_begin(struct strbuf *sb, const char *root);
void xml_open(struct strbuf *sb, const char *name);
void xml_close(struct strbuf *sb, const char *name);
/* <name>text</name> */
void xml_text(struct strbuf *sb, const char *name, struct span text);
void xml_str(struct strbuf *sb, const char *name, const char *text); /* NULL: nothing is written */
void xml_int(struct strbuf *sb, const char *name, int64_t n);
void xml_bool(struct strbuf *sb, const char *name, bool v);
void xml_time(struct strbuf *sb, const char *name, int64_t us);       /* 2013-05-24T00:00:00.000Z */
void xml_etag(struct strbuf *sb, const char *name, const char *etag); /* adds the quotes */
/* A tree that was read, as a document of its own in S3's namespace: attributes and blanks between elements are left out. */
struct xml_node;
void xml_document(struct strbuf *sb, const struct xml_node *root);
/* The same of what stands in an element: its children, or its text. */
void xml_inside(struct strbuf *sb, const struct xml_node *n);
/* Text alone; bytes that are not UTF-8 become U+FFFD. */
void xml_escape(struct strbuf *sb, struct span text);

/* XML's white space. */
static inline bool
xml_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct xml_attr {
	const char *name;
	struct span value;
	struct xml_attr *next;
};
struct xml_node {
	const char *name;           /* without prefix */
	struct span text;           /* its own text, as it came; whole only when it has no children */
	struct xml_node *child, *next;
	struct xml_attr *attrs;
};
struct xml_limits {
	size_t bytes;
	int depth;
	size_t nodes;
};
#define XML_LIMITS_SMALL ((struct xml_limits){ 65536, 8, 1024 })     /* configurations */
#define XML_LIMITS_CONFIG ((struct xml_limits){ 262144, 8, 65536 }) /* lifecycle may have a thousand rules */
#define XML_LIMITS_LISTS ((struct xml_limits){ 2097152, 8, 65536 }) /* DeleteObjects, CompleteMultipartUpload */

/*
 * Read a document whose root must be called `root` (NULL: any). The tree is in
 * `a`. NULL with pr: MalformedXML, MaxMessageLengthExceeded, InternalError (arena).
 */
struct xml_node *xml_parse(struct arena *a, struct span doc, const char *root,
    const struct xml_limits *limits, struct s3_problem *pr);
/* The first child of that name / the next sibling of the same name; NULL when there is none. */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
const struct xml_node *xml_again(const struct xml_node *n);
/* Text at "A/B/C" below n; p is NULL when it is not there. */
struct span xml_at(const struct xml_node *n, const char *path);
struct span xml_attr(const struct xml_node *n, const char *name);

/*
 * Does n hold what a schema says? Rows end in name NULL. `min` and `max` count
 * the children of that name; max 0 = any number. A child in no row is refused.
 */
struct xml_rule {
	const char *name;
	int min, max;
	const struct xml_rule *below; /* NULL: text only */
};
/* 0, or -1 with pr: MalformedXML. */
MUST_CHECK int xml_conforms(const struct xml_node *n, const struct xml_rule *rules, struct s3_problem *pr);

#endif
