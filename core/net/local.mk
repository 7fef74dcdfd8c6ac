# SPDX-License-Identifier: Apache-2.0
# core/net - HTTP and SSH

net_sources = \
	%D%/http-attempt.c \
	%D%/http-cache.c \
	%D%/http-replay.c \
	%D%/http-reply.c \
	%D%/http-trace.c \
	%D%/http-url.c \
	%D%/http.c \
	%D%/net-ops.c \
	%D%/ssh-dial.c \
	%D%/ssh-keys.c \
	%D%/ssh-proxy.c \
	%D%/ssh-run.c \
	%D%/ssh.c \
	%D%/http-cache.h \
	%D%/http-internal.h \
	%D%/http.h \
	%D%/net-ops.h \
	%D%/ssh-internal.h \
	%D%/ssh.h
