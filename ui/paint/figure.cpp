// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure.h"

#include "ui/paint/figure_words.h"
#include "ui/paint/fonts.h"
#include "ui/paint/picture_parts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr PageRange range { { 960, 640 }, figureSize };
constexpr double names = 120; // beside the panels
constexpr double between = 12; // the connectors' room, beyond axis and title
constexpr double bracketHeight = 34;
constexpr double wholeShare = 0.41; // of what both panels have

std::optional<FigureWork> workOf(const PictureRequest& request)
{
    const Trace& trace = *request.run->trace;
    const bool there = request.cta.valid() && request.cta.index() < trace.program().ctaCount();
    const auto work = figureWork(trace, there ? request.cta : CtaId::none());
    return work || !there ? work : figureWork(trace, CtaId::none());
}

// The stretch that the lower panel shows, outlined in the upper one and drawn out.
void paintWindow(QPainter& painter, const FigurePanel& upper, const FigurePanel& lower, const Theme& theme)
{
    const double left = std::round(upper.timeToX(lower.from)), right = std::round(upper.timeToX(lower.to));
    painter.setRenderHint(QPainter::Antialiasing, true);
    QPen dash(theme.t2, 1, Qt::CustomDashLine, Qt::FlatCap);
    dash.setDashPattern({ 3, 3 });
    painter.setPen(dash);
    painter.drawLine(QPointF(left, upper.plot.bottom() + 4), QPointF(lower.plot.left(), lower.plot.top()));
    painter.drawLine(QPointF(right, upper.plot.bottom() + 4), QPointF(lower.plot.right(), lower.plot.top()));
}

void paintWindowBox(QPainter& painter, const FigurePanel& upper, const FigurePanel& lower, const Theme& theme)
{
    const double left = std::round(upper.timeToX(lower.from)), right = std::round(upper.timeToX(lower.to));
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.text, 1.6));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(left, upper.plot.top() - 4, right - left, upper.plot.height() + 8), 2, 2);
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void paintPeriod(QPainter& painter, const FigureScene& scene, const FigurePanel& panel, const FigureDetail& detail,
    const Theme& theme)
{
    const double left = std::round(panel.timeToX(detail.periodBegin)) + 0.5,
                 right = std::round(panel.timeToX(detail.periodEnd)) + 0.5;
    const double y = panel.plot.bottom() + figureAxisHeight + 6.5;
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(QPen(theme.text, 1.5, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(QPolygonF(QVector<QPointF> { { left, y - 5 }, { left, y }, { right, y }, { right, y - 5 } }));
    const QFont font = canvasFont(12);
    const QString text = periodText(scene, detail);
    const double width = textWidth(font, text);
    const double centred = (left + right - width) / 2;
    painter.setPen(theme.text);
    drawLine(painter,
        QRectF(std::clamp(centred, panel.plot.left(), std::max(panel.plot.left(), panel.plot.right() - width)), y + 4,
            width, 18),
        Qt::AlignLeft, font, text);
}

// What --from and --to ask for, else two blocks. A period that is not all in it is not shown.
std::optional<FigureDetail> detailOf(const FigureScene& scene, const PictureRequest& request)
{
    std::optional<FigureDetail> detail = figureDetail(*scene.run().trace, scene.work());
    if (!request.from && !request.to)
        return detail;
    FigureDetail asked = detail.value_or(FigureDetail {});
    asked.asked = true;
    asked.from = std::clamp(request.from.value_or(scene.work().begin), scene.work().begin, scene.work().end - 1);
    asked.to = std::clamp(request.to.value_or(scene.work().end), asked.from + 1, scene.work().end);
    asked.periodic = asked.periodic && asked.periodBegin >= asked.from && asked.periodEnd <= asked.to;
    return asked;
}

// Where the run is, with its cycle on the axis: in a frame of a film, or a still of a moment inside the run.
void paintPlayhead(QPainter& painter, const FigurePanel& panel, Cycle cycle, const Theme& theme)
{
    const auto at = static_cast<double>(cycle);
    if (at < panel.from || at > panel.to)
        return;
    const double x = std::round(panel.timeToX(at)), top = panel.plot.top();
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.fillRect(QRectF(x - 1, top, 2, panel.plot.height() + 4), theme.text);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.text);
    painter.drawPolygon(QPolygonF(QVector<QPointF> { { x - 6, top - 7 }, { x + 6, top - 7 }, { x, top } }));
    const QFont mono = monoFont(10.5);
    const QString text = grouped(static_cast<std::int64_t>(cycle));
    const double width = std::ceil(textWidth(mono, text)) + 12;
    const double left
        = std::clamp(x - width / 2, panel.plot.left(), std::max(panel.plot.left(), panel.plot.right() - width));
    const QRectF flag(std::round(left), panel.plot.bottom() + 4, width, 16);
    painter.drawRoundedRect(flag, 3, 3);
    painter.setPen(theme.panel);
    drawLine(painter, flag, Qt::AlignHCenter, mono, text);
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void paintBody(
    QPainter& painter, const FigureScene& scene, const PictureRequest& request, const QRectF& body, const Theme& theme)
{
    const Legend legend = figureLegend(scene, theme);
    const double legendHeight = legend.height(body.width());
    legend.paint(painter, QRectF(body.left(), body.bottom() - legendHeight, body.width(), legendHeight), theme);

    const auto detail = detailOf(scene, request);
    const double plotLeft = body.left() + names, plotWidth = body.right() - plotLeft;
    const double room = body.height() - legendHeight - 6;
    FigurePanel whole;
    whole.labels = body.left();
    const double length = scene.work().end - scene.work().begin;
    whole.from = std::max(0.0, scene.firstOp() - 0.006 * length);
    whole.to = scene.work().end + 0.008 * length;
    // The same place in every figure, whether or not there is a period to be shown.
    const double around = 2 * (panelTitleHeight + figureAxisHeight) + between + bracketHeight;
    const double upper = std::round(wholeShare * (room - around));
    whole.plot = QRectF(plotLeft, std::round(body.top() + panelTitleHeight), plotWidth,
        detail ? upper : room - panelTitleHeight - figureAxisHeight);
    FigurePanel close = whole;
    if (detail) {
        close.from = detail->from;
        close.to = detail->to;
        close.plot = QRectF(plotLeft, std::round(whole.plot.bottom() + figureAxisHeight + between + panelTitleHeight),
            plotWidth, room - around - upper);
        paintWindow(painter, whole, close, theme);
        const QRectF line(body.left(), close.plot.top() - panelTitleHeight, body.width(), panelTitleHeight);
        const double width = textWidth(canvasFont(13, QFont::DemiBold), detailTitle(*detail)) + 26;
        painter.fillRect(QRectF(line.left(), line.top(), width, 18), theme.panel);
        paintPanelTitle(painter, line, QStringLiteral("b"), detailTitle(*detail), theme);
    }
    paintPanelTitle(painter, QRectF(body.left(), body.top(), body.width(), panelTitleHeight),
        detail ? QStringLiteral("a") : QString(), wholeTitle(scene), theme);
    paintFigurePanel(painter, scene, whole, theme);
    const Trace& trace = *scene.run().trace;
    const bool inside = request.at.value > 0 && request.at < trace.end();
    if (detail) {
        paintFigurePanel(painter, scene, close, theme);
        paintWindowBox(painter, whole, close, theme);
        if (detail->periodic)
            paintPeriod(painter, scene, close, *detail, theme);
        if (inside)
            paintPlayhead(painter, close, trace.timeAt(request.at), theme);
    }
    if (inside)
        paintPlayhead(painter, whole, trace.timeAt(request.at), theme);
}

} // namespace

PageText figureText(const PictureRequest& request)
{
    const auto work = workOf(request);
    if (!work)
        return { pictureTitle(request), pictureSubtitle(request), provenance(request), faultLine(*request.run) };
    const FigureScene scene(*request.run, *work);
    return { figureTitle(scene), figureSubtitle(scene), provenance(request), faultLine(*request.run) };
}

void paintFigure(QPainter& painter, const PictureRequest& request)
{
    const Theme& theme = Theme::byName(request.theme);
    const auto work = workOf(request);
    if (!work) {
        const Page page = layoutPage(request.size, figureText(request), range);
        paintPage(painter, page, theme);
        paintPanelTitle(painter, page.body, QString(), QStringLiteral("No events were kept to be drawn."), theme);
        return;
    }
    const FigureScene scene(*request.run, *work);
    const Page page = layoutPage(request.size,
        { figureTitle(scene), figureSubtitle(scene), provenance(request), faultLine(*request.run) }, range);
    paintPage(painter, page, theme);
    paintBody(painter, scene, request, page.body, theme);
}

} // namespace flashstep::paint
