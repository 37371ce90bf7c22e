#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# measure.sh: without a device it changes nothing; its stages resume; its page holds what a program measured, or nothing.
# The measuring program is a stand-in here, in a copy of the project, and calls its device so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
failed=0
complain() {
    echo "gpu_measure: $1"
    failed=1
}
mkdir -p "$temp/core" "$temp/docs"
cp -r core/cuda "$temp/core/"
sed -e '/measured: begin/,/measured: end/{//!d}' -e 's/\(.*measured: begin.*\)/\1\nNot measured yet./' docs/measured.md \
    >"$temp/docs/measured.md"
cp "$temp/docs/measured.md" "$temp/page"

# measure STATUS PATTERN ARG…: what it ends with, and a line of its output.
measure() {
    local status=$1 pattern=$2 got=0
    shift 2
    FLASHSTEP_GPU=$temp/stand-in FLASHSTEP_CLI=/nowhere bash "$temp/core/cuda/measure.sh" "$@" >"$temp/out" 2>&1 || got=$?
    [[ $got == "$status" ]] || complain "measure.sh $*: status $got (expected $status): $(cat "$temp/out")"
    grep -q -e "$pattern" "$temp/out" || complain "measure.sh $*: '$pattern' is missing in: $(cat "$temp/out")"
}
unchanged() {
    cmp -s "$temp/page" "$temp/docs/measured.md" || complain "$1: the page has changed"
    [[ ! -e $temp/resources ]] || complain "$1: there are recordings"
}

cat >"$temp/stand-in" <<'PROGRAM'
#!/usr/bin/env bash
state=$(dirname "$0")
echo "$*" >>"$state/calls"
if [[ -e $state/no-device ]]; then
    echo "flashstep-gpu: no CUDA device: stand-in" >&2
    exit 3
fi
device='{"name": "Stand-in", "driver": "1.2.3", "driver_cuda": "13.0", "cuda": "13.0"}'
[[ ! -e $state/nameless ]] || device='{"name": "Stand-in"}'
problem='{"batch": 1, "heads": 2, "kv_heads": 2, "seqlen_q": 512, "seqlen_k": 512, "head_dim": 64, "mask": "none"}'
case $1 in
--version) echo "flashstep-gpu 0, kernels abc" ;;
list) echo "{\"devices\": [$device], \"kernels\": [{\"name\": \"fa2_forward_d64\"}]}" ;;
check)
    [[ ! -e $state/wrong ]] || { echo "O is wrong" && exit 1; }
    echo '{"results": [{"kernel": "fa2_forward_d64", "cases": 3, "failed": 0, "max_abs_error": 0.01,
        "max_abs_error_lse": 0.001}]}'
    ;;
bench)
    if [[ $* == *standard* ]]; then
        echo "flashstep-gpu: standard: out of memory on the device" >&2
        exit 3
    fi
    [[ ! -e $state/breaks || $* != *"--seqlen 2048"* ]] || { echo "flashstep-gpu: unspecified launch failure" >&2 && exit 1; }
    echo "{\"kernels\": \"abc\", \"device\": $device, \"problem\": $problem,
        \"results\": [{\"kernel\": \"k\", \"median_ms\": 2.5, \"spread_ms\": 0.5}]}"
    ;;
record)
    echo "{\"traceEvents\": [{\"ph\": \"X\", \"args\": {\"op\": \"mma\", \"begin\": 10, \"end\": 40}}],
        \"metadata\": {\"device\": \"Stand-in\", \"driver\": \"1.2.3\", \"kernel\": {\"name\": \"k\", \"hash\": \"abc\"},
        \"median_ms\": 1, \"traced_ms\": 2, \"problem\": {\"problem\": $problem}}}" >"${*: -1}"
    ;;
esac
PROGRAM
chmod +x "$temp/stand-in"

touch "$temp/no-device"
measure 3 'no CUDA device: stand-in; nothing was measured, nothing was changed'
measure 2 "no stage 'frob'" frob
unchanged "without a device"
[[ ! -e $temp/build ]] || complain "without a device: there is a build folder"
rm "$temp/no-device"

measure 1 'nothing has been measured' table
touch "$temp/wrong"
measure 1 'O is wrong' check
rm "$temp/wrong"
touch "$temp/breaks"
measure 1 'unspecified launch failure' time
unchanged "after a launch that failed"
kept=$(find "$temp/build/measure/time" -name '*.json' | wc -l)
((kept > 0)) || complain "results before the failure were not kept"
rm "$temp/breaks" "$temp/calls"
measure 0 'measure.sh: time' time
! grep -q -e '--seqlen 512' "$temp/calls" || complain "what had been measured was measured again"

# Results that do not say on what: no page.
cp -r "$temp/build" "$temp/before"
rm "$temp"/build/measure/time/512-64-none-fa2*
touch "$temp/nameless"
measure 1 'does not say what it was measured on' time table
unchanged "nameless results"
rm -r "$temp/nameless" "$temp/build"
mv "$temp/before" "$temp/build"

measure 0 'measure.sh: table'
for text in 'Device: Stand-in, driver 1.2.3, CUDA 13.0, kernels abc' '2.5 ± 0.25' 'not run: out of memory' \
    '| fa2_forward_d64 | 3 of 3 | 0.01 | 0.001 |' '| mma | 1 | 30 |'; do
    grep -q -F -e "$text" "$temp/docs/measured.md" || complain "the page has no '$text'"
done
! grep -q 'Not measured yet' "$temp/docs/measured.md" || complain "the page still says that nothing was measured"
[[ -f $temp/resources/recordings/stand-in_fa2_forward_d64.json ]] || complain "the recordings were not copied"

# Here, no page may hold what a stand-in said.
! grep -rqi 'stand-in' docs/measured.md resources/recordings 2>/dev/null || complain "a stand-in's figures in the project"
exit "$failed"
