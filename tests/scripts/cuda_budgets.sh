#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No kernel takes more of the machine than core/cuda/budgets.txt grants, and none spills.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Whoever runs it: every entry of the shipped PTX has a budget for each generation, and no budget grants a spill.
status=0
while read -r entry; do
    for generation in sm_80 sm_90a sm_100a sm_103a; do
        if ! grep -q "^$entry $generation " core/cuda/budgets.txt; then
            echo "cuda_budgets: $entry has no budget for $generation"
            status=1
        fi
    done
done < <(sed -n 's/^\.visible \.entry \([a-z0-9_]*\)(.*/\1/p' resources/ptx/*.ptx)
if awk '/^#/ { next } NF != 7 || $3 > 255 || $4 + $5 > 0 { print; bad = 1 } END { exit !bad }' core/cuda/budgets.txt
then
    echo "cuda_budgets: lines above grant a spill, a stack, or are no budget"
    status=1
fi
((status == 0)) || exit "$status"

nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
    echo "skipped: no nvcc, so nothing says what the kernels take"
    exit 77
fi
made_by=$(sed -n 's/^# release //p' core/cuda/budgets.txt)
here=$("$nvcc" --version | sed -n 's/^Cuda compilation tools, release //p')
if [[ $made_by != "$here" ]]; then
    echo "skipped: the budgets are of release $made_by, this nvcc is release $here"
    exit 77
fi
NVCC=$nvcc bash core/cuda/report.sh | awk '
    /^#/ { next }
    FNR == NR { for (k = 3; k <= 7; ++k) budget[$1, $2, k] = $k; granted[$1, $2] = 1; next }
    !(($1, $2) in granted) { print "cuda_budgets: no budget for " $1 " " $2; bad = 1; next }
    {
        ++seen
        split("x x registers spilled stack static_shared barriers", name, " ")
        for (k = 3; k <= 7; ++k)
            if ($k + 0 > budget[$1, $2, k] + 0) {
                print "cuda_budgets: " $1 " on " $2 ": " name[k] " " $k ", granted " budget[$1, $2, k]
                bad = 1
            }
    }
    END { if (seen == 0) print "cuda_budgets: the report is empty"; exit bad || seen == 0 }' core/cuda/budgets.txt -
