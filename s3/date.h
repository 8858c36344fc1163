/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/date.h - the forms of time that S3 writes and reads, by hand, so that no
 * locale and no time zone gets in. Times are microseconds UTC since 1970.
 */
#ifndef ANVIL_S3_DATE_H
#define ANVIL_S3_DATE_H

#include "base/base.h"

#define DATE_DAY_SIZE 9    /* 20130524 */
#define DATE_BASIC_SIZE 17 /* 20130524T000000Z */
#define DATE_ISO_SIZE 25   /* 2013-05-24T00:00:00.000Z */
#define DATE_HTTP_SIZE 30  /* Fri, 24 May 2013 00:00:00 GMT */

/* Writers; years outside 0..9999 are clamped. `out` ends in NUL. */
void date_day(int64_t us, char out[DATE_DAY_SIZE]);
void date_basic(int64_t us, char out[DATE_BASIC_SIZE]);
void date_iso_ms(int64_t us, char out[DATE_ISO_SIZE]);
/* Without the fraction: 2013-05-24T00:00:00Z (fits DATE_ISO_SIZE). */
void date_iso_s(int64_t us, char out[DATE_ISO_SIZE]);
void date_http(int64_t us, char out[DATE_HTTP_SIZE]);

/* Parsers; the whole span must be one date, each field in its range. */
bool date_parse_day(struct span s, int64_t *us);
bool date_parse_basic(struct span s, int64_t *us);
/* 2013-05-24, or ...T00:00:00[.fraction](Z|+hh:mm|-hh:mm); digits past the microsecond are dropped. */
bool date_parse_iso(struct span s, int64_t *us);
/*
 * RFC 9110 5.6.7: IMF-fixdate, rfc850-date and asctime-date. The day of the week
 * must be one but need not fit. now_us decides the century of rfc850's two digits:
 * what would lie more than 50 years ahead is past.
 */
bool date_parse_http(struct span s, int64_t now_us, int64_t *us);

#endif
