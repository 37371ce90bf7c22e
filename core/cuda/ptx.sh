#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes resources/ptx/*.ptx, one for each kernel file here: bash core/cuda/ptx.sh [FOLDER]
# The code is for sm_80 and everything later, with line numbers. Names of files are made relative: those of the project
# to its root, those of CUDA's headers to cuda/. Nothing of the machine stays in the file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
out=${1:-resources/ptx}
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "ptx.sh: no nvcc (set NVCC, or add CUDA's bin to PATH)" >&2
    exit 3
fi

# All text of a file, that of the debug sections too, which is written as numbers.
text_of() {
    awk '{
        print
        if ($1 == ".b8") {
            sub(/^[ \t]*\.b8[ \t]*/, "")
            count = split($0, bytes, /[, \t]+/)
            for (k = 1; k <= count; ++k)
                line = line (bytes[k] > 31 && bytes[k] < 127 ? sprintf("%c", bytes[k] + 0) : "\n")
        }
    } END { print line }' "$1"
}

mkdir -p "$out"
for source in $(grep -o 'core/cuda/[a-z0-9_]*\.cu' core/cuda/launch.cpp | sort -u); do
    name=$(basename "$source" .cu)
    "$nvcc" -std=c++17 -arch=compute_80 -lineinfo -ptx "$source" -o "$out/$name.ptx.new"
    sed -i -e "s|\"$root/|\"|" -e 's|"/[^"]*/include/|"cuda/include/|' "$out/$name.ptx.new"
    if text_of "$out/$name.ptx.new" | grep -n -E "$root|(^|[^/:a-zA-Z0-9_.])/[a-z]+/[a-zA-Z]"; then
        echo "ptx.sh: $name.ptx names a folder of this machine" >&2
        rm -f "$out/$name.ptx.new"
        exit 1
    fi
    mv "$out/$name.ptx.new" "$out/$name.ptx"
done
