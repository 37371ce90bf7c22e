// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/figure.h"
#include "ui/paint/figure_facts.h"
#include "ui/paint/picture_parts.h"

#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double designWidth = 1440;
constexpr QSizeF leastSheet { 800, 560 };
constexpr QSizeF largestTimeline { 2880, 1800 };
constexpr double leastPanel = 300; // height of a row of panels

CtaId ctaOf(const PictureRequest& request)
{
    const Trace& trace = *request.run->trace;
    const std::size_t count = request.run->program->ctaCount();
    if (request.cta.valid() && request.cta.index() < count && !trace.worksOf(request.cta).empty())
        return request.cta;
    // The one whose op the last event belongs to: what the moment is about.
    if (request.at.value > 0 && request.at < trace.end())
        return trace.ctaOf(trace.eventAt(request.at.value - 1).instance);
    if (const auto work = figureWork(trace, CtaId::none()))
        return work->cta;
    std::size_t last = count - 1;
    while (last > 0 && trace.worksOf(CtaId(last)).empty())
        --last;
    return CtaId(last);
}

PageText textOf(const PictureRequest& request)
{
    return { pictureTitle(request), pictureSubtitle(request), provenance(request), faultLine(*request.run) };
}

bool isFigure(const PictureRequest& request)
{
    return request.view == QStringLiteral("figure");
}

// Time has use for room; other views have a size at which everything is there, and grow from it as a whole.
PageRange rangeOf(const PictureRequest& request)
{
    if (request.view == QStringLiteral("timeline"))
        return { leastSheet, largestTimeline };
    QSizeF least = leastSheet;
    if (isFigure(request))
        least.setHeight(std::max(least.height(), leastPanel * request.panels.size()));
    // What needs little height is not made smaller for being drawn on a low sheet.
    const QSizeF fitting = fittingSize(request);
    least.setHeight(std::min(least.height(), fitting.height()));
    return { least, fitting };
}

// For what has them around it.
void leaveOutWords(Page& page)
{
    page.title.clear();
    page.subtitle.clear();
    page.fault.clear();
    page.provenance.clear();
    page.body = QRectF(QPointF(0, 0), page.size).adjusted(page.margin, 16, -page.margin, -10);
}

} // namespace

Sheet sheetOf(QPainter* painter, const PictureRequest& request)
{
    return { painter, request, Theme::byName(request.theme), ctaOf(request) };
}

QSize fittingSize(const PictureRequest& request)
{
    if (isFigure(request) && request.panels.isEmpty())
        return figureSize.toSize();
    const Sheet sheet = sheetOf(nullptr, request);
    const PageText text = textOf(request);
    const double width = designWidth - 60;
    const double body = isFigure(request) ? panelsHeight(sheet, width) : viewHeight(sheet, request.view, width);
    // Whole points of a PDF page.
    const double height = 4 * std::ceil((body + pageHeightBeyondBody(designWidth, text)) / 4);
    return { static_cast<int>(designWidth), static_cast<int>(height) };
}

void paintPicture(QPainter& painter, const PictureRequest& request)
{
    painter.save();
    if (isFigure(request) && request.panels.isEmpty()) {
        paintFigure(painter, request);
    } else {
        const Sheet sheet = sheetOf(&painter, request);
        Page page = layoutPage(request.size, textOf(request), rangeOf(request));
        if (request.bare)
            leaveOutWords(page);
        paintPage(painter, page, sheet.theme);
        if (isFigure(request))
            paintPanels(sheet, page.body);
        else
            paintView(sheet, request.view, page.body, QString());
    }
    painter.restore();
}

} // namespace flashstep::paint
