#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for flashstep-gpu, or for a prefix before it, and misbehaves in the way that is asked for. As a prefix:
#   stand_in_gpu.sh WAY flashstep-gpu list …
# By itself (its first word is a command of flashstep-gpu) the way is in FLASHSTEP_STAND_IN. `well` answers from files:
# FLASHSTEP_STAND_IN_RECORDING for record.
case ${1:-} in
list | check | bench | record) way=${FLASHSTEP_STAND_IN:-well} ;;
*)
    way=$1
    shift 2
    ;;
esac
command=${1:-}
version=${FLASHSTEP_STAND_IN_VERSION:-0.1.0}

hello() { echo "flashstep-gpu $version, kernels 0123456789abcdef" >&2; }
fails() { # STATUS LINE
    hello
    echo "flashstep-gpu: $2" >&2
    exit "$1"
}
device='{"index": 0, "name": "Stand-in GPU", "compute_capability": "8.0", "sms": 108, "driver": "1.2.3", "cuda": "13.0"}'
answer() {
    case $command in
    list) echo "{\"devices\": [$device], \"kernels\": []}" ;;
    check) echo "{\"device\": $device, \"kernels\": [{\"kernel\": \"fa2_forward_d64\", \"cases\": 66, \"failed\": ${1:-0}, \"max_abs_error\": 0.001, \"max_abs_error_lse\": 1e-06, \"first\": \"\"}]}" ;;
    bench) echo "{\"flashstep\": \"$version\", \"device\": $device, \"results\": [{\"kernel\": \"fa2_forward_d64\", \"median_ms\": 0.5, \"spread_ms\": 0.01, \"repeats\": 50, \"tflops\": 12.5}]}" ;;
    record) cat "$FLASHSTEP_STAND_IN_RECORDING" ;;
    esac
}

case $way in
well)
    hello
    echo "progress 0.500 $command something" >&2
    answer
    ;;
arguments) # says with what it was started
    hello
    echo "flashstep-gpu: $*" >&2
    exit 2
    ;;
wrong-numbers)
    hello
    answer 3
    exit 1
    ;;
usage) fails 2 "fa2_forward_d64 is made for head_dim 64, not 80" ;;
no-device) fails 3 "no CUDA device: no NVIDIA driver is installed" ;;
architecture) fails 3 "fa2_forward_d64: no kernel image is available for execution on the device (the program holds code for sm_80 and later)" ;;
old-driver) fails 3 "the driver is too old: it is for CUDA 12.2, this program was built with CUDA 13.0" ;;
out-of-memory) fails 3 "fa2_forward_d64: q: out of memory on the device, 4294967296 bytes: out of memory" ;;
launch) fails 1 "fa2_forward_d64: an illegal memory access was encountered" ;;
not-there) # as a shell does
    echo "bash: line 1: flashstep-gpu: command not found" >&2
    exit 127
    ;;
srun-not-there)
    echo "slurmstepd: error: execve(): flashstep-gpu: No such file or directory" >&2
    exit 2
    ;;
ssh)
    echo "ssh: connect to host gpubox port 22: Connection refused" >&2
    exit 255
    ;;
docker)
    echo "Error response from daemon: No such container: box" >&2
    exit 1
    ;;
signal)
    hello
    kill -SEGV $$
    ;;
status-137)
    hello
    exit 137
    ;;
killed)
    hello
    kill -KILL $$
    ;;
srun)
    hello
    echo "slurmstepd: error: *** STEP 12.0 ON node1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***" >&2
    echo "srun: error: node1: task 0: Terminated" >&2
    exit 143
    ;;
oom-killer)
    hello
    echo "slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM Killed." >&2
    echo "srun: error: node1: task 0: Out Of Memory" >&2
    exit 1
    ;;
hangs)
    hello
    exec sleep 100
    ;;
hangs-on) # and will not be asked to end
    hello
    trap '' TERM
    while :; do sleep 0.1; done
    ;;
leaves-a-child) # that keeps the pipes open
    hello
    sleep 100 &
    answer
    ;;
noise)
    hello
    head -c 20000 /dev/zero | tr '\0' '\377'
    ;;
banner)
    hello
    echo "Welcome to gpubox"
    answer
    ;;
silent) hello ;;
truncated)
    hello
    answer | head -c 300 | head -c -40
    ;;
endless)
    hello
    exec yes '{"devices": ['
    ;;
endless-errors)
    hello
    exec yes 'progress 0.1 again' >&2
    ;;
version) # of another
    version=9.9.9
    hello
    exec sleep 100
    ;;
no-version) answer ;;
other) # a recording of something else
    hello
    cat "$FLASHSTEP_STAND_IN_RECORDING"
    ;;
*)
    echo "stand_in_gpu.sh: there is no way '$way'" >&2
    exit 99
    ;;
esac
