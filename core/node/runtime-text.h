/* SPDX-License-Identifier: Apache-2.0 */
/* node/runtime-text.h - the text of runtime.sh, which the build puts into runtime-text.c */
#ifndef SOUK_NODE_RUNTIME_TEXT_H
#define SOUK_NODE_RUNTIME_TEXT_H

#include <stddef.h>

extern const char souk_node_runtime[];
extern const size_t souk_node_runtime_size;

#endif
