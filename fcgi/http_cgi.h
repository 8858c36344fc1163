/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/http_cgi.h - the transport of --once: environment, standard input and output. */
#ifndef ANVIL_FCGI_HTTP_CGI_H
#define ANVIL_FCGI_HTTP_CGI_H

#include "fcgi/http.h"

struct http_cgi {
	struct http http;
	int in, out;
	int64_t left;              /* body bytes still to come; -1: until the end of the input */
};
/* The process's environment, and two descriptors that stay the caller's. */
void http_cgi_init(struct http_cgi *c, char **env, int in, int out);

#endif
