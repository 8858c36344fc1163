/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/main.c - anvil-s3.fcgi: options, settings, and which way to run.
 *
 * Owns:       the settings, for the life of the process.
 * Blocks:     yes.
 * Exit:       0 stopped as asked; 1 could not run; 2 wrong usage; 78 wrong settings.
 */
#include "base/base.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"
#include "base/settings.h"
#include "fcgi/supervisor.h"
#include "fcgi/worker.h"

#define EXIT_USAGE 2
#define EXIT_SETTINGS 78 /* as sysexits: the service manager need not try again */

struct options {
	const char *conf, *socket, *pid_file;
	int64_t processes;
	uint64_t mode;
	bool foreground, once;
};

static const char usage_text[] =
    "usage: anvil-s3.fcgi [-c FILE] --socket PATH|HOST:PORT [--processes N]\n"
    "                     [--socket-mode MODE] [--pid-file FILE] [--foreground]\n"
    "       anvil-s3.fcgi [-c FILE]            as a FastCGI program on descriptor 0\n"
    "       anvil-s3.fcgi [-c FILE] --once     one request, as CGI\n"
    "\n"
    "Serves S3 requests of one region over FastCGI.\n"
    "\n"
    "  -c, --config FILE       settings; $ANVIL_CONF, else " ANVIL_SYSCONFDIR "/anvil.conf\n"
    "      --socket WHERE      listen there, and keep worker processes running\n"
    "      --processes N       worker processes (default: 2)\n"
    "      --socket-mode MODE  of a Unix socket, octal (default: 0660)\n"
    "      --pid-file FILE     go to the background and write the process id there\n"
    "      --foreground        stay in the foreground though --pid-file is given\n"
    "      --once              one request from environment and standard input\n"
    "  -h, --help              this text\n"
    "  -V, --version           the version\n"
    "\n"
    "SIGTERM ends the requests under way (drain_s) and stops; SIGHUP reopens the log.\n";

static int
usage_error(const char *what)
{
	(void)fprintf(stderr, "anvil-s3.fcgi: %s\nTry: anvil-s3.fcgi --help\n", what);
	return -1;
}

/* 0 = go on, 1 = done (help, version), -1 = wrong usage. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' }, { "socket", required_argument, NULL, 's' },
		{ "processes", required_argument, NULL, 'n' }, { "socket-mode", required_argument, NULL, 'm' },
		{ "pid-file", required_argument, NULL, 'p' }, { "foreground", no_argument, NULL, 'f' },
		{ "once", no_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
	};
	int64_t mode;
	int c;

	*o = (struct options){ .processes = 2, .mode = 0660 };
	while ((c = getopt_long(argc, argv, "c:hV", names, NULL)) != -1) {
		switch (c) {
		case 'c': o->conf = optarg; break;
		case 's': o->socket = optarg; break;
		case 'p': o->pid_file = optarg; break;
		case 'f': o->foreground = true; break;
		case 'o': o->once = true; break;
		case 'n':
			if (!parse_i64(span_of(optarg), 1, 256, &o->processes))
				return usage_error("--processes takes a number from 1 to 256");
			break;
		case 'm':
			/* octal digits read as decimal, then digit by digit */
			if (!parse_i64(span_of(optarg), 0, 777, &mode) || mode % 10 > 7 || mode / 10 % 10 > 7)
				return usage_error("--socket-mode takes three octal digits");
			o->mode = (uint64_t)(mode / 100 * 64 + mode / 10 % 10 * 8 + mode % 10);
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return 1;
		case 'V':
			(void)puts("anvil-s3.fcgi " PACKAGE_VERSION);
			return 1;
		default:
			return usage_error("wrong option");
		}
	}
	if (optind != argc)
		return usage_error("no arguments but options are taken");
	if (o->once && o->socket != NULL)
		return usage_error("--once and --socket exclude each other");
	if (o->pid_file != NULL && o->socket == NULL)
		return usage_error("--pid-file goes with --socket");
	return 0;
}

static int
level_of(const char *word)
{
	if (strcmp(word, "debug") == 0)
		return LOG_DEBUG;
	if (strcmp(word, "warn") == 0)
		return LOG_WARN;
	return strcmp(word, "error") == 0 ? LOG_ERROR : LOG_INFO;
}

static int
open_logs(const struct settings *s)
{
	char path[PATH_MAX];

	if (log_open("anvil-s3", (enum log_level)level_of(s->log_level), s->log_file) != 0) {
		(void)fprintf(stderr, "anvil-s3.fcgi: could not open log_file \"%s\": %s\n", s->log_file, strerror(errno));
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/metrics", s->state_dir);
	if (metrics_open(path) != 0) {
		(void)fprintf(stderr, "anvil-s3.fcgi: could not open \"%s\" (state_dir must be writable): %s\n", path,
		    strerror(errno));
		return -1;
	}
	return 0;
}

/* The child goes on, without terminal; the parent leaves. */
static int
go_to_background(const struct settings *s, const char *pid_file)
{
	pid_t pid = fork();
	FILE *f;
	int null_fd;

	if (pid < 0)
		return -1;
	if (pid > 0)
		_exit(0);
	(void)setsid();
	f = fopen(pid_file, "we");
	if (f == NULL || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0) {
		log_event(NULL, EV_FATAL, LS("what", "could not write the pid file"), LS("path", pid_file));
		return -1;
	}
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		/* without a log file the lines go to standard error, wherever that leads */
		if (s->log_file[0] != '\0')
			(void)dup2(null_fd, STDERR_FILENO);
		(void)close(null_fd);
	}
	return 0;
}

static int
run_on_socket(const struct settings *s, const struct options *o)
{
	struct err err = { 0 };
	int fd = supervisor_listen(o->socket, (unsigned int)o->mode, &err);
	int rc;

	if (fd < 0) {
		(void)fprintf(stderr, "anvil-s3.fcgi: %s\n", err.detail);
		return 1;
	}
	if (o->pid_file != NULL && !o->foreground && go_to_background(s, o->pid_file) != 0)
		return 1;
	rc = supervisor_run(s, fd, o->socket, (int)o->processes);
	if (o->pid_file != NULL && !o->foreground)
		(void)unlink(o->pid_file);
	return rc;
}

/* Started by a web server, spawn-fcgi or socket activation: descriptor 0 listens. */
static int
run_on_fd0(const struct settings *s)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || !listens) {
		(void)fputs("anvil-s3.fcgi: descriptor 0 is not a listening socket: give --socket, or start it from a web "
			    "server\nTry: anvil-s3.fcgi --help\n", stderr);
		return EXIT_USAGE;
	}
	return worker_run(s, STDIN_FILENO);
}

int
main(int argc, char **argv)
{
	extern char **environ;
	struct options o;
	struct settings *s;
	struct err err = { 0 };
	int rc = read_options(argc, argv, &o);

	if (rc != 0)
		return rc > 0 ? 0 : EXIT_USAGE;
	if (settings_load(o.conf, &s, &err) != 0) {
		(void)fprintf(stderr, "anvil-s3.fcgi: %s\n", err.detail);
		return EXIT_SETTINGS;
	}
	if (open_logs(s) != 0)
		rc = 1;
	else if (o.once)
		rc = worker_once(s, environ);
	else
		rc = o.socket != NULL ? run_on_socket(s, &o) : run_on_fd0(s);
	settings_free(s);
	return rc;
}
