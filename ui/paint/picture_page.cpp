// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/picture_page.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double top = 22, titleLine = 28, subtitleLine = 19, provenanceLine = 16;
constexpr double beforeBody = 14, afterBody = 14, bottom = 20;

double marginOf(double width)
{
    return width < 800 ? 16 : 30;
}

QFont titleFont(double width)
{
    return canvasFont(width < 800 ? 16 : 20, QFont::DemiBold);
}

QFont subtitleFont()
{
    return canvasFont(12.5);
}

QFont faultFont()
{
    return canvasFont(12.5, QFont::DemiBold);
}

QFont provenanceFont()
{
    return canvasFont(11);
}

void breakLines(Page& page, double width, const PageText& text)
{
    page.margin = marginOf(width);
    const double room = width - 2 * page.margin;
    page.title = wrapped(text.title, titleFont(width), room, 2);
    page.subtitle = wrapped(text.subtitle, subtitleFont(), room, 4);
    if (!text.fault.isEmpty())
        page.fault = wrapped(text.fault, faultFont(), room, 4);
    page.provenance = wrapped(text.provenance, provenanceFont(), room, 6);
}

double above(const Page& page)
{
    return top + titleLine * page.title.size() + subtitleLine * (page.subtitle.size() + page.fault.size()) + beforeBody;
}

double below(const Page& page)
{
    return afterBody + 8 + provenanceLine * page.provenance.size() + bottom;
}

} // namespace

QStringList wrapped(const QString& text, const QFont& font, double width, int most)
{
    QStringList lines;
    for (const QString& word : text.split(QLatin1Char(' '))) {
        const QString longer = lines.isEmpty() ? word : lines.last() + QLatin1Char(' ') + word;
        if (!lines.isEmpty() && (textWidth(font, longer) <= width || lines.last().isEmpty() || lines.size() == most))
            lines.last() = longer;
        else
            lines << word;
    }
    for (QString& line : lines)
        if (textWidth(font, line) > width)
            line = QFontMetricsF(font).elidedText(line, Qt::ElideRight, width);
    return lines;
}

Page layoutPage(QSizeF size, const PageText& text, const PageRange& range)
{
    Page page;
    const auto share = [&](QSizeF of) { return std::min(size.width() / of.width(), size.height() / of.height()); };
    page.zoom = share(range.least) < 1 ? share(range.least) : std::max(1.0, share(range.most));
    page.size = size / page.zoom;
    breakLines(page, page.size.width(), text);
    const double from = above(page);
    page.body = QRectF(page.margin, from, page.size.width() - 2 * page.margin,
        std::max(40.0, page.size.height() - below(page) - from));
    return page;
}

double pageHeightBeyondBody(double width, const PageText& text)
{
    Page page;
    breakLines(page, width, text);
    return above(page) + below(page);
}

void paintPage(QPainter& painter, const Page& page, const Theme& theme)
{
    painter.scale(page.zoom, page.zoom);
    painter.fillRect(QRectF(QPointF(0, 0), page.size), theme.panel);
    double y = top;
    const double width = page.size.width() - 2 * page.margin;
    const auto lines = [&](const QStringList& texts, const QFont& font, double height) {
        for (const QString& text : texts) {
            drawLine(painter, QRectF(page.margin, y, width, height), Qt::AlignLeft, font, text);
            y += height;
        }
    };
    painter.setPen(theme.text);
    lines(page.title, titleFont(page.size.width()), titleLine);
    painter.setPen(theme.t2);
    lines(page.subtitle, subtitleFont(), subtitleLine);
    painter.setPen(theme.fault);
    lines(page.fault, faultFont(), subtitleLine);
    if (page.provenance.isEmpty())
        return;
    y = page.size.height() - bottom - provenanceLine * page.provenance.size() - 8;
    painter.fillRect(QRectF(page.margin, std::round(y), width, 1), theme.line);
    y += 8;
    painter.setPen(theme.t2);
    lines(page.provenance, provenanceFont(), provenanceLine);
}

void paintPanelTitle(
    QPainter& painter, const QRectF& line, const QString& letter, const QString& words, const Theme& theme)
{
    painter.setPen(theme.text);
    const QFont bold = canvasFont(13, QFont::DemiBold);
    const double indent = letter.isEmpty() ? 0 : 18;
    drawLine(painter, QRectF(line.left(), line.top(), 20, 18), Qt::AlignLeft, bold, letter);
    drawElided(painter, QRectF(line.left() + indent, line.top(), std::max(0.0, line.width() - indent), 18),
        Qt::AlignLeft, bold, words);
}

} // namespace flashstep::paint
