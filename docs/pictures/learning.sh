#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the pictures of docs/learning.md again, from a release build:
#   bash docs/pictures/learning.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export QT_QPA_PLATFORM=offscreen
bin=build/release/bin
out=docs/pictures/learning
mkdir -p "$out"
sample=resources/samples/licence-causal.json

shot() { "$bin/flashstep" "$sample" --size 1440x900 --shot "$out/$1.png" "${@:2}"; }
own() { "$bin/flashstep" --size 1440x900 --shot "$out/$1.png" "${@:2}"; } # without the sample

# FA1
shot fa1_factors --algorithm fa1 --at "block(i=6, n=3)" --focus ledger
shot fa1_exponents --algorithm fa1 --at "block(i=6, n=3)" --focus row
shot fa1_walk --algorithm fa1 --what-if fa1-form=paper --at "block(i=5, n=3)" --focus tiles
shot fa1_budget --algorithm fa1 --at "block(i=6, n=3)" --focus memory
shot fa1_notation --algorithm fa1 --at "block(i=6, n=3)" --focus glossary
# FA2
shot fa2_walk --algorithm fa2 --at "block(i=6, n=3)" --focus tiles
shot fa2_split_k --algorithm fa2 --what-if warp-split=k --at "block(i=6, n=3)" --focus timeline
shot fa2_deferred --algorithm fa2 --at "block(i=6, n=3)" --focus ledger
own fa2_mask --algorithm fa2 --seqlen-q 40 --seqlen-k 64 --tile 8x8 --cost-tile 128x128 --head-dim 64 --mask causal \
    --at "block(i=2, n=2)" --focus tiles
own fa2_grid --algorithm fa2 --gpu a100 --heads 40 --seqlen-q 1024 --head-dim 64 --mask causal --record cta:0 \
    --at 60000cy --focus grid
shot fa2_source --algorithm fa2 --at "block(i=6, n=3)" --focus source
# FA3
own fa3_pingpong --algorithm fa3 --gpu h100 --head-dim 128 --seqlen-q 256 --seqlen-k 1056 --layout pipeline \
    --at "block(i=0, n=3)"
own fa3_no_overlap --algorithm fa3 --gpu h100 --head-dim 128 --seqlen-q 256 --seqlen-k 1056 --layout pipeline \
    --what-if intra-overlap=off --what-if ping-pong=off --at "block(i=0, n=3)"
shot fa3_rings --algorithm fa3 --at "block(i=6, n=3)" --focus memory
shot fa3_barriers --algorithm fa3 --at "block(i=6, n=3)" --focus why
shot fa3_order --algorithm fa3 --at "block(i=6, n=3)" --focus source
# FA4
shot fa4_pipeline --algorithm fa4 --gpu b200 --layout pipeline --at "block(i=6, n=3)"
shot fa4_reference --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus row
shot fa4_votes --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus ledger
shot fa4_frames --algorithm fa4 --gpu b200 --break rescale:mix-frames --at "block(i=6, n=4)" --focus why
shot fa4_tmem --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus memory
shot fa4_exp --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus exp
own fa4_fp8 --algorithm fa4 --gpu b200 --dtype e4m3 --what-if fp8-offset=8 --what-if rescale-threshold=4 --tile 32x32 \
    --cost-tile 128x128 --seqlen-q 128 --head-dim 64 --at "block(i=1, n=3)" --focus row
shot fa4_barriers --algorithm fa4 --gpu b200 --at "block(i=6, n=3)" --focus why
own fa4_pair --algorithm fa4 --gpu b200 --what-if two-cta=on --seqlen-q 64 --tile 8x8 --cost-tile 128x128 --head-dim 64 \
    --at "block(i=2, n=2)" --focus memory
shot standard --algorithm standard --at "nth(80, mma, buffer=O)" --focus memory
