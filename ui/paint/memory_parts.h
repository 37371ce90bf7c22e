// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/memory_layout.h"

// The parts that paintMemory is made of.
namespace flashstep::paint {

struct MemoryCanvas {
    QPainter& painter;
    const MemoryScene& scene;
    const MemoryLayout& layout;
    const std::vector<BufferState>& buffers;
    const Theme& theme;

    [[nodiscard]] const Program& program() const { return scene.trace->program(); }
    [[nodiscard]] const Work& work() const { return program().work(scene.trace->workAt(scene.cta, scene.position)); }
    [[nodiscard]] BufferState state(BufferId buffer) const
    {
        for (const BufferState& state : buffers)
            if (state.buffer == buffer)
                return state;
        return {};
    }
};

// A section's title, and a note at its right.
void paintTitle(const MemoryCanvas& canvas, const QRectF& line, const QString& title, const QString& note);
[[nodiscard]] QPen dashed(const QColor& colour, double on, double off);
void box(const MemoryCanvas& canvas, const QRectF& rect, const QBrush& fill, const QPen& pen);
// What a buffer holds: its state by outline and fill, its tile by colour and name.
void paintHolding(const MemoryCanvas& canvas, const QRectF& rect, const BufferState& state);
void paintTensor(const MemoryCanvas& canvas);

} // namespace flashstep::paint
