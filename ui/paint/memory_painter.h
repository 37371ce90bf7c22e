// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/paint/theme.h"

#include "core/hardware/spec.h"
#include "core/trace/state.h"

#include <QPainter>

#include <vector>

namespace flashstep::paint {

class MemoryTraffic;

// A tile on its way from HBM to a slot of SMEM, for as long as it is drawn moving.
struct Flight {
    BufferId buffer;
    TensorId tensor = TensorId::None;
    int tile = -1; // of the tensor
    bool lands = false; // with this step; else it has just been asked for
    bool operator==(const Flight&) const = default;
};
// What began or landed in the CTA after `from` and at or before `to`; none where that is too far to be one step.
[[nodiscard]] std::vector<Flight> flightsBetween(const Trace& trace, CtaId cta, Position from, Position to);

struct MemoryScene {
    const Trace* trace = nullptr;
    const GpuSpec* gpu = nullptr; // capacities
    Position position;
    CtaId cta;
    Highlight highlight;
    const MemoryTraffic* traffic = nullptr; // of the trace; may be nullptr
    const std::vector<Flight>* flights = nullptr; // tiles that travel; may be nullptr
    double flown = 1; // of their way, 0 … 1
};

// HBM, shared memory and registers of the chosen CTA, and what its roles wait for.
void paintMemory(QPainter& painter, const QRectF& rect, const MemoryScene& scene, const Theme& theme);
// The height that paintMemory takes in that room: more than there is where even the tightest does not fit.
[[nodiscard]] double memoryHeight(const MemoryScene& scene, QSizeF room);
[[nodiscard]] double memoryHeight(const MemoryScene& scene); // that it would like at 300 px width

struct MemoryHit {
    BufferId buffer; // of the CTA, on chip
    TensorId tensor = TensorId::None; // in HBM
    int i = -1, j = -1; // the tile there
    bool peer = false; // the buffer is the other CTA's
    bool l2 = false, registerFile = false;
};
[[nodiscard]] MemoryHit hitTestMemory(const QRectF& rect, const MemoryScene& scene, QPointF point);

// What is under the point in words, for tool tips.
[[nodiscard]] QString describeMemory(const MemoryScene& scene, const MemoryHit& hit);
// A barrier in words: "pipeline_k.full[0]: phase 3, parity 1, 2 of 4 arrivals".
[[nodiscard]] QString describeBarrier(const Program& program, const BarrierState& state);

} // namespace flashstep::paint
