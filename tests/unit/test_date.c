/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_date.c - dates in and out.
 */
#include "s3/date.h"

#include <check.h>

#include "base/clock.h"
#include "tests/unit/suite_help.h"

#define S(n) (INT64_C(n) * US_PER_S)
#define NOW S(1764077400) /* 2025-11-25T13:30:00Z */

/* --- writing --- */

static const struct {
	int64_t us;
	const char *day, *basic, *iso_ms, *iso_s, *http;
} written[] = {
	{ S(1369353600), "20130524", "20130524T000000Z", "2013-05-24T00:00:00.000Z", "2013-05-24T00:00:00Z",
	    "Fri, 24 May 2013 00:00:00 GMT" },
	{ 0, "19700101", "19700101T000000Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z",
	    "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ -1, "19691231", "19691231T235959Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z",
	    "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ S(951782400) + 123999, "20000229", "20000229T000000Z", "2000-02-29T00:00:00.123Z", "2000-02-29T00:00:00Z",
	    "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ S(784111777), "19941106", "19941106T084937Z", "1994-11-06T08:49:37.000Z", "1994-11-06T08:49:37Z",
	    "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ S(253402300799) + 999999, "99991231", "99991231T235959Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z",
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MAX, "99991231", "99991231T235959Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z",
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MIN, "00000101", "00000101T000000Z", "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00Z",
	    "Sat, 01 Jan 0000 00:00:00 GMT" },
};

START_TEST(test_date_written)
{
	char day[DATE_DAY_SIZE], basic[DATE_BASIC_SIZE], iso[DATE_ISO_SIZE], http[DATE_HTTP_SIZE];
	int64_t us = written[_i].us;

	date_day(us, day);
	ck_assert_str_eq(day, written[_i].day);
	date_basic(us, basic);
	ck_assert_str_eq(basic, written[_i].basic);
	date_iso_ms(us, iso);
	ck_assert_str_eq(iso, written[_i].iso_ms);
	date_iso_s(us, iso);
	ck_assert_str_eq(iso, written[_i].iso_s);
	date_http(us, http);
	ck_assert_str_eq(http, written[_i].http);
}
END_TEST

/* --- reading --- */

enum form { DAY, BASIC, ISO, HTTP };
#define BAD INT64_MIN

static const struct {
	enum form form;
	const char *text;
	int64_t us;
} parsed[] = {
	{ DAY, "20130524", S(1369353600) },
	{ DAY, "20130229", BAD },
	{ DAY, "20120229", S(1330473600) },
	{ DAY, "2013052", BAD },
	{ DAY, "201305240", BAD },
	{ DAY, "2013-5-4", BAD },
	{ DAY, "20131324", BAD },
	{ DAY, "20130500", BAD },
	{ DAY, "", BAD },
	{ BASIC, "20130524T000000Z", S(1369353600) },
	{ BASIC, "20130524T235959Z", S(1369439999) },
	{ BASIC, "20130524T235960Z", S(1369439999) },
	{ BASIC, "20130524T240000Z", BAD },
	{ BASIC, "20130524T006000Z", BAD },
	{ BASIC, "20130524T000061Z", BAD },
	{ BASIC, "20130524T000000", BAD },
	{ BASIC, "20130524t000000z", BAD },
	{ BASIC, "20130524T000000Z ", BAD },
	{ BASIC, "20130524 000000Z", BAD },
	{ BASIC, "2013052AT000000Z", BAD },
	{ ISO, "2013-05-24", S(1369353600) },
	{ ISO, "2013-05-24T00:00:00Z", S(1369353600) },
	{ ISO, "2013-05-24T00:00:00.000Z", S(1369353600) },
	{ ISO, "2013-05-24T00:00:00.5Z", S(1369353600) + 500000 },
	{ ISO, "2013-05-24T00:00:00.1234567890Z", S(1369353600) + 123456 },
	{ ISO, "2013-05-24T02:00:00+02:00", S(1369353600) },
	{ ISO, "2013-05-23T18:30:00.25-05:30", S(1369353600) + 250000 },
	{ ISO, "2013-05-24T00:00:00", BAD },
	{ ISO, "2013-05-24T00:00:00.Z", BAD },
	{ ISO, "2013-05-24T00:00:00+24:00", BAD },
	{ ISO, "2013-05-24T00:00:00+0200", BAD },
	{ ISO, "2013-05-24T00:00", BAD },
	{ ISO, "2013-05-", BAD },
	{ ISO, "2013-02-30T00:00:00Z", BAD },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 GMT", S(784111777) },
	{ HTTP, "Mon, 06 Nov 1994 08:49:37 GMT", S(784111777) },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 -0000", S(784111777) },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 +0000", S(784111777) },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 +0100", BAD },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 -00000", BAD },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 -000", BAD },
	{ HTTP, "Sunday, 06-Nov-94 08:49:37 GMT", S(784111777) },
	{ HTTP, "Sun Nov  6 08:49:37 1994", S(784111777) },
	{ HTTP, "Wed Nov 16 08:49:37 1994", S(784975777) },
	{ HTTP, "Friday, 01-Jan-75 00:00:00 GMT", S(3313526400) },
	{ HTTP, "Friday, 01-Jan-76 00:00:00 GMT", S(189302400) },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37 UTC", BAD },
	{ HTTP, "Sun, 06 Nov 1994 08:49:37", BAD },
	{ HTTP, "Sun, 6 Nov 1994 08:49:37 GMT", BAD },
	{ HTTP, "sun, 06 Nov 1994 08:49:37 GMT", BAD },
	{ HTTP, "Sun, 06 Foo 1994 08:49:37 GMT", BAD },
	{ HTTP, "Sun, 31 Nov 1994 08:49:37 GMT", BAD },
	{ HTTP, "Sun", BAD },
	{ HTTP, "Sunday", BAD },
	{ HTTP, "Sun, 06 No", BAD },
	{ HTTP, "Sun Nov  6 08:49:37 199", BAD },
	{ HTTP, "0", BAD },
	{ HTTP, "", BAD },
};

START_TEST(test_date_parsed)
{
	struct span text = span_of(parsed[_i].text);
	int64_t us = 0;
	bool ok = false;

	switch (parsed[_i].form) {
	case DAY:
		ok = date_parse_day(text, &us);
		break;
	case BASIC:
		ok = date_parse_basic(text, &us);
		break;
	case ISO:
		ok = date_parse_iso(text, &us);
		break;
	case HTTP:
		ok = date_parse_http(text, NOW, &us);
		break;
	}
	ck_assert_msg(ok == (parsed[_i].us != BAD), "\"%s\": %s", text.p, ok ? "taken" : "refused");
	if (ok)
		ck_assert_msg(us == parsed[_i].us, "\"%s\": %" PRId64 ", expected %" PRId64, text.p, us, parsed[_i].us);
}
END_TEST

static Suite *
date_suite(void)
{
	Suite *s = suite_create("date");
	TCase *t = tcase_create("date");

	tcase_add_loop_test(t, test_date_written, 0, (int)ARRAY_LEN(written));
	tcase_add_loop_test(t, test_date_parsed, 0, (int)ARRAY_LEN(parsed));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(date_suite());
}
