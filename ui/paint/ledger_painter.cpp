// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/ledger_painter.h"

#include "core/trace/state.h"
#include "ui/paint/fonts.h"
#include "ui/paint/ledger_facts.h"
#include "ui/paint/marks.h"
#include "ui/paint/pattern.h"
#include "ui/paint/picture_page.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double log2e = 1.4426950408889634;
constexpr double headHeight = 22, rowHeight = 18;
constexpr double inset = 12;

struct Column {
    const char16_t* title;
    double share; // of the width
};
constexpr Column columns[] = { { u"row", 0.07 }, { u"", 0.16 }, { u"m before", 0.15 }, { u"in use", 0.15 },
    { u"gap", 0.18 }, { u"× scale", 0.17 }, { u"ℓ", 0.14 } };

QRectF columnRect(const QRectF& line, int k)
{
    double left = line.left(), total = 0;
    for (const Column& column : columns)
        total += column.share;
    for (int c = 0; c < k; ++c)
        left += line.width() * columns[c].share / total;
    return { left, line.top(), line.width() * columns[k].share / total, line.height() };
}

void paintRow(QPainter& painter, const QRectF& line, const RowState& row, const StageScene& scene, const Theme& theme)
{
    const QFont mono = monoFont(11);
    const Program& program = scene.trace->program();
    const int headRow = row.row * program.packed + row.h % program.packed;
    const bool chosen = scene.highlight.row == headRow;
    if (chosen) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(theme.mid, 1));
        painter.setBrush(theme.highlight);
        painter.drawRoundedRect(line.adjusted(-5.5, 0.5, 5.5, -0.5), 3, 3);
    }
    painter.setPen(theme.t2);
    drawLine(painter, columnRect(line, 0), Qt::AlignLeft, mono, rowLabel(program, row.h, headRow));
    if (scene.tokens)
        drawElided(painter, columnRect(line, 1), Qt::AlignLeft, canvasFont(11), scene.tokens->query(row.row));
    painter.setPen(theme.text);
    const bool any = row.blocks > 0;
    const bool first = row.decision == "first";
    const auto cell
        = [&](int k, const QString& text) { drawLine(painter, columnRect(line, k), Qt::AlignRight, mono, text); };
    const QString none(QChar(0x2013));
    cell(2, any ? fixed((keepsLogSumExp(program) ? row.referenceBefore : row.mBefore) * log2e, 2) : none);
    cell(3, any ? fixed(row.mUsed * log2e, 2) : none);
    // From the reference before: a maximum may have stayed behind it, and a log-sum-exp is above every maximum so far.
    const double growth = std::max(row.m, row.mUsed) - row.referenceBefore;
    cell(4, any && !first ? fixed(growth * log2e, 2) : none);
    cell(5, any && !first ? factor(row.scale) : none);
    cell(6, !any ? none : std::isnan(row.l) ? QStringLiteral("nan") : fixed(row.l, 2));
    if (any && !first && growth > 0)
        paintMark(painter,
            { std::max(columnRect(line, 4).left() + 6, columnRect(line, 4).right() - 58), line.center().y() },
            row.decision == "skip" ? RowMark::Kept : RowMark::Rescaled, theme);
}

// Over as many lines as it needs and there is room for.
void paintReason(QPainter& painter, const QRectF& rect, const QString& words)
{
    const QFont font = canvasFont(11);
    const QStringList lines
        = wrapped(words, font, rect.width(), std::max(1, static_cast<int>(rect.height() / rowHeight)));
    for (int k = 0; k < lines.size(); ++k)
        drawLine(painter, { rect.left(), rect.top() + k * rowHeight, rect.width(), rowHeight }, Qt::AlignLeft, font,
            lines[k]);
}

} // namespace

void paintLedger(QPainter& painter, const QRectF& rect, const StageScene& scene, double scroll, const Theme& theme)
{
    painter.save();
    painter.setClipRect(rect, Qt::IntersectClip);
    painter.fillRect(rect, theme.panel);
    if (scene.trace && scene.cta.valid()) {
        const std::vector<RowState> rows = ledgerAt(*scene.trace, scene.cta, scene.position);
        const QRectF line(rect.left() + inset, rect.top() + headHeight, rect.width() - 2 * inset, rowHeight);
        painter.setPen(theme.t2);
        if (rows.empty())
            paintReason(painter, rect.adjusted(inset, 4, -inset, 0), whyNoRows(*scene.trace, scene.cta));
        const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(scroll / rowHeight)));
        for (std::size_t k = first; k < rows.size(); ++k) {
            const QRectF at = line.translated(0, static_cast<double>(k) * rowHeight - scroll);
            if (at.top() >= rect.bottom()
                || (drawsVectors(painter) && at.bottom() > rect.bottom())) // vectors know no clip
                break;
            paintRow(painter, at, rows[k], scene, theme);
        }
        if (!rows.empty()) {
            const QRectF head(rect.left(), rect.top(), rect.width(), headHeight);
            painter.fillRect(head, theme.panel);
            painter.setPen(theme.t2);
            for (int k = 0; k < static_cast<int>(std::size(columns)); ++k)
                drawLine(painter, columnRect(line.translated(0, -headHeight).adjusted(0, 2, 0, 2), k),
                    k < 2 ? Qt::AlignLeft : Qt::AlignRight, canvasFont(11),
                    k == 2 && keepsLogSumExp(scene.trace->program()) ? QStringLiteral("LSE so far")
                                                                     : QString::fromUtf16(columns[k].title));
        }
    }
    painter.restore();
}

double ledgerHeight(const StageScene& scene)
{
    if (!scene.trace || !scene.cta.valid())
        return headHeight;
    const Program& program = scene.trace->program();
    return headHeight + rowHeight * program.rowsInside(program.work(scene.trace->workAt(scene.cta, scene.position)));
}

} // namespace flashstep::paint
