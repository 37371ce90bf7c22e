// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/ledger_votes.h"

#include "ui/paint/fonts.h"
#include "ui/paint/marks.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

void paintVotes(QPainter& painter, const QRectF& rect, const TileNumbers& tile, const std::vector<WarpVote>& votes,
    int row, const Theme& theme)
{
    if (votes.empty())
        return;
    painter.save();
    const auto count = static_cast<double>(votes.size());
    constexpr double gap = 6, cellHeight = 10;
    const double width = (rect.width() - (count - 1) * gap) / count;
    const QFont font = canvasFont(10);
    for (std::size_t w = 0; w < votes.size(); ++w) {
        const WarpVote& vote = votes[w];
        const QRectF strip(rect.left() + static_cast<double>(w) * (width + gap), rect.top(), width, cellHeight);
        const double step = std::min(12.0, width / std::max(1, vote.rows));
        painter.setRenderHint(QPainter::Antialiasing, false);
        for (int r = 0; r < vote.rows; ++r) {
            const bool asks = asksRescale(tile, vote.firstRow + r);
            const double left = std::floor(strip.left() + r * step), right = std::floor(strip.left() + (r + 1) * step);
            const QRectF cell(left, strip.top(), std::max(1.0, right - left - (step >= 4 ? 1 : 0)), cellHeight);
            painter.fillRect(cell, asks ? theme.text : mix(theme.mid, theme.panel, 0.22));
            if (vote.firstRow + r == row) {
                painter.setPen(QPen(theme.text, 1));
                painter.drawLine(QPointF(left, strip.bottom() + 1.5), QPointF(right - 1, strip.bottom() + 1.5));
            }
        }
        const QRectF below(strip.left(), strip.bottom() + 3, width, 13);
        double x = below.left();
        if (vote.multiplies.value_or(false)) {
            paintMark(painter, { x + 4, below.center().y() }, RowMark::Rescaled, theme);
            x += 12;
        }
        painter.setPen(theme.t2);
        const QString full = QStringLiteral("warp %1: %2 of %3").arg(w).arg(vote.asking).arg(vote.rows);
        const QString brief = QStringLiteral("%1 of %2").arg(vote.asking).arg(vote.rows);
        const QRectF words = below.adjusted(x - below.left(), 0, 0, 0);
        drawElided(painter, words, Qt::AlignLeft, font, textWidth(font, full) <= words.width() ? full : brief);
    }
    painter.restore();
}

} // namespace flashstep::paint
