/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/main.c - anvil-invalidator: options, settings, signals.
 *
 * Blocks:    until SIGTERM or SIGINT.
 * Exit:      0 stopped as asked; 1 could not run; 2 wrong usage; 78 wrong settings.
 */
#include "invalidator/inv.h"

#include <getopt.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"

#define EXIT_USAGE 2
#define EXIT_SETTINGS 78 /* as sysexits: the service manager need not try again */
#define TICK_US (500 * US_PER_MS)
#define STUCK_US (20 * US_PER_S) /* a beat thread that silent is a bug: systemd may restart us */

struct options {
	const char *conf, *pid_file;
	bool foreground;
};

static const char usage_text[] =
    "usage: anvil-invalidator [-c FILE] [--pid-file FILE] [--foreground]\n"
    "\n"
    "Carries metadata events between regions and keeps the stamp pages in this\n"
    "region's memcached honest. One or more a region.\n"
    "\n"
    "  -c, --config FILE    settings; $ANVIL_CONF, else " ANVIL_SYSCONFDIR "/anvil.conf\n"
    "      --pid-file FILE  go to the background and write the process id there\n"
    "      --foreground     stay in the foreground though --pid-file is given\n"
    "  -h, --help           this text\n"
    "  -V, --version        the version\n"
    "\n"
    "SIGTERM stops it; SIGHUP reopens the log.\n";

static int
usage_error(const char *what)
{
	fprintf(stderr, "anvil-invalidator: %s\nTry: anvil-invalidator --help\n", what);
	return -1;
}

/* 0 = go on, 1 = done (help, version), -1 = wrong usage. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
		{ "pid-file", required_argument, NULL, 'p' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .conf = NULL };
	while ((c = getopt_long(argc, argv, "c:hV", names, NULL)) != -1)
		switch (c) {
		case 'c': o->conf = optarg; break;
		case 'f': o->foreground = true; break;
		case 'p': o->pid_file = optarg; break;
		case 'h':
			fputs(usage_text, stdout);
			return 1;
		case 'V':
			puts("anvil-invalidator " PACKAGE_VERSION);
			return 1;
		default:
			return usage_error("wrong option");
		}
	return optind == argc ? 0 : usage_error("no arguments but options are taken");
}

static enum log_level
level_of(const char *word)
{
	if (strcmp(word, "debug") == 0)
		return LOG_DEBUG;
	if (strcmp(word, "warn") == 0)
		return LOG_WARN;
	return strcmp(word, "error") == 0 ? LOG_ERROR : LOG_INFO;
}

static int
open_logs(const struct settings *s, struct err *err)
{
	if (log_open("anvil-invalidator", level_of(s->log_level), s->log_file) != 0)
		return FAIL(err, ERR_INVALID, "could not open log_file \"%s\": %s", s->log_file, strerror(errno));
	return 0;
}

static void
tell_systemd(struct inv *inv, int64_t watchdog_us, int64_t *due_us)
{
	struct event_clock acked = apply_acked(inv);
	int64_t now = clock_mono_us();
	char text[160];

	if (now < *due_us)
		return;
	*due_us = now + (watchdog_us > 0 ? watchdog_us : 10 * US_PER_S);
	snprintf(text, sizeof(text), "STATUS=event %" PRIu64 ", %s, %d peers", acked.n,
	    atomic_load(&inv->is_source) ? "source" : "no source", peers_up(inv));
	daemon_notify(text);
	if (watchdog_us > 0 && now - atomic_load(&inv->alive_us) < STUCK_US)
		daemon_notify("WATCHDOG=1");
}

/* Every thread has these signals blocked; they come here. */
static void
wait_for_end(struct inv *inv, const sigset_t *signals)
{
	const struct timespec tick = { TICK_US / US_PER_S, TICK_US % US_PER_S * 1000 };
	int64_t watchdog_us = daemon_watchdog_us(), due_us = 0;

	for (;;) {
		switch (sigtimedwait(signals, NULL, &tick)) {
		case SIGTERM:
		case SIGINT:
			return;
		case SIGHUP:
			log_reopen();
			break;
		default:
			break;
		}
		tell_systemd(inv, watchdog_us, &due_us);
	}
}

static int
run(const struct settings *s, const struct options *o, struct err *err)
{
	sigset_t signals;
	struct inv *inv;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (open_logs(s, err) != 0)
		return -1;
	if (o->pid_file != NULL && !o->foreground && daemon_fork(err) != 0)
		return -1;
	if (o->pid_file != NULL && daemon_pid_file(o->pid_file, err) != 0)
		return -1;
	if (inv_open(s, &inv, err) != 0)
		return -1;
	log_event(NULL, EV_START, LS("region", s->region), LS("version", PACKAGE_VERSION), LS("listen", s->invalidator_listen[0]));
	daemon_ready();
	wait_for_end(inv, &signals);
	daemon_notify("STOPPING=1");
	inv_close(inv);
	log_event(NULL, EV_STOP, LS("region", s->region));
	return 0;
}

int
main(int argc, char **argv)
{
	struct err err = { 0 };
	struct settings *s;
	struct options o;
	int rc = read_options(argc, argv, &o);

	if (rc != 0)
		return rc > 0 ? 0 : EXIT_USAGE;
	if (settings_load(o.conf, &s, &err) != 0) {
		fprintf(stderr, "anvil-invalidator: %s\n", err.detail);
		return EXIT_SETTINGS;
	}
	rc = run(s, &o, &err);
	if (rc != 0) {
		fprintf(stderr, "anvil-invalidator: %s\n", err.detail);
		log_event(NULL, EV_FATAL, LS("reason", err.detail));
	}
	if (o.pid_file != NULL)
		unlink(o.pid_file);
	rc = rc == 0 ? 0 : err.code == ERR_INVALID ? EXIT_SETTINGS : 1;
	settings_free(s);
	return rc;
}
