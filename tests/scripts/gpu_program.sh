#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# flashstep-gpu where there is no device: what it can say, and its exit statuses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=${FLASHSTEP_BIN_DIR:-build/release/bin}/flashstep-gpu
if [[ ! -x $program ]]; then
    echo "skipped: no flashstep-gpu, it was left out for want of nvcc"
    exit 77
fi
export CUDA_VISIBLE_DEVICES= # also where there is one
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
failed=0

# expect STATUS PATTERN ARG…: the status, and standard error of one line that matches (none where the pattern is empty).
expect() {
    local status=$1 pattern=$2 got=0 lines
    shift 2
    "$program" "$@" >"$temp/out" 2>"$temp/err" || got=$?
    lines=$(wc -l <"$temp/err")
    if [[ $got != "$status" ]] || { [[ -z $pattern ]] && ((lines > 0)); } ||
        { [[ -n $pattern ]] && { ((lines != 1)) || ! grep -q -e "$pattern" "$temp/err"; }; }; then
        echo "gpu_program: flashstep-gpu $*: status $got (expected $status), standard error: $(cat "$temp/err")"
        failed=1
    fi
}
# Standard output of the last one.
prints() {
    if ! grep -q -e "$1" "$temp/out"; then
        echo "gpu_program: '$1' is missing in: $(head -c 300 "$temp/out")"
        failed=1
    fi
}

expect 0 '' --help
prints 'record --out F'
expect 0 '' --version
prints '^flashstep-gpu [0-9.]*, kernels [0-9a-f]\{16\}$'

# No device: the kernels are known all the same.
expect 3 'no CUDA device' list
prints '^kernel fa2_forward_d64  core/cuda/fa2_forward.cu, sm_80, bf16, head dimension 64$'
expect 3 'no CUDA device' list --json
python3 -m json.tool "$temp/out" >/dev/null || failed=1
prints '"devices": \[\]'
expect 3 'no CUDA device' check
expect 3 'no CUDA device' conform
expect 3 'no CUDA device' check --kernel standard_d128 --seqlen 100 --mask causal
expect 3 'no CUDA device' bench --json --head-dim 128
expect 3 'no CUDA device' record --out "$temp/recording.json"
if [[ -n $(find "$temp" -name 'recording*') ]]; then
    echo "gpu_program: record wrote a file though nothing ran"
    failed=1
fi

# Bad usage is told before a device is looked for.
expect 2 'no command'
expect 2 "no command 'run'" run
expect 2 "no option '--frob'" check --frob
expect 2 'needs a value' bench --seqlen
expect 2 'whole number from 1' bench --batch 0
expect 2 'whole number from 1' bench --heads 4x
expect 2 'bf16, fp16' bench --dtype fp8
expect 2 'none, causal' bench --mask window:3,4
expect 2 "no kernel 'fa9'" check --kernel fa9
expect 2 'd80' bench --head-dim 80
expect 2 'head_dim 64, not 128' bench --kernel fa2_forward_d64 --head-dim 128
expect 2 'multiple' bench --heads 3 --kv-heads 2
expect 2 'record needs --out' record
expect 2 'no form with stamps' record --out "$temp/recording.json" --dtype fp16
expect 2 'out is for record' bench --out "$temp/recording.json"
exit "$failed"
