/* SPDX-License-Identifier: Apache-2.0 */
/* unit/ssh-fixture.c - a real sshd for each test, on loopback, with keys of its own */
#include "ssh-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/util.h"

extern char **environ;

struct ssh_host host;

char *user_private, *user_public, *host_private, *host_public;
struct souk_error err;
struct souk_ssh *ssh;
struct souk_ssh_target target;
char user[64];

char *in_folder(const char *name)
{
	char *path = souk_fs_join(host.folder, name);

	ck_assert_ptr_nonnull(path);
	return path;
}

void write_file(const char *name, const char *text)
{
	char *path = in_folder(name);

	ck_assert_int_eq(souk_fs_write(path, text, strlen(text), 0600, &err), SOUK_OK);
	free(path);
}

static pid_t start_sshd(int fd)
{
	char *const argv[] = { host.sshd, "-i", "-f", host.config, "-E", host.log, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_adddup2(&actions, fd, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	if (posix_spawn(&pid, host.sshd, &actions, &attr, argv, environ) != 0)
		pid = -1;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void serve_connection(int fd)
{
	const struct linger linger = { .l_onoff = 1 };
	struct pollfd stop = { .fd = host.stop_fds[0], .events = POLLIN };
	pid_t pid;

	switch (host.service) {
	case SERVE_SSHD:
		pid = start_sshd(fd);
		pthread_mutex_lock(&host.lock);
		if (pid > 0 && host.n_children < CHILDREN_MAX)
			host.children[host.n_children++] = pid;
		pthread_mutex_unlock(&host.lock);
		break;
	case SERVE_SILENCE:
		pthread_mutex_lock(&host.lock);
		if (host.cancel)
			souk_cancel_set(host.cancel);
		pthread_mutex_unlock(&host.lock);
		poll(&stop, 1, -1);
		break;
	case SERVE_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		break;
	case SERVE_CLOSE:
		break;
	}
	close(fd);
}

static void *host_main(void *arg)
{
	struct pollfd fds[2] = { { .fd = host.fd, .events = POLLIN },
				 { .fd = host.stop_fds[0], .events = POLLIN } };
	int fd;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			abort();
		if (fds[1].revents)
			return arg;
		fd = accept4(host.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve_connection(fd);
	}
}

static void listen_on_loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	host.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(host.fd, 0);
	ck_assert_int_eq(bind(host.fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(host.fd, 16), 0);
	ck_assert_int_eq(getsockname(host.fd, (struct sockaddr *)&address, &size), 0);
	host.port = ntohs(address.sin_port);
	ck_assert_int_eq(pipe2(host.stop_fds, O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&host.thread, NULL, host_main, NULL), 0);
}

static void write_config(void)
{
	struct souk_buf config;

	souk_buf_init(&config, 4096);
	souk_buf_printf(
		&config,
		"HostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\nPidFile none\n"
		"StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
		"KbdInteractiveAuthentication no\nLogLevel DEBUG1\nUseDNS no\nPrintMotd no\n",
		host.folder, host.folder);
	write_file("sshd_config", config.data);
	write_file("host_key", host_private);
	write_file("authorized_keys", user_public);
	souk_buf_fini(&config);
}

static void set_up(void)
{
	struct passwd *self = getpwuid(getuid());

	err = (struct souk_error)SOUK_ERROR_INIT;
	memset(&host, 0, sizeof(host));
	pthread_mutex_init(&host.lock, NULL);
	snprintf(host.folder, sizeof(host.folder), "/tmp/souk-test-ssh-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(host.folder));
	ck_assert_ptr_nonnull(self);
	snprintf(user, sizeof(user), "%s", self->pw_name);
	host.sshd = strdup(getenv("TEST_SSHD"));
	host.config = in_folder("sshd_config");
	host.log = in_folder("log");
	ck_assert_int_eq(souk_ssh_keygen("user", &user_private, &user_public, &err), SOUK_OK);
	ck_assert_int_eq(souk_ssh_keygen(NULL, &host_private, &host_public, &err), SOUK_OK);
	write_config();
	listen_on_loopback();
	target = (struct souk_ssh_target){ .name = "t-0",
					   .address = "127.0.0.1",
					   .port = host.port,
					   .user = user,
					   .private_key = user_private,
					   .host_key = host_public };
	ssh = NULL;
}

/* End the sshd of every connection and whatever belongs to its process group. */
void kill_children(void)
{
	unsigned i;

	pthread_mutex_lock(&host.lock);
	for (i = 0; i < host.n_children; i++) {
		kill(-host.children[i], SIGKILL);
		waitpid(host.children[i], NULL, 0);
	}
	host.n_children = 0;
	pthread_mutex_unlock(&host.lock);
}

static void tear_down(void)
{
	souk_ssh_free(ssh);
	if (write(host.stop_fds[1], "", 1) != 1)
		abort();
	pthread_join(host.thread, NULL);
	kill_children();
	close(host.fd);
	close(host.stop_fds[0]);
	close(host.stop_fds[1]);
	souk_fs_remove(host.folder, NULL);
	free(host.sshd);
	free(host.config);
	free(host.log);
	free(user_private);
	free(user_public);
	free(host_private);
	free(host_public);
	pthread_mutex_destroy(&host.lock);
}

/* What sshd has logged; wait for its processes first, so that it is complete. */
char *finished_log(void)
{
	char *text;
	unsigned i;

	pthread_mutex_lock(&host.lock);
	for (i = 0; i < host.n_children; i++)
		waitpid(host.children[i], NULL, 0);
	host.n_children = 0;
	pthread_mutex_unlock(&host.lock);
	ck_assert_int_eq(souk_fs_read(host.log, 1024 * 1024, &text, NULL, &err), SOUK_OK);
	return text;
}

int connect_now(uint32_t timeout_ms, struct souk_cancel *cancel)
{
	int ret;

	err.message[0] = '\0';
	ret = souk_ssh_connect(&target, timeout_ms, cancel, &ssh, NULL, &err);
	if (ret < 0) {
		ck_assert_int_eq(err.code, ret);
		ck_assert_str_ne(err.message, "");
	}
	return ret;
}

/* Connected, with a message if not. */
void must_connect(void)
{
	int ret = connect_now(60000, NULL);

	ck_assert_msg(ret == SOUK_OK, "%s", err.message);
}

TCase *ssh_fixture_add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* Where sshd and its folder are; 0: this machine has none. */
int ssh_fixture_find_sshd(void)
{
	static const char *const places[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd",
					      "/sbin/sshd" };
	char *keygen = souk_fs_find_program("ssh-keygen");
	size_t i;

	free(keygen);
	if (!keygen)
		return 0;
	/* sshd of Debian demands it when it runs as root. */
	if (getuid() == 0 && !souk_fs_is_dir("/run/sshd") && mkdir("/run/sshd", 0755) < 0)
		return 0;
	for (i = 0; i < SOUK_ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return setenv("TEST_SSHD", places[i], 1) == 0;
	return 0;
}
