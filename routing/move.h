/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/move.h - what the region that a bucket comes to asks the one that it leaves (ARCHITECTURE.md, "A bucket moves").
 *
 * A GET of one of these below the source's endpoint, with a hop header whose domain is HOP_MOVE: no relayed request has
 * that, so that no client can have one made. bucket and move are their ids. Answers are base/codec.h's, behind a version.
 *
 *   /-/move/out?bucket&move                    outcome u8 (enum moving_out), columns str
 *   /-/move/page?bucket&move&after             next str, rows i64, remaining i64, items bytes
 *   /-/move/changes?bucket&move&batch&done     the same, next ""
 *   /-/move/freeze?bucket&move&no              frozen u8
 *   /-/move/settle?bucket&move                 state str
 *   /-/move/blob?id                            head bytes (below), the bytes as they are stored, SHA-256 of these; 404
 *
 * A blob's head: stored i64, named u8; when it is 1, what the row says: key bytes, part i64, size i64, etag str,
 * checksums bytes, sse bytes, sealed_as 16 bytes.
 */
#ifndef ANVIL_ROUTING_MOVE_H
#define ANVIL_ROUTING_MOVE_H

#define MOVE_PATH "/-/move/"
#define MOVE_KEY "move/"           /* of MOVE_PATH, as a key of the service's own bucket */
#define MOVE_VERSION 2
#define MOVE_HEAD_MAX 16384         /* of a blob */
#define MOVE_PAGE_ROWS 500
#define MOVE_PAGE_BYTES (2 * 1024 * 1024)
#define MOVE_FROM_START "-"        /* a parameter without a value would be a question of S3 */
#define HOP_MOVE "/"               /* no domain is that */

#endif
