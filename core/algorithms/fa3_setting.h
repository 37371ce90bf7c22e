// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/builder.h"

namespace flashstep {

// What FlashAttention-3 is compiled with for a problem: roles, rings, order of tiles.
// [hopper/flash_fwd_launch_template.h]
struct Fa3Setting {
    int consumers = 2; // warpgroups, 64 rows of the tile each
    int stages = 2; // of the K and V rings
    int cluster = 1; // 2: K and V are multicast
    int producerThreads = 32; // a warp, or a warpgroup where it copies by itself; 0: no producer
    int producerRegisters = 24, consumerRegisters = 240; // after setmaxnreg
    bool specialised = true;
    bool tma = true;
    bool pInSmem = false;
    bool transposesV = false; // row-major V of 8 bits: the producer warpgroup makes the layout that WGMMA reads
    bool overlap = true; // softmax beside the product with V of the block before
    bool pingPong = true; // warpgroups take turns on the tensor cores
    bool rescaleFirst = false; // O is rescaled before the product with V, not after
    Schedule schedule = Schedule::Static;
    Launch::Order order = Launch::Order::TilesHeadsBatch;

    [[nodiscard]] bool persistent() const { return schedule != Schedule::SingleTile; }
    [[nodiscard]] bool dynamic() const { return schedule == Schedule::Dynamic; }
    // Threads of the producer that load Q, and all that ask which tile comes next.
    [[nodiscard]] int loadThreads() const { return transposesV ? 32 : producerThreads; }
    [[nodiscard]] bool multicast() const { return cluster > 1; }
    [[nodiscard]] Reach reach() const { return cluster > 1 ? Reach::Both : Reach::Own; }
    [[nodiscard]] Via via() const { return tma ? Via::Tma : Via::CpAsync; }
    [[nodiscard]] int threads() const { return ((specialised ? 1 : 0) + consumers) * 128; } // whole warpgroups
    [[nodiscard]] int registers() const; // per thread, as launched
};
[[nodiscard]] Fa3Setting fa3SettingOf(const Kernel& kernel);

} // namespace flashstep
