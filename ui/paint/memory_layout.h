// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/memory_painter.h"

#include "core/trace/state.h"

#include <vector>

namespace flashstep::paint {

// How much room each part of the memory view takes: from roomy to tight, the first that fits is taken.
struct MemoryMeasures {
    double title = 22, gap = 10;
    double strip = 16, l2 = 10;
    double slot = 40, slotLabel = 16, gateRow = 12;
    double peer = 20; // 0: the other CTA's SMEM is left out
    double tensor = 38, tensorLabel = 14;
    double life = 13; // a row of what tensor memory held when; 0: left out
    double bar = 10; // the register file
    double registers = 24, registerLabel = 16;
    double role = 30;
    double wait = 15;
};

// Where each thing of the memory view lies: shared by its painter and its hit test.
struct MemoryLayout {
    struct Strip { // a tensor in HBM, tile by tile
        TensorId tensor = TensorId::None;
        QRectF rect;
        int tiles = 0;
        int heads = 1;
    };
    struct Box { // a buffer on chip
        BufferId buffer;
        QRectF rect;
    };
    struct RoleBox { // a role with the registers it has, where roles re-allocate them
        std::size_t place = 0; // in the streams' lists of roles
        RoleId role;
        QRectF rect;
    };
    struct Gate { // the barriers that guard a slot of SMEM: one says that it has landed, one that it is free again
        BufferId buffer;
        BarrierId full, empty;
        QRectF rect; // two rows below the slot
    };
    MemoryMeasures measures;
    QRectF hbmTitle, l2Title, smemTitle, peerTitle, tensorTitle, registerTitle, waitTitle;
    std::vector<Strip> strips;
    QRectF l2; // what was found there and what was not
    std::vector<Box> shared, peer, registers;
    std::vector<Box> tensor; // tensor memory, columns to the right, lanes downwards; what lies over another comes last
    QRectF tensorFree; // columns that the CTA has not asked for
    std::vector<Box> lives; // a row of time for each stretch of columns, named by the buffer below
    std::vector<Gate> gates;
    QRectF registerFile; // to scale: all registers of the SM
    std::vector<RoleBox> roles;
    QRectF freeSmem; // what no buffer of this CTA takes
    QRectF waits;
    double height = 0;

    [[nodiscard]] static QRectF tileRect(const Strip& strip, int k);
};
[[nodiscard]] MemoryLayout layoutMemory(const QRectF& rect, const MemoryScene& scene);

constexpr int tensorColumns = 512, tensorLanes = 128; // of an SM's tensor memory
constexpr int registersOfSm = 65536; // 32 bits each
// Where the newest write of the buffer that has begun by p began; 0 where none has.
[[nodiscard]] Position lastWrite(const Trace& trace, CtaId cta, BufferId buffer, Position p);
// Whether what lies over another buffer's columns has been written over, or nothing of it has come yet.
[[nodiscard]] bool coveredInTensor(const MemoryScene& scene, BufferId buffer);
// Registers a thread of the role has at p: the launch's until its setmaxnreg is through.
[[nodiscard]] int registersOf(const Trace& trace, CtaId cta, std::size_t role, Position p);
// The warps of a CTA and the registers of each of their threads.
struct RegisterShare {
    static constexpr std::size_t nobody = ~std::size_t { 0 };
    std::size_t role = nobody; // by its place in the stream's list; nobody: warps without one
    int warps = 0, registers = 0;
    [[nodiscard]] int all() const { return 32 * warps * registers; }
};
[[nodiscard]] std::vector<RegisterShare> registerShares(const Trace& trace, CtaId cta, Position p);

} // namespace flashstep::paint
