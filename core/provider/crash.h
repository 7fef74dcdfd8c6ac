/* SPDX-License-Identifier: Apache-2.0 */
/* provider/crash.h - which module's operation a thread is in, for the message when it crashes */
#ifndef SOUK_PROVIDER_CRASH_H
#define SOUK_PROVIDER_CRASH_H

/* An operation that a thread is in; it lies on that thread's stack. */
struct souk_crash_note {
	const char *module;
	const char *path; /* of its file; may be NULL */
	const char *op;
	struct souk_crash_note *outer; /* what the thread was in before */
};

/*
 * This thread goes into an operation of a module, and comes out of it. Without souk_crash_tell(), in
 * souk/souk.h, this only costs a few instructions. 'module', 'path' and 'op' are borrowed until it is out.
 */
void souk_crash_enter(struct souk_crash_note *note, const char *module, const char *path,
		      const char *op);
void souk_crash_leave(struct souk_crash_note *note);
/* A further thread works for an operation that another one is in, whose note outlives that; NULL: no more. */
void souk_crash_adopt(struct souk_crash_note *note);

#endif
