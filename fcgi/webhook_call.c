/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/webhook_call.c - calling a webhook with libcurl.
 *
 * Owns:       a connection, which its caller keeps.
 * Called by:  deliver.c, from a thread that serves no request.
 * Blocks:     on the receiver, for webhook_timeout_ms at most.
 * Invariant:  goes to the operator's address and nowhere else: redirects are not followed, no proxy is asked, and of an
 *             answer only its status counts.
 * Source:     Standard Webhooks, "Signature scheme"; RFC 2104.
 */
#include "fcgi/webhook_call.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define ANSWER_BYTES_MAX 65536
#define SIGNED_MAX ((size_t)16 * 1024 * 1024)

const char *
webhook_signature(struct arena *a, const struct webhook_call *c)
{
	char b64[base64_len(SHA256_LEN) + 1];
	uint8_t mac[SHA256_LEN];
	struct strbuf sb;

	strbuf_init(&sb, a, SIGNED_MAX);
	strbuf_printf(&sb, "%s.%" PRId64 ".", c->id, c->now_us / US_PER_S);
	strbuf_str(&sb, c->body);
	if (!strbuf_ok(&sb))
		return NULL;
	hmac_sha256(c->key, c->key_len, sb.buf, sb.len, mac);
	base64_encode(mac, sizeof(mac), b64);
	return arena_printf(a, "v1,%s", b64);
}

static size_t
on_answer(char *p, size_t size, size_t n, void *arg)
{
	size_t *seen = arg;

	(void)p;
	*seen += size * n;
	return *seen <= ANSWER_BYTES_MAX ? size * n : 0;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return __atomic_load_n((const bool *)arg, __ATOMIC_ACQUIRE) ? 1 : 0;
}

/* NULL: out of memory. */
static struct curl_slist *
headers_of(struct arena *a, const struct webhook_call *c)
{
	const char *signature = webhook_signature(a, c);
	const char *lines[] = { "Content-Type: application/json", "Expect:", arena_printf(a, "webhook-id: %s", c->id),
		arena_printf(a, "webhook-timestamp: %" PRId64, c->now_us / US_PER_S),
		signature == NULL ? NULL : arena_printf(a, "webhook-signature: %s", signature) };
	struct curl_slist *list = NULL, *longer;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		longer = lines[i] == NULL ? NULL : curl_slist_append(list, lines[i]);
		if (longer == NULL) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = longer;
	}
	return list;
}

static void
set_up(CURL *h, const struct webhook_call *c, struct curl_slist *headers, char problem[CURL_ERROR_SIZE], size_t *seen)
{
	const struct settings *s = c->settings;

	curl_easy_setopt(h, CURLOPT_URL, c->url);
	curl_easy_setopt(h, CURLOPT_POST, 1L);
	curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(c->body));
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, c->body);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "anvil/" PACKAGE_VERSION);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)s->webhook_timeout_ms);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)s->webhook_timeout_ms);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, seen);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, c->stop);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, problem);
	if (s->webhook_ca_file[0] != '\0')
		curl_easy_setopt(h, CURLOPT_CAINFO, s->webhook_ca_file);
}

/* What libcurl found, in ASCII: names of a certificate may be anything, and the reason is kept in the database. */
static void
say_problem(CURLcode code, const char *problem, char why[WEBHOOK_WHY_SIZE])
{
	snprintf(why, WEBHOOK_WHY_SIZE, "%s", problem[0] != '\0' ? problem : curl_easy_strerror(code));
	for (char *p = why; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

bool
webhook_call(void **curl, struct arena *a, const struct webhook_call *c, char why[WEBHOOK_WHY_SIZE])
{
	struct curl_slist *headers = headers_of(a, c);
	char problem[CURL_ERROR_SIZE] = "";
	size_t seen = 0;
	long status = 0;
	CURLcode code;
	CURL *h;

	if (*curl == NULL)
		*curl = curl_easy_init();
	h = *curl;
	if (h == NULL || headers == NULL) {
		curl_slist_free_all(headers);
		snprintf(why, WEBHOOK_WHY_SIZE, "out of memory");
		return false;
	}
	curl_easy_reset(h);
	set_up(h, c, headers, problem, &seen);
	code = curl_easy_perform(h);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	if (seen > ANSWER_BYTES_MAX)
		snprintf(why, WEBHOOK_WHY_SIZE, "the answer is longer than %d bytes", ANSWER_BYTES_MAX);
	else if (code != CURLE_OK)
		say_problem(code, problem, why);
	else if (status < 200 || status > 299)
		snprintf(why, WEBHOOK_WHY_SIZE, "status %ld", status);
	else
		return true;
	return false;
}

void
webhook_close(void *curl)
{
	if (curl != NULL)
		curl_easy_cleanup(curl);
}
