#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures the kernels on this machine's GPU and writes docs/measured.md and resources/recordings:
#   bash core/cuda/measure.sh [STAGE…]        stages: build check time record table (default: all)
# Each stage works for at most eight minutes at a time, keeps what it has in build/measure, and goes on from there when
# the script is started again. Needs nvcc (CUDA 12.4 or newer) and python3; PyTorch is measured beside ours where it is
# there. FLASHSTEP_GPU names a program that is built already, FLASHSTEP_CLI the emulator that says what was expected.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=build/measure
stages=("$@")
((${#stages[@]} > 0)) || stages=(build check time record table)
for stage in "${stages[@]}"; do
    case $stage in
    build | check | time | record | table) ;;
    *)
        echo "measure.sh: there is no stage '$stage' (build, check, time, record or table)" >&2
        exit 2
        ;;
    esac
done

stop() {
    echo "measure.sh: $2" >&2
    exit "$1"
}
command -v python3 >/dev/null || stop 3 "python3 is missing; nothing was measured"

program=${FLASHSTEP_GPU:-$work/flashstep-gpu}
cli=${FLASHSTEP_CLI:-build/release/bin/flashstep-cli}

# A stage ends in time: what is not done by then is done by the next call.
seconds=450
begin_stage() {
    deadline=$((SECONDS + seconds))
    echo "measure.sh: $1"
}
left() {
    local rest=$((deadline - SECONDS))
    ((rest > 0)) || stop 4 "this stage's time is over; start the script again to go on"
    echo "$rest"
}

# into FILE COMMAND…: its output, once; nothing half-written. A command that fails ends everything; what cannot run for
# want of memory is kept as that.
into() {
    local file=$1 status=0 rest
    shift
    [[ ! -s $file ]] || return 0
    mkdir -p "$(dirname "$file")"
    rest=$(left)
    timeout "$rest" "$@" >"$file.part" 2>"$file.err" || status=$?
    if ((status == 124)); then
        stop 4 "this stage's time is over; start the script again to go on"
    elif ((status == 3)) && grep -q 'out of memory' "$file.err"; then
        printf '{"failed": "out of memory"}\n' >"$file.part"
    elif ((status != 0)); then
        stop "$status" "$* failed: $(cat "$file.err" "$file.part" | head -n 1)"
    fi
    mv "$file.part" "$file"
    rm -f "$file.err"
}

# Before anything is built: is there something to measure on?
look_for_device() {
    if [[ -x $program ]]; then
        local said
        said=$("$program" list 2>&1 >/dev/null) ||
            stop 3 "${said#flashstep-gpu: }; nothing was measured, nothing was changed"
    elif ! compgen -G '/dev/nvidia[0-9]*' >/dev/null && [[ ! -e /dev/dxg ]]; then
        stop 3 "no CUDA device on this machine; nothing was measured, nothing was changed"
    fi
}
look_for_device

do_build() {
    begin_stage build
    [[ -z ${FLASHSTEP_GPU:-} ]] || return 0
    mkdir -p "$work"
    local newer
    newer=$(find core/cuda -name '*.[ch]*' -newer "$program" 2>/dev/null || echo "there is no program")
    if [[ ! -x $program || -n $newer ]]; then
        timeout "$seconds" bash core/cuda/build.sh "$program" || stop $? "the build failed; the reason stands above"
    fi
    look_for_device
}

# Results belong to one build of the kernels and one device.
keep_results_of_this_build() {
    [[ -x $program ]] || stop 2 "nothing is built yet (stage build)"
    local now
    now=$("$program" --version
        "$program" list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["devices"])')
    if [[ -f $work/of && $(cat "$work/of") != "$now" ]]; then
        rm -rf "$work/check" "$work/time" "$work/record"
    fi
    mkdir -p "$work"
    printf '%s\n' "$now" >"$work/of"
}

do_check() {
    begin_stage check
    local kernel
    for kernel in $("$program" list --json | python3 -c \
        'import json, sys; print(*[k["name"] for k in json.load(sys.stdin)["kernels"]])'); do
        into "$work/check/$kernel.json" "$program" check --kernel "$kernel" --json --quiet
    done
}

# 16384 tokens and a hidden size of 2048, as the papers take them.
do_time() {
    begin_stage time
    local seqlen dim mask kernel name
    local torch=(python3 core/cuda/measure_torch.py)
    for seqlen in 512 1024 2048 4096 8192 16384; do
        for dim in 64 128; do
            for mask in none causal; do
                local problem=(--batch $((16384 / seqlen)) --heads $((2048 / dim)) --seqlen "$seqlen"
                    --head-dim "$dim" --mask "$mask")
                name=$seqlen-$dim-$mask
                for kernel in "standard_d$dim" "fa1_forward_d$dim" "fa2_forward_d$dim"; do
                    into "$work/time/$name-$kernel.json" \
                        "$program" bench --kernel "$kernel" --json --quiet --repeats 30 "${problem[@]}"
                done
                into "$work/time/$name-torch.json" "${torch[@]}" --repeats 30 "${problem[@]}"
            done
        done
    done
}

do_record() {
    begin_stage record
    local dim kernel file rest
    for dim in 64 128; do
        for kernel in "standard_d$dim" "fa1_forward_d$dim" "fa2_forward_d$dim"; do
            file=$work/record/$kernel.json
            [[ ! -s $file ]] || continue
            mkdir -p "$work/record"
            rest=$(left)
            timeout "$rest" "$program" record --kernel "$kernel" --seqlen 512 --out "$file" ||
                stop 1 "recording $kernel failed; the reason stands above"
        done
    done
}

do_table() {
    begin_stage table
    python3 core/cuda/measure_table.py "$work" docs/measured.md resources/recordings "$cli" ||
        stop 1 "the table could not be made; the reason stands above"
}

for stage in "${stages[@]}"; do
    [[ $stage == build ]] || keep_results_of_this_build
    "do_$stage"
done
