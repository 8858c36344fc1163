/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_invalidation_peers.c - invalidators among strangers: TLS in both
 * directions, who listens without the secret, and recordings sent again.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <sys/socket.h>

#include "base/log.h"
#include "tests/unit/invalidation_help.h"

#define RECORDED 64

/* A port that nobody uses now. */
static int
free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sa, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

/* A log of this test's own: its text is read_log(). */
static void
own_log(void)
{
	ck_assert_int_eq(log_open("test", LOG_INFO, arena_printf(arena, "%s/own.log", scratch_dir(sc))), 0);
}

static char *
read_log(void)
{
	return log_of("own");
}

static void
shell(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* ca NAME; leaf NAME of CA, for so many days (-1: expired), for a host. As NAME.pem and NAME.key. */
static void
make_ca(const char *name)
{
	const char *d = scratch_dir(sc);

	shell(arena_printf(arena, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj '/CN=%s' "
	    "-keyout '%s/%s.key' -out '%s/%s.pem' 2>/dev/null", name, d, name, d, name));
}

static void
make_leaf(const char *name, const char *ca, int days, const char *host)
{
	const char *d = scratch_dir(sc);

	shell(arena_printf(arena, "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=%s' "
	    "-keyout '%s/%s.key' -out '%s/%s.csr' 2>/dev/null && openssl x509 -req -in '%s/%s.csr' -CA '%s/%s.pem' -CAkey '%s/%s.key' "
	    "-set_serial 2 -days %d -out '%s/%s.pem' 2>/dev/null", host, d, name, d, name, d, name, d, ca, d, ca, days, d, name));
}

static const char *
pem(const char *name)
{
	return arena_printf(arena, "%s/%s.pem", scratch_dir(sc), name);
}

/* The region talks TLS with this certificate, and its row says where. */
static void
with_tls(struct region_of *r, const char *cert)
{
	for (int i = 0; i < 2; i++)
		r->listen[i] = arena_printf(arena, "tls+tcp://127.0.0.1:%d", free_port());
	r->set.invalidator_tls_ca_file = pem("ca");
	r->set.invalidator_tls_cert_file = pem(cert);
	r->set.invalidator_tls_key_file = arena_printf(arena, "%s/%s.key", scratch_dir(sc), cert);
	sql(arena_printf(arena, "UPDATE regions SET inv_pub = '%s', inv_rep = '%s' WHERE name = '%s'", r->listen[0], r->listen[1], r->name));
}

static void
make_certificates(void)
{
	make_ca("ca");
	make_ca("other-ca");
	make_leaf("eu", "ca", 1, "127.0.0.1");
	make_leaf("us", "ca", 1, "127.0.0.1");
	make_leaf("elsewhere", "ca", 1, "inv.example.com");
	make_leaf("expired", "ca", -1, "127.0.0.1");
	make_leaf("other", "other-ca", 1, "127.0.0.1");
}

/* us reaches no database: all it knows came through TLS. */
START_TEST(test_tls)
{
	struct event_clock c;
	int64_t waited;

	own_log();
	make_certificates();
	with_tls(&reg[EU], "eu");
	with_tls(&reg[US], "us");
	reg[US].set.global_dsn = "host=/nonexistent dbname=none";
	reg[US].peers[0] = arena_printf(arena, "%s %s", reg[EU].listen[0], reg[EU].listen[1]);
	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	for (int i = 0; i < 3; i++) {
		fill(&reg[US]);
		change();
		WITHIN(SLOW, !get(&reg[US]).hit);
		c = clock_now();
		ck_assert(acked(&c, &waited));
	}
	/* The other end goes and comes: dialled again. */
	stop(&reg[EU]);
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0);
	start(&reg[EU]);
	both_trusted();
	ck_assert_int_eq(lines_with(read_log(), "ev=inv.tls_refused"), 0);
}
END_TEST

static const struct {
	const char *name, *cert, *ca, *key; /* cert NULL: none is shown */
	bool tls, welcome;
} clients[] = {
	{ "a good one", "us", "ca", "us", true, true },
	{ "another host's is fine for a client", "elsewhere", "ca", "elsewhere", true, true },
	{ "of another CA", "other", "ca", "other", true, false },
	{ "expired", "expired", "ca", "expired", true, false },
	{ "none", NULL, "ca", NULL, true, false },
	{ "plain TCP", NULL, "ca", NULL, false, false },
};

static nng_tls_config *
tls_of(enum nng_tls_mode mode, const char *cert, const char *ca)
{
	nng_tls_config *c;

	ck_assert_int_eq(nng_tls_config_alloc(&c, mode), 0);
	if (mode == NNG_TLS_MODE_CLIENT)
		nng_tls_config_server_name(c, "127.0.0.1");
	ck_assert_int_eq(nng_tls_config_ca_file(c, pem(ca)), 0);
	if (cert != NULL)
		ck_assert_int_eq(nng_tls_config_own_cert(c, arena_strdup(arena, read_file(pem(cert))),
		    arena_strdup(arena, read_file(arena_printf(arena, "%s/%s.key", scratch_dir(sc), cert))), NULL), 0);
	return c;
}

static void
dial_as(nng_socket s, const char *address, int who)
{
	nng_tls_config *c;
	nng_dialer d;

	if (!clients[who].tls)
		address += strlen("tls+");
	ck_assert_int_eq(nng_dialer_create(&d, s, address), 0);
	if (clients[who].tls) {
		c = tls_of(NNG_TLS_MODE_CLIENT, clients[who].cert, clients[who].ca);
		ck_assert_int_eq(nng_dialer_set_ptr(d, NNG_OPT_TLS_CONFIG, c), 0);
		nng_tls_config_free(c);
	}
	nng_dialer_start(d, NNG_FLAG_NONBLOCK);
}

/* Even who holds the cluster's secret gets neither events nor answers without a certificate. */
START_TEST(test_tls_clients)
{
	struct message q = { .type = MSG_ASK_HELLO, .sender = "us", .seq = 1 };
	struct strbuf sb;
	nng_socket sub, req;
	nng_msg *msg;
	int lines;

	own_log();
	make_certificates();
	with_tls(&reg[EU], "eu");
	start(&reg[EU]);
	WITHIN(SLOW, trusted(&reg[EU]));
	ck_assert_int_eq(nng_sub0_open(&sub), 0);
	ck_assert_int_eq(nng_req0_open(&req), 0);
	nng_socket_set(sub, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	nng_socket_set_ms(sub, NNG_OPT_RECVTIMEO, clients[_i].welcome ? 10000 : 1500);
	nng_socket_set_ms(req, NNG_OPT_RECVTIMEO, clients[_i].welcome ? 10000 : 1000);
	nng_socket_set_ms(req, NNG_OPT_SENDTIMEO, clients[_i].welcome ? 10000 : 1000);
	dial_as(sub, reg[EU].listen[0], _i);
	dial_as(req, reg[EU].listen[1], _i);
	memset(q.boot, 3, BOOT_LEN);
	strbuf_init(&sb, arena, MESSAGE_MAX);
	message_encode(&sb, &q, reg[EU].inv->key);
	ck_assert_msg((nng_recvmsg(sub, &msg, 0) == 0) == clients[_i].welcome, "%s: published", clients[_i].name);
	if (clients[_i].welcome)
		nng_msg_free(msg);
	ck_assert_msg((nng_send(req, sb.buf, sb.len, 0) == 0 && nng_recvmsg(req, &msg, 0) == 0) == clients[_i].welcome, "%s: answered",
	    clients[_i].name);
	if (clients[_i].welcome)
		nng_msg_free(msg);
	/* Each of the two addresses says so once, however often it is tried. */
	WITHIN(SLOW, lines_with(read_log(), "ev=inv.tls_refused") == (clients[_i].welcome ? 0 : 2));
	clock_sleep_us(2 * S);
	lines = lines_with(read_log(), "ev=inv.tls_refused");
	ck_assert_msg(lines == (clients[_i].welcome ? 0 : 2), "%s: %d lines", clients[_i].name, lines);
	nng_close(sub);
	nng_close(req);
}
END_TEST

static const struct {
	const char *name, *cert;
} servers[] = {
	{ "of another CA", "other" },
	{ "expired", "expired" },
	{ "another host's", "elsewhere" },
};

/* A region's row leads to a server that shows a wrong certificate: it is not asked, and hears nothing. */
START_TEST(test_tls_servers)
{
	char *pub = arena_printf(arena, "tls+tcp://127.0.0.1:%d", free_port());
	char *rep = arena_printf(arena, "tls+tcp://127.0.0.1:%d", free_port());
	nng_tls_config *c;
	nng_listener l;
	nng_socket s;
	nng_msg *msg;

	own_log();
	make_certificates();
	with_tls(&reg[EU], "eu");
	sql(arena_printf(arena, "UPDATE regions SET inv_pub = '%s', inv_rep = '%s' WHERE name = 'us'", pub, rep));
	ck_assert_int_eq(nng_rep0_open(&s), 0);
	ck_assert_int_eq(nng_listener_create(&l, s, rep), 0);
	c = tls_of(NNG_TLS_MODE_SERVER, servers[_i].cert, "ca");
	ck_assert_int_eq(nng_listener_set_ptr(l, NNG_OPT_TLS_CONFIG, c), 0);
	nng_tls_config_free(c);
	ck_assert_int_eq(nng_listener_start(l, 0), 0);
	nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 3000);
	start(&reg[EU]);
	ck_assert_msg(nng_recvmsg(s, &msg, 0) == NNG_ETIMEDOUT, "%s: asked", servers[_i].name);
	WITHIN(SLOW, lines_with(read_log(), arena_printf(arena, "ev=inv.tls_refused address=%s", rep)) == 1);
	ck_assert_ptr_null(strstr(read_log(), "ev=inv.peer_up"));
	nng_close(s);
}
END_TEST

static const struct {
	const char *name, *cert, *key, *ca, *want;
} bad[] = {
	{ "half of it", "eu", "", "ca", "go together" },
	{ "no such file", "nowhere", "eu", "ca", "could not read" },
	{ "not its key", "eu", "us", "ca", "is not the key of" },
	{ "tls+tcp:// without certificates", "", "", "", "could not publish" },
};

START_TEST(test_tls_settings)
{
	struct err err = { 0 };

	make_certificates();
	with_tls(&reg[EU], "eu");
	reg[EU].set.invalidator_tls_cert_file = bad[_i].cert[0] == '\0' ? "" : pem(bad[_i].cert);
	reg[EU].set.invalidator_tls_key_file = bad[_i].key[0] == '\0' ? "" :
	    arena_printf(arena, "%s/%s.key", scratch_dir(sc), bad[_i].key);
	reg[EU].set.invalidator_tls_ca_file = bad[_i].ca[0] == '\0' ? "" : pem(bad[_i].ca);
	ck_assert_int_eq(inv_open(&reg[EU].set, &reg[EU].inv, &err), -1);
	reg[EU].inv = NULL;
	ck_assert_int_eq(err.code, ERR_INVALID);
	ck_assert_msg(strstr(err.detail, bad[_i].want) != NULL, "%s: %s", bad[_i].name, err.detail);
}
END_TEST

/* ---- without the secret, without TLS ---- */

static bool
holds(const nng_msg *msg, const void *p, size_t len)
{
	return memmem(nng_msg_body((nng_msg *)(uintptr_t)msg), nng_msg_len(msg), p, len) != NULL;
}

/* PUB sends to whoever subscribes: that is of no use to him, nor are recordings of it. */
START_TEST(test_stranger)
{
	struct event_clock c;
	nng_msg *recorded[RECORDED], *msg;
	nng_socket spy, req, evil;
	int64_t refused, waited;
	char *pub = arena_printf(arena, "ipc://%s/evil-pub", scratch_dir(sc));
	size_t n = 0;

	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	ck_assert_int_eq(nng_sub0_open(&spy), 0);
	nng_socket_set(spy, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	nng_socket_set_ms(spy, NNG_OPT_RECVTIMEO, 10000);
	ck_assert_int_eq(nng_dial(spy, reg[EU].listen[0], NULL, 0), 0);
	clock_sleep_us(200 * MS);
	for (int i = 0; i < 10; i++)
		change();
	for (n = 0; n < RECORDED; n++)
		ck_assert_int_eq(nng_recvmsg(spy, &recorded[n], 0), 0);
	c = clock_now();
	for (size_t i = 0; i < n; i++) {
		ck_assert(!holds(recorded[i], "photos", 6));
		ck_assert(!holds(recorded[i], c.epoch, EPOCH_LEN));
		ck_assert(!holds(recorded[i], c.epoch, 4));
		ck_assert(!holds(recorded[i], "ipc://", 6));
	}
	/* As questions they get no answer. */
	ck_assert_int_eq(nng_req0_open(&req), 0);
	nng_socket_set_ms(req, NNG_OPT_RECVTIMEO, 300);
	ck_assert_int_eq(nng_dial(req, reg[EU].listen[1], NULL, 0), 0);
	refused = metric_get(M_INV_REFUSED);
	ck_assert_int_eq(nng_send(req, nng_msg_body(recorded[0]), nng_msg_len(recorded[0]), 0), 0);
	ck_assert_int_eq(nng_recvmsg(req, &msg, 0), NNG_ETIMEDOUT);
	ck_assert_int_gt(metric_get(M_INV_REFUSED), refused);
	/* Published again by somebody whom a row leads to: every one is refused, and nothing changes. */
	ck_assert_int_eq(nng_pub0_open(&evil), 0);
	nng_socket_set_int(evil, NNG_OPT_SENDBUF, RECORDED);
	ck_assert_int_eq(nng_listen(evil, pub, NULL, 0), 0);
	sql(arena_printf(arena, "INSERT INTO regions (name, endpoint, inv_pub, inv_rep) VALUES ('xx', 'http://127.0.0.1:9', '%s', '%s')",
	    pub, reg[EU].listen[1]));
	c = clock_now();
	WITHIN(SLOW, acked(&c, &waited));
	clock_sleep_us(500 * MS);
	refused = metric_get(M_INV_REFUSED);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(nng_send(evil, nng_msg_body(recorded[i]), nng_msg_len(recorded[i]), 0), 0);
	/* us heard them once: refused. eu said them: it does not listen to itself. */
	WITHIN(SLOW, metric_get(M_INV_REFUSED) >= refused + RECORDED);
	ck_assert(trusted(&reg[US]) && trusted(&reg[EU]));
	for (size_t i = 0; i < n; i++)
		nng_msg_free(recorded[i]);
	nng_close(spy);
	nng_close(req);
	nng_close(evil);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("invalidation_peers");
	TCase *t = tcase_create("tls"), *strangers = tcase_create("strangers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_checked_fixture(strangers, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_set_timeout(strangers, 300);
	tcase_add_test(t, test_tls);
	tcase_add_loop_test(t, test_tls_clients, 0, (int)ARRAY_LEN(clients));
	tcase_add_loop_test(t, test_tls_servers, 0, (int)ARRAY_LEN(servers));
	tcase_add_loop_test(t, test_tls_settings, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(strangers, test_stranger);
	suite_add_tcase(s, t);
	suite_add_tcase(s, strangers);
	return run_suite(s);
}
