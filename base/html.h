/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/html.h - writers by destination, so that escaping cannot be
 * forgotten: what is between tags, what is in a quoted attribute, what is a
 * part of a URL.
 */
#ifndef ANVIL_BASE_HTML_H
#define ANVIL_BASE_HTML_H

#include "base/strbuf.h"

/* What & < > and " are written as, in HTML as in XML. NULL: c needs no more. */
const char *markup_entity(char c);
/* Text between tags. Control bytes and broken UTF-8 become U+FFFD. */
void html_text(struct strbuf *sb, const char *s);
/* The value of an attribute in double or single quotes. The same set is escaped. */
void html_attr(struct strbuf *sb, const char *s);
/* One component of a path or query: all but A-Z a-z 0-9 - . _ ~ is %XX. */
void url_component(struct strbuf *sb, const char *s);

#endif
