// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/builder.h"

namespace flashstep {

// What FlashAttention-4 is compiled with for a problem: roles, rings, tensor memory, order of tiles.
// [flash_attn/cute/flash_fwd_sm100.py, interface.py]
struct Fa4Setting {
    int queryStages = 2; // query tiles of a CTA
    int packed = 1; // query heads that fill the rows of a tile together
    bool wide = false; // head dimension 256: a kernel of its own
    bool pair = false; // two CTAs multiply together, each holding half of K and V
    int stages = 3; // of the ring that K and V share
    bool unevenSlots = false; // three slots of which the second is smaller: K and V differ in size
    bool oInQ = false; // O leaves through the memory of Q
    bool qByTma = true; // else the load warps copy packed rows one by one
    bool oByTma = true; // else the correction warps store O themselves
    int softmaxRegisters = 192, correctionRegisters = 80, otherRegisters = 48; // after setmaxnreg
    Schedule schedule = Schedule::Static;
    Launch::Order order = Launch::Order::TilesHeadsBatch;

    [[nodiscard]] bool persistent() const { return schedule != Schedule::SingleTile; }
    [[nodiscard]] int stride() const { return pair ? 2 : 1; } // from a CTA's first query tile to its second
    [[nodiscard]] int loadThreads() const { return qByTma ? 32 : 64; }
};
[[nodiscard]] Fa4Setting fa4SettingOf(const Kernel& kernel);
// Threshold, offset and polynomial.
[[nodiscard]] SoftmaxForm fa4SoftmaxOf(const Kernel& kernel, const Fa4Setting& setting);

// Which exponentials the FMA units compute: in fragments of 32 keys, pair k, k + 1 of fragments `start` to 2 where
// k mod freq >= freq - run. [softmax.py, apply_exp2_convert; flash_fwd_sm100.py, tuning table]
struct Fa4Emulation {
    int frequency = 0; // 0: none
    int start = 1;
    int run = 4; // 6 at head dimension 256
};
// What the kernel's table says of a program's problem on a GPU, whatever the knobs.
[[nodiscard]] Fa4Emulation fa4EmulationOf(const Program& program, int computeCapability);

} // namespace flashstep
