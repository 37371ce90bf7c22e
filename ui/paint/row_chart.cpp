// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/row_chart.h"

#include "core/tensor/real_math.h"
#include "ui/paint/fonts.h"
#include "ui/paint/ledger_facts.h"
#include "ui/paint/marks.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

constexpr double gutter = 40, headHeight = 16, footHeight = 15, between = 16;
constexpr double sumShare = 0.26; // of the height, for l

RowPoint pointOf(const RowState& state, const TileVisit& visit, Position at)
{
    RowPoint point { visit.n, visit.j, at };
    point.most = state.m * log2e;
    point.used = state.mUsed * log2e;
    point.gap = std::isfinite(state.referenceBefore) ? (std::max(state.m, state.mUsed) - state.referenceBefore) * log2e
                                                     : std::numeric_limits<double>::quiet_NaN();
    point.l = state.l;
    point.moved = state.decision == "rescale";
    point.grew = state.m > state.mBefore;
    return point;
}

// A step line through the points that lie in (from, to].
void stepLine(QPainter& painter, const RowChartLayout& at, const RowHistory& history, int from, int to, const QPen& pen,
    double RowPoint::*value)
{
    QPolygonF line;
    const auto flush = [&] {
        painter.setPen(pen);
        if (line.size() > 1)
            painter.drawPolyline(line);
        line.clear();
    };
    for (std::size_t k = 0; k < history.points.size(); ++k) {
        const RowPoint& point = history.points[k];
        if (point.n <= from || point.n > to)
            continue;
        if (!std::isfinite(point.*value)) {
            flush();
            continue;
        }
        const bool isFirst = k == 0 || !std::isfinite(history.points[k - 1].*value);
        const double left = isFirst ? point.n - 0.5 : history.points[k - 1].n + 0.5;
        if (line.isEmpty() && !isFirst)
            line.append({ at.x(left), at.y(history.points[k - 1].*value) });
        line.append({ at.x(left), at.y(point.*value) });
        line.append({ at.x(point.n + 0.5), at.y(point.*value) });
    }
    flush();
}

void paintAxis(QPainter& painter, const QRectF& plot, double top, double bottom, const Theme& theme,
    const QString& highest, const QString& lowest)
{
    painter.setPen(theme.t2);
    const QFont mono = monoFont(10);
    drawLine(painter, QRectF(plot.left() - gutter, top - 6, gutter - 5, 12), Qt::AlignRight, mono, highest);
    drawLine(painter, QRectF(plot.left() - gutter, bottom - 6, gutter - 5, 12), Qt::AlignRight, mono, lowest);
}

// Short enough for the gutter at any size.
QString axisText(double value)
{
    if (std::fabs(value) < 1e4)
        return fixed(value, 1);
    return QString::number(value, 'g', 2).remove(QLatin1Char('+')).replace(QLatin1Char('-'), QChar(0x2212));
}

void paintBand(QPainter& painter, const RowChartLayout& at, const RowHistory& history, const Theme& theme)
{
    QColor ground = theme.mid; // the block in hand shows through
    ground.setAlphaF(0.2);
    for (std::size_t k = 0; k < history.points.size(); ++k) {
        const RowPoint& point = history.points[k];
        if (!std::isfinite(point.used))
            continue;
        const double left = k == 0 ? point.n - 0.5 : history.points[k - 1].n + 0.5;
        painter.fillRect(QRectF(QPointF(at.x(left), at.y(point.used + history.threshold)),
                             QPointF(at.x(point.n + 0.5), at.y(point.used))),
            ground);
    }
}

void paintMarks(QPainter& painter, const RowChartLayout& at, const RowHistory& history, const Theme& theme)
{
    double free = -1;
    for (const RowPoint& point : history.points) {
        const double x = at.x(point.n);
        if (!(point.gap > 0) || !(point.grew || point.moved) || !std::isfinite(point.most) || x < free)
            continue;
        paintMark(painter, { x, std::max(at.references.top() + 4, at.y(point.most) - 6) },
            point.moved ? RowMark::Rescaled : RowMark::Kept, theme);
        free = x + 6; // triangles do not lie over each other
    }
}

void paintHead(QPainter& painter, const QRectF& rect, const RowHistory& history, const Theme& theme)
{
    const QFont font = canvasFont(10.5);
    double x = rect.left() + gutter;
    const auto entry = [&](const QPen& pen, const QString& text) {
        const double width = textWidth(font, text);
        if (x + 18 + width > rect.right())
            return;
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(pen);
        painter.drawLine(QPointF(x, rect.top() + 7), QPointF(x + 14, rect.top() + 7));
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(x + 18, rect.top(), width + 2, 14), Qt::AlignLeft, font, text);
        x += 18 + width + 12;
    };
    if (history.apart) {
        entry(QPen(theme.text, 2), QStringLiteral("true max"));
        entry(QPen(theme.t2, 1, Qt::DashLine), QStringLiteral("reference"));
        const QString more
            = history.lazy ? QStringLiteral("band: τ = %1").arg(history.threshold) : QStringLiteral("LSE as old max");
        painter.setPen(theme.t2);
        if (x + textWidth(font, more) <= rect.right())
            drawLine(painter, QRectF(x, rect.top(), 140, 14), Qt::AlignLeft, font, more);
    } else {
        entry(QPen(theme.text, 2), QStringLiteral("true max = reference: this version always moves it"));
    }
}

} // namespace

double RowChartLayout::x(double n) const
{
    return references.left() + (n - 0.5) * references.width() / std::max(1, visits);
}

double RowChartLayout::y(double value) const
{
    return references.bottom() - (value - low) / (high - low) * references.height();
}

double RowChartLayout::ySum(double log2) const
{
    return sums.bottom() - (log2 - lowSum) / (highSum - lowSum) * sums.height();
}

int RowChartLayout::blockAt(QPointF point) const
{
    const QRectF all = references.united(sums);
    if (visits == 0 || !all.contains(point))
        return 0;
    return std::clamp(static_cast<int>((point.x() - references.left()) / references.width() * visits) + 1, 1, visits);
}

std::vector<RowHistory> tileHistory(const Trace& trace, int b, int h, int i)
{
    const Program& program = trace.program();
    const int first = i * program.tile.rows;
    RowHistory empty;
    empty.i = i;
    empty.lazy = program.softmax.conditional;
    empty.threshold = static_cast<double>(program.softmax.threshold);
    const CtaId cta = trace.ctaOfTile(b, h, i);
    const bool recorded = cta.valid() && trace.hasValues(cta);
    const std::vector<TileVisit> visits = recorded ? visitsOf(trace, b, h, i) : std::vector<TileVisit> {};
    empty.visits = static_cast<int>(visits.size());
    empty.every = std::max(1, (empty.visits + mostRowPoints - 1) / mostRowPoints);
    std::vector<RowHistory> rows(
        static_cast<std::size_t>(std::clamp(program.headRows() - first, 0, program.tile.rows)), empty);
    for (std::size_t r = 0; r < rows.size(); ++r)
        rows[r].row = first + static_cast<int>(r);
    for (std::size_t k = 0; k < visits.size(); ++k) {
        const bool wanted = k % static_cast<std::size_t>(empty.every) == 0 || k + 1 == visits.size();
        const auto at = wanted ? trace.block(b, h, i, visits[k].n) : std::nullopt;
        if (!at)
            continue;
        for (const RowState& state : ledgerAt(trace, cta, *at)) {
            const int r = state.row * program.packed + state.h % program.packed - first;
            if (state.b == b && state.h / program.packed == h / program.packed && r >= 0
                && r < static_cast<int>(rows.size()))
                rows[static_cast<std::size_t>(r)].points.push_back(pointOf(state, visits[k], *at));
        }
    }
    for (RowHistory& row : rows)
        row.apart = row.lazy || std::any_of(row.points.begin(), row.points.end(), [](const RowPoint& point) {
            return std::isfinite(point.used) && std::fabs(point.used - point.most) > 1e-6;
        });
    return rows;
}

RowHistory rowHistory(const Trace& trace, int b, int h, int i, int row)
{
    for (RowHistory& history : tileHistory(trace, b, h, i))
        if (history.row == row)
            return std::move(history);
    return {};
}

RowChartLayout layoutRowChart(const QRectF& rect, const RowHistory& history)
{
    RowChartLayout at;
    const QRectF plots = rect.adjusted(gutter, headHeight + 6, -6, -footHeight);
    const double sumHeight = std::max(20.0, (plots.height() - between) * sumShare);
    at.references = plots.adjusted(0, 0, 0, -(sumHeight + between));
    at.sums = QRectF(plots.left(), plots.bottom() - sumHeight, plots.width(), sumHeight);
    at.visits = history.visits;
    double low = std::numeric_limits<double>::infinity(), high = -low, lowSum = low, highSum = -low;
    for (const RowPoint& point : history.points) {
        for (const double value : { point.most, point.used })
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
        if (history.lazy && std::isfinite(point.used))
            high = std::max(high, point.used + history.threshold);
        if (point.l > 0 && std::isfinite(point.l)) {
            lowSum = std::min(lowSum, log2Real(point.l));
            highSum = std::max(highSum, log2Real(point.l));
        }
    }
    const bool any = low <= high, anySum = lowSum <= highSum;
    const double room = any ? std::max(0.5, (high - low) * 0.08) : 0;
    at.low = any ? low - room : 0;
    at.high = any ? high + 1.6 * room : 1;
    at.lowSum = anySum ? std::floor(lowSum) : 0;
    at.highSum = anySum ? std::max(at.lowSum + 1, std::ceil(highSum)) : 1;
    return at;
}

void paintRowChart(QPainter& painter, const QRectF& rect, const RowHistory& history, int n, const Theme& theme)
{
    painter.save();
    const RowChartLayout at = layoutRowChart(rect, history);
    painter.setRenderHint(QPainter::Antialiasing, false);
    if (n > 0 && n <= history.visits) {
        const double width = std::max(2.0, at.x(n + 0.5) - at.x(n - 0.5));
        // In both plots; the words between them are not in it.
        for (const QRectF& plot : { at.references, at.sums }) {
            const QRectF block(at.x(n - 0.5), plot.top(), width, plot.height());
            painter.fillRect(block, theme.highlight);
            painter.setPen(QPen(theme.mid, 1));
            painter.drawRect(block);
        }
    }
    if (history.lazy)
        paintBand(painter, at, history, theme);
    painter.setPen(QPen(theme.line, 1));
    painter.drawRect(at.references);
    painter.drawRect(at.sums);
    const int now = n > 0 ? n : history.visits;
    stepLine(painter, at, history, now, history.visits, QPen(theme.t3, 1), &RowPoint::most);
    stepLine(painter, at, history, 0, now, QPen(theme.text, 2), &RowPoint::most);
    if (history.apart) {
        QPen dashed(theme.text, 1);
        dashed.setDashPattern({ 4, 3 });
        dashed.setCapStyle(Qt::FlatCap);
        stepLine(painter, at, history, 0, now, dashed, &RowPoint::used);
        dashed.setColor(theme.t3);
        stepLine(painter, at, history, now, history.visits, dashed, &RowPoint::used);
    }
    paintMarks(painter, at, history, theme);
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t k = 0; k < history.points.size(); ++k) {
        const RowPoint& point = history.points[k];
        if (!(point.l > 0))
            continue;
        const double left = at.x(k == 0 ? point.n - 0.5 : history.points[k - 1].n + 0.5);
        const double top = at.ySum(log2Real(point.l));
        const QRectF bar(left, top, std::max(1.0, at.x(point.n + 0.5) - left), at.sums.bottom() - top);
        painter.fillRect(bar, mix(theme.mid, theme.panel, point.n <= now ? 0.45 : 0.2));
        painter.setPen(QPen(point.n <= now ? theme.text : theme.t3, 1));
        painter.drawLine(bar.topLeft(), bar.topRight());
    }
    paintAxis(painter, at.references, at.references.top() + 5, at.references.bottom() - 5, theme, axisText(at.high),
        axisText(at.low));
    paintAxis(painter, at.sums, at.sums.top() + 4, at.sums.bottom() - 4, theme,
        QStringLiteral("2^%1").arg(fixed(at.highSum, 0)), QStringLiteral("2^%1").arg(fixed(at.lowSum, 0)));
    painter.setPen(theme.t2);
    const QFont small = canvasFont(10.5);
    drawLine(painter, QRectF(at.sums.left(), at.sums.top() - 14, 160, 12), Qt::AlignLeft, small,
        QStringLiteral("ℓ, log scale"));
    const QRectF foot(at.sums.left(), at.sums.bottom() + 1, at.sums.width(), footHeight);
    drawLine(painter, foot, Qt::AlignLeft, small, QStringLiteral("n = 1"));
    drawLine(painter, foot, Qt::AlignRight, small, grouped(history.visits));
    drawLine(painter, foot, Qt::AlignHCenter, small,
        history.every > 1 ? QStringLiteral("key blocks visited (one in %1 read)").arg(history.every)
                          : QStringLiteral("key blocks visited"));
    paintHead(painter, rect, history, theme);
    painter.restore();
}

const RowPoint* pointOf(const RowHistory& history, int n)
{
    const RowPoint* found = history.points.empty() ? nullptr : &history.points.front();
    for (const RowPoint& point : history.points)
        if (point.n <= n)
            found = &point;
    return found;
}

QString describe(const RowHistory& history, const RowPoint& point)
{
    QString text = QStringLiteral("n %1, key block %2: true max %3, reference %4")
                       .arg(point.n)
                       .arg(point.j)
                       .arg(fixed(point.most, 2), fixed(point.used, 2));
    if (point.gap > 0 && history.lazy && (point.grew || point.moved))
        text += QStringLiteral(", gap %1 %2 %3: %4")
                    .arg(fixed(point.gap, 2), point.moved ? QStringLiteral("above") : QStringLiteral("within"))
                    .arg(history.threshold)
                    .arg(point.moved ? QStringLiteral("rescaled") : QStringLiteral("kept"));
    else if (point.gap > 0 && history.lazy)
        text += QStringLiteral(", gap still %1").arg(fixed(point.gap, 2));
    else if (point.gap > 0)
        text += QStringLiteral(", grew by %1: rescaled").arg(fixed(point.gap, 2));
    return text + QStringLiteral("; ℓ %1").arg(fixed(point.l, 2));
}

} // namespace flashstep::paint
