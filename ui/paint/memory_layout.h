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
    QRectF hbmTitle, smemTitle, registerTitle, waitTitle;
    std::vector<Strip> strips;
    std::vector<Box> shared, registers;
    QRectF freeSmem; // what no buffer of this CTA takes
    QRectF waits; // rows of 15 px
    double height = 0;

    [[nodiscard]] static QRectF tileRect(const Strip& strip, int k);
};
[[nodiscard]] MemoryLayout layoutMemory(const QRectF& rect, const MemoryScene& scene);

} // namespace flashstep::paint
