/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what a fuzz target has: a function, and the name of its corpus */
#ifndef SOUK_TESTS_FUZZ_H
#define SOUK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The folder under tests/fuzz/corpus/. */
extern const char fuzz_corpus[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
