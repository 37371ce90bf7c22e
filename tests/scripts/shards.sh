#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shell lines of docs/batch.md do what the page says: shards side by side, merged, are the whole sweep.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
page=$PWD/docs/batch.md
PATH="${FLASHSTEP_BIN_DIR:-$PWD/build/release/bin}:$PATH"

status=0
complain() {
    printf 'shards: %s\n' "$1"
    status=1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The block that begins with a given word, without its fences.
block() {
    awk -v begin="$1" '/^```/ { inside = !inside; if (!inside && text ~ begin) { printf "%s", text; exit } text = ""; next }
        inside { text = text $0 "\n" }' "$page"
}

lines=$(block '^seq 4 [|] xargs')
[[ -n $lines ]] || complain "docs/batch.md has no line with xargs"
bash -euo pipefail -c "$lines" >said || complain "the line with xargs fails"
[[ $(cat said) == "6 rows of 4 parts" ]] || complain "merge says: $(cat said)"
flashstep-cli sweep --vary seqlen-q=64,128,256 --vary algorithm=fa2,fa3 --record none --quiet --out whole.csv
cmp -s all.csv whole.csv || complain "the merged table is not the whole one"

# The same with the stand-ins of a cluster: each task of the array is one call of the script.
block '^#!/bin/sh' >sweep.sh
grep -q -- '--array=1-8' sweep.sh || complain "docs/batch.md has no Slurm script with --array=1-8"
rm -f part-*.csv
sed -i 's/1024,2048,4096,8192/64,128/; s/--heads 16/--heads 2/' sweep.sh
for task in 8 3 1 2 7 6 5 4; do
    SLURM_ARRAY_TASK_ID=$task SLURM_CPUS_PER_TASK=2 sh sweep.sh || complain "task $task fails"
done
[[ $(flashstep-cli merge throughput.csv part-*.csv) == "6 rows of 8 parts" ]] || complain "the tasks' parts do not merge"

exit "$status"
