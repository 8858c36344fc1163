/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_routing.c - a row for each cell of the decision table, the hop
 * header against forgers, and locations.
 */
#include "base/clock.h"
#include "routing/decide.h"
#include "routing/hop.h"
#include "routing/location.h"
#include "routing/zone.h"
#include "tests/unit/suite_help.h"

#include <check.h>

/* Here is "eu"; the home of a bucket elsewhere is "us". */
struct cell {
	const char *name;
	const char *home, *scope, *method;
	enum route_signed signature;
	bool is_object, anywhere, browser, expects, down;
	const char *hop; /* "ap gb": relayed by ap, and passed on by gb */
	enum route_do in_auto, in_redirect, in_relay;
};
#define OBJ true
#define BUCKET false

static const struct cell cells[] = {
	{ "ListBuckets", NULL, "eu", "GET", ROUTE_HEADER, BUCKET, true, false, false, false, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "CreateBucket of a name that is elsewhere", "us", "eu", "PUT", ROUTE_HEADER, BUCKET, true, false, false, false, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "HeadBucket elsewhere", "us", "eu", "HEAD", ROUTE_HEADER, BUCKET, true, false, false, false, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "HeadBucket elsewhere, which is down", "us", "eu", "HEAD", ROUTE_HEADER, BUCKET, true, false, false, true, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "object at home", "eu", "eu", "GET", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "object at home, signed us-east-1", "eu", "us-east-1", "PUT", ROUTE_HEADER, OBJ, false, false, true, false, NULL,
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "object at home, relayed with the other's scope", "eu", "us", "GET", ROUTE_HEADER, OBJ, false, false, false, false, "us",
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
	{ "object at home, another scope", "eu", "us", "GET", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE },
	{ "ListBuckets, another scope", NULL, "us", "GET", ROUTE_HEADER, BUCKET, true, false, false, false, NULL,
	    ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE },
	{ "elsewhere, a third scope", "us", "ap", "GET", ROUTE_PRESIGNED, OBJ, false, false, false, false, NULL,
	    ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE, ROUTE_WRONG_SCOPE },
	{ "no bucket", NULL, "eu", "GET", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_NO_BUCKET, ROUTE_NO_BUCKET, ROUTE_NO_BUCKET },
	{ "no bucket, relayed", NULL, "us", "GET", ROUTE_HEADER, OBJ, false, false, false, false, "us",
	    ROUTE_NO_BUCKET, ROUTE_NO_BUCKET, ROUTE_NO_BUCKET },
	{ "scope names the home: GET", "us", "us", "GET", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_DO_RELAY, ROUTE_DO_RELAY },
	{ "scope names the home: presigned browser", "us", "us", "GET", ROUTE_PRESIGNED, OBJ, false, true, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_DO_RELAY, ROUTE_DO_RELAY },
	{ "scope names the home, which is down", "us", "us", "PUT", ROUTE_HEADER, OBJ, false, false, false, true, NULL,
	    ROUTE_UNREACHABLE, ROUTE_UNREACHABLE, ROUTE_UNREACHABLE },
	{ "presigned GET, a browser", "us", "eu", "GET", ROUTE_PRESIGNED, OBJ, false, true, false, false, NULL,
	    ROUTE_307_PRESIGN, ROUTE_307_PRESIGN, ROUTE_DO_RELAY },
	{ "presigned HEAD, a browser", "us", "us-east-1", "HEAD", ROUTE_PRESIGNED, OBJ, false, true, false, false, NULL,
	    ROUTE_307_PRESIGN, ROUTE_307_PRESIGN, ROUTE_DO_RELAY },
	{ "anonymous GET, a browser", "us", NULL, "GET", ROUTE_ANONYMOUS, OBJ, false, true, false, false, NULL,
	    ROUTE_307_PRESIGN, ROUTE_307_PRESIGN, ROUTE_DO_RELAY },
	{ "presigned GET, no browser", "us", "eu", "GET", ROUTE_PRESIGNED, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307_PRESIGN, ROUTE_DO_RELAY },
	{ "anonymous GET, no browser", "us", NULL, "GET", ROUTE_ANONYMOUS, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307_PRESIGN, ROUTE_DO_RELAY },
	{ "presigned PUT", "us", "eu", "PUT", ROUTE_PRESIGNED, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "presigned GET of a listing, a browser", "us", "eu", "GET", ROUTE_PRESIGNED, BUCKET, false, true, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "signed GET, a browser", "us", "eu", "GET", ROUTE_HEADER, OBJ, false, true, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "signed GET", "us", "eu", "GET", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "signed HEAD", "us", "us-east-1", "HEAD", ROUTE_HEADER, OBJ, false, false, true, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "signed PUT", "us", "eu", "PUT", ROUTE_HEADER, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "signed PUT that waits for 100", "us", "eu", "PUT", ROUTE_HEADER, OBJ, false, false, true, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307, ROUTE_DO_RELAY },
	{ "signed list", "us", "eu", "GET", ROUTE_HEADER, BUCKET, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_301, ROUTE_DO_RELAY },
	{ "anonymous PUT", "us", NULL, "PUT", ROUTE_ANONYMOUS, OBJ, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307, ROUTE_DO_RELAY },
	{ "anonymous list", "us", NULL, "GET", ROUTE_ANONYMOUS, BUCKET, false, false, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307, ROUTE_DO_RELAY },
	{ "POST form", "us", "eu", "POST", ROUTE_POST_FORM, BUCKET, false, true, false, false, NULL,
	    ROUTE_DO_RELAY, ROUTE_307, ROUTE_DO_RELAY },
	{ "signed GET, home down", "us", "eu", "GET", ROUTE_HEADER, OBJ, false, false, false, true, NULL,
	    ROUTE_UNREACHABLE, ROUTE_301, ROUTE_UNREACHABLE },
	{ "browser, home down", "us", NULL, "GET", ROUTE_ANONYMOUS, OBJ, false, true, false, true, NULL,
	    ROUTE_UNREACHABLE, ROUTE_307_PRESIGN, ROUTE_UNREACHABLE },
	{ "relayed here, yet it has moved", "us", "ap", "GET", ROUTE_HEADER, OBJ, false, true, true, false, "ap",
	    ROUTE_RELAY_ON, ROUTE_RELAY_ON, ROUTE_RELAY_ON },
	{ "relayed here, yet it has moved to the asked region", "us", "us", "PUT", ROUTE_HEADER, OBJ, false, false, false, false, "us",
	    ROUTE_RELAY_ON, ROUTE_RELAY_ON, ROUTE_RELAY_ON },
	{ "relayed here, moved, home down", "us", "ap", "GET", ROUTE_HEADER, OBJ, false, false, false, true, "ap",
	    ROUTE_UNREACHABLE, ROUTE_UNREACHABLE, ROUTE_UNREACHABLE },
	{ "passed on here, yet we believe another", "us", "ap", "GET", ROUTE_HEADER, OBJ, false, false, false, false, "ap gb",
	    ROUTE_LOOP, ROUTE_LOOP, ROUTE_LOOP },
	{ "passed on here, signed for the old home", "us", "gb", "GET", ROUTE_HEADER, OBJ, false, false, false, false, "ap gb",
	    ROUTE_LOOP, ROUTE_LOOP, ROUTE_LOOP },
	{ "passed on here, and it is ours", "eu", "gb", "GET", ROUTE_HEADER, OBJ, false, false, false, false, "ap gb",
	    ROUTE_SERVE, ROUTE_SERVE, ROUTE_SERVE },
};

START_TEST(test_decide_cells)
{
	const struct cell *c = &cells[_i];
	const char *space = c->hop == NULL ? NULL : strchr(c->hop, ' ');
	char from[3] = { c->hop == NULL ? '\0' : c->hop[0], c->hop == NULL ? '\0' : c->hop[1], '\0' };
	struct route_in in = { .here = "eu", .home = c->home, .scope = c->scope,
		.signature = c->signature, .method = c->method, .is_object = c->is_object,
		.answered_anywhere = c->anywhere, .browser = c->browser,
		.expects_continue = c->expects, .hop_from = c->hop == NULL ? NULL : from, .hop_via = space == NULL ? NULL : space + 1, .home_relay = c->down ? BREAKER_DOWN : BREAKER_GO };
	const enum route_do want[] = { c->in_auto, c->in_redirect, c->in_relay };

	for (int mode = ROUTE_AUTO; mode <= ROUTE_RELAY; mode++) {
		enum route_do got;

		in.mode = (enum route_mode)mode;
		got = route_decide(&in);
		ck_assert_msg(got == want[mode], "%s, mode %d: %s, expected %s", c->name, mode,
		    route_do_name(got), route_do_name(want[mode]));
	}
}
END_TEST

static struct settings eu = { .region = "eu", .cluster_secret = { 1, 2, 3 } };
static struct settings us = { .region = "us", .cluster_secret = { 1, 2, 3 } };
static const struct hop sample = { "eu", "us", "0123456789ABCDEF", "192.0.2.7", "s3.eu.example", true,
	INT64_C(1700000000000000), NULL };

START_TEST(test_hop_round_trip_and_forgers)
{
	struct arena *a = arena_new(1 << 20);
	struct hop_request rq = { SPAN("GET"), SPAN("/b/k?x=1"), SPAN("b.s3.eu.example") };
	struct hop_request other = { SPAN("PUT"), SPAN("/b/k?x=1"), SPAN("b.s3.eu.example") };
	struct hop_request shifted = { SPAN("GET/"), SPAN("b/k?x=1"), SPAN("b.s3.eu.example") };
	struct settings stranger = { .region = "us", .cluster_secret = { 9 } };
	int64_t now = sample.sent_us + 5 * US_PER_S;
	const char *value = hop_make(a, &eu, &sample, &rq);
	struct hop got, passed_on = sample;
	char *bent;

	ck_assert_ptr_nonnull(value);
	ck_assert(hop_check(a, &us, value, &rq, now, &got));
	ck_assert_str_eq(got.from, "eu");
	ck_assert_str_eq(got.request_id, sample.request_id);
	ck_assert_str_eq(got.client_addr, sample.client_addr);
	ck_assert_str_eq(got.domain, sample.domain);
	ck_assert(got.secure);
	ck_assert_ptr_null(got.via);
	passed_on.via = "gb";
	ck_assert(hop_check(a, &us, hop_make(a, &eu, &passed_on, &rq), &rq, now, &got));
	ck_assert_str_eq(got.from, "eu");
	ck_assert_str_eq(got.via, "gb");
	ck_assert_msg(!hop_check(a, &us, value, &other, now, &got), "moved to another method");
	ck_assert_msg(!hop_check(a, &us, value, &shifted, now, &got), "moved over a field's border");
	ck_assert_msg(!hop_check(a, &eu, value, &rq, now, &got), "sent to another region");
	ck_assert_msg(!hop_check(a, &stranger, value, &rq, now, &got), "another cluster");
	ck_assert_msg(!hop_check(a, &us, value, &rq, now + 901 * US_PER_S, &got), "too old");
	ck_assert_msg(!hop_check(a, &us, value, &rq, now - 920 * US_PER_S, &got), "from the future");
	ck_assert(!hop_check(a, &us, "", &rq, now, &got));
	ck_assert(!hop_check(a, &us, "eu", &rq, now, &got));
	bent = arena_strdup(a, value);
	for (size_t i = 0; bent[i] != '\0'; i++) {
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		if (strcmp(bent, value) != 0)
			ck_assert_msg(!hop_check(a, &us, bent, &rq, now, &got), "bent at %zu", i);
		bent[i] = value[i];
	}
	arena_free(a);
}
END_TEST

static const char *const domains[] = { "s3.us.example", "s3.us.example.org", NULL };
static const char *const no_domains[] = { NULL };
static const struct {
	const char *endpoint;
	const char *const *domains;
	bool vhost;
	const char *path, *query, *url, *host;
} locations[] = {
	{ "https://s3.us.example", domains, false, "/b/k", "", "https://s3.us.example/b/k", "s3.us.example" },
	{ "https://s3.us.example", domains, true, "/k%2Fl", "x=1", "https://b.s3.us.example/k%2Fl?x=1", "b.s3.us.example" },
	{ "http://127.0.0.1:8002", no_domains, true, "/k", "a", "http://127.0.0.1:8002/b/k?a", "127.0.0.1:8002" },
	{ "http://s3.us.example:8002", domains, true, "/", "", "http://b.s3.us.example:8002/", "b.s3.us.example:8002" },
	{ "http://[::1]:8002", no_domains, false, "/b", "list-type=2", "http://[::1]:8002/b?list-type=2", "[::1]:8002" },
	{ "http://[::1]", domains, true, "/k", "", "http://b.s3.us.example/k", "b.s3.us.example" },
};

START_TEST(test_location_rows)
{
	struct arena *a = arena_new(1 << 16);
	struct region us_row = { .name = "us", .endpoint = locations[_i].endpoint, .domains = locations[_i].domains };
	struct location_in in = { .home = &us_row, .bucket = "b", .vhost = locations[_i].vhost,
		.raw_path = span_of(locations[_i].path), .raw_query = span_of(locations[_i].query) };
	struct location got;

	ck_assert(location_of(a, &in, &got));
	ck_assert_str_eq(got.url, locations[_i].url);
	ck_assert_str_eq(got.endpoint, locations[_i].host);
	arena_free(a);
}
END_TEST

START_TEST(test_zone)
{
	struct arena *a = arena_new(65536);
	struct strbuf sb;

	strbuf_init(&sb, a, 4096);
	zone_begin(&sb, "s3.example.com", 60, "https://s3.eu.example.com");
	zone_line(&sb, "b", "https://s3.us.example.com:8443");
	zone_line(&sb, "dotted.b", "http://192.0.2.7:80");
	zone_line(&sb, "six", "http://[2001:db8::1]:80");
	ck_assert_str_eq(strbuf_cstr(&sb), "; written by anvil-admin dns zone\n$ORIGIN s3.example.com.\n$TTL 60\n"
	    "*\tIN\tCNAME\ts3.eu.example.com.\nb\tIN\tCNAME\ts3.us.example.com.\n"
	    "dotted.b\tIN\tA\t192.0.2.7\nsix\tIN\tAAAA\t2001:db8::1\n");
	arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing");
	TCase *t = tcase_create("routing");

	tcase_add_test(t, test_zone);
	tcase_add_loop_test(t, test_decide_cells, 0, (int)ARRAY_LEN(cells));
	tcase_add_test(t, test_hop_round_trip_and_forgers);
	tcase_add_loop_test(t, test_location_rows, 0, (int)ARRAY_LEN(locations));
	suite_add_tcase(s, t);
	return suite_run(s);
}
