/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/banned.h - calls that have a better one here, made compile errors.
 * After the system headers, whose own declarations are left alone.
 */
#ifndef ANVIL_BASE_BANNED_H
#define ANVIL_BASE_BANNED_H

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok strtok_r atoi atol atoll
#pragma GCC poison strtol strtoul strtoll strtoull strtod
#pragma GCC poison gmtime localtime ctime asctime strftime
#pragma GCC poison rand srand random srandom tmpnam mktemp

#endif
