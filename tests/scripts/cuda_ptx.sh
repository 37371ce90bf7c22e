#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shipped PTX is what the compiler named in it makes of the kernels, byte for byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Whoever runs it, with a compiler or without: every kernel file has its PTX, and no PTX names a folder of a machine.
status=0
for source in $(grep -o 'core/cuda/[a-z0-9_]*\.cu' core/cuda/launch.cpp | sort -u); do
    name=$(basename "$source" .cu)
    if [[ ! -f resources/ptx/$name.ptx ]]; then
        echo "cuda_ptx: $source has no resources/ptx/$name.ptx (bash core/cuda/ptx.sh makes it)"
        status=1
    fi
done
for file in resources/ptx/*.ptx; do
    if [[ ! -f core/cuda/$(basename "$file" .ptx).cu ]]; then
        echo "cuda_ptx: $file belongs to no kernel in core/cuda"
        status=1
    fi
    if grep -n -E '\.file.*"/' "$file"; then
        echo "cuda_ptx: $file names a folder of a machine"
        status=1
    fi
done
((status == 0)) || exit "$status"

nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "skipped: no nvcc, so the shipped PTX cannot be made anew"
    exit 77
fi
made_by=$(sed -n 's|^// Cuda compilation tools, release ||p' resources/ptx/fa2_forward.ptx)
here=$("$nvcc" --version | sed -n 's|^Cuda compilation tools, release ||p')
if [[ $made_by != "$here" ]]; then
    echo "skipped: the PTX was made by release $made_by, this nvcc is release $here"
    exit 77
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
NVCC=$nvcc bash core/cuda/ptx.sh "$temp"
for file in "$temp"/*.ptx; do
    if ! cmp "$file" "resources/ptx/$(basename "$file")"; then
        echo "cuda_ptx: resources/ptx/$(basename "$file") is not what the kernels say now (bash core/cuda/ptx.sh)"
        status=1
    fi
done
exit "$status"
