/* SPDX-License-Identifier: Apache-2.0 */
/* pace.c - not more requests than Lambda admits, whoever on this computer sends them */

/*
 * Turns are handed out, not waited for under a lock: whoever wants to send a request notes, in a
 * file in the state folder that is locked for that moment alone, when the next one may, and then
 * waits for his own turn. A process that dies has used its turn up and holds nobody else up.
 */

#include "pace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TEXT = 128, LOCK_TRIES = 200, LOCK_WAIT_MS = 5 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A turn that is too far off comes from a clock that has been set back since. */
static int64_t sane(int64_t turn, int64_t now)
{
	return turn > now + LAMBDA_LONGEST_MS ? now : turn;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int lambda_turn_take(struct lambda_turns *turns, const struct lambda_intervals *intervals,
		     int64_t now, int is_launch, int64_t *turn_out)
{
	int64_t turn = later(now, sane(turns->request_ms, now));

	if (is_launch && sane(turns->launch_ms, now) > now) {
		*turn_out = sane(turns->launch_ms, now);
		return 0;
	}
	turns->request_ms = turn + intervals->request_ms;
	if (is_launch)
		turns->launch_ms = turn + intervals->launch_ms;
	*turn_out = turn;
	return 1;
}

void lambda_turn_hold(struct lambda_turns *turns, int64_t now, uint32_t ms)
{
	int64_t until = now + (ms < LAMBDA_LONGEST_MS ? ms : LAMBDA_LONGEST_MS);

	turns->request_ms = later(sane(turns->request_ms, now), until);
	turns->launch_ms = later(sane(turns->launch_ms, now), until);
}

int lambda_turns_read(const char *text, struct lambda_turns *out)
{
	struct lambda_turns turns;
	int end = -1;

	if (sscanf(text, "request %15" SCNd64 "\nlaunch %15" SCNd64 "\n%n", &turns.request_ms,
		   &turns.launch_ms, &end) != 2 ||
	    end < 0 || text[end] || turns.request_ms < 0 || turns.launch_ms < 0)
		return 0;
	*out = turns;
	return 1;
}

int lambda_turns_write(const struct lambda_turns *turns, char *text, size_t size)
{
	return snprintf(text, size, "request %" PRId64 "\nlaunch %" PRId64 "\n", turns->request_ms,
			turns->launch_ms);
}

int lambda_pace_init(struct lambda_pace *pace, const char *dir, struct souk_error *err)
{
	size_t size;

	pthread_mutex_init(&pace->lock, NULL);
	pace->intervals = (struct lambda_intervals){ LAMBDA_REQUEST_MS, LAMBDA_LAUNCH_MS };
	if (!dir || !*dir)
		return SOUK_OK;
	size = strlen(dir) + sizeof("/pace");
	pace->path = malloc(size);
	if (!pace->path)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	(void)snprintf(pace->path, size, "%s/pace", dir);
	return SOUK_OK;
}

void lambda_pace_fini(struct lambda_pace *pace)
{
	pthread_mutex_destroy(&pace->lock);
	free(pace->path);
	pace->path = NULL;
}

/* The file, open and locked; -1 if it cannot be had, which is no reason to send nothing. */
static int open_locked(const struct lambda_pace *pace)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_MS * 1000000L };
	int fd, i;

	if (!pace->path)
		return -1;
	fd = open(pace->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -1;
	/* It is held for microseconds, unless its holder is stopped. */
	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return -1;
}

static void load(int fd, struct lambda_turns *turns)
{
	char text[MAX_TEXT];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	if (!lambda_turns_read(text, turns))
		*turns = (struct lambda_turns){ 0 };
}

static void save(int fd, const struct lambda_turns *turns)
{
	char text[MAX_TEXT];
	int len = lambda_turns_write(turns, text, sizeof(text));

	/* What is written half is not read as ours, and then costs one request too quick. */
	if (pwrite(fd, text, (size_t)len, 0) == len)
		(void)!ftruncate(fd, len);
}

/* One look at the turns: 1 if one was taken, which comes after *wait milliseconds; 0 if it is worth
 * another look after these. */
static int look(struct lambda_pace *pace, int is_launch, int64_t most_ms, int64_t *wait)
{
	struct lambda_turns *turns = &pace->turns;
	struct lambda_turns shared, before;
	int64_t now, turn;
	int is_taken, fd;

	pthread_mutex_lock(&pace->lock);
	fd = open_locked(pace);
	if (fd >= 0) {
		load(fd, &shared);
		turns = &shared;
	}
	now = now_ms();
	before = *turns;
	is_taken = lambda_turn_take(turns, &pace->intervals, now, is_launch, &turn);
	*wait = turn - now;
	/* A turn that we cannot wait for is left to others. */
	if (*wait > most_ms)
		*turns = before;
	else if (fd >= 0 && is_taken)
		save(fd, turns);
	if (is_taken) {
		pace->had_ms = before.request_ms;
		pace->took_ms = turns->request_ms;
	}
	if (fd >= 0)
		close(fd);
	pthread_mutex_unlock(&pace->lock);
	return is_taken;
}

int lambda_pace_wait(struct lambda_pace *pace, struct souk_call *call, int is_launch,
		     struct souk_error *err)
{
	int64_t most, wait;
	int is_taken;
	int ret = SOUK_OK;

	do {
		most = (int64_t)souk_call_deadline_ms(call);
		is_taken = look(pace, is_launch, most, &wait);
		if (wait > most) {
			souk_error_set(err, SOUK_E_RATE_LIMIT,
				       "Lambda admits one %s in %u ms, and others come first",
				       is_launch ? "launch" : "request",
				       (unsigned)(is_launch ? pace->intervals.launch_ms :
							      pace->intervals.request_ms));
			souk_error_retry_after(err, (uint32_t)wait);
			return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		}
		if (wait > 0)
			ret = souk_call_sleep(call, (uint32_t)wait, err);
	} while (!is_taken && ret == SOUK_OK);
	return ret;
}

void lambda_pace_give_back(struct lambda_pace *pace)
{
	struct lambda_turns shared;
	int fd;

	pthread_mutex_lock(&pace->lock);
	fd = open_locked(pace);
	if (fd >= 0) {
		load(fd, &shared);
		if (shared.request_ms == pace->took_ms) {
			shared.request_ms = pace->had_ms;
			save(fd, &shared);
		}
		close(fd);
	}
	if (pace->turns.request_ms == pace->took_ms)
		pace->turns.request_ms = pace->had_ms;
	pthread_mutex_unlock(&pace->lock);
}

void lambda_pace_hold(struct lambda_pace *pace, uint32_t ms)
{
	struct lambda_turns shared;
	int fd;

	pthread_mutex_lock(&pace->lock);
	fd = open_locked(pace);
	if (fd >= 0) {
		load(fd, &shared);
		lambda_turn_hold(&shared, now_ms(), ms);
		save(fd, &shared);
		close(fd);
	}
	lambda_turn_hold(&pace->turns, now_ms(), ms);
	pthread_mutex_unlock(&pace->lock);
}
