#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up as app/run.sh does, builds the tests and runs all of them; needs neither a display nor a GPU:
#   bash tests/run.sh [-- ARGS of ctest…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="usage: bash tests/run.sh [-- ARGS of ctest…]"

fail() {
    printf 'tests/run.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

case ${1:-} in
"") ;;
-h | --help)
    printf '%s\n' "$usage"
    exit 0
    ;;
--) shift ;;
*) fail "unknown option $1 ($usage)" 2 ;;
esac

bash app/run.sh --setup-only || fail "the set-up failed; the reason stands above"
cmake --build --preset release --parallel "$(nproc)" || fail "the build of the tests failed; the first error stands above"
ctest --preset release --parallel "$(nproc)" "$@" || fail "tests failed, or none ran; ctest names them above"
