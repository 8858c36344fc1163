/* SPDX-License-Identifier: Apache-2.0 */
/* routing/relay_impl.h - what the two files of the relay share. */
#ifndef ANVIL_ROUTING_RELAY_IMPL_H
#define ANVIL_ROUTING_RELAY_IMPL_H

#include <curl/curl.h>

#include "routing/relay.h"

/* One connection's, or libcurl's to make: not passed on. */
bool relay_header_stays(struct span name);
/* Every header as it came, with libcurl's own additions taken back. curl_slist_free_all; NULL: no memory. */
struct curl_slist *relay_headers(struct arena *a, const struct relay_request *rq);

#endif
