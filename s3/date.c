/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/date.c - dates of S3 and HTTP to text and back, without strftime.
 *
 * Owns:       nothing.
 * Called by:  s3/sigv4.c, writers of XML and headers, conditional requests.
 * Blocks:     no.
 */
#include "s3/date.h"

#include "base/clock.h"

static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const day_long[7] = { "Sunday", "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z */
#define US_MIN (INT64_C(-62167219200) * US_PER_S)
#define US_MAX (INT64_C(253402300800) * US_PER_S - 1)

static void
utc_of(int64_t us, struct clock_utc *t)
{
	clock_utc(us < US_MIN ? US_MIN : us > US_MAX ? US_MAX : us, t);
}

/* `n` digits of v, with leading zeros. */
static char *
digits(char *p, int v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static char *
text(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

/* --- writing --- */

void
date_day(int64_t us, char out[DATE_DAY_SIZE])
{
	struct clock_utc t;
	char *p = out;

	utc_of(us, &t);
	p = digits(p, t.year, 4);
	p = digits(p, t.month, 2);
	p = digits(p, t.day, 2);
	*p = '\0';
}

void
date_basic(int64_t us, char out[DATE_BASIC_SIZE])
{
	struct clock_utc t;
	char *p = out + 8;

	utc_of(us, &t);
	date_day(us, out);
	*p++ = 'T';
	p = digits(p, t.hour, 2);
	p = digits(p, t.minute, 2);
	p = digits(p, t.second, 2);
	*p++ = 'Z';
	*p = '\0';
}

static char *
iso(char *p, const struct clock_utc *t)
{
	p = digits(p, t->year, 4);
	*p++ = '-';
	p = digits(p, t->month, 2);
	*p++ = '-';
	p = digits(p, t->day, 2);
	*p++ = 'T';
	p = digits(p, t->hour, 2);
	*p++ = ':';
	p = digits(p, t->minute, 2);
	*p++ = ':';
	return digits(p, t->second, 2);
}

void
date_iso_ms(int64_t us, char out[DATE_ISO_SIZE])
{
	struct clock_utc t;
	char *p;

	utc_of(us, &t);
	p = iso(out, &t);
	*p++ = '.';
	p = digits(p, t.usec / 1000, 3);
	*p++ = 'Z';
	*p = '\0';
}

void
date_iso_s(int64_t us, char out[DATE_ISO_SIZE])
{
	struct clock_utc t;
	char *p;

	utc_of(us, &t);
	p = iso(out, &t);
	*p++ = 'Z';
	*p = '\0';
}

void
date_http(int64_t us, char out[DATE_HTTP_SIZE])
{
	struct clock_utc t;
	char *p = out;

	utc_of(us, &t);
	p = text(p, day_names[t.weekday]);
	p = text(p, ", ");
	p = digits(p, t.day, 2);
	*p++ = ' ';
	p = text(p, month_names[t.month - 1]);
	*p++ = ' ';
	p = digits(p, t.year, 4);
	*p++ = ' ';
	p = digits(p, t.hour, 2);
	*p++ = ':';
	p = digits(p, t.minute, 2);
	*p++ = ':';
	p = digits(p, t.second, 2);
	p = text(p, " GMT");
	*p = '\0';
}

/* --- reading: a cursor that sticks at the first thing that does not fit --- */

struct scan {
	const char *p, *end;
	bool ok;
};

static int
num(struct scan *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!s->ok || s->p == s->end || *s->p < '0' || *s->p > '9') {
			s->ok = false;
			return 0;
		}
		v = v * 10 + (*s->p++ - '0');
	}
	return v;
}

static void
lit(struct scan *s, const char *want)
{
	size_t n = strlen(want);

	if (!s->ok || (size_t)(s->end - s->p) < n || memcmp(s->p, want, n) != 0)
		s->ok = false;
	else
		s->p += n;
}

static bool
peek(const struct scan *s, char c)
{
	return s->ok && s->p < s->end && *s->p == c;
}

static void
hms(struct scan *s, struct clock_utc *t)
{
	t->hour = num(s, 2);
	lit(s, ":");
	t->minute = num(s, 2);
	lit(s, ":");
	t->second = num(s, 2);
}

static int
month(struct scan *s)
{
	for (int i = 0; s->ok && i < 12; i++)
		if (s->end - s->p >= 3 && memcmp(s->p, month_names[i], 3) == 0) {
			s->p += 3;
			return i + 1;
		}
	s->ok = false;
	return 0;
}

static bool
done(struct scan *s, struct clock_utc *t, int64_t *us)
{
	/* A leap second is a second like the one before it. */
	if (t->second == 60)
		t->second = 59;
	return s->ok && s->p == s->end && clock_from_utc(t, us);
}

static struct scan
scan_of(struct span s)
{
	/* A header that is not there has no address at all. */
	return (struct scan){ s.p, s.len > 0 ? s.p + s.len : s.p, s.len > 0 };
}

bool
date_parse_day(struct span s, int64_t *us)
{
	struct scan sc = scan_of(s);
	struct clock_utc t = { 0 };

	t.year = num(&sc, 4);
	t.month = num(&sc, 2);
	t.day = num(&sc, 2);
	return done(&sc, &t, us);
}

bool
date_parse_basic(struct span s, int64_t *us)
{
	struct scan sc = scan_of(s);
	struct clock_utc t = { 0 };

	t.year = num(&sc, 4);
	t.month = num(&sc, 2);
	t.day = num(&sc, 2);
	lit(&sc, "T");
	t.hour = num(&sc, 2);
	t.minute = num(&sc, 2);
	t.second = num(&sc, 2);
	lit(&sc, "Z");
	return done(&sc, &t, us);
}

static void
fraction(struct scan *s, struct clock_utc *t)
{
	int scale = 100000, n = 0;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		t->usec += (*s->p++ - '0') * scale;
		scale /= 10;
		n++;
	}
	if (n == 0)
		s->ok = false;
}

bool
date_parse_iso(struct span s, int64_t *us)
{
	struct scan sc = scan_of(s);
	struct clock_utc t = { 0 };
	int64_t offset_s = 0;

	t.year = num(&sc, 4);
	lit(&sc, "-");
	t.month = num(&sc, 2);
	lit(&sc, "-");
	t.day = num(&sc, 2);
	if (sc.ok && sc.p == sc.end)
		return done(&sc, &t, us);
	lit(&sc, "T");
	hms(&sc, &t);
	if (peek(&sc, '.')) {
		sc.p++;
		fraction(&sc, &t);
	}
	if (peek(&sc, '+') || peek(&sc, '-')) {
		int sign = *sc.p++ == '-' ? 1 : -1;
		int h = num(&sc, 2), m;

		lit(&sc, ":");
		m = num(&sc, 2);
		if (h > 23 || m > 59)
			return false;
		offset_s = (int64_t)sign * (h * 3600 + m * 60);
	} else {
		lit(&sc, "Z");
	}
	if (!done(&sc, &t, us))
		return false;
	*us += offset_s * US_PER_S;
	return true;
}

/* "GMT"; and in numbers, as mail has it and botocore writes Date. */
static void
zone(struct scan *s)
{
	static const char *const none[] = { " GMT", " -0000", " +0000" };

	for (size_t i = 0; s->ok && i < ARRAY_LEN(none); i++) {
		size_t n = strlen(none[i]);

		if ((size_t)(s->end - s->p) == n && memcmp(s->p, none[i], n) == 0) {
			s->p += n;
			return;
		}
	}
	s->ok = false;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
imf_fixdate(struct scan sc, struct clock_utc *t, int64_t *us)
{
	lit(&sc, ", ");
	t->day = num(&sc, 2);
	lit(&sc, " ");
	t->month = month(&sc);
	lit(&sc, " ");
	t->year = num(&sc, 4);
	lit(&sc, " ");
	hms(&sc, t);
	zone(&sc);
	return done(&sc, t, us);
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
rfc850_date(struct scan sc, struct clock_utc *t, int64_t now_us, int64_t *us)
{
	struct clock_utc now;

	lit(&sc, ", ");
	t->day = num(&sc, 2);
	lit(&sc, "-");
	t->month = month(&sc);
	lit(&sc, "-");
	utc_of(now_us, &now);
	t->year = now.year - now.year % 100 + num(&sc, 2);
	/* RFC 9110 5.6.7: more than 50 years ahead is the last such year that is past. */
	if (t->year > now.year + 50)
		t->year -= 100;
	else if (t->year < now.year - 49)
		t->year += 100;
	lit(&sc, " ");
	hms(&sc, t);
	lit(&sc, " GMT");
	return done(&sc, t, us);
}

/* Sun Nov  6 08:49:37 1994 */
static bool
asctime_date(struct scan sc, struct clock_utc *t, int64_t *us)
{
	lit(&sc, " ");
	t->month = month(&sc);
	lit(&sc, " ");
	if (peek(&sc, ' ')) {
		sc.p++;
		t->day = num(&sc, 1);
	} else {
		t->day = num(&sc, 2);
	}
	lit(&sc, " ");
	hms(&sc, t);
	lit(&sc, " ");
	t->year = num(&sc, 4);
	return done(&sc, t, us);
}

bool
date_parse_http(struct span s, int64_t now_us, int64_t *us)
{
	struct scan sc = scan_of(s);
	struct clock_utc t = { 0 };

	for (int i = 0; i < 7; i++) {
		size_t n = strlen(day_long[i]);

		if (s.len > n && memcmp(s.p, day_long[i], n) == 0) {
			sc.p += n;
			return rfc850_date(sc, &t, now_us, us);
		}
		if (s.len > 3 && memcmp(s.p, day_names[i], 3) == 0) {
			sc.p += 3;
			return peek(&sc, ',') ? imf_fixdate(sc, &t, us) : asctime_date(sc, &t, us);
		}
	}
	return false;
}
