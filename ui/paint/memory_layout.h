// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/memory_painter.h"

#include "core/trace/state.h"

#include <vector>

namespace flashstep::paint {

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
    struct RoleBox { // a role's share of the register file, where roles re-allocate it
        std::size_t place = 0; // in the streams' lists of roles
        RoleId role;
        QRectF rect;
    };
    struct Gate { // the barriers that guard a slot of SMEM: one says that it has landed, one that it is free again
        BufferId buffer;
        BarrierId full, empty;
        QRectF rect; // two rows below the slot
    };
    QRectF hbmTitle, smemTitle, tensorTitle, registerTitle, waitTitle;
    std::vector<Strip> strips;
    std::vector<Box> shared, registers;
    std::vector<Box> tensor; // tensor memory, columns to the right, lanes downwards; what lies over another comes last
    QRectF tensorFree; // columns that the CTA has not asked for
    std::vector<Gate> gates;
    std::vector<RoleBox> roles;
    QRectF freeSmem; // what no buffer of this CTA takes
    QRectF waits; // rows of 15 px
    double height = 0;

    static constexpr double gateRow = 12;
    [[nodiscard]] static QRectF tileRect(const Strip& strip, int k);
};
[[nodiscard]] MemoryLayout layoutMemory(const QRectF& rect, const MemoryScene& scene);

constexpr int tensorColumns = 512, tensorLanes = 128; // of an SM's tensor memory
// Where the newest write of the buffer that has begun by p began; 0 where none has.
[[nodiscard]] Position lastWrite(const Trace& trace, CtaId cta, BufferId buffer, Position p);
// Whether what lies over another buffer's columns has been written over, or nothing of it has come yet.
[[nodiscard]] bool coveredInTensor(const MemoryScene& scene, BufferId buffer);

} // namespace flashstep::paint
