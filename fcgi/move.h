/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/move.h - what this region gives out of a bucket that leaves it (routing/move.h). */
#ifndef ANVIL_FCGI_MOVE_H
#define ANVIL_FCGI_MOVE_H

#include "fcgi/req.h"

/* Does another region's mover ask? Whoever else does is told that there is no such thing. */
bool move_is(const struct req *r);
MUST_CHECK int move_answer(struct req *r);

#endif
