// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/kernel_strip.h"

#include "ui/paint/fonts.h"
#include "ui/paint/kernel_values.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

StripScene stripOf(
    const ptx::KernelSession& session, std::uint64_t from, std::uint64_t to, std::uint32_t cta, std::uint32_t warps)
{
    StripScene scene;
    scene.warps.resize(warps);
    bool any = false;
    for (std::uint64_t k = from; k < to; ++k) {
        const ptx::Step& step = session.step(k);
        if (step.cta != cta || step.warp >= warps)
            continue;
        auto& slices = scene.warps[step.warp];
        if (!slices.empty())
            slices.back().next = step.issued;
        const ptx::Unit unit = session.run().codes[session.launchOf(k)]->instructions[step.pc].unit;
        slices.push_back({ k, step.issued, step.done, step.done, unit });
        scene.begin = any ? std::min(scene.begin, step.issued) : step.issued;
        scene.end = std::max(scene.end, step.done);
        any = true;
    }
    return scene;
}

const StripSlice* sliceAt(const StripScene& scene, std::size_t warp, double cycle)
{
    if (warp >= scene.warps.size())
        return nullptr;
    const auto& slices = scene.warps[warp];
    const auto after = std::upper_bound(slices.begin(), slices.end(), cycle,
        [](double c, const StripSlice& s) { return c < static_cast<double>(s.issued); });
    return after == slices.begin() ? nullptr : &*(after - 1);
}

namespace {

// Arithmetic stands in the upper part of a lane, memory in the lower one; what only leads the way fills it. So units
// are told apart without their colours.
QRectF slot(ptx::Unit unit, double x, double width, double top, double lane)
{
    const double height = lane - 4, upper = std::floor(height * 0.55);
    switch (unit) {
    case ptx::Unit::Control:
    case ptx::Unit::Barrier:
        return { x, top + 2, width, height };
    case ptx::Unit::Shared:
    case ptx::Unit::Shuffle:
    case ptx::Unit::Global:
    case ptx::Unit::Copy:
        return { x, top + 2 + upper, width, height - upper };
    default:
        return { x, top + 2, width, upper };
    }
}

// Where many instructions share a pixel, it shows what most of its cycles went to.
void paintLane(
    QPainter& painter, const std::vector<StripSlice>& slices, const StripLayout& layout, double top, const Theme& theme)
{
    const double left = layout.x(layout.from), right = layout.x(layout.to);
    auto at = std::upper_bound(slices.begin(), slices.end(), layout.from,
        [](double c, const StripSlice& s) { return c < static_cast<double>(s.issued); });
    if (at != slices.begin())
        --at;
    double bucket = -1;
    std::array<double, 12> share {};
    const auto flush = [&] {
        if (bucket < 0)
            return;
        // Of either part of the lane the unit that most of its cycles went to.
        for (const bool memory : { false, true }) {
            std::size_t most = share.size();
            for (std::size_t u = 0; u < share.size(); ++u) {
                const QRectF part = slot(static_cast<ptx::Unit>(u), 0, 1, 0, layout.lane);
                if ((part.top() > 2) == memory && share[u] > 0 && (most == share.size() || share[u] > share[most]))
                    most = u;
            }
            if (most < share.size())
                painter.fillRect(slot(static_cast<ptx::Unit>(most), bucket, 1, top, layout.lane),
                    unitColour(theme, static_cast<ptx::Unit>(most)));
        }
        share.fill(0);
    };
    for (; at != slices.end() && static_cast<double>(at->issued) < layout.to; ++at) {
        const double x0 = std::max(left, layout.x(static_cast<double>(at->issued)));
        const double busy = static_cast<double>(std::max(at->issued + 1, std::min(at->busyUntil, at->next)));
        const double x1 = std::min(right, layout.x(busy));
        const double x2 = std::min(right, layout.x(static_cast<double>(at->next)));
        if (x2 - x0 < 2) {
            const double pixel = std::floor(x0);
            if (pixel != bucket) {
                flush();
                bucket = pixel;
            }
            share[static_cast<std::size_t>(at->unit)] += std::max(0.05, x1 - x0);
            continue;
        }
        flush();
        bucket = -1;
        const double gap = x1 - x0 > 4 ? 0.8 : 0;
        painter.fillRect(
            slot(at->unit, x0, std::max(1.0, x1 - x0 - gap), top, layout.lane), unitColour(theme, at->unit));
        if (x2 - x1 > 2)
            fillWait(painter, QRectF(x1, top + layout.lane / 2 - 3, x2 - x1, 6), theme);
    }
    flush();
}

void paintRuler(QPainter& painter, const StripLayout& layout, const Theme& theme)
{
    const double span = layout.to - layout.from;
    const double wanted = span / std::max(1.0, (layout.rect.width() - layout.gutter) / 110);
    double step = std::pow(10, std::floor(std::log10(std::max(1.0, wanted))));
    for (const double m : { 1.0, 2.0, 5.0, 10.0 }) {
        if (step * m >= wanted) {
            step *= m;
            break;
        }
    }
    for (double c = std::ceil(layout.from / step) * step; c <= layout.to; c += step) {
        const double x = layout.x(c);
        painter.fillRect(
            QRectF(std::round(x), layout.rect.top() + layout.ruler - 4, 1, layout.rect.height()), theme.line);
        const QString text = grouped(static_cast<std::int64_t>(c));
        const double wide = textWidth(monoFont(10), text) + 4;
        painter.setPen(theme.t2);
        if (x + wide < layout.rect.right())
            drawLine(
                painter, QRectF(x + 3, layout.rect.top(), wide, layout.ruler - 2), Qt::AlignLeft, monoFont(10), text);
    }
}

} // namespace

void paintStrip(QPainter& painter, const StripScene& scene, const StripLayout& layout, std::uint64_t position,
    Cycle cycle, std::size_t chosenWarp, const Theme& theme)
{
    painter.fillRect(layout.rect, theme.panel);
    painter.setRenderHint(QPainter::Antialiasing, false);
    paintRuler(painter, layout, theme);
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(layout.rect.left() + 8, layout.rect.top(), layout.gutter - 8, layout.ruler - 2),
        Qt::AlignLeft, canvasFont(10.5), QObject::tr("cycle"));
    for (std::size_t w = 0; w < scene.warps.size(); ++w) {
        const double top = layout.laneTop(w);
        if (w == chosenWarp) {
            painter.fillRect(QRectF(layout.rect.left(), top, layout.gutter, layout.lane), theme.highlight);
            painter.setPen(QPen(theme.mid, 1));
            painter.drawRect(QRectF(layout.rect.left(), top, layout.gutter - 1, layout.lane - 1));
        }
        painter.setPen(theme.text);
        drawLine(painter, QRectF(layout.rect.left() + 8, top, layout.gutter - 8, layout.lane), Qt::AlignLeft,
            canvasFont(11, w == chosenWarp ? QFont::DemiBold : QFont::Normal), QObject::tr("warp %1").arg(w));
        paintLane(painter, scene.warps[w], layout, top, theme);
        // How far the warp has come: a tick at its next instruction.
        const auto& slices = scene.warps[w];
        const auto next = std::lower_bound(
            slices.begin(), slices.end(), position, [](const StripSlice& s, std::uint64_t p) { return s.step < p; });
        if (next != slices.end()) {
            const double x = layout.x(static_cast<double>(next->issued));
            if (x >= layout.x(layout.from) - 1 && x <= layout.x(layout.to) + 1)
                painter.fillRect(QRectF(std::round(x) - 1, top + 1, 2, layout.lane - 2), theme.text);
        }
    }
    const double x = std::round(layout.x(static_cast<double>(cycle)));
    if (x >= layout.x(layout.from) - 1 && x <= layout.x(layout.to) + 1) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setBrush(theme.text);
        painter.setPen(Qt::NoPen);
        painter.drawPolygon(QPolygonF({ QPointF(x - 6, layout.rect.top() + layout.ruler - 8),
            QPointF(x + 6, layout.rect.top() + layout.ruler - 8), QPointF(x, layout.rect.top() + layout.ruler - 1) }));
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(QRectF(x, layout.rect.top() + layout.ruler - 2, 1,
                             layout.lane * static_cast<double>(scene.warps.size()) + 2),
            theme.text);
    }
}

double paintUnitLegend(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    const std::pair<ptx::Unit, QString> units[] = { { ptx::Unit::Tensor, QObject::tr("tensor core") },
        { ptx::Unit::Exponential, QObject::tr("exponential") }, { ptx::Unit::Alu, QObject::tr("ALU and FMA") },
        { ptx::Unit::Shared, QObject::tr("shared memory") }, { ptx::Unit::Global, QObject::tr("global memory") },
        { ptx::Unit::Copy, QObject::tr("cp.async") }, { ptx::Unit::Control, QObject::tr("control, barrier") } };
    const QFont font = canvasFont(10.5);
    double x = rect.left();
    for (const auto& [unit, name] : units) {
        const double wide = textWidth(font, name);
        if (x + wide + 18 > rect.right())
            break;
        painter.fillRect(QRectF(x, rect.center().y() - 4, 8, 8), unitColour(theme, unit));
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(x + 12, rect.top(), wide, rect.height()), Qt::AlignLeft, font, name);
        x += wide + 26;
    }
    return x - rect.left();
}

} // namespace flashstep::paint
