/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/xml_read.c - reading XML into a small tree, on libxml2's SAX interface.
 *
 * Owns:      the parser's context during one call; the tree is the arena's.
 * Invariant: the input is UTF-8 whatever it declares; a DOCTYPE ends it at once,
 *            so that no entity but the five of XML is ever known, and nothing is
 *            ever fetched.
 */
#include "s3/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "base/parse.h"
#include "s3/errors.h"

#define DEPTH_MAX 16
#define NAMES_KEPT 32
#define NAME_MAX_LEN 128

struct reader {
	struct arena *arena;
	xmlParserCtxtPtr ctxt;
	const struct xml_limits *limits;
	struct xml_node *root;
	struct xml_node *open[DEPTH_MAX];  /* the way down to here */
	struct xml_node *last[DEPTH_MAX];  /* the youngest child on each level */
	int depth;
	size_t nodes;
	struct strbuf text;                /* of the element that is open */
	const char *names[NAMES_KEPT];     /* so that 1,000 <Key>s share one name */
	int n_names;
	bool refused;                      /* not what a client may send */
	bool full;                         /* the arena's cap */
};

static void
stop(struct reader *r, bool full)
{
	if (full)
		r->full = true;
	r->refused = true;
	xmlStopParser(r->ctxt);
}

static bool
blank(const struct strbuf *sb)
{
	for (size_t i = 0; i < sb->len; i++)
		if (!xml_blank(sb->buf[i]))
			return false;
	return true;
}

static const char *
keep_name(struct reader *r, const char *name)
{
	char *kept;

	for (int i = 0; i < r->n_names; i++)
		if (strcmp(r->names[i], name) == 0)
			return r->names[i];
	kept = arena_strdup(r->arena, name);
	if (kept != NULL && r->n_names < NAMES_KEPT)
		r->names[r->n_names++] = kept;
	return kept;
}

static struct span
keep_text(struct reader *r, const char *p, size_t len)
{
	char *kept = arena_strndup(r->arena, p, len);

	return (struct span){ kept, kept == NULL ? 0 : len };
}

/* libxml2 gives five pointers an attribute: name, prefix, URI, value, value's end. */
static void
keep_attrs(struct reader *r, struct xml_node *n, int count, const xmlChar **at)
{
	for (int i = 0; i < count; i++, at += 5) {
		struct xml_attr *attr = ARENA_NEW(r->arena, struct xml_attr);

		if (attr == NULL || ++r->nodes > r->limits->nodes) {
			stop(r, attr == NULL);
			return;
		}
		attr->name = keep_name(r, (const char *)at[0]);
		attr->value = keep_text(
		    r, (const char *)at[3], (size_t)(at[4] - at[3]));
		attr->next = n->attrs;
		n->attrs = attr;
		if (attr->name == NULL || attr->value.p == NULL) {
			stop(r, true);
			return;
		}
	}
}

static void
link_node(struct reader *r, struct xml_node *n)
{
	if (r->depth == 0)
		r->root = n;
	else if (r->last[r->depth - 1] == NULL)
		r->open[r->depth - 1]->child = n;
	else
		r->last[r->depth - 1]->next = n;
	if (r->depth > 0)
		r->last[r->depth - 1] = n;
	r->open[r->depth] = n;
	r->last[r->depth] = NULL;
	r->depth++;
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int n_ns, const xmlChar **ns, int n_attrs,
    int n_defaulted, const xmlChar **attrs)
{
	struct reader *r = arg;
	struct xml_node *n;

	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_defaulted;
	if (r->refused)
		return;
	if (r->depth >= r->limits->depth || r->depth >= DEPTH_MAX ||
	    ++r->nodes > r->limits->nodes || !blank(&r->text) ||
	    strlen((const char *)name) > NAME_MAX_LEN) {
		stop(r, false);
		return;
	}
	strbuf_clear(&r->text);
	n = ARENA_NEW(r->arena, struct xml_node);
	if (n == NULL || (n->name = keep_name(r, (const char *)name)) == NULL) {
		stop(r, true);
		return;
	}
	n->text = SPAN("");
	link_node(r, n);
	keep_attrs(r, n, n_attrs, attrs);
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = arg;
	struct xml_node *n;

	(void)name, (void)prefix, (void)uri;
	if (r->refused || r->depth == 0)
		return;
	n = r->open[--r->depth];
	if (n->child != NULL) {
		/* Text between elements: no document of S3 has any. */
		if (!blank(&r->text))
			stop(r, false);
	} else if (r->text.len > 0) {
		n->text = keep_text(r, r->text.buf, r->text.len);
		if (n->text.p == NULL)
			stop(r, true);
	}
	strbuf_clear(&r->text);
}

static void
on_text(void *arg, const xmlChar *p, int len)
{
	struct reader *r = arg;

	if (r->refused || r->depth == 0)
		return;
	strbuf_add(&r->text, p, (size_t)len);
	if (!strbuf_ok(&r->text))
		stop(r, true);
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
    const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	stop(arg, false);
}

/* A reference to an entity that is not one of XML's own. */
static void
on_reference(void *arg, const xmlChar *name)
{
	(void)name;
	stop(arg, false);
}

static void
on_error(void *arg, xmlErrorPtr error)
{
	/* Said once, by wellFormed; libxml2 would print it. */
	(void)arg, (void)error;
}

static void
handlers(xmlSAXHandler *sax)
{
	memset(sax, 0, sizeof(*sax));
	sax->initialized = XML_SAX2_MAGIC;
	sax->startElementNs = on_start;
	sax->endElementNs = on_end;
	sax->characters = on_text;
	sax->ignorableWhitespace = on_text;
	sax->cdataBlock = on_text;
	sax->internalSubset = on_doctype;
	sax->externalSubset = on_doctype;
	sax->reference = on_reference;
	sax->serror = on_error;
}

static struct xml_node *
malformed(struct s3_problem *pr)
{
	s3_problem_set(pr, S3_MalformedXML, NULL);
	return NULL;
}

/* Runs the parser; true when the document is well-formed. */
static bool
run(struct reader *r, struct span doc)
{
	xmlSAXHandler sax;
	bool well;

	r->ctxt = xmlCreateMemoryParserCtxt(doc.p, (int)doc.len);
	if (r->ctxt == NULL) {
		r->full = true;
		return false;
	}
	handlers(&sax);
	*r->ctxt->sax = sax;
	r->ctxt->sax2 = 1;
	r->ctxt->userData = r;
	xmlCtxtUseOptions(r->ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	xmlSwitchEncoding(r->ctxt, XML_CHAR_ENCODING_UTF8);
	xmlParseDocument(r->ctxt);
	well = r->ctxt->wellFormed != 0;
	/* Nothing built a document; if something ever does, it ends here. */
	xmlFreeDoc(r->ctxt->myDoc);
	r->ctxt->myDoc = NULL;
	xmlFreeParserCtxt(r->ctxt);
	r->ctxt = NULL;
	return well;
}

struct xml_node *
xml_parse(struct arena *a, struct span doc, const char *root,
    const struct xml_limits *limits, struct s3_problem *pr)
{
	struct reader r = { .arena = a, .limits = limits };
	bool well;

	if (doc.len > limits->bytes || doc.len > INT_MAX) {
		s3_problem_set(pr, S3_MaxMessageLengthExceeded, NULL);
		s3_problem_extra(pr, "MaxMessageLengthBytes",
		    span_of(arena_printf(a, "%zu", limits->bytes)));
		return NULL;
	}
	if (doc.len == 0 || memchr(doc.p, 0, doc.len) != NULL ||
	    !utf8_valid(doc))
		return malformed(pr);
	strbuf_init(&r.text, a, limits->bytes);
	well = run(&r, doc);
	if (r.full) {
		s3_problem_set(pr, S3_InternalError, NULL);
		return NULL;
	}
	if (!well || r.refused || r.root == NULL || r.depth != 0)
		return malformed(pr);
	if (root != NULL && strcmp(r.root->name, root) != 0)
		return malformed(pr);
	return r.root;
}

const struct xml_node *
xml_child(const struct xml_node *n, const char *name)
{
	if (n == NULL)
		return NULL;
	for (n = n->child; n != NULL; n = n->next)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

const struct xml_node *
xml_again(const struct xml_node *n)
{
	const char *name = n->name;

	while ((n = n->next) != NULL)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

/* The child whose name is the first `len` bytes of `name`. */
static const struct xml_node *
child_span(const struct xml_node *n, const char *name, size_t len)
{
	for (n = n->child; n != NULL; n = n->next)
		if (strlen(n->name) == len && memcmp(n->name, name, len) == 0)
			return n;
	return NULL;
}

struct span
xml_at(const struct xml_node *n, const char *path)
{
	while (n != NULL) {
		const char *slash = strchr(path, '/');
		size_t len = slash == NULL ? strlen(path) : (size_t)(slash - path);

		n = child_span(n, path, len);
		if (n != NULL && slash == NULL)
			return n->text;
		path = slash == NULL ? path : slash + 1;
	}
	return (struct span){ NULL, 0 };
}

struct span
xml_attr(const struct xml_node *n, const char *name)
{
	for (const struct xml_attr *at = n->attrs; at != NULL; at = at->next)
		if (strcmp(at->name, name) == 0)
			return at->value;
	return (struct span){ NULL, 0 };
}

static int
count_children(const struct xml_node *n, const char *name)
{
	int count = 0;

	for (n = n->child; n != NULL; n = n->next)
		if (strcmp(n->name, name) == 0)
			count++;
	return count;
}

static const struct xml_rule *
rule_of(const struct xml_rule *rules, const char *name)
{
	for (; rules->name != NULL; rules++)
		if (strcmp(rules->name, name) == 0)
			return rules;
	return NULL;
}

/* As deep as the rules are, which xml_parse bounds with the tree. */
int
xml_conforms(const struct xml_node *n, const struct xml_rule *rules,
    struct s3_problem *pr)
{
	for (const struct xml_rule *r = rules; r->name != NULL; r++) {
		int count = count_children(n, r->name);

		if (count < r->min || (r->max > 0 && count > r->max))
			return s3_problem_set(pr, S3_MalformedXML, NULL);
	}
	for (const struct xml_node *c = n->child; c != NULL; c = c->next) {
		const struct xml_rule *r = rule_of(rules, c->name);

		if (r == NULL || (r->below == NULL && c->child != NULL))
			return s3_problem_set(pr, S3_MalformedXML, NULL);
		if (r->below != NULL && xml_conforms(c, r->below, pr) != 0)
			return -1;
	}
	if (rules->name != NULL && n->child == NULL && n->text.len > 0)
		for (size_t i = 0; i < n->text.len; i++)
			if (!xml_blank(n->text.p[i]))
				return s3_problem_set(pr, S3_MalformedXML, NULL);
	return 0;
}
