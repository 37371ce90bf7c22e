#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kernel without a trace is the kernel without the profiler: the same machine code as the source with every mention of
# it cut out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "skipped: no nvcc, so there is no machine code to compare"
    exit 77
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
mkdir "$temp/plain"
cp core/cuda/*.cuh core/cuda/*.h "$temp/plain"
rm "$temp/plain/profiler.cuh" "$temp/plain/profile.h"

status=0
for source in $(grep -o 'core/cuda/[a-z0-9_]*\.cu' core/cuda/launch.cpp | sort -u); do
    name=$(basename "$source" .cu)
    # The calls, the template's parameter, its arguments, and the entries with stamps.
    awk '/^#define .*TRACED\(/ { macro = 1 }
        { if (!macro && !/^[A-Z0-9_]*TRACED\(/) print }
        !/\\$/ { macro = 0 }' "$source" |
        sed -e '/^ *trace\.[a-z]*(.*); *\(\/\/:.*\)\{0,1\}$/d' -e 's/, class Trace>/>/' -e 's/, Trace trace)/)/' \
            -e 's/, flashstep::cuda::NoTrace())/)/' -e 's/"profiler\.cuh"/"tile.cuh"/' >"$temp/plain/$name.cu"
    if grep -n -i 'trace\|Span::' "$temp/plain/$name.cu" | grep -v '^[0-9]*: *//'; then
        echo "cuda_untraced: $source still names the profiler where it was cut out (above)"
        status=1
        continue
    fi
    for generation in sm_80 sm_90a; do
        "$nvcc" -std=c++17 -O3 "-arch=$generation" -cubin "$source" -o "$temp/$name.$generation"
        "$nvcc" -std=c++17 -O3 "-arch=$generation" -diag-suppress 177 -cubin "$temp/plain/$name.cu" \
            -o "$temp/plain/$name.$generation"
        python3 - "$temp/$name.$generation" "$temp/plain/$name.$generation" <<'PYTHON' || status=1
import struct, sys

def code(path):
    """Sections of machine code of a 64-bit ELF file, by name."""
    data = open(path, "rb").read()
    assert data[:5] == b"\x7fELF\x02", path
    at, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, at + k * size) for k in range(count)]
    strings = rows[names][4]
    found = {}
    for row in rows:
        begin = strings + row[0]
        name = data[begin:data.index(b"\0", begin)].decode()
        if name.startswith(".text."):
            found[name[6:]] = data[row[4]:row[4] + row[5]]
    return found

with_it, without = code(sys.argv[1]), code(sys.argv[2])
bad = 0
if not without or not all(len(text) > 256 for text in without.values()):
    bad = print("cuda_untraced: no machine code in", sys.argv[2]) or 1
for entry, text in sorted(without.items()):
    if with_it.get(entry) != text:
        bad = print("cuda_untraced:", entry, "differs from the same kernel without the profiler") or 1
for entry in sorted(set(with_it) - set(without)):
    if not entry.endswith("_traced"):
        bad = print("cuda_untraced:", entry, "was not compared") or 1
sys.exit(bad)
PYTHON
    done
done
exit "$status"
