// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure_facts.h"
#include "ui/paint/figure_words.h"
#include "ui/paint/fonts.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/text.h"
#include "ui/paint/timeline_painter.h"
#include "ui/paint/walk.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double between = 26; // the panels' room for the connectors
constexpr double roomyLane = 1.35; // the lower panel's lanes over those of the window
constexpr double namesWidth = 144; // with mean and top of the counters beside them
constexpr double smallestLane = 12; // pixels, of the upper of two panels

struct Panels {
    TimelineIndex index;
    TimelineView whole;
    std::optional<TimelineView> detail;
    bool visits = false; // are what the detail shows, not blocks of one tile
    Legend legend;
};

TimelineView wholeView(const Sheet& sheet, const TimelineIndex& index, double width)
{
    TimelineView view;
    view.headerWidth = std::min(namesWidth, 0.3 * width);
    if (!sheet.request.from && !sheet.request.to)
        return wholeCta(index, view);
    view.from = sheet.request.from.value_or(index.begin());
    view.to = std::max(view.from + 1, sheet.request.to.value_or(index.end()));
    return view;
}

// Two visited blocks around the moment, or those in the middle: what a reader wants to see close.
std::optional<std::pair<double, double>> detailOf(const Sheet& sheet)
{
    const Trace& trace = sheet.trace();
    const auto work = figureWork(trace, sheet.cta);
    if (!work || sheet.request.from || sheet.request.to)
        return std::nullopt;
    const std::vector<double> ends = blockEnds(trace, *work);
    if (ends.size() < 4)
        return std::nullopt;
    if (sheet.request.at.value == 0 || !(sheet.request.at < trace.end())) {
        const auto detail = figureDetail(trace, *work);
        return detail ? std::optional(std::pair(detail->from, detail->to)) : std::nullopt;
    }
    const auto at = static_cast<double>(trace.timeAt(sheet.request.at));
    const auto after = static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), at) - ends.begin());
    const std::size_t first = std::min(after > 0 ? after - 1 : 0, ends.size() - 3);
    const double edge = 0.04 * (ends[first + 2] - ends[first]);
    return std::pair(ends[first] - edge, ends[first + 2] + edge);
}

Panels panelsOf(const Sheet& sheet, double width)
{
    TimelineIndex index(sheet.request.run->trace, sheet.cta);
    Panels panels { std::move(index), {}, std::nullopt, false, {} };
    panels.whole = wholeView(sheet, panels.index, width);
    if (const auto detail = detailOf(sheet)) {
        panels.detail = panels.whole;
        panels.detail->from = detail->first;
        panels.detail->to = detail->second;
        const auto work = figureWork(sheet.trace(), sheet.cta);
        panels.visits = work && work->sweeps;
    }
    panels.legend = timelineLegend(panels.index, sheet.theme);
    return panels;
}

TimelineView scaled(TimelineView view, double factor)
{
    view.roleHeight = std::floor(view.roleHeight * factor);
    view.engineHeight = std::floor(view.engineHeight * factor);
    view.counterHeight = std::floor(view.counterHeight * factor);
    return view;
}

// Lanes as high as the room asks for; where they would be lines, the counters and then the engines give way.
TimelineView stretched(const TimelineIndex& index, TimelineView view, double height)
{
    const auto factor
        = [&] { return (height - view.rulerHeight) / std::max(1.0, timelineHeight(index, view) - view.rulerHeight); };
    if (view.counterHeight * factor() < smallestLane)
        view.counters = false;
    if (view.engineHeight * factor() < 0.8 * smallestLane)
        view.engines = false;
    const double most = factor();
    if (most >= 1)
        return scaled(view, most);
    view.roleHeight *= most;
    view.engineHeight *= most;
    view.counterHeight *= most;
    return view;
}

void paintPanel(const Sheet& sheet, const TimelineIndex& index, const QRectF& rect, const TimelineView& view)
{
    TimelineScene scene { &index, sheet.request.at, {},
        sheet.request.at.value > 0 && sheet.request.at < sheet.trace().end(), true };
    paintTimeline(*sheet.painter, rect, scene, view, sheet.theme);
    sheet.painter->setRenderHint(QPainter::Antialiasing, false);
    for (const QRectF& side :
        { QRectF(rect.left(), rect.top(), rect.width(), 1), QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1),
            QRectF(rect.left(), rect.top(), 1, rect.height()), QRectF(rect.right() - 1, rect.top(), 1, rect.height()) })
        sheet.painter->fillRect(side, sheet.theme.mid);
}

// The stretch that the lower panel shows, outlined in the upper one and drawn out.
void paintZoomLines(const Sheet& sheet, const TimelineLayout& upper, const TimelineLayout& lower)
{
    QPainter& painter = *sheet.painter;
    const double left = upper.timeToX(lower.from), right = upper.timeToX(lower.to);
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(sheet.theme.text, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(left, upper.plot.top() - 3, right - left, upper.plot.height() + 6), 2, 2);
    QPen dash(sheet.theme.t2, 1, Qt::CustomDashLine, Qt::FlatCap);
    dash.setDashPattern({ 3, 3 });
    painter.setPen(dash);
    painter.drawLine(QPointF(left, upper.plot.bottom() + 3), QPointF(lower.plot.left(), lower.bounds.top()));
    painter.drawLine(QPointF(right, upper.plot.bottom() + 3), QPointF(lower.plot.right(), lower.bounds.top()));
}

QString titleOf(const Sheet& sheet)
{
    const auto works = sheet.trace().worksOf(sheet.cta);
    const Work& work = sheet.trace().program().work(works.front());
    if (works.size() > 1)
        return QStringLiteral("CTA %1: %2 work tiles, one after the other").arg(sheet.cta.index()).arg(works.size());
    const auto shown = figureWork(sheet.trace(), sheet.cta);
    const int tiles = shown ? shown->tiles : 1, blocks = shown ? shown->blocks : 0;
    QString what = tiles > 1
        ? QStringLiteral("CTA %1: query tiles %2 to %3").arg(sheet.cta.index()).arg(work.i).arg(work.i + tiles - 1)
        : QStringLiteral("CTA %1: query tile %2").arg(sheet.cta.index()).arg(work.i);
    const int direction = walkDirection(sheet.trace(), work.b, work.h);
    if (blocks > 0)
        what += blocks == 1 ? QStringLiteral(", one key block") : QStringLiteral(", %1 key blocks").arg(blocks);
    if (blocks > 1 && direction != 0)
        what += direction < 0 ? QStringLiteral(", right to left") : QStringLiteral(", left to right");
    return what;
}

double wholeHeight(const TimelineIndex& index, TimelineView view)
{
    view.counters = false;
    return timelineHeight(index, view);
}

} // namespace

double timelineViewHeight(const Sheet& sheet, double width)
{
    const Panels panels = panelsOf(sheet, width);
    double height = panelTitleHeight + 10 + panels.legend.height(width);
    if (panels.detail && sheet.request.panels.isEmpty())
        height += wholeHeight(panels.index, panels.whole) + between + panelTitleHeight
            + timelineHeight(panels.index, scaled(*panels.detail, roomyLane)) + 2;
    else
        height += timelineHeight(panels.index, scaled(panels.whole, roomyLane)) + 1;
    return height;
}

void paintTimelineView(const Sheet& sheet, const QRectF& body, const QString& letter)
{
    const Panels panels = panelsOf(sheet, body.width());
    const TimelineIndex& index = panels.index;
    const double legendHeight = panels.legend.height(body.width());
    const double space = body.height() - legendHeight - 10;
    const QRectF legend(body.left(), body.bottom() - legendHeight, body.width(), legendHeight);
    panels.legend.paint(*sheet.painter, legend, sheet.theme);

    TimelineView upper = panels.whole;
    const double least = smallestLane / upper.roleHeight * wholeHeight(index, upper);
    const QString what = titleOf(sheet);
    const QRectF line(body.left(), body.top(), body.width(), panelTitleHeight);
    if (!panels.detail || !letter.isEmpty() || 0.4 * (space - 2 * panelTitleHeight - between) < least) {
        const double height = space - panelTitleHeight;
        paintPanelTitle(*sheet.painter, line, letter, what, sheet.theme);
        upper = stretched(index, upper, height - 1);
        const double needed = std::min(height, timelineHeight(index, upper) + 1);
        paintPanel(sheet, index, { body.left(), body.top() + panelTitleHeight, body.width(), needed }, upper);
        return;
    }
    upper.counters = false;
    const double lanes = space - 2 * panelTitleHeight - between;
    const double ratio = wholeHeight(index, upper)
        / (wholeHeight(index, upper) + timelineHeight(index, scaled(*panels.detail, roomyLane)));
    upper = stretched(index, upper, std::floor(ratio * lanes));
    const QRectF a(body.left(), body.top() + panelTitleHeight, body.width(), timelineHeight(index, upper) + 1);
    const TimelineView lower = stretched(index, *panels.detail, lanes - a.height() - 1);
    const QRectF b(
        body.left(), a.bottom() + between + panelTitleHeight, body.width(), timelineHeight(index, lower) + 1);
    paintPanel(sheet, index, a, upper);
    paintPanel(sheet, index, b, lower);
    paintZoomLines(sheet, layoutTimeline(a, index, upper), layoutTimeline(b, index, lower));
    paintPanelTitle(*sheet.painter, line, QStringLiteral("a"), what, sheet.theme);
    const QString words = detailTitle({ lower.from, lower.to, panels.visits, false, false, 0, 0 });
    const QRectF lowerLine(b.left(), b.top() - panelTitleHeight, b.width(), panelTitleHeight);
    sheet.painter->fillRect(
        QRectF(lowerLine.left(), lowerLine.top(), 26 + textWidth(canvasFont(13, QFont::DemiBold), words), 18),
        sheet.theme.panel);
    paintPanelTitle(*sheet.painter, lowerLine, QStringLiteral("b"), words, sheet.theme);
}

} // namespace flashstep::paint
