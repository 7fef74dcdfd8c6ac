/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.c - souk-local-machine: the one process that is a local machine's power supply
 *
 *     souk-local-machine run DIR SSHD MARK    started by the module, with the listening socket
 *     souk-local-machine shutdown DIR         ends the machine as its on_shutdown asks
 *
 * It takes connections and gives each to an sshd of its own. Being the subreaper of all that
 * comes of them, it is the parent of every process that is left behind on the machine, however
 * that got there, and so can end them all; and as long as it lives, the machine is on.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "machine.h"
#include "procs.h"

/* What the module hands over: see start.c. */
enum { REPORT_FD = 1, LOG_FD = 2, LISTEN_FD = 3, FIRST_FREE_FD = 4 };

#define MAX_CONNECTIONS 1024
#define LOOK_MS 30000 /* how often to see whether the folder is there, without inotify */

struct supervisor {
	char dir[PATH_MAX]; /* absolute, without a slash at the end */
	char config[PATH_MAX];
	char log[PATH_MAX];
	char mark[256]; /* SOUK_LOCAL_MACHINE=..., for the environment */
	char *id;	/* the last part of dir */
	const char *sshd;
	char chroot_dir[64]; /* a folder below /run that sshd demands; "" none */
	int dirfd;
	int lockfd;
	int signals;
	int notify; /* -1: no inotify to be had */
	uint32_t n_connections;
	pid_t connections[MAX_CONNECTIONS];
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n] = '\n';
	if (write(LOG_FD, text, (size_t)n + 1) < 0)
		return; /* a full disk must not stop the machine */
}

/* Tell the module: "ok", "busy", or what went wrong; then let go of it. */
static void report(const char *text)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (write(REPORT_FD, text, strlen(text)) < 0)
		say("cannot report '%s': %s", text, strerror(errno));
	if (null >= 0) {
		(void)dup2(null, REPORT_FD);
		(void)close(null);
	} else {
		(void)close(REPORT_FD);
	}
}

/* ---- Children ------------------------------------------------------------------------- */

/* Reap what has ended. Returns 1 as long as there is any child. */
static int reap(struct supervisor *s)
{
	pid_t pid;
	uint32_t i;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (i = 0; i < s->n_connections; i++) {
			if (s->connections[i] == pid) {
				s->connections[i] = s->connections[--s->n_connections];
				break;
			}
		}
	}
	return pid == 0;
}

static int reap_tick(void *arg)
{
	(void)reap(arg);
	return 0;
}

/* Become sshd, with 'conn' (-1: none) as its stdin and stdout. Only returns by failing. */
static void become_sshd(const struct supervisor *s, int conn, const char *mode)
{
	const char *const argv[] = { s->sshd, mode, "-f", s->config, "-E", s->log, NULL };
	const char *const envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", s->mark,
				     NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	(void)setsid();
	/* Without its supervisor a machine is off, and nobody is logged in any more. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (conn >= 0 && (dup2(conn, 0) < 0 || dup2(conn, 1) < 0))
		return;
	(void)execve(s->sshd, (char *const *)argv, (char *const *)envp);
	say("cannot run '%s': %s", s->sshd, strerror(errno));
}

static pid_t start_sshd(struct supervisor *s, int conn, const char *mode)
{
	pid_t pid;

	/* /run is emptied by reboots, and this folder by the system's own sshd when it stops. */
	if (s->chroot_dir[0])
		(void)mkdir(s->chroot_dir, 0755);
	pid = fork();
	if (pid == 0) {
		become_sshd(s, conn, mode);
		_exit(127);
	}
	return pid;
}

static void take_connection(struct supervisor *s)
{
	int conn = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (conn < 0)
		return;
	pid = start_sshd(s, conn, "-i");
	if (pid < 0)
		say("cannot fork for a connection: %s", strerror(errno));
	else
		s->connections[s->n_connections++] = pid;
	(void)close(conn);
}

/* ---- The end -------------------------------------------------------------------------- */

/* End every process of the machine but this one. */
static void end_processes(struct supervisor *s)
{
	struct local_procs which = { .root = getpid(),
				     .mark = s->mark + sizeof(LOCAL_MARK_VARIABLE) };
	pid_t left_out = 0;
	int ret;

	(void)close(LISTEN_FD);
	do {
		ret = local_procs_end(&which, reap_tick, s, &left_out);
	} while (reap(s) && ret == 0);
	if (ret == -EPERM)
		say("process %ld belongs to another user and runs on", (long)left_out);
	else if (ret < 0)
		say("cannot end the processes: %s", strerror(-ret));
}

/* End the machine as its on_shutdown asks. */
static void shut_down(struct supervisor *s)
{
	int stop = local_is_stop(s->dirfd, LOCAL_ON_SHUTDOWN) == 1;
	int rootfd;
	int ret;

	(void)local_write_file(s->dirfd, LOCAL_ENDING, 0600, stop ? LOCAL_STOP : LOCAL_TERMINATE);
	end_processes(s);
	if (stop)
		return;
	s->id[-1] = '\0';
	rootfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = rootfd < 0 ? -errno : local_machine_remove(rootfd, s->dir, s->id);
	if (ret < 0)
		say("cannot remove '%s/%s': %s", s->dir, s->id, strerror(-ret));
}

/* Is the folder gone, or is another in its place? */
static int is_gone(const struct supervisor *s)
{
	struct stat ours;
	struct stat there;

	return fstat(s->dirfd, &ours) < 0 || stat(s->dir, &there) < 0 ||
	       ours.st_ino != there.st_ino || ours.st_dev != there.st_dev ||
	       faccessat(s->dirfd, LOCAL_RECORD, F_OK, 0) < 0;
}

/* Returns 1 if the machine has been ended by the signal. */
static int take_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	switch (info.ssi_signo) {
	case SIGTERM:
	case SIGINT:
		end_processes(s);
		return 1;
	case SIGUSR1:
		shut_down(s);
		return 1;
	default:
		(void)reap(s);
		return 0;
	}
}

static void serve(struct supervisor *s)
{
	struct pollfd fds[3] = { { .fd = s->signals, .events = POLLIN },
				 { .fd = s->notify, .events = POLLIN },
				 { .fd = LISTEN_FD, .events = POLLIN } };
	char events[4096];
	int n;

	for (;;) {
		/* When full, or out of descriptors, the next one waits for the end of another. */
		fds[2].fd = s->n_connections < MAX_CONNECTIONS ? LISTEN_FD : -1;
		n = poll(fds, 3, LOOK_MS);
		if (n < 0)
			continue;
		if (n == 0 || fds[1].revents) {
			while (s->notify >= 0 && read(s->notify, events, sizeof(events)) > 0)
				continue;
			if (is_gone(s)) {
				end_processes(s);
				return;
			}
		}
		if (fds[0].revents && take_signal(s))
			return;
		if (fds[2].revents)
			take_connection(s);
	}
}

/* ---- The beginning -------------------------------------------------------------------- */

static int close_the_rest(void)
{
	struct dirent *entry;
	DIR *dir;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, FIRST_FREE_FD, ~0u, 0) == 0)
		return 0;
#endif
	dir = opendir("/proc/self/fd");
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd >= FIRST_FREE_FD && fd != dirfd(dir))
			(void)close(fd);
	}
	(void)closedir(dir);
	return 0;
}

static int take_signals(struct supervisor *s)
{
	sigset_t set;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return s->signals < 0 ? -errno : 0;
}

static void take_notice(struct supervisor *s)
{
	s->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->notify >= 0 && inotify_add_watch(s->notify, s->dir,
						IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |
							IN_MOVED_FROM | IN_ONLYDIR) < 0) {
		(void)close(s->notify);
		s->notify = -1;
	}
}

/* Returns -EAGAIN if another supervisor has the machine. */
static int take_lock(struct supervisor *s)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	s->lockfd = openat(s->dirfd, LOCAL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lockfd < 0)
		return -errno;
	if (fcntl(s->lockfd, F_SETLK, &lock) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	return 0;
}

static int set_up(struct supervisor *s, const char *dir, const char *sshd, const char *mark)
{
	size_t len = strlen(dir);

	if (len < 2 || dir[0] != '/' || len + sizeof("/" LOCAL_SSHD_CONFIG) > sizeof(s->dir) ||
	    strlen(mark) + sizeof(LOCAL_MARK_VARIABLE) >= sizeof(s->mark))
		return -EINVAL;
	memcpy(s->dir, dir, len + 1);
	s->id = strrchr(s->dir, '/') + 1;
	(void)snprintf(s->config, sizeof(s->config), "%.*s/%s", (int)len, dir, LOCAL_SSHD_CONFIG);
	(void)snprintf(s->log, sizeof(s->log), "%.*s/%s", (int)len, dir, LOCAL_LOG);
	(void)snprintf(s->mark, sizeof(s->mark), "%s=%s", LOCAL_MARK_VARIABLE, mark);
	s->sshd = sshd;
	s->notify = -1;
	s->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dirfd < 0 ? -errno : 0;
}

/* What sshd has said since 'from': the last line. */
static void last_words(const struct supervisor *s, off_t from, char *text, size_t size)
{
	ssize_t n = -1;
	int fd = openat(s->dirfd, LOCAL_LOG, O_RDONLY | O_CLOEXEC);
	char *line;

	if (fd >= 0) {
		n = pread(fd, text, size - 1, from);
		(void)close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	if (line)
		memmove(text, line + 1, strlen(line));
}

/* As root, sshd demands an empty folder; where that is in /run it has to be made at each boot. */
static int make_chroot_dir(struct supervisor *s, const char *words)
{
	static const char complaint[] = "Missing privilege separation directory: ";
	const char *path = strstr(words, complaint);

	if (!path || s->chroot_dir[0])
		return 0;
	path += sizeof(complaint) - 1;
	if ((strncmp(path, "/run/", 5) != 0 && strncmp(path, "/var/run/", 9) != 0) ||
	    strlen(path) >= sizeof(s->chroot_dir) || strstr(path, ".."))
		return 0;
	memcpy(s->chroot_dir, path, strlen(path) + 1);
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* Have sshd look at its configuration, so that what it dislikes is known now. */
static int try_sshd(struct supervisor *s)
{
	char words[300] = "";
	char text[400];
	struct stat st;
	int status;
	pid_t pid;

	if (geteuid() == 0 && access("/run/sshd", F_OK) == 0)
		memcpy(s->chroot_dir, "/run/sshd", sizeof("/run/sshd"));
	do {
		if (fstat(LOG_FD, &st) < 0)
			st.st_size = 0;
		pid = start_sshd(s, -1, "-t");
		status = -1;
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
		if (status == 0)
			return 0;
		last_words(s, st.st_size, words, sizeof(words));
	} while (make_chroot_dir(s, words));
	(void)snprintf(text, sizeof(text), "sshd refuses to start: %s",
		       words[0] ? words : "it says nothing");
	report(text);
	return -ENOEXEC;
}

/* Write down where the machine is reached. */
static int note_address(struct supervisor *s)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct local_address address;

	if (getsockname(LISTEN_FD, (struct sockaddr *)&in, &len) < 0)
		return -errno;
	if (len != sizeof(in) || in.sin_family != AF_INET)
		return -EAFNOSUPPORT;
	(void)inet_ntop(AF_INET, &in.sin_addr, address.host, sizeof(address.host));
	address.port = ntohs(in.sin_port);
	return local_address_write(s->dirfd, &address);
}

static int begin(struct supervisor *s)
{
	char text[128];
	int ret = take_signals(s);

	if (ret == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		ret = -errno;
	if (ret == 0)
		ret = take_lock(s);
	if (ret == -EAGAIN) {
		report("busy");
		return ret;
	}
	if (ret == 0 && (fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ||
			 fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) < 0))
		ret = -errno;
	/* The report's end must not stay open in a child. */
	if (ret == 0 && fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0)
		ret = -errno;
	if (ret == 0) {
		ret = try_sshd(s);
		if (ret < 0)
			return ret; /* it has reported */
	}
	if (ret == 0 && unlinkat(s->dirfd, LOCAL_ENDING, 0) < 0 && errno != ENOENT)
		ret = -errno;
	if (ret == 0)
		ret = note_address(s);
	if (ret < 0) {
		(void)snprintf(text, sizeof(text), "cannot start the supervisor: %s",
			       strerror(-ret));
		report(text);
		return ret;
	}
	take_notice(s);
	/* A call that gave up meanwhile may have removed the folder before the watch was there. */
	if (is_gone(s)) {
		report("its folder has been removed");
		return -ENOENT;
	}
	report("ok");
	return 0;
}

static int run(const char *dir, const char *sshd, const char *mark)
{
	static struct supervisor s;
	char text[128];
	int ret = close_the_rest();
	pid_t pid;

	if (ret == 0)
		ret = set_up(&s, dir, sshd, mark);
	/* The module waits for this process; the one that stays belongs to nobody. */
	pid = ret == 0 ? fork() : 0;
	if (pid < 0)
		ret = -errno;
	if (pid > 0)
		_exit(0);
	if (ret < 0) {
		(void)snprintf(text, sizeof(text), "cannot start in '%.60s': %s", dir,
			       strerror(-ret));
		report(text);
		return 1;
	}
	(void)setsid();
	if (chdir("/") < 0 || begin(&s) < 0)
		return 1;
	serve(&s);
	/* At once: its end is what others wait for, and there is nobody to hear an exit handler. */
	_exit(0);
}

/* ---- The command of those inside ------------------------------------------------------ */

static int no_tick(void *arg)
{
	(void)arg;
	return 0;
}

/* Ask the supervisor to end the machine, and wait until it has. */
static int ask(int dirfd, pid_t pid)
{
	struct pollfd fd = { .fd = local_pidfd_open(pid), .events = POLLIN };
	pid_t again = 0;
	int ret;

	/* Still the same one? Then the descriptor is that of the supervisor. */
	ret = local_supervisor_pid(dirfd, &again);
	if (ret < 0 || again != pid) {
		if (fd.fd >= 0)
			(void)close(fd.fd);
		return ret;
	}
	if (fd.fd < 0)
		return kill(pid, SIGUSR1) < 0 ? -errno : 0;
	ret = local_pidfd_signal(fd.fd, SIGUSR1);
	while (ret == 0 && poll(&fd, 1, -1) < 0 && errno == EINTR)
		continue;
	(void)close(fd.fd);
	return ret;
}

/* There is no supervisor any more: do its work, with ourselves left over. */
static int end_without(struct supervisor *s)
{
	struct local_record record;
	struct local_procs which;
	pid_t left_out = 0;
	int ret = local_record_read(s->dirfd, &record);

	if (ret < 0)
		return ret;
	which.root = 0;
	which.mark = record.mark;
	ret = local_procs_end(&which, no_tick, NULL, &left_out);
	local_record_fini(&record);
	if (ret < 0 || local_is_stop(s->dirfd, LOCAL_ON_SHUTDOWN) == 1)
		return ret;
	s->id[-1] = '\0';
	(void)close(s->dirfd);
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dirfd < 0 ? -errno : local_machine_remove(s->dirfd, s->dir, s->id);
}

static int shutdown_machine(const char *dir)
{
	static struct supervisor s;
	pid_t pid = 0;
	int ret = set_up(&s, dir, "", "");

	if (ret == 0)
		ret = local_supervisor_pid(s.dirfd, &pid);
	if (ret == 0)
		ret = pid ? ask(s.dirfd, pid) : end_without(&s);
	if (ret < 0) {
		(void)fprintf(stderr, "cannot shut down the machine in '%s': %s\n", dir,
			      strerror(-ret));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "run") == 0)
		return run(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "shutdown") == 0)
		return shutdown_machine(argv[2]);
	(void)fprintf(stderr, "usage: souk-local-machine run DIR SSHD MARK\n"
			      "       souk-local-machine shutdown DIR\n");
	return 64;
}
