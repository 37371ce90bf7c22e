#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the compiler says of every kernel, one line each: entry, generation, registers of a thread, bytes spilled (stores
# and loads), bytes of stack, bytes of static shared memory, barriers. core/cuda/budgets.txt is this list, as it may be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "report.sh: no nvcc (set NVCC, or add CUDA's bin to PATH)" >&2
    exit 3
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

echo "# $("$nvcc" --version | sed -n 's/^Cuda compilation tools, //p')"
echo "# entry generation registers spilled stack static_shared barriers"
for source in $(grep -o 'core/cuda/[a-z0-9_]*\.cu' core/cuda/launch.cpp | sort -u); do
    for generation in ${GENERATIONS:-sm_80 sm_90a sm_100a sm_103a}; do
        if ! "$nvcc" -std=c++17 -O3 "-arch=$generation" -Xptxas -v -cubin "$source" -o "$temp/out" 2>"$temp/said"; then
            cat "$temp/said" >&2
            exit 1
        fi
        awk -v generation="$generation" '
            / warning | warning:|C75[0-9][0-9]/ { print > "/dev/stderr"; bad = 1 }
            /Function properties for/ { entry = $NF }
            /bytes stack frame/ {
                for (k = 1; k < NF; ++k) {
                    if ($(k + 1) == "bytes" && $(k + 2) == "stack") stack = $k
                    if ($(k + 1) == "bytes" && $(k + 2) == "spill") spilled[++spills] = $k
                }
                sum = 0
                for (k = 1; k <= spills; ++k) sum += spilled[k]
                spills = 0
            }
            /: Used [0-9]+ registers/ {
                shared = barriers = 0
                for (k = 1; k < NF; ++k) {
                    if ($(k + 1) == "registers,") registers = $k
                    if ($k == "used" && $(k + 2) ~ /^barriers/) barriers = $(k + 1)
                    if ($(k + 1) == "bytes" && $(k + 2) ~ /^smem/) shared = $k
                }
                print entry, generation, registers, sum, stack, shared, barriers
            }
            END { exit bad }' "$temp/said"
    done
done
