/* SPDX-License-Identifier: Apache-2.0 */
/* node/remote.c - a shell on a machine */
#include "node/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "provider/host.h"

#define ATTEMPT_MS 15000
#define COMMAND_MS 300000
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 3000
#define ERRS_KEEP 2048

struct souk_remote {
	char *name;
	struct souk_ssh *ssh;		/* NULL: by the provider's exec */
	struct souk_provider *provider;
	struct souk_instance_ref ref;	/* its texts are ours */
	struct souk_cancel *cancel;
};

static int copy_ref(struct souk_remote *remote, const struct souk_instance_ref *ref)
{
	remote->ref = (struct souk_instance_ref){
		.struct_size = sizeof(remote->ref),
		.id = souk_strdup(ref->id),
		.region = souk_strdup(ref->region),
		.zone = souk_strdup(ref->zone),
		.cluster = souk_strdup(ref->cluster),
		.request_token = souk_strdup(ref->request_token),
	};
	return !ref->id == !remote->ref.id && !ref->region == !remote->ref.region ? 0 : -1;
}

static int connect_patiently(struct souk_remote *remote, const struct souk_ssh_target *target,
			     uint32_t patience_ms, char **host_key_out, struct souk_error *err)
{
	int64_t end = souk_clock_ms() + patience_ms;
	uint32_t pause_ms = PAUSE_MIN_MS;
	int ret;

	for (;;) {
		int64_t left = end - souk_clock_ms();

		ret = souk_ssh_connect(target, left < ATTEMPT_MS && left > 0 ? (uint32_t)left : ATTEMPT_MS,
				       remote->cancel, &remote->ssh, host_key_out, err);
		/* AUTH: sshd can be up before the first-boot data has installed our key. */
		if (ret != SOUK_E_TRANSIENT && ret != SOUK_E_TIMEOUT && ret != SOUK_E_AUTH)
			return ret;
		if (souk_clock_ms() + pause_ms >= end)
			return ret;
		ret = souk_cancel_wait(remote->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
		pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
	}
}

int souk_remote_open(const struct souk_remote_target *target, uint32_t patience_ms,
		     struct souk_cancel *cancel, struct souk_remote **remote_out,
		     char **host_key_out, struct souk_error *err)
{
	struct souk_remote *remote = calloc(1, sizeof(*remote));
	int ret;

	*host_key_out = NULL;
	if (!remote)
		return souk_error_nomem(err);
	remote->cancel = cancel;
	remote->name = strdup(target->ssh.name);
	if (!remote->name || copy_ref(remote, &target->ref) < 0)
		ret = souk_error_nomem(err);
	else if (target->provider && souk_provider_ops(target->provider)->exec) {
		remote->provider = target->provider;
		ret = SOUK_OK;
	} else {
		ret = connect_patiently(remote, &target->ssh, patience_ms, host_key_out, err);
	}
	if (ret < 0) {
		souk_remote_close(remote);
		return ret;
	}
	*remote_out = remote;
	return SOUK_OK;
}

void souk_remote_close(struct souk_remote *remote)
{
	if (!remote)
		return;
	souk_ssh_free(remote->ssh);
	free(remote->name);
	free((char *)remote->ref.id);
	free((char *)remote->ref.region);
	free((char *)remote->ref.zone);
	free((char *)remote->ref.cluster);
	free((char *)remote->ref.request_token);
	free(remote);
}

const char *souk_remote_name(const struct souk_remote *remote)
{
	return remote->name;
}

/* ---- The provider's exec, with the data of a struct souk_ssh_command ---- */

struct exec_data {
	const struct souk_ssh_command *command;
	size_t read;
};

static int64_t exec_read(void *data, size_t size, void *arg)
{
	struct exec_data *exec = arg;
	size_t left = exec->command->input_size - exec->read;

	if (left > 0) {
		size = size < left ? size : left;
		memcpy(data, (const char *)exec->command->input + exec->read, size);
		exec->read += size;
		return (int64_t)size;
	}
	return exec->command->on_input ? exec->command->on_input(data, size, exec->command->arg) : 0;
}

static int exec_write(int fd, const char *data, size_t size, void *arg)
{
	struct exec_data *exec = arg;

	return exec->command->on_output ? exec->command->on_output(fd, data, size, exec->command->arg) :
					  SOUK_OK;
}

static int run_by_exec(struct souk_remote *remote, const struct souk_ssh_command *command,
		       int *exit_status_out, struct souk_error *err)
{
	struct exec_data data = { .command = command };
	struct souk_stream stream = { .read = exec_read, .write = exec_write, .arg = &data };
	struct souk_call_limits limits = {
		.timeout_ms = command->timeout_ms ? command->timeout_ms : UINT32_MAX,
		.cancel = command->cancel,
	};
	int32_t status;
	int ret;

	ret = souk_provider_exec(remote->provider, &limits, &remote->ref, command->command, &stream,
				 &status, err);
	if (ret == SOUK_OK)
		*exit_status_out = status;
	return ret;
}

int souk_remote_run(struct souk_remote *remote, const struct souk_ssh_command *command,
		    int *exit_status_out, struct souk_error *err)
{
	if (!remote->ssh)
		return run_by_exec(remote, command, exit_status_out, err);
	return souk_ssh_run(remote->ssh, command, exit_status_out, err);
}

/* ---- Capturing ---- */

struct capture {
	struct souk_buf *out;
	struct souk_buf errs;
};

static int capture_output(int fd, const char *data, size_t size, void *arg)
{
	struct capture *capture = arg;

	if (fd == 1)
		return souk_buf_add(capture->out, data, size);
	/* The first words of stderr are enough for a message. */
	if (capture->errs.len + size <= ERRS_KEEP)
		souk_buf_add(&capture->errs, data, size);
	return SOUK_OK;
}

int souk_remote_capture(struct souk_remote *remote, const char *command, const void *input,
			size_t input_size, struct souk_buf *out, int *exit_status_out,
			struct souk_error *err)
{
	struct capture capture = { .out = out };
	struct souk_ssh_command run = {
		.command = command,
		.input = input,
		.input_size = input_size,
		.on_output = capture_output,
		.arg = &capture,
		.timeout_ms = COMMAND_MS,
		.cancel = remote->cancel,
	};
	size_t len;
	int ret;

	souk_buf_init(&capture.errs, ERRS_KEEP + 1);
	ret = souk_remote_run(remote, &run, exit_status_out, err);
	if (ret == SOUK_OK && *exit_status_out != 0 && capture.errs.len > 0) {
		for (len = capture.errs.len; len > 0 && capture.errs.data[len - 1] == '\n';)
			capture.errs.data[--len] = '\0';
		/* Recorded for the caller, who decides whether the status is a failure. */
		souk_error_set(err, SOUK_E_INTERNAL, "%s: %s", remote->name, capture.errs.data);
	} else if (ret == SOUK_OK && *exit_status_out != 0) {
		souk_error_set(err, SOUK_E_INTERNAL, "%s: a command failed with status %d", remote->name,
			       *exit_status_out);
	}
	souk_buf_fini(&capture.errs);
	return ret;
}
