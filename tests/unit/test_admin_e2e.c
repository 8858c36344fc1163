/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_admin_e2e.c - anvil-admin and anvil-admin.cgi as they are run,
 * on PostgreSQL and memcached: each action by its command, each page, what is
 * refused, and who may do what.
 */
#include "tests/unit/admin_help.h"

#include <check.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "tests/unit/suite_help.h"

static struct arena *a;

static void
setup(void)
{
	a = arena_new((size_t)1 << 30);
}

static void
teardown(void)
{
	arena_free(a);
}

/* Runs a command, and its exit code must be this. */
static const char *
must(int code, const char *line)
{
	struct ran r = cli(a, NULL, NULL, line);

	ck_assert_msg(r.code == code, "anvil-admin %s: code %d instead of %d\n%s%s", line, r.code, code, r.out, r.errors);
	return r.out;
}

static void
says(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

static void
says_not(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "\"%s\" is in:\n%s", part, text);
}

/* A text of a record of the JSON answer. */
static const char *
json_text(const char *out, const char *table, const char *key)
{
	json_t *j = json_loads(out, 0, NULL);
	const char *s = json_string_value(json_object_get(json_object_get(j, table), key));
	const char *copy = s == NULL ? "" : arena_strdup(a, s);

	ck_assert_msg(s != NULL, "no %s.%s in %s", table, key, out);
	json_decref(j);
	return copy;
}

static void
write_policies(void)
{
	world_file(a, "read.json", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
	    "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::*\"}]}");
	world_file(a, "public.json", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\","
	    "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::withpolicy/*\"}]}");
	world_file(a, "bad.json", "{\"Statement\":[{\"Effect\":\"Perhaps\"}]}");
	world_file(a, "pw", "correct horse\n");
}

START_TEST(test_databases)
{
	const char *out = must(0, "db init");
	struct ran r;

	says(out, "the schema was there already");
	out = must(0, "db status --json");
	says(out, "\"state\": \"current\"");
	says(must(0, "db status --all"), "0001-schema");
	must(0, "db migrate");
	r = cli(a, NULL, NULL, "db restored");
	ck_assert_int_eq(r.code, 2);
	says(r.errors, "--yes");
	must(0, "db restored --yes");
	says(must(0, "db status"), "restored");
	r = cli(a, world_conf(a, "away.conf", "global_dsn = \"host=/nowhere dbname=x\"\n"), NULL, "tenant list");
	ck_assert_int_eq(r.code, 5);
	r = cli(a, world_path(a, "missing.conf"), NULL, "tenant list");
	ck_assert_int_ne(r.code, 0);
	says(r.errors, "missing.conf");
}
END_TEST

START_TEST(test_regions)
{
	int64_t left_us;
	struct ran r;
	int tries = 0;

	must(0, "region create ap --endpoint http://127.0.0.1:9 --domain ap.test --domain s3.ap.test --inv-pub tcp://127.0.0.1:7");
	must(4, "region create ap --endpoint http://127.0.0.1:9");
	must(3, "region show nowhere");
	says(must(0, "region list"), "s3.ap.test");
	must(0, "region update ap --endpoint https://ap.test");
	ck_assert_str_eq(json_text(must(0, "region show ap --json"), "region", "endpoint"), "https://ap.test");
	says(must(0, "region show ap"), "ap.test, s3.ap.test");
	must(2, "region update ap");
	must(4, "region remove ap --yes");
	must(2, "region leave ap");
	left_us = clock_mono_us();
	must(0, "region leave ap --yes");
	ck_assert_str_eq(json_text(must(0, "region show ap --json"), "region", "state"), "leaving");
	/* Not before W is over: nobody may believe any more what it cached. */
	do {
		r = cli(a, NULL, NULL, "region remove ap --yes");
		clock_sleep_us(100 * US_PER_MS);
	} while (r.code == 4 && ++tries < 100);
	ck_assert_msg(r.code == 0, "code %d after %d tries: %s", r.code, tries, r.errors);
	ck_assert_int_ge(clock_mono_us() - left_us, WORLD_ACK_MS * US_PER_MS);
	must(3, "region remove ap --yes");
}
END_TEST

START_TEST(test_tenants)
{
	const char *out;

	must(0, "tenant create t-one");
	must(4, "tenant create t-one");
	must(0, "tenant create 't two äö' --owner-id 00000000000000000000000000000000000000000000000000000000000000aa");
	out = must(0, "tenant show 't two äö' --json");
	ck_assert_str_eq(json_text(out, "tenant", "owner_id"), "00000000000000000000000000000000000000000000000000000000000000aa");
	must(0, "tenant show 00000000000000000000000000000000000000000000000000000000000000aa");
	must(3, "tenant show nobody");
	out = must(0, "tenant list --limit 1 --json");
	says(out, "\"next\": ");
	says_not(must(0, "tenant list --after t-zzz"), "t-one");
	must(0, "tenant disable t-one --yes");
	ck_assert_str_eq(json_text(must(0, "tenant show t-one --json"), "tenant", "state"), "disabled");
	must(0, "tenant enable t-one");
	must(0, "bucket create t-one-bucket --tenant t-one");
	must(4, "tenant delete t-one --yes");
	must(0, "bucket delete t-one-bucket --yes");
	must(0, "tenant delete t-one --yes");
	must(3, "tenant delete t-one --yes");
}
END_TEST

START_TEST(test_apps_and_policies)
{
	const char *out, *key, *secret;
	struct ran r;

	write_policies();
	must(0, "tenant create apps");
	r = cli(a, NULL, NULL, arena_printf(a, "policy create bad --document %s", world_path(a, "bad.json")));
	ck_assert_int_eq(r.code, 2);
	says(r.errors, "no policy");
	must(0, arena_printf(a, "policy create p-read --document %s", world_path(a, "read.json")));
	must(4, arena_printf(a, "policy create p-read --document %s", world_path(a, "read.json")));
	must(3, "policy show nothing");
	says(must(0, "policy show p-read"), "\"s3:GetObject\"");
	out = must(0, "app create apps first --policy p-read --json");
	key = json_text(out, "app", "access_key");
	secret = json_text(out, "app", "secret");
	ck_assert_uint_eq(strlen(secret), 40);
	out = must(0, arena_printf(a, "app show %s --json", key));
	says(out, "p-read");
	says_not(out, secret);
	says_not(world_sql(arena_printf(a, "SELECT encode(sealed_secret, 'escape') FROM apps WHERE access_key = '%s'", key)), secret);
	says_not(world_sql("SELECT string_agg(detail, ' ') FROM audit_log"), secret);
	must(4, "policy delete p-read --yes");
	must(4, arena_printf(a, "app attach %s p-read", key));
	must(4, arena_printf(a, "app access %s full", key));
	/* Rights become more only when somebody says so. */
	says(must(0, arena_printf(a, "app detach %s p-read", key)), "may do nothing");
	ck_assert_str_eq(json_text(must(0, arena_printf(a, "app show %s --json", key)), "app", "access"), "policies");
	must(3, arena_printf(a, "app detach %s p-read", key));
	must(0, arena_printf(a, "app access %s full", key));
	ck_assert_str_eq(json_text(must(0, arena_printf(a, "app show %s --json", key)), "app", "access"), "full");
	says(must(0, arena_printf(a, "app attach %s p-read", key)), "full access is over");
	must(2, "app create apps both --policy p-read --access full");
	out = must(0, "app create apps none --access policies --json");
	ck_assert_str_eq(json_text(must(0, arena_printf(a, "app show %s --json", json_text(out, "app", "access_key"))), "app",
	    "access"), "policies");
	must(0, arena_printf(a, "app disable %s", key));
	ck_assert_str_eq(json_text(must(0, arena_printf(a, "app show %s --json", key)), "app", "state"), "disabled");
	must(0, arena_printf(a, "app enable %s", key));
	says(must(0, "app list --tenant apps"), key);
	/* One that cannot get its policies must not stay. */
	must(3, "app create apps second --policy p-read --policy nothing");
	says_not(must(0, "app list --tenant apps"), "second");
	must(3, "app create nobody x");
	r = cli(a, NULL, "an old secret\n", "app create apps old --import-key OLDKEY0123456789 --import-secret-file -");
	ck_assert_int_eq(r.code, 2); /* a secret has no blanks */
	r = cli(a, NULL, "anoldsecret/0123456789+\n", "app create apps old --import-key OLDKEY0123456789 --import-secret-file -");
	ck_assert_msg(r.code == 0, "%s", r.errors);
	must(2, "app create apps old --import-key OLDKEY0123456780");
	must(0, arena_printf(a, "app delete %s --yes", key));
	must(3, arena_printf(a, "app show %s", key));
	r = cli(a, NULL, "{\"Version\":\"2012-10-17\",\"Statement\":[]}", "policy update p-read --document -");
	ck_assert_int_eq(r.code, 2); /* says nothing */
	must(0, arena_printf(a, "policy update p-read --document %s", world_path(a, "read.json")));
	says(must(0, "policy list"), "p-read");
	must(0, "policy delete p-read --yes");
}
END_TEST

START_TEST(test_buckets)
{
	write_policies();
	must(0, "tenant create owner");
	must(0, "tenant create other");
	must(0, "region create far --endpoint http://127.0.0.1:9");
	must(0, "bucket create withpolicy --tenant owner --region eu");
	must(4, "bucket create withpolicy --tenant owner");
	must(4, "bucket create withpolicy --tenant other");
	must(3, "bucket create b-two --tenant owner --region nowhere");
	must(3, "bucket create b-two --tenant nobody");
	must(2, "bucket create xn--b-two --tenant owner");
	must(0, "bucket create b-far --tenant owner --region far");
	says_not(must(0, "bucket list --region far"), "withpolicy");
	says_not(must(0, "bucket list --tenant other"), "withpolicy");
	says(must(0, "bucket list --search withp"), "withpolicy");
	must(0, "bucket routing withpolicy relay");
	ck_assert_str_eq(json_text(must(0, "bucket show withpolicy --json"), "bucket", "routing"), "relay");
	must(0, "bucket routing withpolicy default");
	must(0, arena_printf(a, "bucket policy withpolicy --document %s", world_path(a, "public.json")));
	says(must(0, "bucket show withpolicy"), "\"Principal\": \"*\"");
	must(2, arena_printf(a, "bucket policy withpolicy --document %s", world_path(a, "bad.json")));
	must(2, arena_printf(a, "bucket policy b-far --document %s", world_path(a, "public.json")));
	must(2, "bucket policy withpolicy");
	must(0, "bucket policy withpolicy --remove");
	must(3, "bucket policy withpolicy --remove");
	must(4, "bucket delete b-far --yes");
	must(0, "bucket delete withpolicy --yes");
	must(3, "bucket delete withpolicy --yes");
	must(3, "bucket show withpolicy");
}
END_TEST

START_TEST(test_operators)
{
	struct ran r;

	write_policies();
	r = cli(a, NULL, "short\n", "operator create o-one");
	ck_assert_int_eq(r.code, 2);
	says(r.errors, "password");
	r = cli(a, NULL, "long enough pw\n", "operator create o-one --role admin");
	ck_assert_msg(r.code == 0, "%s", r.errors);
	says_not(world_sql("SELECT password_hash FROM operators WHERE name = 'o-one'"), "long enough");
	says(world_sql("SELECT password_hash FROM operators WHERE name = 'o-one'"), "$y$");
	must(4, arena_printf(a, "operator create o-one --password-file %s", world_path(a, "pw")));
	must(0, arena_printf(a, "operator create o-two --password-file %s", world_path(a, "pw")));
	says(must(0, "operator list"), "viewer");
	must(0, "operator role o-two admin");
	must(0, arena_printf(a, "operator password o-two --password-file %s", world_path(a, "pw")));
	must(0, "operator logout o-two");
	must(0, "operator disable o-two");
	must(0, "operator enable o-two");
	ck_assert_str_eq(world_sql("SELECT session >= 4 FROM operators WHERE name = 'o-two'"), "t");
	must(3, "operator disable o-three");
	must(2, "operator delete o-two");
	must(0, "operator delete o-two --yes");
	must(3, "operator delete o-two --yes");
}
END_TEST

START_TEST(test_cache_and_service)
{
	const char *out;
	struct ran r;

	out = must(0, "cache status --json --pages --watch-ms 0");
	says(out, "\"servers\": [");
	says(out, "\"state\": \"silent\"");
	must(0, "cache status --watch-ms 0");
	must(0, "cache flush");
	must(0, "cache flush --everywhere");
	says(world_sql("SELECT epoch_reason FROM event_clock"), "operator");
	r = cli(a, NULL, NULL, "cache wait");
	ck_assert_msg(r.code == 0 || r.code == 5, "code %d: %s", r.code, r.errors);
	out = must(0, "status --json");
	says(out, "\"store\": {");
	/* Nobody feeds the cache here, and nobody serves: doctor must find both. */
	r = cli(a, NULL, NULL, "doctor");
	ck_assert_int_eq(r.code, 1);
	says(r.out, "OK    master_key_file");
	says(r.out, "FAIL  memcached");
	says(r.out, "start this region's anvil-invalidator");
	says(r.out, "OK    store");
	says(r.out, "FAIL  endpoint");
	chmod(world_path(a, "master.key"), 0644);
	r = cli(a, NULL, NULL, "doctor --json");
	chmod(world_path(a, "master.key"), 0600);
	says(r.out, "by its owner alone");
	r = cli(a, world_conf(a, "bad.conf", "threads = 0\n"), NULL, "doctor");
	ck_assert_int_eq(r.code, 1);
	says(r.out, "FAIL  configuration");
	must(0, "maintain --dry-run");
	must(0, "maintain --orphans --json");
	must(2, "maintain --orphans --min-age-s 5");
}
END_TEST

START_TEST(test_audit)
{
	json_t *j, *first;
	const char *out;

	must(0, "tenant create audited");
	must(4, "tenant create audited");
	out = must(0, "audit list --limit 2 --json");
	j = json_loads(out, 0, NULL);
	first = json_array_get(json_object_get(j, "entries"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "action")), "tenant create");
	ck_assert_str_eq(json_string_value(json_object_get(first, "target")), "audited");
	ck_assert_str_eq(json_string_value(json_object_get(first, "outcome")), "failed");
	ck_assert_str_eq(json_string_value(json_object_get(first, "via")), "cli");
	first = json_array_get(json_object_get(j, "entries"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(first, "outcome")), "done");
	says(must(0, arena_printf(a, "audit list --before %s", json_string_value(json_object_get(j, "next")))), "db init");
	json_decref(j);
}
END_TEST

START_TEST(test_keys_and_refusals)
{
	struct stat st;
	struct ran r;

	must(0, arena_printf(a, "keys new master %s", world_path(a, "new.key")));
	ck_assert_int_eq(stat(world_path(a, "new.key"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq((int)st.st_size, 65);
	must(4, arena_printf(a, "keys new cluster %s", world_path(a, "new.key")));
	r = cli(a, NULL, NULL, "tenant nothing");
	ck_assert_int_eq(r.code, 2);
	says(r.errors, "no verb");
	r = cli(a, NULL, NULL, "tenant show --json nobody");
	ck_assert_int_eq(r.code, 3);
	says(r.out, "\"kind\": \"NOT_FOUND\"");
	r = cli(a, NULL, NULL, "tenant show --json");
	ck_assert_int_eq(r.code, 2);
	says(r.out, "\"ok\": false");
	must(0, "--help");
	must(0, "tenant create --help");
	says(must(0, "--version"), "anvil ");
	must(0, "tenant create waiting");
	r = cli(a, world_conf(a, "strict.conf", "metadata_consistency = \"acknowledged\"\n"), NULL,
	    "bucket create waited-for --tenant waiting");
	ck_assert_int_eq(r.code, 0);
	says(r.out, "not every region said");
}
END_TEST

/* ---- pages ---- */

static const char *const all_pages[] = { "", "buckets", "buckets?search=pg&tenant=pages&region=eu", "bucket?name=pg-bucket",
	"moves", "moves?bucket=pg-bucket&open=1", "uploads", "uploads?bucket=pg-bucket&older=3d", "tenants", "tenant?name=pages",
	"policies", "policy?name=pg-policy", "regions", "region?name=eu", "cache", "checks",
	"operators", "operator?name=page-viewer", "audit", "audit?before=5", "account", "confirm?action=tenant.delete&name=pages",
	"confirm?action=upload.abort&bucket=pg-bucket&key=k&upload-id=0" };

static void
page_things(void)
{
	write_policies();
	cli(a, NULL, "the admin password\n", "operator create page-admin --role admin");
	cli(a, NULL, "the viewer password\n", "operator create page-viewer");
	cli(a, NULL, NULL, "tenant create pages");
	cli(a, NULL, NULL, "bucket create pg-bucket --tenant pages");
	cli(a, NULL, NULL, arena_printf(a, "policy create pg-policy --document %s", world_path(a, "read.json")));
}

static void
login_admin(struct browser *b)
{
	browser_init(b, a);
	browser_login(b, "page-admin", "the+admin+password");
	ck_assert_msg(b->status == 303, "no login: %d %s", b->status, b->body);
	ck_assert_ptr_nonnull(browser_cookie(b, "anvil_session"));
}

static void
well_formed(const struct browser *b, const char *path)
{
	const char *fault = browser_page_fault(b);

	ck_assert_msg(fault == NULL, "page \"%s\": %s\n%s", path, fault, b->body);
}

START_TEST(test_login)
{
	struct browser b;

	page_things();
	browser_init(&b, a);
	browser_get(&b, "tenant?name=pages");
	ck_assert_int_eq(b.status, 200);
	says(b.body, "<h1>Log in</h1>");
	says(b.body, "value=\"tenant?name=pages\"");
	says(b.head, "Cache-Control: no-store");
	says(b.head, "default-src 'none'");
	says(b.head, "X-Frame-Options: DENY");
	well_formed(&b, "login");
	browser_post(&b, "login", "name=page-admin&password=wrong+password&then=");
	ck_assert_int_eq(b.status, 403);
	says(b.body, "Name or password is wrong.");
	browser_post(&b, "login", "name=nobody&password=wrong+password&then=");
	ck_assert_int_eq(b.status, 403);
	browser_post_raw(&b, "login", "csrf=0&name=page-admin&password=the+admin+password&then=");
	ck_assert_int_eq(b.status, 403);
	ck_assert_ptr_null(browser_cookie(&b, "anvil_session"));
	browser_post(&b, "login", "name=page-admin&password=the+admin+password&then=tenant%3Fname%3Dpages");
	ck_assert_str_eq(browser_sent_to(&b), "tenant?name=pages");
	says(b.head, "HttpOnly; SameSite=Strict");
	ck_assert_str_eq(world_sql("SELECT action || ' ' || via FROM audit_log WHERE actor = 'page-admin' ORDER BY id DESC LIMIT 1"),
	    "login page");
	browser_get(&b, "tenant?name=pages");
	says(b.body, "<h1>pages</h1>");
	browser_post(&b, "logout", "");
	ck_assert_int_eq(b.status, 303);
	ck_assert_ptr_null(browser_cookie(&b, "anvil_session"));
	/* Somewhere else is never where a login leads. */
	browser_get(&b, "");
	browser_post(&b, "login", "name=page-admin&password=the+admin+password&then=%2F%2Fevil.example");
	ck_assert_str_eq(browser_sent_to(&b), "");
}
END_TEST

START_TEST(test_login_limit)
{
	struct browser b;

	page_things();
	browser_init(&b, a);
	b.address = "10.9.8.7";
	browser_get(&b, "");
	for (int i = 0; i < 10; i++)
		browser_post(&b, "login", "name=page-admin&password=wrong+password&then=");
	ck_assert_int_eq(b.status, 403);
	browser_post(&b, "login", "name=page-admin&password=the+admin+password&then=");
	ck_assert_int_eq(b.status, 429);
	says(b.head, "Retry-After: ");
	b.address = "10.9.8.6";
	browser_post(&b, "login", "name=page-admin&password=the+admin+password&then=");
	ck_assert_int_eq(b.status, 303);
}
END_TEST

START_TEST(test_all_pages)
{
	struct browser b, anyone;

	page_things();
	login_admin(&b);
	browser_init(&anyone, a);
	for (size_t i = 0; i < ARRAY_LEN(all_pages); i++) {
		browser_get(&b, all_pages[i]);
		ck_assert_msg(b.status == 200, "page \"%s\": %d\n%s", all_pages[i], b.status, b.body);
		says_not(b.body, "Log in</h1>");
		well_formed(&b, all_pages[i]);
		browser_get(&anyone, all_pages[i]);
		says(anyone.body, "Log in</h1>");
	}
	browser_get(&b, "nowhere");
	ck_assert_int_eq(b.status, 404);
	well_formed(&b, "nowhere");
	browser_get(&b, "tenant?name=nobody");
	ck_assert_int_eq(b.status, 404);
	browser_get(&b, "tenant");
	ck_assert_int_eq(b.status, 422);
	browser_get(&b, "buckets?after=%zz");
	ck_assert_int_eq(b.status, 400);
	/* "?-c+/tmp/mine.conf", as web servers pass it to a CGI. */
	b.arguments[0] = "-c";
	b.arguments[1] = "/nowhere/mine.conf";
	browser_get(&b, "tenants?-c+/nowhere/mine.conf");
	ck_assert_int_eq(b.status, 200);
	b.arguments[0] = NULL;
	browser_get(&anyone, "style.css");
	ck_assert_int_eq(anyone.status, 200);
	says(anyone.head, "text/css");
	browser_get(&anyone, "icon.svg");
	says(anyone.head, "image/svg+xml");
}
END_TEST

START_TEST(test_another_prefix)
{
	struct browser b;

	page_things();
	browser_init(&b, a);
	b.script = "/cgi-bin/anvil.cgi";
	browser_login(&b, "page-admin", "the+admin+password");
	ck_assert_str_eq(browser_sent_to(&b), "");
	says(b.head, "Path=/cgi-bin/anvil.cgi/;");
	browser_get(&b, "tenants");
	says(b.body, "href=\"/cgi-bin/anvil.cgi/style.css\"");
	b.more[0] = "HTTPS";
	b.more[1] = "on";
	browser_post(&b, "logout", "");
	says(b.head, "; Secure");
}
END_TEST

START_TEST(test_create_a_tenant_and_a_key)
{
	struct browser b;
	const char *to, *secret;

	page_things();
	login_admin(&b);
	browser_get(&b, "tenants");
	browser_post(&b, "tenants", "action=tenant.create&then=tenant%3Fname%3D&name=&owner-id=zz");
	ck_assert_int_eq(b.status, 422);
	says(b.body, "Name is missing.");
	says(b.body, "Owner id must be a canonical id");
	says(b.body, "value=\"zz\"");
	well_formed(&b, "tenants, refused");
	browser_post(&b, "tenants", "action=tenant.create&then=tenant%3Fname%3D&name=+%3Cb%3E%22%27%26+x+&owner-id=");
	to = browser_sent_to(&b);
	ck_assert_str_eq(to, "tenant?name=%3Cb%3E%22%27%26%20x");
	browser_get(&b, to);
	ck_assert_int_eq(b.status, 200);
	says(b.body, "&lt;b&gt;&quot;&#39;&amp; x");
	says_not(b.body, "<b>\"");
	says(b.body, "role=\"status\"");
	well_formed(&b, to);
	browser_get(&b, to);
	says_not(b.body, "role=\"status\""); /* said once */
	browser_post(&b, "tenants", "action=tenant.create&then=tenants&name=pages");
	ck_assert_int_eq(b.status, 409);
	says(b.body, "role=\"alert\"");
	browser_get(&b, "tenant?name=pages");
	browser_post(&b, "tenant?name=pages", "action=app.create&then=tenant%3Fname%3Dpages&tenant=pages&name=web&policy=pg-policy");
	ck_assert_str_eq(browser_sent_to(&b), "tenant?name=pages");
	browser_get(&b, "tenant?name=pages");
	says(b.body, "It is not shown again");
	well_formed(&b, "tenant, with a secret");
	secret = strstr(b.body, "Secret key</dt><dd><code>");
	ck_assert_ptr_nonnull(secret);
	secret = arena_strndup(a, secret + 25, 40);
	browser_get(&b, "tenant?name=pages");
	says_not(b.body, secret);
	says(b.body, "pg-policy");
}
END_TEST

/* A list that goes on, a key in each state, a region that leaves: what the other tests do not show. */
START_TEST(test_pages_in_other_states)
{
	struct browser b;
	const char *key, *page;

	page_things();
	cli(a, NULL, NULL, "region create gone --endpoint http://127.0.0.1:9");
	cli(a, NULL, NULL, "region leave gone --yes");
	world_sql("INSERT INTO buckets (name, region, tenant_id) SELECT 'paged-' || to_char(i, 'FM000'), 'eu', "
	    "(SELECT id FROM tenants WHERE name = 'pages') FROM generate_series(1, 120) i RETURNING 1");
	key = json_text(cli(a, NULL, NULL, "app create pages states --json").out, "app", "access_key");
	page = arena_printf(a, "key?key=%s", key);
	login_admin(&b);
	browser_get(&b, "buckets?search=paged");
	says(b.body, "href=\"buckets?search=paged&amp;tenant=&amp;region=&amp;after=paged-050\"");
	well_formed(&b, "buckets, first page");
	browser_get(&b, "buckets?search=paged&after=paged-100");
	says(b.body, "paged-120");
	says_not(b.body, "Next page");
	well_formed(&b, "buckets, last page");
	browser_get(&b, "buckets?search=nothing-like-it");
	says(b.body, "No bucket is like that.");
	browser_get(&b, "moves");
	says(b.body, "No bucket has moved.");
	world_sql("INSERT INTO bucket_moves (id, bucket_id, bucket, source, target, state, rows_copied, bytes_copied, paused_us, ended_at) "
	    "SELECT gen_random_uuid(), id, name, 'eu', 'us', CASE name WHEN 'paged-001' THEN 'copying' ELSE 'done' END, 1234, 5000000, "
	    "CASE name WHEN 'paged-002' THEN 250000 END, CASE name WHEN 'paged-002' THEN now() END "
	    "FROM buckets WHERE name IN ('paged-001', 'paged-002') RETURNING 1");
	browser_get(&b, "moves");
	says(b.body, "<span class=\"state copying\">copying</span>");
	says(b.body, "bucket?name=paged-002");
	well_formed(&b, "moves");
	browser_get(&b, "moves?open=1");
	says(b.body, "paged-001");
	says_not(b.body, "paged-002");
	browser_get(&b, "moves?bucket=paged-002&open=1");
	says(b.body, "No bucket is on its way.");
	says(b.body, "href=\"moves?bucket=paged-002\"");
	browser_get(&b, "region?name=gone");
	says(b.body, "region.remove");
	says_not(b.body, "action=region.leave");
	well_formed(&b, "region, leaving");
	browser_get(&b, page);
	says(b.body, "may do everything");
	well_formed(&b, "key with full access");
	browser_post(&b, page, arena_printf(a, "action=app.access&then=key%%3Fkey%%3D&key=%s&access=policies", key));
	browser_get(&b, page);
	says(b.body, "may do nothing");
	well_formed(&b, "key without policies");
	browser_post(&b, page, arena_printf(a, "action=app.access&then=key%%3Fkey%%3D&key=%s&access=full", key));
	browser_get(&b, page);
	says(b.body, "may do everything");
	browser_post(&b, page, arena_printf(a, "action=app.attach&then=key%%3Fkey%%3D&key=%s&policy=pg-policy", key));
	ck_assert_str_eq(browser_sent_to(&b), page);
	browser_get(&b, page);
	says(b.body, "Detach");
	browser_post(&b, page, arena_printf(a, "action=app.disable&then=key%%3Fkey%%3D&key=%s", key));
	browser_get(&b, page);
	says(b.body, "app.enable");
	says_not(b.body, "value=\"app.disable\"");
	well_formed(&b, "key, disabled");
	browser_post(&b, page, arena_printf(a, "action=app.detach&then=key%%3Fkey%%3D&key=%s&policy=pg-policy", key));
	browser_get(&b, page);
	says(b.body, "class=\"notice warn\"");
	must(0, "tenant disable pages --yes");
	browser_get(&b, "tenant?name=pages");
	says(b.body, "tenant disabled");
	well_formed(&b, "tenant, disabled");
	must(0, "tenant enable pages");
}
END_TEST

START_TEST(test_change_and_destroy)
{
	struct browser b;
	const char *to;

	page_things();
	cli(a, NULL, NULL, "tenant create doomed");
	login_admin(&b);
	browser_get(&b, "bucket?name=pg-bucket");
	browser_post(&b, "bucket?name=pg-bucket", "action=bucket.routing&then=bucket%3Fname%3Dpg-bucket&name=pg-bucket&mode=redirect");
	ck_assert_int_eq(b.status, 303);
	browser_get(&b, "bucket?name=pg-bucket");
	says(b.body, "<option selected>redirect</option>");
	browser_post(&b, "bucket?name=pg-bucket", "action=bucket.policy&then=&name=pg-bucket&document=%7B%22a%22%3A1");
	ck_assert_int_eq(b.status, 422);
	says(b.body, "not JSON");
	says(b.body, "{&quot;a&quot;:1</textarea>");
	well_formed(&b, "bucket, refused");
	browser_post(&b, "bucket?name=pg-bucket", "action=bucket.policy&then=&name=pg-bucket&document=%7B%22a%22%3A1%7D");
	ck_assert_int_eq(b.status, 422);
	says(b.body, "no policy");
	/* Asked again first, whatever was sent. */
	browser_get(&b, "tenant?name=doomed");
	browser_post(&b, "tenant?name=doomed", "action=tenant.delete&name=doomed");
	to = browser_sent_to(&b);
	ck_assert_str_eq(to, "confirm?action=tenant.delete&name=doomed");
	browser_get(&b, to);
	says(b.body, "Delete tenant &quot;doomed&quot;?");
	browser_post(&b, to, "action=tenant.delete&sure=yes&then=tenants&name=doomed");
	ck_assert_str_eq(browser_sent_to(&b), "tenants");
	must(3, "tenant show doomed");
	browser_get(&b, "confirm?action=tenant.delete&name=pages");
	browser_post(&b, "confirm?action=tenant.delete&name=pages", "action=tenant.delete&sure=yes&then=tenants&name=pages");
	ck_assert_int_eq(b.status, 409);
	says(b.body, "role=\"alert\"");
	ck_assert_str_eq(world_sql("SELECT actor || ' ' || via || ' ' || ok FROM audit_log ORDER BY id DESC LIMIT 1"),
	    "page-admin page false");
}
END_TEST

START_TEST(test_forged_forms)
{
	static const char create[] = "action=tenant.create&then=tenants&name=forged";
	struct browser b, other;
	const char *token;

	page_things();
	login_admin(&b);
	login_admin(&other);
	browser_post_raw(&b, "tenants", create);
	ck_assert_int_eq(b.status, 403);
	browser_post_raw(&b, "tenants", arena_printf(a, "csrf=%s&%s", "00000000000000000000000000000000", create));
	ck_assert_int_eq(b.status, 403);
	/* Another session's token is not ours. */
	browser_get(&other, "tenants");
	token = strstr(other.body, "name=\"csrf\" value=\"") + 19;
	browser_post_raw(&b, "tenants", arena_printf(a, "csrf=%.32s&%s", token, create));
	ck_assert_int_eq(b.status, 403);
	/* Actions that no page has, and no actions. */
	browser_get(&b, "tenants");
	browser_post(&b, "tenants", "action=db.restored&then=tenants");
	ck_assert_int_eq(b.status, 400);
	browser_get(&b, "tenants");
	browser_post(&b, "tenants", "action=nothing&then=tenants");
	ck_assert_int_eq(b.status, 400);
	/* A script of an object in some bucket shares our origin. */
	browser_get(&b, "tenants");
	b.more[0] = "HTTP_SEC_FETCH_MODE";
	b.more[1] = "cors";
	browser_post(&b, "tenants", create);
	ck_assert_int_eq(b.status, 403);
	browser_get(&b, "tenants");
	ck_assert_int_eq(b.status, 403);
	b.more[0] = "HTTP_SEC_FETCH_DEST";
	b.more[1] = "iframe";
	browser_get(&b, "tenants");
	ck_assert_int_eq(b.status, 403);
	b.more[0] = NULL;
	browser_get(&b, "tenants");
	b.more[0] = "HTTP_ORIGIN";
	b.more[1] = "http://evil.example";
	browser_post(&b, "tenants", create);
	ck_assert_int_eq(b.status, 403);
	b.more[0] = NULL;
	/* A cookie that is not ours. */
	b.jar[0].name = "anvil_session";
	b.jar[0].value = arena_printf(a, "0%s", browser_cookie(&other, "anvil_session"));
	browser_get(&b, "tenants");
	says(b.body, "Log in</h1>");
	must(3, "tenant show forged");
}
END_TEST

START_TEST(test_viewers_change_nothing)
{
	struct browser b;

	page_things();
	browser_init(&b, a);
	browser_login(&b, "page-viewer", "the+viewer+password");
	ck_assert_int_eq(b.status, 303);
	browser_get(&b, "tenants");
	ck_assert_int_eq(b.status, 200);
	says_not(b.body, "tenant.create");
	well_formed(&b, "tenants, for a viewer");
	browser_post(&b, "tenants", "action=tenant.create&then=tenants&name=viewed");
	ck_assert_int_eq(b.status, 403);
	must(3, "tenant show viewed");
	browser_get(&b, "operators");
	ck_assert_int_eq(b.status, 403);
	browser_get(&b, "policy?name=pg-policy");
	says(b.body, "<pre tabindex=\"0\">{");
	well_formed(&b, "policy, for a viewer");
	browser_get(&b, "account");
	browser_post(&b, "account", "action=operator.password&name=page-admin&password=another+password&current=the+viewer+password");
	ck_assert_int_eq(b.status, 403);
	browser_get(&b, "account");
	browser_post(&b, "account", "action=operator.password&name=page-viewer&password=another+password&current=wrong+one");
	ck_assert_int_eq(b.status, 403);
	says(b.body, "current password is wrong");
	browser_get(&b, "account");
	browser_post(&b, "account", "action=operator.password&name=page-viewer&password=the+viewer+password&current=the+viewer+password&then=account");
	ck_assert_str_eq(browser_sent_to(&b), "account");
	browser_get(&b, "account");
	ck_assert_int_eq(b.status, 200);
	says(b.body, "has a new password");
}
END_TEST

START_TEST(test_sessions_end)
{
	struct browser b;

	page_things();
	login_admin(&b);
	must(0, "operator logout page-admin");
	browser_get(&b, "tenants");
	says(b.body, "Log in</h1>");
	ck_assert_ptr_null(browser_cookie(&b, "anvil_session"));
	login_admin(&b);
	must(0, "operator role page-admin viewer");
	browser_get(&b, "tenants");
	says(b.body, "Log in</h1>");
	must(0, "operator role page-admin admin");
	login_admin(&b);
	must(0, "operator disable page-admin");
	browser_get(&b, "tenants");
	says(b.body, "Log in</h1>");
	browser_login(&b, "page-admin", "the+admin+password");
	ck_assert_int_eq(b.status, 403);
	must(0, "operator enable page-admin");
	/* A form that comes after the end is not done, and says so. */
	login_admin(&b);
	browser_get(&b, "tenants");
	must(0, "operator logout page-admin");
	browser_post(&b, "tenants", "action=tenant.create&then=tenants&name=late");
	ck_assert_int_eq(b.status, 403);
	says(b.body, "Nothing was changed");
	must(3, "tenant show late");
}
END_TEST

START_TEST(test_database_away)
{
	struct browser b;

	page_things();
	login_admin(&b);
	b.conf = world_conf(a, "page-away.conf", "global_dsn = \"host=/nowhere dbname=x\"\n");
	browser_get(&b, "tenants");
	ck_assert_int_eq(b.status, 503);
	says_not(b.body, "/nowhere/.s.PGSQL\">");
	well_formed(&b, "away");
	b.conf = world_path(a, "missing.conf");
	browser_get(&b, "tenants");
	ck_assert_int_eq(b.status, 500);
}
END_TEST

/* Not in a test: an assertion here would leave the services behind. */
static void
begin(void)
{
	static const char *const lines[] = { "db init",
		"region create eu --endpoint http://127.0.0.1:9 --inv-pub tcp://127.0.0.1:7" };

	setup();
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct ran r = cli(a, NULL, NULL, lines[i]);

		if (r.code != 0) {
			fprintf(stderr, "anvil-admin %s: code %d: %s%s\n", lines[i], r.code, r.out, r.errors);
			exit(1);
		}
	}
	teardown();
}

int
main(void)
{
	Suite *s = suite_create("admin_e2e");
	TCase *c = tcase_create("commands"), *p = tcase_create("pages");

	world_open();
	begin();
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	tcase_add_test(c, test_databases);
	tcase_add_test(c, test_regions);
	tcase_add_test(c, test_tenants);
	tcase_add_test(c, test_apps_and_policies);
	tcase_add_test(c, test_buckets);
	tcase_add_test(c, test_operators);
	tcase_add_test(c, test_cache_and_service);
	tcase_add_test(c, test_audit);
	tcase_add_test(c, test_keys_and_refusals);
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(p, setup, teardown);
	tcase_set_timeout(p, 120);
	tcase_add_test(p, test_login);
	tcase_add_test(p, test_login_limit);
	tcase_add_test(p, test_all_pages);
	tcase_add_test(p, test_another_prefix);
	tcase_add_test(p, test_create_a_tenant_and_a_key);
	tcase_add_test(p, test_pages_in_other_states);
	tcase_add_test(p, test_change_and_destroy);
	tcase_add_test(p, test_forged_forms);
	tcase_add_test(p, test_viewers_change_nothing);
	tcase_add_test(p, test_sessions_end);
	tcase_add_test(p, test_database_away);
	suite_add_tcase(s, p);
	return suite_run(s);
}
