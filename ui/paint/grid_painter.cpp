// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/grid_painter.h"

#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_layout.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double narrowest = 2.5; // pixels: bars below that are drawn together
constexpr double outlined = 5; // pixels of height from which on a bar has an outline
constexpr double labelled = 11; // and a label

struct GridCanvas {
    QPainter& painter;
    const GridScene& scene;
    const GridLayout& layout;
    const Theme& theme;
    double now; // cycle

    [[nodiscard]] const GridIndex& index() const { return *scene.index; }
    [[nodiscard]] const Program& program() const { return scene.index->trace().program(); }
};

QColor fillOf(const Theme& theme, GridState state)
{
    return state == GridState::Done ? theme.neutral.fill : state == GridState::Running ? theme.t2 : theme.panel;
}

QRectF snapped(double left, double top, double right, double bottom)
{
    const double l = std::round(left), t = std::round(top);
    return { l, t, std::max(1.0, std::round(right) - l), std::max(1.0, std::round(bottom) - t) };
}

// Its edge is what stands out from the panel; a bar too small for one is all edge.
void paintDone(QPainter& painter, const QRectF& bar, const Theme& theme)
{
    painter.fillRect(bar, theme.neutral.edge);
    if (bar.height() >= outlined && bar.width() >= 4)
        painter.fillRect(bar.adjusted(1, 1, -1, -1), theme.neutral.fill);
}

// A bar in its state: what is over filled, what runs dark up to now and light beyond, what is to come outlined.
void paintBar(const GridCanvas& canvas, const QRectF& bar, GridState state)
{
    QPainter& painter = canvas.painter;
    const Theme& theme = canvas.theme;
    const bool roomy = bar.height() >= outlined && bar.width() >= 4;
    if (state == GridState::ToCome) {
        painter.fillRect(bar, roomy ? theme.mid : mix(theme.line, theme.panel, 0.5));
        if (roomy)
            painter.fillRect(bar.adjusted(1, 1, -1, -1), theme.panel);
        return;
    }
    if (state == GridState::Done) {
        paintDone(painter, bar, theme);
        return;
    }
    painter.fillRect(bar, theme.neutral.tint);
    if (state == GridState::Running) {
        const double x = std::clamp(std::round(canvas.layout.timeToX(canvas.now)), bar.left(), bar.right());
        painter.fillRect(QRectF(bar.left(), bar.top(), std::max(1.0, x - bar.left()), bar.height()), theme.t2);
        if (roomy) {
            painter.setPen(QPen(theme.t2, 1));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5));
        }
    }
}

// The label on whichever ground there is room for it: on the part that is over, or on what is still ahead.
void paintBarLabel(const GridCanvas& canvas, const QRectF& whole, GridState state, const QStringList& choices)
{
    const QRectF bar = whole & canvas.layout.plot;
    if (bar.height() < labelled)
        return;
    const QFont font = canvasFont(bar.height() >= 15 ? 10.5 : 9.5, QFont::Medium);
    QRectF room = bar;
    QColor ink = state == GridState::Done ? canvas.theme.neutral.ink : canvas.theme.text;
    if (state == GridState::Running) {
        const double x = std::clamp(canvas.layout.timeToX(canvas.now), bar.left(), bar.right());
        const bool before = x - bar.left() >= bar.right() - x;
        (before ? room.setRight(x) : room.setLeft(x));
        if (before)
            ink = inkOn(canvas.theme.t2);
    }
    for (const QString& text : choices)
        if (textWidth(font, text) + 6 <= room.width()) {
            canvas.painter.setPen(ink);
            drawLine(canvas.painter, room, Qt::AlignHCenter, font, text);
            return;
        }
}

// The work tiles of a stay; those that follow each other within a pixel as one.
void paintParts(const GridCanvas& canvas, const GridIndex::Stay& stay, const QRectF& lane)
{
    const auto parts = canvas.index().partsOf(stay);
    const GridLayout& layout = canvas.layout;
    auto part = std::partition_point(
        parts.begin(), parts.end(), [&](const GridIndex::Part& p) { return p.end <= layout.from; });
    double done = layout.timeToX(stay.begin); // up to where the bars have come: the next tile may begin before
    if (part != parts.begin())
        done = std::max(done, layout.timeToX((part - 1)->end));
    while (part != parts.end() && part->begin < layout.to) {
        const double right = layout.timeToX(part->end);
        const double left = std::max(layout.timeToX(part->begin), done);
        if (right - left < narrowest) { // go on to the first that ends beyond this pixel
            const double until = layout.xToTime(left + narrowest);
            const auto next = std::partition_point(
                part + 1, parts.end(), [&](const GridIndex::Part& p) { return static_cast<double>(p.end) <= until; });
            paintBar(canvas,
                snapped(left, lane.top(), std::max(left + 1, layout.timeToX((next - 1)->end)), lane.bottom()),
                GridIndex::stateOf(*part, canvas.scene.position));
            done = std::max(left + 1, layout.timeToX((next - 1)->end));
            part = next;
            continue;
        }
        const GridState state = GridIndex::stateOf(*part, canvas.scene.position);
        const double gap = right - left > 6 && part + 1 != parts.end() ? 1 : 0;
        const QRectF bar = snapped(left, lane.top(), right - gap, lane.bottom());
        paintBar(canvas, bar, state);
        const Work& work = canvas.program().work(part->work);
        QStringList labels { workLabel(canvas.program(), work), QStringLiteral("Q%1").arg(work.i) };
        if (parts.size() == 1)
            labels.prepend(QStringLiteral("CTA %1 · %2").arg(stay.cta.index()).arg(labels.front()));
        paintBarLabel(canvas, bar, state, labels);
        done = right;
        ++part;
    }
}

void outlineStay(const GridCanvas& canvas, CtaId cta, double width)
{
    const GridIndex::Stay* stay = canvas.index().find(cta);
    if (stay == nullptr || stay->end < canvas.layout.from || stay->begin > canvas.layout.to)
        return;
    const GridLayout& layout = canvas.layout;
    for (int r = layout.firstRow(); r < layout.lastRow(); ++r) {
        const GridIndex::Row& row = canvas.index().rows()[static_cast<std::size_t>(r)];
        for (int slot = 0; slot < static_cast<int>(row.lanes.size()); ++slot) {
            const auto& stays = row.lanes[static_cast<std::size_t>(slot)].stays;
            if (stays.empty() || stay < stays.data() || stay >= stays.data() + stays.size())
                continue;
            const QRectF lane = layout.laneRect(r, slot);
            const QRectF bar = snapped(std::max(layout.timeToX(stay->begin), layout.plot.left() - 4), lane.top(),
                std::min(layout.timeToX(stay->end), layout.plot.right() + 4), lane.bottom());
            canvas.painter.setRenderHint(QPainter::Antialiasing, true);
            canvas.painter.setPen(QPen(canvas.theme.text, width));
            canvas.painter.setBrush(Qt::NoBrush);
            canvas.painter.drawRoundedRect(bar.adjusted(-0.5, -0.5, 0.5, 0.5), 2, 2);
            canvas.painter.setRenderHint(QPainter::Antialiasing, false);
            return;
        }
    }
}

void paintStays(const GridCanvas& canvas, const GridIndex::Lane& lane, const QRectF& where)
{
    const GridLayout& layout = canvas.layout;
    const bool apart = where.height() >= outlined;
    const QRectF rect = where.adjusted(0, apart ? 1 : 0, 0, where.height() >= 3 ? -1 : 0);
    auto stay = std::partition_point(lane.stays.begin(), lane.stays.end(),
        [&](const GridIndex::Stay& s) { return static_cast<double>(s.end) <= layout.from; });
    while (stay != lane.stays.end() && stay->begin < layout.to) {
        const double left = layout.timeToX(stay->begin), right = layout.timeToX(stay->end);
        const GridState state = canvas.index().stateOf(*stay, canvas.scene.position);
        if (right - left < narrowest) {
            const double until = layout.xToTime(left + narrowest);
            const auto next = std::partition_point(stay + 1, lane.stays.end(),
                [&](const GridIndex::Stay& s) { return static_cast<double>(s.end) <= until; });
            paintBar(canvas, snapped(left, rect.top(), left + narrowest, rect.bottom()), state);
            stay = next;
            continue;
        }
        const bool known = canvas.index().partsOf(*stay).size() == canvas.index().trace().worksOf(stay->cta).size();
        const double gap = right - left > 6 ? 1 : 0; // to the next CTA
        const QRectF bar = snapped(std::max(left, layout.plot.left() - 4), rect.top(),
            std::min(right - gap, layout.plot.right() + 4), rect.bottom());
        if (known) {
            if (state == GridState::ToCome)
                paintBar(canvas, bar, state);
            else // between its tiles, and before the first of them
                canvas.painter.fillRect(bar, canvas.theme.neutral.tint);
            paintParts(canvas, *stay, rect);
        } else {
            const auto works = canvas.index().trace().worksOf(stay->cta);
            paintBar(canvas, bar, state);
            const QString what = works.size() == 1 ? workLabel(canvas.program(), canvas.program().work(works.front()))
                                                   : QStringLiteral("%1 tiles").arg(works.size());
            paintBarLabel(canvas, bar, state, { QStringLiteral("CTA %1 · %2").arg(stay->cta.index()).arg(what), what });
        }
        if (!stay->ends) // stuck for ever
            fillFault(canvas.painter, snapped(right - 12, rect.top(), right, rect.bottom()), canvas.theme);
        if (stay->wave > 1 && right - left > 6) { // another wave begins here
            const double wide = rect.height() >= 6 ? 3 : 1;
            canvas.painter.fillRect(snapped(left - 1, rect.top(), left - 1 + wide, rect.bottom()), canvas.theme.text);
        }
        ++stay;
    }
}

void paintRows(const GridCanvas& canvas)
{
    const GridLayout& layout = canvas.layout;
    const double end = layout.timeToX(static_cast<double>(canvas.index().summary().end));
    double pixel = -1e9; // the newest line of pixels that is taken
    for (int r = layout.firstRow(); r < layout.lastRow(); ++r) {
        const GridIndex::Row& row = canvas.index().rows()[static_cast<std::size_t>(r)];
        for (int slot = 0; slot < static_cast<int>(row.lanes.size()); ++slot) {
            const QRectF lane = layout.laneRect(r, slot);
            if (std::floor(lane.top()) <= pixel)
                continue; // one line stands for several
            pixel = std::floor(lane.top() + std::max(1.0, lane.height()) - 1);
            paintStays(canvas, row.lanes[static_cast<std::size_t>(slot)], lane);
        }
        const double idle = layout.timeToX(row.end);
        if (end - idle >= 2 && layout.rowHeight >= 1)
            fillWait(canvas.painter,
                snapped(idle + 1, layout.rowTop(r) + (layout.rowHeight >= outlined ? 1 : 0), end,
                    layout.rowTop(r) + layout.rowHeight - (layout.rowHeight >= 3 ? 1 : 0)),
                canvas.theme);
    }
}

void paintGutter(const GridCanvas& canvas)
{
    const GridLayout& layout = canvas.layout;
    int step = 1;
    while (step * layout.rowHeight < 13)
        step *= 2;
    for (int r = layout.firstRow() / step * step; r < layout.lastRow(); r += step) {
        const double top = layout.rowTop(r);
        const QRectF line(layout.gutter.left(), top, layout.gutter.width() - 8, std::max(13.0, layout.rowHeight));
        if (line.top() < layout.plot.top() - 1 || line.center().y() > layout.plot.bottom())
            continue;
        const GridIndex::Row& row = canvas.index().rows()[static_cast<std::size_t>(r)];
        const bool chosen = canvas.scene.cta.valid() && canvas.index().find(canvas.scene.cta) != nullptr
            && canvas.index().trace().span(canvas.scene.cta).sm == row.sm;
        canvas.painter.setPen(chosen ? canvas.theme.text : canvas.theme.t2);
        drawLine(canvas.painter, line, Qt::AlignRight, canvasFont(10.5, chosen ? QFont::DemiBold : QFont::Normal),
            QStringLiteral("SM %1").arg(row.sm));
    }
}

void paintSentence(const GridCanvas& canvas)
{
    canvas.painter.setPen(canvas.theme.text);
    canvas.painter.setFont(canvasFont(12));
    canvas.painter.drawText(
        canvas.layout.sentence, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, canvas.index().sentence());
}

double playheadX(const GridCanvas& canvas)
{
    return std::round(canvas.layout.timeToX(canvas.now));
}

QRectF flagRect(const GridCanvas& canvas)
{
    const double x = playheadX(canvas);
    const GridLayout& layout = canvas.layout;
    if (x < layout.plot.left() - 0.5 || x > layout.plot.right() + 0.5)
        return {};
    const double width = std::ceil(textWidth(monoFont(10.5), grouped(static_cast<std::int64_t>(canvas.now)))) + 12;
    return { x + 9 + width > layout.bounds.right() ? x - 9 - width : x + 9, layout.ruler.top() + 2.5, width, 15 };
}

void paintRuler(const GridCanvas& canvas)
{
    QPainter& painter = canvas.painter;
    const GridLayout& layout = canvas.layout;
    painter.fillRect(QRectF(layout.bounds.left(), layout.ruler.top(), layout.bounds.width(), layout.ruler.height()),
        canvas.theme.alt);
    painter.setPen(canvas.theme.t2);
    drawLine(painter,
        QRectF(layout.gutter.left(), layout.ruler.top(), layout.gutter.width() - 8, layout.ruler.height()),
        Qt::AlignRight, canvasFont(10.5), QStringLiteral("cycles"));
    const QRectF flag = flagRect(canvas).adjusted(-4, 0, 4, 0);
    const QFont font = monoFont(10.5);
    const Ticks ticks = rulerTicks(layout.from, layout.to, layout.plot.width());
    for (int k = 0; k < ticks.count; ++k) {
        const double x = std::round(layout.timeToX(ticks.at(k)));
        if (x < layout.plot.left() || x > layout.plot.right())
            continue;
        painter.fillRect(QRectF(x, layout.ruler.bottom() - 14, 1, 14), canvas.theme.mid);
        const QString text = grouped(static_cast<std::int64_t>(ticks.at(k)));
        const QRectF place(x + 5, layout.ruler.top(), textWidth(font, text), layout.ruler.height());
        if (place.right() > layout.bounds.right() || place.intersects(flag))
            continue;
        painter.setPen(canvas.theme.t2);
        drawLine(painter, place, Qt::AlignLeft, font, text);
    }
}

// Below the ruler: where launches and waves first begin, and the tail.
void paintMarks(const GridCanvas& canvas)
{
    const GridLayout& layout = canvas.layout;
    const GridIndex& index = canvas.index();
    const GridSummary& s = index.summary();
    QPainter& painter = canvas.painter;
    const QFont font = canvasFont(10.5);
    const double y = layout.marks.bottom() - 3.5;
    const double tail = std::max(layout.timeToX(static_cast<double>(s.tailBegin)), layout.plot.left()),
                 end = std::min(layout.timeToX(static_cast<double>(s.end)), layout.plot.right());
    const bool bracket = s.tailSms > 0 && end - tail >= 3;
    if (bracket) {
        painter.setPen(QPen(canvas.theme.t2, 1));
        painter.drawLine(QPointF(tail, y), QPointF(end, y));
        painter.drawLine(QPointF(tail, y - 3), QPointF(tail, y + 3));
        painter.drawLine(QPointF(end, y - 3), QPointF(end, y + 3));
    }
    double limit = layout.plot.right();
    double from = layout.plot.left() - 1;
    std::vector<QRectF> taken;
    const auto meets = [&](const QRectF& place) {
        return std::any_of(taken.begin(), taken.end(), [&](const QRectF& other) { return other.intersects(place); });
    };
    const auto flag = [&](double cycle, const QString& words) {
        const double x = std::round(layout.timeToX(cycle));
        const double width = textWidth(font, words);
        const QRectF place(x, layout.marks.top(), width + 5, layout.marks.height());
        if (x < layout.plot.left() - 0.5 || x < from || place.right() > limit || meets(place))
            return;
        painter.fillRect(place.adjusted(0, 0, 3, 0), canvas.theme.panel);
        painter.fillRect(QRectF(x, layout.marks.top() + 2, 1, layout.marks.height() - 2), canvas.theme.t2);
        painter.setPen(canvas.theme.t2);
        drawLine(painter, place.adjusted(4, 0, 0, 0), Qt::AlignLeft, font, words);
        from = x + width + 14;
        taken.push_back(place.adjusted(0, 0, 6, 0));
    };
    // Launches have their names before the tail has its words; waves after it.
    if (s.launches > 1)
        for (std::size_t k = 0; k < index.launchBegins().size(); ++k)
            flag(index.launchBegins()[k], launchLabel(canvas.program(), k));
    if (bracket) {
        const QString words = QStringLiteral("tail %1 cycles, %2 %")
                                  .arg(grouped(static_cast<std::int64_t>(s.end - s.tailBegin)))
                                  .arg(fixed(100 * s.tailShare, 100 * s.tailShare < 9.95 ? 1 : 0));
        const double width = textWidth(font, words);
        // Inside the bracket where it fits, else to its left.
        const bool inside = width + 8 <= end - tail;
        double left = inside ? (tail + end - width) / 2 : tail - width - 6;
        const auto placeAt = [&](double x) { return QRectF(x, layout.marks.top(), width, layout.marks.height() - 1); };
        if (inside && meets(placeAt(left)))
            left = end - width - 4;
        if (s.launches <= 1)
            limit = std::min(tail, left) - 4;
        if (left >= layout.plot.left() && !meets(placeAt(left))) {
            taken.push_back(placeAt(left).adjusted(-6, 0, 6, 0));
            if (inside)
                painter.fillRect(placeAt(left).adjusted(-3, 0, 3, 0), canvas.theme.panel);
            painter.setPen(canvas.theme.t2);
            drawLine(painter, placeAt(left), Qt::AlignLeft, font, words);
        }
    }
    if (s.launches <= 1 && index.waveBegins().size() > 1)
        for (std::size_t k = 0; k < index.waveBegins().size(); ++k)
            flag(index.waveBegins()[k], QStringLiteral("wave %1").arg(k + 1));
}

void paintPlayhead(const GridCanvas& canvas)
{
    const QRectF flag = flagRect(canvas);
    if (flag.isEmpty())
        return;
    QPainter& painter = canvas.painter;
    const double x = playheadX(canvas), top = canvas.layout.ruler.top();
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.fillRect(QRectF(x - 1, top, 2, canvas.layout.plot.bottom() + 4 - top), canvas.theme.text);
    painter.setPen(Qt::NoPen);
    painter.setBrush(canvas.theme.text);
    painter.drawPolygon(QPolygonF(QVector<QPointF> { { x - 6, top }, { x + 6, top }, { x, top + 7 } }));
    painter.drawRoundedRect(flag, 3, 3);
    painter.setPen(canvas.theme.panel);
    drawLine(painter, flag, Qt::AlignHCenter, monoFont(10.5), grouped(static_cast<std::int64_t>(canvas.now)));
}

void paintLegend(const GridCanvas& canvas)
{
    QPainter& painter = canvas.painter;
    const QFont font = canvasFont(11);
    const QRectF& legend = canvas.layout.legend;
    double x = legend.left();
    const auto entry = [&](const QString& words, const auto& swatch) {
        const double width = 30 + 6 + textWidth(font, words);
        if (x + width > legend.right())
            return;
        painter.setRenderHint(QPainter::Antialiasing, false);
        swatch(QRectF(std::round(x), std::round(legend.center().y() - 6), 30, 12));
        painter.setPen(canvas.theme.t2);
        drawLine(painter, QRectF(x + 36, legend.top(), width, legend.height()), Qt::AlignLeft, font, words);
        x += width + 18;
    };
    const Theme& theme = canvas.theme;
    entry(QStringLiteral("done"), [&](const QRectF& r) { paintDone(painter, r, theme); });
    entry(QStringLiteral("running now"), [&](const QRectF& r) {
        painter.fillRect(r, theme.neutral.tint);
        painter.fillRect(QRectF(r.left(), r.top(), 18, r.height()), fillOf(theme, GridState::Running));
        painter.setPen(QPen(theme.t2, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(r.adjusted(0.5, 0.5, -0.5, -0.5));
    });
    entry(QStringLiteral("to come"), [&](const QRectF& r) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(theme.mid, 1));
        painter.setBrush(theme.panel);
        painter.drawRect(r.adjusted(0.5, 0.5, -0.5, -0.5));
    });
    if (canvas.index().summary().tailSms > 0)
        entry(QStringLiteral("idle for good"), [&](const QRectF& r) { fillWait(painter, r, theme); });
    if (canvas.index().summary().waves > 1)
        entry(QStringLiteral("next wave begins"), [&](const QRectF& r) {
            painter.fillRect(r, theme.neutral.fill);
            painter.fillRect(QRectF(r.left(), r.top(), 3, r.height()), theme.text);
        });
    entry(QStringLiteral("chosen CTA"), [&](const QRectF& r) {
        painter.fillRect(r, theme.neutral.fill);
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(theme.text, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(r, 2, 2);
    });
}

} // namespace

void paintGridView(
    QPainter& painter, const QRectF& rect, const GridScene& scene, const GridView& view, const Theme& theme)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    painter.fillRect(rect, theme.panel);
    if (scene.index && !scene.index->rows().empty()) {
        const GridLayout layout = layoutGrid(rect, *scene.index, view);
        const GridCanvas canvas { painter, scene, layout, theme,
            static_cast<double>(scene.index->timeAt(scene.position)) };
        painter.setRenderHint(QPainter::Antialiasing, false);
        paintSentence(canvas);
        paintRuler(canvas);
        paintMarks(canvas);
        paintGutter(canvas);
        painter.save();
        painter.setClipRect(layout.plot.adjusted(-2, -2, 2, 2), Qt::IntersectClip);
        paintRows(canvas);
        if (scene.hovered != scene.cta)
            outlineStay(canvas, scene.hovered, 1);
        outlineStay(canvas, scene.cta, 2);
        painter.restore();
        paintPlayhead(canvas);
        paintLegend(canvas);
    }
    painter.restore();
}

} // namespace flashstep::paint
