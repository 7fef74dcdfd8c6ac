#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# autogen.sh - make configure from configure.ac, in a fresh checkout

set -e
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --force "$@"
