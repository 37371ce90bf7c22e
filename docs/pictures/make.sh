#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the pictures of this folder again, from a release build:
#   bash docs/pictures/make.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export QT_QPA_PLATFORM=offscreen
bin=build/release/bin
sample=resources/samples/licence-causal.json
out=docs/pictures

shot() { "$bin/flashstep" "$sample" --shot "$out/$1" "${@:2}"; }
shot window_light.png --size 1440x900 --theme light --at "block(i=6, n=3)"
shot window_dark.png --size 1440x900 --theme dark --at "block(i=6, n=3)"
shot window_small.png --size 1024x700 --theme light --at "block(i=6, n=3)"
shot window_numbers.png --size 1440x900 --theme light --layout numbers --at "nth(2, rowmax, i=6)"
shot window_first.png --size 1440x900 --theme light
shot window_broken.png --size 1440x900 --theme light --break wait:K_landed --at "block(i=6, n=3)"
shot window_standard.png --size 1440x900 --theme light --algorithm standard --at "nth(80, mma, buffer=O)"
shot window_fa1.png --size 1440x900 --theme light --algorithm fa1 --at "block(i=6, n=3)"
shot window_fa3.png --size 1440x900 --theme light --algorithm fa3 --at "block(i=6, n=3)"
shot window_fa4.png --size 1440x900 --theme light --algorithm fa4 --gpu b200 --at "block(i=6, n=3)"
shot window_memory.png --size 1440x900 --theme light --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus memory
shot window_row.png --size 1440x900 --theme light --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus row
shot window_exp.png --size 1440x900 --theme dark --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus exp
shot window_why.png --size 1440x900 --theme light --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus why
"$bin/flashstep" --algorithm fa2 --gpu a100 --heads 40 --seqlen-q 1024 --head-dim 64 --mask causal --record cta:0 \
    --shot "$out/window_grid.png" --size 1440x900 --theme dark --at 60000cy --focus grid
shot window_welcome.png --size 1440x900 --theme light --focus welcome
# The kernel's own tiles: two warpgroups taking turns, rings full and empty.
"$bin/flashstep" --algorithm fa3 --head-dim 128 --seqlen-q 256 --seqlen-k 1056 --shot "$out/window_pipeline.png" \
    --size 1440x900 --theme dark --layout pipeline --at "block(i=0, n=3)"
# Kernels step through their own instructions.
"$bin/flashstep" --kernel fa2_forward_d64 --shot "$out/kernel-window.png" --size 1440x900 --theme light --at ptx:523
"$bin/flashstep" --kernel fa2_forward_d64 --drop 437 --shot "$out/kernel-faults.png" --size 1440x900 --theme dark \
    --at fault:1
"$bin/flashstep-cli" export --scenario "$sample" --format svg --view timeline --out "$out/timeline_fa2.svg" --at "block(i=6, n=3)"
