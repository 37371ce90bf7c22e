// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/grid_layout.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double inset = 12, gutterWidth = 48;
constexpr double lineHeight = 17, rulerHeight = 20, marksHeight = 16, legendHeight = 26;
constexpr double highestRow = 34, readableRow = 22; // zooming in makes rows no higher than this
constexpr double shortestStretch = 8; // cycles

double wholeOf(const GridIndex& index)
{
    return std::max(1.0, static_cast<double>(index.trace().cycles()));
}

} // namespace

QRectF GridLayout::laneRect(int row, int slot) const
{
    return { plot.left(), rowTop(row) + slot * laneHeight, plot.width(), laneHeight };
}

int GridLayout::firstRow() const
{
    return std::clamp(static_cast<int>(std::floor(scroll / rowHeight)), 0, rows);
}

int GridLayout::lastRow() const
{
    return std::clamp(static_cast<int>(std::ceil((scroll + plot.height()) / rowHeight)), 0, rows);
}

int GridLayout::rowAt(double y) const
{
    const int row = static_cast<int>(std::floor((y - plot.top() + scroll) / rowHeight));
    return y >= plot.top() && y < plot.bottom() && row >= 0 && row < rows ? row : -1;
}

GridLayout layoutGrid(const QRectF& rect, const GridIndex& index, const GridView& view)
{
    GridLayout layout;
    layout.bounds = rect;
    const double width = std::max(40.0, rect.width() - 2 * inset);
    const int lines
        = std::clamp(static_cast<int>(std::ceil(textWidth(canvasFont(12), index.sentence()) / width)), 1, 3);
    layout.sentence = { rect.left() + inset, rect.top() + 6, width, lines * lineHeight };
    const double left = rect.left() + inset + gutterWidth;
    const double right = std::max(left + 20, rect.right() - inset);
    layout.ruler = { left, layout.sentence.bottom() + 6, right - left, rulerHeight };
    layout.marks = { left, layout.ruler.bottom(), right - left, marksHeight };
    layout.legend = { rect.left() + inset, rect.bottom() - legendHeight, width, legendHeight };
    const double top = layout.marks.bottom();
    const double room = std::max(12.0, layout.legend.top() - 2 - top);
    layout.rows = static_cast<int>(index.rows().size());
    layout.slotsPerSm = index.slotsPerSm();
    const double fits = room / std::max(1, layout.rows);
    const double most = highestRow * (layout.slotsPerSm > 1 ? 1.5 : 1);
    layout.rowHeight = view.rowHeight > 0 ? std::max(view.rowHeight, std::min(fits, most)) : std::min(fits, most);
    if (layout.rowHeight >= 3)
        layout.rowHeight = std::floor(layout.rowHeight);
    layout.laneHeight = layout.rowHeight / layout.slotsPerSm;
    layout.contentHeight = layout.rowHeight * layout.rows;
    layout.plot = { left, top, right - left, std::min(room, layout.contentHeight) };
    layout.gutter = { rect.left() + inset, top, gutterWidth, layout.plot.height() };
    layout.scroll = std::clamp(view.scroll, 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
    layout.from = view.to > view.from ? view.from : 0;
    layout.to = view.to > view.from ? view.to : wholeOf(index);
    return layout;
}

GridHit hitTest(const GridLayout& layout, const GridIndex& index, QPointF point)
{
    GridHit hit;
    hit.cycle = layout.xToTime(point.x());
    if (layout.ruler.united(layout.marks).contains(point)) {
        hit.part = GridHit::Part::Ruler;
        return hit;
    }
    hit.row = layout.rowAt(point.y());
    if (hit.row < 0 || !layout.plot.united(layout.gutter).contains(point)) {
        hit.row = -1;
        return hit;
    }
    hit.part = GridHit::Part::Row;
    if (!layout.plot.contains(point))
        return hit;
    const GridIndex::Row& row = index.rows()[static_cast<std::size_t>(hit.row)];
    const int slot = std::clamp(static_cast<int>((point.y() - layout.rowTop(hit.row)) / layout.laneHeight), 0,
        static_cast<int>(row.lanes.size()) - 1);
    const auto& stays = row.lanes[static_cast<std::size_t>(slot)].stays;
    const double reach = 2 / layout.pixelsPerCycle();
    const auto after = std::partition_point(stays.begin(), stays.end(),
        [&](const GridIndex::Stay& stay) { return static_cast<double>(stay.end) <= hit.cycle; });
    const auto distance = [&](const GridIndex::Stay& stay) {
        return std::max({ 0.0, stay.begin - hit.cycle, hit.cycle - stay.end });
    };
    if (after != stays.end() && distance(*after) <= reach)
        hit.stay = &*after;
    if (after != stays.begin() && distance(*(after - 1)) <= reach
        && (hit.stay == nullptr || distance(*(after - 1)) < distance(*hit.stay)))
        hit.stay = &*(after - 1);
    if (hit.stay == nullptr)
        return hit;
    hit.part = GridHit::Part::Stay;
    for (const GridIndex::Part& part : index.partsOf(*hit.stay)) // the last one begun, where two overlap
        if (hit.work == nullptr || static_cast<double>(part.begin) <= hit.cycle)
            hit.work = &part;
    return hit;
}

GridView zoomed(const QRectF& rect, const GridIndex& index, const GridView& view, double factor, QPointF anchor)
{
    const GridLayout before = layoutGrid(rect, index, view);
    GridView next = view;
    const double whole = wholeOf(index);
    const double span = std::clamp((before.to - before.from) / factor, std::min(shortestStretch, whole), whole);
    const double at = std::clamp(before.xToTime(anchor.x()), before.from, before.to);
    const double share = (at - before.from) / (before.to - before.from);
    next.from = std::clamp(at - share * span, 0.0, whole - span);
    next.to = next.from + span;
    const double readable = readableRow * before.slotsPerSm;
    if (before.rowHeight < readable || factor < 1) {
        next.rowHeight = std::min(before.rowHeight * factor, readable);
        const GridLayout after = layoutGrid(rect, index, next);
        const double place = (anchor.y() - before.plot.top() + before.scroll) / before.rowHeight; // in rows
        next.scroll = place * after.rowHeight - (anchor.y() - after.plot.top());
        next.rowHeight = after.rowHeight;
    }
    if (span >= whole)
        next = GridView {};
    return panned(rect, index, next, {});
}

GridView panned(const QRectF& rect, const GridIndex& index, const GridView& view, QPointF by)
{
    const GridLayout layout = layoutGrid(rect, index, view);
    GridView next = view;
    if (view.to > view.from) {
        const double span = layout.to - layout.from;
        next.from
            = std::clamp(layout.from - by.x() / layout.pixelsPerCycle(), 0.0, std::max(0.0, wholeOf(index) - span));
        next.to = next.from + span;
    }
    next.scroll = std::clamp(view.scroll - by.y(), 0.0, std::max(0.0, layout.contentHeight - layout.plot.height()));
    return next;
}

} // namespace flashstep::paint
