/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act_webhook.c - where buckets may send their events, and how delivery stands.
 *
 * Owns:       nothing; a new secret is in the result alone.
 * Called by:  admin/run.c through actions.def.
 * Blocks:     on the global database; list and show also on the regional one.
 */
#include "admin/act.h"

#include "base/crypto.h"
#include "meta/notify.h"

#define WAITING_MAX 100000 /* that a list counts of each; the page of many long queues must not take long */

static const struct column new_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "url", "URL", COL_TEXT },
	{ "secret", "Secret", COL_SECRET },
	{ "queue", "Queue ARN", COL_TEXT },
	{ "topic", "Topic ARN", COL_TEXT },
};
static const struct column list_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "url", "URL", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "waiting", "Waiting", COL_INT },
	{ "failures", "Failures", COL_INT },
	{ "last_error", "Failing", COL_TEXT },
	{ "delivered_at", "Delivered", COL_TIME },
};
static const struct column shown_cols[] = {
	{ "name", "Name", COL_TEXT },
	{ "url", "URL", COL_TEXT },
	{ "tenant", "Tenant", COL_TEXT },
	{ "state", "State", COL_STATE },
	{ "buckets", "Buckets that name it", COL_INT },
	{ "created", "Created", COL_TIME },
	{ "waiting", "Events waiting here", COL_INT },
	{ "oldest", "Oldest of them", COL_TIME },
	{ "failures", "Failures in a row", COL_INT },
	{ "last_error", "Last error", COL_TEXT },
	{ "last_error_at", "Last error at", COL_TIME },
	{ "next_try", "Next try", COL_TIME },
	{ "delivered_at", "Last delivery", COL_TIME },
	{ "delivered", "Delivered", COL_INT },
	{ "dropped", "Dropped", COL_INT },
};

int
act_webhook_create(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *url = arg_str(c, "url"), *given = arg_str(c, "secret");
	char made[WEBHOOK_SECRET_MAX + 1] = "";
	struct table *t;

	if (registry_webhook_create(c->thread, name, url, given, arg_str(c, "tenant"), made, err) != 0)
		return -1;
	t = RESULT_RECORD(c->result, "webhook", new_cols);
	ROW(t, C_TEXT(name), C_TEXT(url), given != NULL ? C_NULL : C_TEXT(arena_strdup(c->arena, made)),
	    C_TEXT(arena_printf(c->arena, "arn:aws:sqs:::%s", name)), C_TEXT(arena_printf(c->arena, "arn:aws:sns:::%s", name)));
	crypto_wipe(made, sizeof(made));
	if (given == NULL)
		SAY(c, "keep the secret now: it is not shown again");
	SAY(c, "buckets name it by either ARN in PutBucketNotificationConfiguration");
	return 0;
}

int
act_webhook_update(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name"), *url = arg_str(c, "url"), *secret = arg_str(c, "secret");

	if (url == NULL && secret == NULL)
		return FAIL(err, ERR_INVALID, "give url, secret or both");
	if (registry_webhook_update(c->thread, name, url, secret, err) != 0)
		return -1;
	SAY(c, "webhook \"%s\" is changed; workers go by it within seconds", name);
	return 0;
}

static int
set_enabled(struct action_ctx *c, bool enabled, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_webhook_enable(c->thread, name, enabled, err) != 0)
		return -1;
	SAY(c, enabled ? "webhook \"%s\" is called again within seconds" :
	    "webhook \"%s\" is not called any more in a few seconds: its events wait, for webhook_keep_days at most", name);
	return 0;
}

int
act_webhook_disable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, false, err);
}

int
act_webhook_enable(struct action_ctx *c, struct err *err)
{
	return set_enabled(c, true, err);
}

/* How delivery to each of them stands here; NULL with err. */
static struct queue_status *
statuses(struct action_ctx *c, const struct webhook *list, size_t n, int64_t most, struct err *err)
{
	struct queue_status *out = arena_array(c->arena, n + 1, sizeof(*out));
	const char **names = arena_array(c->arena, n + 1, sizeof(*names));

	if (out == NULL || names == NULL) {
		(void)FAIL(err, ERR_LIMIT, "the list does not fit in memory");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = list[i].name;
	return meta_queues_status(c->thread, c->arena, names, n, most, out, err) == 0 ? out : NULL;
}

int
act_webhook_list(struct action_ctx *c, struct err *err)
{
	int limit = list_limit(c);
	const struct queue_status *q;
	struct webhook *list;
	struct table *t;
	size_t n, shown;

	if (registry_webhook_list(c->thread, c->arena, arg_str_or(c, "after", ""), limit + 1, &list, &n, err) != 0)
		return -1;
	shown = n > (size_t)limit ? (size_t)limit : n;
	q = statuses(c, list, shown, WAITING_MAX, err);
	if (q == NULL)
		return -1;
	t = RESULT_LIST(c->result, "webhooks", list_cols);
	for (size_t i = 0; i < shown; i++)
		ROW(t, C_TEXT(list[i].name), C_TEXT(list[i].url), C_TEXT(list[i].tenant_name), C_TEXT(enabled_word(list[i].enabled)),
		    C_INT(q[i].waiting), C_INT(q[i].failures), C_TEXT(q[i].failures > 0 ? q[i].last_error : NULL), C_INT(q[i].delivered_us));
	if (n > shown)
		t->next = list[shown - 1].name;
	return 0;
}

int
act_webhook_show(struct action_ctx *c, struct err *err)
{
	const struct queue_status *q;
	struct webhook w;
	int64_t buckets;

	if (registry_webhook_find(c->thread, c->arena, arg_str(c, "name"), &w, err) != 0 ||
	    registry_webhook_buckets(c->thread, c->arena, w.name, &buckets, err) != 0)
		return -1;
	q = statuses(c, &w, 1, 0, err);
	if (q == NULL)
		return -1;
	ROW(RESULT_RECORD(c->result, "webhook", shown_cols), C_TEXT(w.name), C_TEXT(w.url), C_TEXT(w.tenant_name),
	    C_TEXT(enabled_word(w.enabled)), C_INT(buckets), C_INT(w.created_us), C_INT(q->waiting), C_INT(q->oldest_us),
	    C_INT(q->failures), C_TEXT(q->last_error), C_INT(q->last_error_us), C_INT(q->failures > 0 ? q->next_try_us : 0),
	    C_INT(q->delivered_us), C_INT(q->delivered), C_INT(q->dropped));
	return 0;
}

int
act_webhook_delete(struct action_ctx *c, struct err *err)
{
	const char *name = arg_str(c, "name");

	if (registry_webhook_delete(c->thread, name, err) != 0)
		return -1;
	SAY(c, "webhook \"%s\" is deleted; events that still wait for it are dropped after webhook_keep_days, unless it is made again", name);
	return 0;
}
