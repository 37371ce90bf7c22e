#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libFuzzer on every reader, one after the other (or the one named), each for so many seconds:
#   bash tests/fuzz/run.sh SECONDS [READER]
# Needs clang-16 and libclang-rt-16-dev. What is found stays in build/fuzz/findings; each reader's seeded program in any
# build takes such a file as an argument.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:?usage: bash tests/fuzz/run.sh SECONDS [READER]}
command -v clang++-16 >/dev/null || {
    echo "tests/fuzz/run.sh: clang++-16 is not here (packages clang-16 and libclang-rt-16-dev)" >&2
    exit 3
}
readers=()
for source in tests/fuzz/*_fuzz.cpp; do
    reader=$(basename "$source" _fuzz.cpp)
    [[ ${2:-$reader} == "$reader" ]] && readers+=("$reader")
done
((${#readers[@]} > 0)) || {
    echo "tests/fuzz/run.sh: there is no reader '$2'" >&2
    exit 2
}

cmake --preset fuzz >/dev/null
targets=("${readers[@]/%/_fuzz}")
cmake --build --preset fuzz --target "${targets[@]}" "${targets[@]/%/_seeded}" >/dev/null
for reader in "${readers[@]}"; do
    corpus=build/fuzz/corpus/$reader
    mkdir -p "$corpus" build/fuzz/findings
    "build/fuzz/tests/${reader}_fuzz_seeded" --write "$corpus"
    printf '%s: ' "$reader"
    log=build/fuzz/$reader.log
    if ASAN_OPTIONS=detect_leaks=0 "build/fuzz/tests/${reader}_fuzz" "$corpus" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -malloc_limit_mb=256 -max_len=65536 -artifact_prefix=build/fuzz/findings/"$reader"- \
        >"$log" 2>&1; then
        grep -E '^Done [0-9]+ runs' "$log"
    else
        printf 'a finding; see %s\n' "$log"
        tail -n 30 "$log"
        exit 1
    fi
done
