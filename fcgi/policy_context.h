/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/policy_context.h - what policies may ask about a request: keys of conditions, and their values. */
#ifndef ANVIL_FCGI_POLICY_CONTEXT_H
#define ANVIL_FCGI_POLICY_CONTEXT_H

#include "fcgi/identity.h"
#include "s3/policy.h"

/*
 * Fills in `c`. want_tags: a policy asks for tags of the object that is there (s3:ExistingObjectTag), which costs
 * reading its row. false: they could not be read, so that nothing may be allowed.
 */
MUST_CHECK bool policy_context_fill(const struct req *r, const struct identity *who, const char *action, struct span key,
    bool want_tags, struct policy_context *c);

#endif
