// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/paint/theme.h"

#include "core/hardware/spec.h"

#include <QPainter>

namespace flashstep::paint {

struct MemoryScene {
    const Trace* trace = nullptr;
    const GpuSpec* gpu = nullptr; // capacities
    Position position;
    CtaId cta;
    Highlight highlight;
};

// HBM, shared memory and registers of the chosen CTA, and what its roles wait for.
void paintMemory(QPainter& painter, const QRectF& rect, const MemoryScene& scene, const Theme& theme);
[[nodiscard]] double memoryHeight(const MemoryScene& scene); // that paintMemory needs at 300 px width

struct MemoryHit {
    BufferId buffer; // of the CTA, on chip
    TensorId tensor = TensorId::None; // in HBM
    int i = -1, j = -1; // the tile there
};
[[nodiscard]] MemoryHit hitTestMemory(const QRectF& rect, const MemoryScene& scene, QPointF point);

} // namespace flashstep::paint
