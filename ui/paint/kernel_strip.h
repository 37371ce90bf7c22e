// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ptx/session.h"
#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>

#include <cstdint>
#include <vector>

namespace flashstep::paint {

// The warps of a CTA over modelled cycles: from issue to issue, which unit each instruction went to, and how long its
// warp then waited.
struct StripSlice {
    std::uint64_t step = 0;
    Cycle issued = 0, busyUntil = 0, next = 0; // next: when the warp's next instruction is issued
    ptx::Unit unit {};
};
struct StripScene {
    std::vector<std::vector<StripSlice>> warps; // by warp, in order
    Cycle begin = 0, end = 0;
};
[[nodiscard]] StripScene stripOf(
    const ptx::KernelSession& session, std::uint64_t from, std::uint64_t to, std::uint32_t cta, std::uint32_t warps);

struct StripLayout {
    QRectF rect;
    double gutter = 64, ruler = 18, lane = 18;
    double from = 0, to = 1; // cycles in sight
    [[nodiscard]] double x(double cycle) const
    {
        return rect.left() + gutter + (cycle - from) / (to - from) * (rect.width() - gutter - 8);
    }
    [[nodiscard]] double cycleAt(double at) const
    {
        return from + (at - rect.left() - gutter) / (rect.width() - gutter - 8) * (to - from);
    }
    [[nodiscard]] double laneTop(std::size_t warp) const
    {
        return rect.top() + ruler + static_cast<double>(warp) * lane;
    }
};
// The slice whose instruction was the warp's newest at a cycle; null before its first.
[[nodiscard]] const StripSlice* sliceAt(const StripScene& scene, std::size_t warp, double cycle);

void paintStrip(QPainter& painter, const StripScene& scene, const StripLayout& layout, std::uint64_t position,
    Cycle cycle, std::size_t chosenWarp, const Theme& theme);
// The units' names with their colours, as wide as it came to.
double paintUnitLegend(QPainter& painter, const QRectF& rect, const Theme& theme);

} // namespace flashstep::paint
