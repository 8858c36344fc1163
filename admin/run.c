/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/run.c - calls an action: opens what it needs, audits what it changed.
 *
 * Owns:       struct runtime's databases, cache connections and store.
 * Called by:  admin/cli/main.c and admin/cgi.
 * Blocks:     as the action does; opening databases is lazy (meta/).
 * Invariant:  what changed something, or tried to, has a line in the audit log
 *             and one in the program's own log.
 */
#include "admin/run.h"

#include "base/log.h"
#include "meta/registry.h"
#include "store/engine.h"

#define TARGET_MAX 255
#define DETAIL_MAX 1000

static int
open_meta(struct runtime *rt, int needs, struct err *err)
{
	int flags = rt->meta_flags;

	if ((needs & NEED_CACHE) == NEED_CACHE)
		flags |= META_CACHE;
	if ((needs & NEED_REGIONAL) == NEED_REGIONAL)
		flags |= META_REGIONAL;
	/* Writers raise the stamps of their own region and wait for the others. */
	if ((needs & NEED_GLOBAL) == NEED_GLOBAL)
		flags |= META_CACHE;
	if (flags == 0 || (rt->meta != NULL && flags == rt->meta_flags))
		return 0;
	meta_thread_free(rt->thread);
	meta_close(rt->meta);
	rt->thread = NULL;
	rt->meta = NULL;
	rt->meta_flags = flags;
	if (meta_open(rt->settings, flags, &rt->meta, err) != 0)
		return -1;
	return meta_thread_new(rt->meta, &rt->thread, err);
}

int
runtime_open(struct runtime *rt, const char *conf, int needs, struct err *err)
{
	if (needs == NEED_NONE)
		return 0;
	if (rt->settings == NULL && settings_load(conf, &rt->settings, err) != 0)
		return -1;
	if (open_meta(rt, needs, err) != 0)
		return -1;
	if ((needs & NEED_STORE) == NEED_STORE && rt->store == NULL &&
	    store_open(rt->settings, &rt->store, err) != 0)
		return -1;
	return 0;
}

void
runtime_close(struct runtime *rt)
{
	if (rt->store != NULL)
		store_close(rt->store);
	if (rt->thread != NULL)
		meta_thread_free(rt->thread);
	if (rt->meta != NULL)
		meta_close(rt->meta);
	if (rt->settings != NULL)
		settings_free(rt->settings);
	memset(rt, 0, sizeof(*rt));
}

/* The first positional argument names what it is done to. */
static const char *
target_of(const struct args *args)
{
	for (size_t i = 0; i < args->n; i++)
		if ((args->v[i].row->flags & ARG_IS_POS) && args->v[i].n > 0)
			return args->v[i].values[0];
	return "";
}

/* The other arguments (all but the target when first), without documents and what is hidden. */
static const char *
detail_of(const struct args *args, struct arena *a, const struct err *err, const char *origin, bool first)
{
	struct strbuf sb;

	strbuf_init(&sb, a, DETAIL_MAX);
	for (size_t i = 0; i < args->n; i++) {
		const struct arg_value *v = &args->v[i];

		if (v->n == 0 || (first && (v->row->flags & ARG_IS_POS))) {
			if (v->n > 0)
				first = false;
			continue;
		}
		if (arg_is_hidden(v->row) || v->row->type == ARG_DOCUMENT) {
			strbuf_printf(&sb, "%s%s", sb.len > 0 ? " " : "", v->row->name);
			continue;
		}
		for (size_t k = 0; k < v->n; k++)
			strbuf_printf(&sb, "%s%s=%s", sb.len > 0 ? " " : "",
			    v->row->name, v->values[k]);
	}
	if (origin != NULL && origin[0] != '\0')
		strbuf_printf(&sb, "%sfrom=%s", sb.len > 0 ? " " : "", origin);
	if (err->code != 0)
		strbuf_printf(&sb, "%sfailed: %s", sb.len > 0 ? " " : "", err->detail);
	return strbuf_cstr(&sb);
}

static void
audit(const struct runner *r, const struct action_ctx *ctx, const struct err *why)
{
	const struct action *act = ctx->act;
	struct audit_entry e = { 0 };
	struct err err = { 0 };
	const char *name = action_name(act, ctx->arena);

	e.actor = r->actor;
	e.via = r->via;
	e.region = r->rt->settings == NULL ? "" : r->rt->settings->region;
	e.action = arena_printf(ctx->arena, "%s%s%s", act->noun,
	    act->verb[0] == '\0' ? "" : " ", act->verb);
	if (e.action == NULL)
		e.action = name;
	e.target = ctx->audit_target != NULL ? ctx->audit_target : target_of(ctx->args);
	e.detail = detail_of(ctx->args, ctx->arena, why, r->origin, ctx->audit_target == NULL);
	e.ok = why->code == 0;
	log_event(NULL, EV_ADMIN, LS("actor", e.actor), LS("via", e.via),
	    LS("action", e.action), LS("target", e.target), LS("detail", e.detail),
	    LS("outcome", e.ok ? "done" : "failed"));
	if (r->rt->thread == NULL)
		return; /* "keys new" knows no database */
	if (registry_audit_append(r->rt->thread, &e, &err) != 0 && e.ok)
		result_say(ctx->result, MSG_WARN,
		    "it is done, but could not be written to the audit log: %s", err.detail);
}

/* How far the change is known; only where one made an event. */
static void
say_acknowledged(const struct action_ctx *ctx)
{
	const struct registry_change *c;

	if (ctx->thread == NULL || !(ctx->act->flags & ACT_CHANGES))
		return;
	c = registry_last_change(ctx->thread);
	if (c == NULL || !c->changed || c->acknowledged)
		return;
	result_say(ctx->result, MSG_WARN, "it is committed, but not every region said within "
	    "%" PRId64 " ms that it knows; a region that is cut off stops trusting its cache "
	    "within %" PRId64 " ms (see \"anvil-admin cache status\")",
	    ctx->settings->metadata_ack_ms, ctx->settings->metadata_trust_ms);
}

int
action_run(const struct runner *r, const struct action *act, struct args *args,
    struct arena *a, struct result *result, struct err *err)
{
	struct action_ctx ctx = { 0 };
	int rc;

	ASSERT(!args->bad && args->act == act);
	if (act->role == ROLE_ADMIN && r->role != ROLE_ADMIN)
		return FAIL(err, ERR_DENIED, "only an operator with the role \"admin\" may do that");
	if (runtime_open(r->rt, r->conf, act->needs, err) != 0)
		return -1;
	ctx.act = act;
	ctx.args = args;
	ctx.arena = a;
	ctx.result = result;
	ctx.settings = r->rt->settings;
	ctx.meta = r->rt->meta;
	ctx.thread = r->rt->thread;
	ctx.store = r->rt->store;
	ctx.actor = r->actor;
	ctx.origin = r->origin;
	ctx.conf = r->conf;
	ctx.runtime = r->rt;
	ctx.progress = r->progress;
	ctx.progress_arg = r->progress_arg;
	rc = act->fn(&ctx, err);
	if (rc == 0 && !result_ok(result))
		rc = FAIL(err, ERR_LIMIT, "the answer is too large; ask for less with --limit");
	if (act->flags & ACT_CHANGES) {
		if (rc == 0)
			say_acknowledged(&ctx);
		audit(r, &ctx, err);
	}
	return rc;
}
