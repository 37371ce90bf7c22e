// SPDX-License-Identifier: GPL-3.0-or-later
// Tiles that travel from HBM by way of L2 to their slots, for as long as a step is drawn moving.
#include "ui/paint/fonts.h"
#include "ui/paint/memory_parts.h"
#include "ui/paint/text.h"

#include <algorithm>

namespace flashstep::paint {

namespace {

constexpr std::uint32_t farthest = 20000; // events: beyond, it was a jump
constexpr std::size_t most = 6; // that are drawn at once

} // namespace

std::vector<Flight> flightsBetween(const Trace& trace, CtaId cta, Position from, Position to)
{
    std::vector<Flight> flights;
    if (to <= from || to.value - from.value > farthest || !cta.valid())
        return flights;
    const Program& program = trace.program();
    for (std::uint32_t e = from.value; e < to.value && flights.size() < most; ++e) {
        const Event event = trace.eventAt(e);
        const WorkId work = trace.workOf(event.instance);
        if (trace.ctaOf(work) != cta)
            continue;
        const Op& op = trace.op(event.instance);
        if (op.kind != OpKind::Load || !op.out.valid() || program.buffers[op.out.index()].space != Space::Smem)
            continue;
        const bool byKey = op.tensor == TensorId::K || op.tensor == TensorId::V;
        const Flight flight { op.out, op.tensor,
            byKey ? program.keyBlock(program.work(work), op) : program.queryTile(program.work(work), op), event.ends };
        const auto known = std::find_if(flights.begin(), flights.end(), [&](const Flight& f) {
            return f.buffer == flight.buffer && f.tile == flight.tile; // several warps carry one tile
        });
        if (known == flights.end())
            flights.push_back(flight);
        else
            known->lands = known->lands || flight.lands;
    }
    return flights;
}

void paintFlights(const MemoryCanvas& canvas)
{
    if (canvas.scene.flights == nullptr || canvas.scene.flown >= 1)
        return;
    const double t = std::clamp(canvas.scene.flown, 0.0, 1.0);
    const double eased = t * t * (3 - 2 * t);
    const auto between = [](const QRectF& a, const QRectF& b, double share) {
        const auto mixed = [&](double from, double to) { return from + (to - from) * share; };
        return QRectF(mixed(a.left(), b.left()), mixed(a.top(), b.top()), mixed(a.width(), b.width()),
            mixed(a.height(), b.height()));
    };
    for (const Flight& flight : *canvas.scene.flights) {
        const auto strip = std::find_if(canvas.layout.strips.begin(), canvas.layout.strips.end(),
            [&](const MemoryLayout::Strip& s) { return s.tensor == flight.tensor; });
        const BufferId host = canvas.program().buffers[flight.buffer.index()].aliases.valid()
            ? canvas.program().buffers[flight.buffer.index()].aliases
            : flight.buffer;
        const auto slot = std::find_if(canvas.layout.shared.begin(), canvas.layout.shared.end(),
            [&](const MemoryLayout::Box& box) { return box.buffer == flight.buffer || box.buffer == host; });
        if (strip == canvas.layout.strips.end() || slot == canvas.layout.shared.end() || flight.tile < 0)
            continue;
        // Asked for: out of HBM as far as L2. Landed: from there into its slot.
        const QRectF home = MemoryLayout::tileRect(*strip, flight.tile);
        const QRectF& l2 = canvas.layout.l2;
        const QRectF gate(home.center().x() - std::min(16.0, home.width() / 2), l2.center().y() - 6,
            std::min(32.0, home.width()), 12);
        const QRectF at = flight.lands ? between(gate, slot->rect, eased) : between(home, gate, eased);
        const bool byKey = flight.tensor == TensorId::K || flight.tensor == TensorId::V;
        const TileColour& colour = canvas.theme.keyBlock(byKey ? flight.tile : -1);
        box(canvas, at, colour.fill, QPen(canvas.theme.text, 1));
        const std::string_view letter = name(flight.tensor);
        const QString label
            = QString::fromLatin1(letter.data(), static_cast<int>(letter.size())) + QString::number(flight.tile);
        const QFont font = canvasFont(9.5, QFont::DemiBold);
        if (textWidth(font, label) + 2 <= at.width() && at.height() >= 9) {
            canvas.painter.setPen(colour.ink);
            drawLine(canvas.painter, at, Qt::AlignHCenter, font, label);
        }
    }
}

} // namespace flashstep::paint
