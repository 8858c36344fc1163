/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/banned.h - calls that have a better one here, made compile errors.
 * Function-like macros, so that a library's header may still name a parameter
 * or a member so; `make lint` finds what takes such a function's address.
 */
#ifndef ANVIL_BASE_BANNED_H
#define ANVIL_BASE_BANNED_H

#define BANNED(func) sorry_##func##_is_banned_see_base_parse_and_strbuf

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef strtok_r
#undef atoi
#undef atol
#undef atoll
#undef strtol
#undef strtoul
#undef strtoll
#undef strtoull
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#undef strftime
#undef rand
#undef random
#undef tmpnam
#undef mktemp
#define strcpy(...) BANNED(strcpy)
#define strcat(...) BANNED(strcat)
#define strncpy(...) BANNED(strncpy)
#define strncat(...) BANNED(strncat)
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define strtok(...) BANNED(strtok)
#define strtok_r(...) BANNED(strtok_r)
#define atoi(...) BANNED(atoi)
#define atol(...) BANNED(atol)
#define atoll(...) BANNED(atoll)
#define strtol(...) BANNED(strtol)
#define strtoul(...) BANNED(strtoul)
#define strtoll(...) BANNED(strtoll)
#define strtoull(...) BANNED(strtoull)
#define gmtime(...) BANNED(gmtime)
#define localtime(...) BANNED(localtime)
#define ctime(...) BANNED(ctime)
#define asctime(...) BANNED(asctime)
#define strftime(...) BANNED(strftime)
#define rand(...) BANNED(rand)
#define random(...) BANNED(random)
#define tmpnam(...) BANNED(tmpnam)
#define mktemp(...) BANNED(mktemp)

#endif
