#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds flashstep-gpu from this folder with CUDA alone (12.4 or newer): bash build.sh OUT
# The kernels are compiled for each generation that the compiler knows, and as PTX for the others.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-flashstep-gpu}
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "build.sh: no nvcc (set NVCC, or add CUDA's bin to PATH)" >&2
    exit 3
fi
release=$("$nvcc" --version | sed -n 's/^Cuda compilation tools, release \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
read -r major minor <<<"$release"
if ((major < 12 || (major == 12 && minor < 4))); then
    echo "build.sh: CUDA $major.$minor is too old (12.4 or newer)" >&2
    exit 3
fi

known=$("$nvcc" --list-gpu-code)
codes=(-gencode "arch=compute_80,code=[sm_80,compute_80]")
for sm in 90 100 103; do
    if grep -qx "sm_$sm" <<<"$known"; then
        codes+=(-gencode "arch=compute_${sm}a,code=sm_${sm}a")
    fi
done

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
# What a recording says it was made with: everything that decides what the kernels do.
cd "$folder"
hash=$(cat fa1_forward.cu fa2_forward.cu standard.cu ./*.cuh launch.cpp | sha256sum | cut -c 1-16)
common=(-std=c++17 -O3 "${codes[@]}" -cudart static --threads 2)
"$nvcc" "${common[@]}" "-DFLASHSTEP_KERNEL_HASH=\"$hash\"" "-DFLASHSTEP_VERSION=\"${FLASHSTEP_VERSION:-0.1.0}\"" \
    main.cu runner.cpp recording.cpp device.cpp reference.cu kernels.cu launch.cpp profile.cpp profile_json.cpp options.cpp \
    conform.cu conform/*.cpp \
    -odir "$temp" -o "$temp/flashstep-gpu"
if [[ $out != /* ]]; then
    out=$OLDPWD/$out
fi
mkdir -p "$(dirname "$out")"
mv "$temp/flashstep-gpu" "$out"
