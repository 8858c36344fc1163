/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/link.c - addresses that are listened at and dialled, plain or with
 * TLS; and what NNG does not tell by itself: that somebody is refused, and that a
 * dialler has given up.
 *
 * Blocks:    no, but for the resolving of a name that is listened at.
 * Invariant: at a tls+ address both sides show a certificate of our CA, and the
 *            one that was dialled bears the name (or number) of its address. HMAC
 *            and seal of the messages are the same as without.
 */
#include "invalidator/inv.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

#define LINKS_MAX 160              /* two a peer, and our own two */
#define LOOK_US US_PER_S
#define CALM_US (10 * US_PER_S)    /* so long without a refusal: the next one is news */
#define GIVEN_UP_US (15 * US_PER_S) /* an attempt takes 10 s at most */
#define PEM_MAX 1048576
#define PIPES_MAX 256              /* connections to one of our addresses; each may make us hold a message */

struct link {
	bool used, dialled;
	struct inv *inv;
	atomic_int pipes;         /* listeners: connected now */
	nng_socket socket;
	nng_dialer dialer;
	nng_listener listener;
	char address[LINK_ADDRESS_MAX];
	uint64_t auth, attempts;  /* as counted at the last look */
	int64_t refused_us;       /* the last refusal; 0: none, or long ago */
	int64_t moved_us;         /* the last time that something was seen to happen */
};
struct links {
	struct arena *arena;
	struct inv *inv;
	char *cert, *key, *ca;    /* PEM; NULL without TLS */
	pthread_mutex_t lock;     /* guards the rest */
	int64_t look_us;
	struct link link[LINKS_MAX];
};

/* ---- certificates ---- */

static char *
read_pem(struct arena *a, const char *setting, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *text = arena_alloc(a, PEM_MAX);
	size_t n;

	if (f == NULL || text == NULL) {
		FAIL(err, ERR_INVALID, "could not read %s \"%s\": %s", setting, path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return NULL;
	}
	n = fread(text, 1, PEM_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static X509 *
first_cert(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return x;
}

/* Readable, and the key is the certificate's. One that is past its time is told, since others will refuse it. */
static int
check_pem(const struct links *ls, const struct settings *s, struct err *err)
{
	BIO *b = BIO_new_mem_buf(ls->key, -1);
	EVP_PKEY *key = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	X509 *cert = first_cert(ls->cert), *ca = first_cert(ls->ca);
	int rc = -1;

	if (cert == NULL)
		FAIL(err, ERR_INVALID, "invalidator_tls_cert_file \"%s\" holds no certificate", s->invalidator_tls_cert_file);
	else if (ca == NULL)
		FAIL(err, ERR_INVALID, "invalidator_tls_ca_file \"%s\" holds no certificate", s->invalidator_tls_ca_file);
	else if (key == NULL)
		FAIL(err, ERR_INVALID, "invalidator_tls_key_file \"%s\" holds no key without a password", s->invalidator_tls_key_file);
	else if (X509_check_private_key(cert, key) != 1)
		FAIL(err, ERR_INVALID, "invalidator_tls_key_file \"%s\" is not the key of invalidator_tls_cert_file \"%s\"",
		    s->invalidator_tls_key_file, s->invalidator_tls_cert_file);
	else
		rc = 0;
	if (rc == 0 && X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		log_event(NULL, EV_INV_TLS_REFUSED, LS("address", s->invalidator_tls_cert_file), LS("reason", "our own certificate has expired"));
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	BIO_free(b);
	return rc;
}

int
links_open(struct inv *inv, struct err *err)
{
	const struct settings *s = inv->settings;
	bool any = s->invalidator_tls_cert_file[0] != '\0' || s->invalidator_tls_key_file[0] != '\0' ||
	    s->invalidator_tls_ca_file[0] != '\0';
	struct links *ls = inv->links;

	if (!any)
		return 0;
	if (s->invalidator_tls_cert_file[0] == '\0' || s->invalidator_tls_key_file[0] == '\0' ||
	    s->invalidator_tls_ca_file[0] == '\0')
		return FAIL(err, ERR_INVALID, "invalidator_tls_cert_file, invalidator_tls_key_file and invalidator_tls_ca_file go together");
	ls->cert = read_pem(ls->arena, "invalidator_tls_cert_file", s->invalidator_tls_cert_file, err);
	ls->key = ls->cert == NULL ? NULL : read_pem(ls->arena, "invalidator_tls_key_file", s->invalidator_tls_key_file, err);
	ls->ca = ls->key == NULL ? NULL : read_pem(ls->arena, "invalidator_tls_ca_file", s->invalidator_tls_ca_file, err);
	return ls->ca == NULL ? -1 : check_pem(ls, s, err);
}

static bool
is_tls(const char *address)
{
	return strncmp(address, "tls+", 4) == 0;
}

/* A configuration for one dialler or listener, which takes it. 0, or NNG's code. */
static int
tls_config(const struct links *ls, const char *dialled, nng_tls_config **out)
{
	nng_tls_config *c;
	char name[LINK_ADDRESS_MAX];
	struct span host;
	int rc;

	if (ls->ca == NULL)
		return NNG_ECRYPTO;
	rc = nng_tls_config_alloc(&c, dialled != NULL ? NNG_TLS_MODE_CLIENT : NNG_TLS_MODE_SERVER);
	if (rc != 0)
		return rc;
	rc = nng_tls_config_version(c, NNG_TLS_1_2, NNG_TLS_1_3);
	if (rc != 0) /* Mbed TLS 2 has no 1.3 */
		rc = nng_tls_config_version(c, NNG_TLS_1_2, NNG_TLS_1_2);
	if (rc == 0 && dialled != NULL) {
		host = address_host(dialled);
		snprintf(name, sizeof(name), "%.*s", (int)host.len, host.p);
		rc = nng_tls_config_server_name(c, name);
	}
	if (rc == 0)
		rc = nng_tls_config_auth_mode(c, NNG_TLS_AUTH_MODE_REQUIRED);
	if (rc == 0)
		rc = nng_tls_config_ca_chain(c, ls->ca, NULL);
	if (rc == 0)
		rc = nng_tls_config_own_cert(c, ls->cert, ls->key, NULL);
	if (rc == 0)
		*out = c;
	else
		nng_tls_config_free(c);
	return rc;
}

/* ---- links ---- */

void
links_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct links) + 3 * PEM_MAX + 4096);
	struct links *ls = ARENA_NEW(a, struct links);

	ASSERT(ls != NULL);
	ls->arena = a;
	ls->inv = inv;
	pthread_mutex_init(&ls->lock, NULL);
	inv->links = ls;
}

void
links_free(struct inv *inv)
{
	struct links *ls = inv->links;

	if (ls->key != NULL)
		OPENSSL_cleanse(ls->key, strlen(ls->key));
	pthread_mutex_destroy(&ls->lock);
	arena_free(ls->arena);
}

static struct link *
new_link(struct links *ls, nng_socket socket, const char *address)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *l = &ls->link[i];

		if (l->used)
			continue;
		*l = (struct link){ .used = true, .inv = ls->inv, .socket = socket, .moved_us = clock_mono_us() };
		snprintf(l->address, sizeof(l->address), "%s", address);
		return l;
	}
	return NULL;
}

static int
dial(struct links *ls, struct link *l)
{
	nng_tls_config *c = NULL;
	int rc = nng_dialer_create(&l->dialer, l->socket, l->address);

	if (rc != 0)
		return rc;
	if (is_tls(l->address) && (rc = tls_config(ls, l->address, &c)) == 0) {
		rc = nng_dialer_set_ptr(l->dialer, NNG_OPT_TLS_CONFIG, c);
		nng_tls_config_free(c); /* the dialler holds it */
	}
	if (rc == 0)
		rc = nng_dialer_start(l->dialer, NNG_FLAG_NONBLOCK);
	if (rc != 0)
		nng_dialer_close(l->dialer);
	l->auth = l->attempts = 0;
	l->moved_us = clock_mono_us();
	return rc;
}

int
link_dial(struct inv *inv, nng_socket socket, const char *address)
{
	struct links *ls = inv->links;
	struct link *l;
	int rc = NNG_ENOMEM;

	pthread_mutex_lock(&ls->lock);
	l = new_link(ls, socket, address);
	if (l != NULL) {
		l->dialled = true;
		rc = dial(ls, l);
		l->used = rc == 0;
	}
	pthread_mutex_unlock(&ls->lock);
	return rc;
}

void
link_close(struct inv *inv, nng_socket socket, const char *address)
{
	struct links *ls = inv->links;

	pthread_mutex_lock(&ls->lock);
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *l = &ls->link[i];

		if (l->used && l->dialled && nng_socket_id(l->socket) == nng_socket_id(socket) && strcmp(l->address, address) == 0) {
			nng_dialer_close(l->dialer);
			l->used = false;
		}
	}
	pthread_mutex_unlock(&ls->lock);
}

/* In a thread of NNG's. */
static void
count_pipe(nng_pipe p, nng_pipe_ev ev, void *arg)
{
	struct link *l = arg;

	if (ev == NNG_PIPE_EV_REM_POST) {
		atomic_fetch_sub(&l->pipes, 1);
	} else if (atomic_fetch_add(&l->pipes, 1) >= PIPES_MAX) {
		inv_refused(l->inv, "too many connections", l->address);
		nng_pipe_close(p);
	}
}

int
link_listen(struct inv *inv, nng_socket socket, const char *address)
{
	struct links *ls = inv->links;
	nng_tls_config *c = NULL;
	struct link *l;
	int rc = NNG_ENOMEM;

	pthread_mutex_lock(&ls->lock);
	l = new_link(ls, socket, address);
	if (l != NULL) {
		rc = nng_listener_create(&l->listener, socket, address);
		l->used = rc == 0;
		if (rc == 0 && is_tls(address) && (rc = tls_config(ls, NULL, &c)) == 0) {
			rc = nng_listener_set_ptr(l->listener, NNG_OPT_TLS_CONFIG, c);
			nng_tls_config_free(c);
		}
		if (rc == 0 && (rc = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, count_pipe, l)) == 0)
			rc = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, count_pipe, l);
		if (rc == 0)
			rc = nng_listener_start(l->listener, 0);
	}
	pthread_mutex_unlock(&ls->lock);
	return rc;
}

/* ---- what NNG counts ---- */

static uint64_t
count(nng_stat *of, const char *name)
{
	nng_stat *s = of == NULL ? NULL : nng_stat_find(of, name);

	return s == NULL ? 0 : nng_stat_value(s);
}

/* NNG's own search (1.5) takes the first of that kind, whatever its id. */
static nng_stat *
find_scope(nng_stat *all, const char *kind, int id)
{
	for (nng_stat *s = nng_stat_child(all); s != NULL; s = nng_stat_next(s))
		if (strcmp(nng_stat_name(s), kind) == 0 && count(s, "id") == (uint64_t)id)
			return s;
	return NULL;
}

/* With the lock held. */
static void
look_at(struct links *ls, struct link *l, nng_stat *all, int64_t now)
{
	static const char *const outcomes[] = { "connect", "refused", "disconnect", "canceled", "other", "timeout", "proto", "auth",
		"oom", "reject" };
	nng_stat *s = l->dialled ? find_scope(all, "dialer", nng_dialer_id(l->dialer)) :
	    find_scope(all, "listener", nng_listener_id(l->listener));
	uint64_t auth = count(s, "auth"), attempts = 0;

	if (auth > l->auth) {
		metric_add(M_INV_REFUSED, (int64_t)(auth - l->auth));
		if (l->refused_us == 0)
			log_event(NULL, EV_INV_TLS_REFUSED, LS("address", l->address), LS("reason",
			    l->dialled ? "its certificate is not right, or it refuses ours" : "somebody showed no certificate of our CA"));
		l->refused_us = now;
	} else if (l->refused_us != 0 && now - l->refused_us > CALM_US) {
		l->refused_us = 0;
	}
	l->auth = auth;
	if (!l->dialled)
		return;
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		attempts += count(s, outcomes[i]);
	if (attempts != l->attempts || count(s, "pipes") > 0)
		l->moved_us = now;
	l->attempts = attempts;
	/* Some failures end a dialler of NNG 1.5 for good. */
	if (now - l->moved_us > GIVEN_UP_US) {
		nng_dialer_close(l->dialer);
		if (dial(ls, l) != 0)
			l->moved_us = now;
	}
}

void
links_look(struct inv *inv)
{
	struct links *ls = inv->links;
	int64_t now = clock_mono_us();
	nng_stat *all;

	pthread_mutex_lock(&ls->lock);
	if (now >= ls->look_us && nng_stats_get(&all) == 0) {
		ls->look_us = now + LOOK_US;
		for (size_t i = 0; i < LINKS_MAX; i++)
			if (ls->link[i].used)
				look_at(ls, &ls->link[i], all, now);
		nng_stats_free(all);
	}
	pthread_mutex_unlock(&ls->lock);
}
