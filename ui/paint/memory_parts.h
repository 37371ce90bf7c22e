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
void paintLives(const MemoryCanvas& canvas);
void paintRegisterFile(const MemoryCanvas& canvas);
void paintFlights(const MemoryCanvas& canvas);
// "K5", "Q6", "S 6,5": what the buffer holds; empty where it holds nothing.
[[nodiscard]] QString holds(const MemoryCanvas& canvas, const BufferState& state);
// What the CTAs of a cluster have in common: "each fetches half of K and V for both".
[[nodiscard]] QString clusterNote(const Program& program, const LaunchDecl& launch, int rank);

// What a stretch of tensor memory held, from when to when.
struct TensorLife {
    BufferId buffer;
    WorkId work;
    int i = -1, j = -1;
    Cycle writeBegin = 0, writeEnd = 0;
    Cycle readBegin = 0, readEnd = 0; // 0: nobody reads it
};
// Those that touch [from, to].
[[nodiscard]] std::vector<TensorLife> tensorLives(const Trace& trace, CtaId cta, Cycle from, Cycle to);
// The stretch of time that is shown around the position: some three key blocks.
struct LifeWindow {
    double from = 0, to = 0; // cycles
};
[[nodiscard]] LifeWindow lifeWindow(const MemoryScene& scene);

} // namespace flashstep::paint
