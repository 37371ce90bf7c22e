// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/scrubber_marks.h"

#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double flagWidth = 11, flagHeight = 12, pennantWidth = 7;

double notchOf(const QRectF& rect, const ScrubberMark& mark)
{
    return std::round(rect.left() + rect.width() * std::clamp(mark.share, 0.0, 1.0));
}

// To the right of its notch; at the end of the run to its left.
QRectF flagOf(const QRectF& rect, const ScrubberMark& mark)
{
    const double width = mark.number.isEmpty() ? pennantWidth : flagWidth, x = notchOf(rect, mark);
    return { x + width > rect.right() ? x - width : x, rect.top() + 1, width, flagHeight };
}

} // namespace

void paintScrubberMarks(
    QPainter& painter, const QRectF& rect, const std::vector<ScrubberMark>& marks, const Theme& theme)
{
    painter.save();
    const QFont font = monoFont(9.5, QFont::Medium);
    for (const ScrubberMark& mark : marks) {
        const double x = notchOf(rect, mark);
        const QRectF flag = flagOf(rect, mark);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(QPen(theme.text, 1));
        painter.drawLine(QPointF(x, rect.top() + 1), QPointF(x, rect.bottom() - 2));
        if (mark.number.isEmpty()) {
            painter.setRenderHint(QPainter::Antialiasing, true);
            painter.setBrush(theme.panel);
            const double tip = flag.left() < x ? flag.left() : flag.right();
            painter.drawPolygon(QPolygonF(QVector<QPointF> {
                { x, flag.top() + 1 }, { tip, flag.top() + flagHeight / 3 }, { x, flag.top() + 2 * flagHeight / 3 } }));
            continue;
        }
        painter.setBrush(theme.panel);
        painter.drawRect(flag.adjusted(0, 0, -1, -1));
        drawLine(painter, flag.adjusted(0.5, 0, -0.5, -1), Qt::AlignHCenter, font, mark.number);
    }
    painter.restore();
}

std::optional<std::size_t> scrubberMarkAt(
    const QRectF& rect, const std::vector<ScrubberMark>& marks, const QPointF& point, double pixels)
{
    std::optional<std::size_t> nearest;
    double least = 0;
    for (std::size_t k = 0; k < marks.size(); ++k) {
        const double off = std::abs(point.x() - notchOf(rect, marks[k]));
        if ((off <= pixels || flagOf(rect, marks[k]).contains(point)) && (!nearest || off < least)) {
            nearest = k;
            least = off;
        }
    }
    return nearest;
}

} // namespace flashstep::paint
