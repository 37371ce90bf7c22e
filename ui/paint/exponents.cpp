// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/exponents.h"

#include "core/tensor/real_math.h"
#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

// The smallest power of two that does not become 0: subnormals count, but for fp32, where the unit flushes them.
double smallestExponent(DType dtype)
{
    switch (dtype) {
    case DType::Fp16:
        return -24;
    case DType::Bf16:
        return -133;
    case DType::E4m3:
        return -9;
    default:
        return -126;
    }
}

struct Axis {
    double left = 0, right = 1, low = 0, high = 1;
    [[nodiscard]] double x(double exponent) const { return left + (exponent - low) / (high - low) * (right - left); }
};

constexpr double side = 8, ruler = 62, tickTop = 32;

Axis axisOf(const QRectF& rect, const ExponentLine& line)
{
    double low = -2, high = 2;
    for (const ExponentLine::Tick& tick : line.ticks)
        if (std::isfinite(tick.exponent)) {
            low = std::min(low, tick.exponent);
            high = std::max(high, tick.exponent);
        }
    // Edges nearby are worth the room; those far away are named at the border.
    const double reach = std::max(14.0, 0.6 * (high - low));
    double first = low - 1, last = high + 1;
    for (const FormatEdges& edge : line.edges)
        for (const double at : { edge.over, edge.under }) {
            if (at > high && at < high + reach)
                last = std::max(last, at + 2);
            if (at < low && at > low - reach)
                first = std::min(first, at - 2);
        }
    return { rect.left() + side, rect.right() - side, first, last };
}

// Whole where it is short, else in powers of ten.
QString exponentText(double value)
{
    if (std::fabs(value) < 1e6)
        return fixed(value, 0);
    return QString::number(value, 'g', 2).remove(QLatin1Char('+')).replace(QLatin1Char('-'), QChar(0x2212));
}

void paintEdges(QPainter& painter, const QRectF& rect, const ExponentLine& line, const Axis& axis, const Theme& theme)
{
    const QFont font = canvasFont(10);
    QString beyondLeft, beyondRight;
    std::vector<QRectF> named;
    for (const FormatEdges& edge : line.edges) {
        const QString format = QString::fromLatin1(name(edge.dtype).data(), static_cast<int>(name(edge.dtype).size()));
        for (const bool over : { true, false }) {
            const double at = over ? edge.over : edge.under;
            if (at < axis.low || at > axis.high) {
                QString& list = at < axis.low ? beyondLeft : beyondRight;
                list += (list.isEmpty() ? QStringLiteral(" ") : QStringLiteral(" · ")) + format + QLatin1Char(' ')
                    + fixed(at, 0);
                continue;
            }
            const double x = axis.x(at);
            painter.setRenderHint(QPainter::Antialiasing, false);
            QPen pen(theme.mid, 1);
            pen.setDashPattern({ 3, 3 });
            painter.setPen(pen);
            painter.drawLine(QPointF(x, rect.top() + 30), QPointF(x, rect.top() + ruler));
            const auto placeOf = [&](double middle, const QString& text) {
                const double width = textWidth(font, text);
                return QRectF(std::clamp(middle - width / 2, rect.left(), std::max(rect.left(), rect.right() - width)),
                    rect.top() + 17, width + 1, 12);
            };
            const QString most = format + QStringLiteral(" ∞"), least = format + QStringLiteral(" 0");
            const bool both = edge.under >= axis.low && edge.over <= axis.high
                && placeOf(axis.x(edge.over), most)
                       .adjusted(-4, 0, 0, 0)
                       .intersects(placeOf(axis.x(edge.under), least));
            if (both && !over) // one name for the two
                continue;
            const QString text = both ? format + QStringLiteral(" 0, ∞") : over ? most : least;
            const QRectF place = placeOf(both ? (x + axis.x(edge.under)) / 2 : x, text);
            if (std::any_of(named.begin(), named.end(),
                    [&](const QRectF& other) { return other.adjusted(-4, 0, 4, 0).intersects(place); }))
                continue;
            painter.setPen(theme.t2);
            drawLine(painter, place, Qt::AlignLeft, font, text);
            named.push_back(place);
        }
    }
    painter.setPen(theme.t2);
    const QRectF foot(rect.left() + side, rect.top() + ruler + 14, rect.width() - 2 * side, 12);
    const QString right = beyondRight.isEmpty() ? QString() : QStringLiteral("∞:") + beyondRight + QStringLiteral(" →");
    const double taken = right.isEmpty() ? 0 : textWidth(font, right) + 8;
    drawLine(painter, foot, Qt::AlignRight, font, right);
    if (!beyondLeft.isEmpty())
        drawElided(painter, foot.adjusted(0, 0, -taken, 0), Qt::AlignLeft, font, QStringLiteral("← 0:") + beyondLeft);
}

} // namespace

QString nameOf(ExponentReference kind)
{
    switch (kind) {
    case ExponentReference::TrueMax:
        return QStringLiteral("true max");
    case ExponentReference::InUse:
        return QStringLiteral("reference in use");
    case ExponentReference::Lse:
        return QStringLiteral("log-sum-exp");
    default:
        return QStringLiteral("0");
    }
}

ExponentLine exponentLine(const Program& program, const TileNumbers& tile, int row, ExponentReference kind, double lse)
{
    ExponentLine line;
    line.kind = kind;
    line.offset = tile.offset;
    for (const DType dtype : { DType::Fp16, DType::Bf16, DType::Fp32, DType::E4m3 })
        if (dtype != DType::E4m3 || program.problem.dtype == DType::E4m3)
            line.edges.push_back(
                { dtype, log2Real(static_cast<double>(maxFinite(dtype))), smallestExponent(dtype), 0, 0 });
    if (row < 0 || row >= static_cast<int>(tile.row.size()))
        return line;
    const TileNumbers::Row& r = tile.row[static_cast<std::size_t>(row)];
    line.reference = kind == ExponentReference::TrueMax ? r.most
        : kind == ExponentReference::InUse              ? r.used
        : kind == ExponentReference::Lse                ? lse
                                                        : 0;
    if (line.reference == -std::numeric_limits<double>::infinity())
        line.reference = 0; // as the kernels do where nothing has been seen
    line.there = !std::isnan(line.reference) && !std::isnan(r.blockMax);
    for (int k = 0; k < tile.keys && line.there; ++k) {
        const auto score = static_cast<double>(tile.s.at(row, k));
        if (!std::isfinite(score))
            continue;
        const double exponent = score - line.reference + line.offset;
        line.ticks.push_back({ tile.firstKey + k, score, exponent });
        for (FormatEdges& edge : line.edges) {
            edge.overflowing += exponent > edge.over ? 1 : 0;
            edge.zeros += exponent < edge.under ? 1 : 0;
        }
    }
    return line;
}

QString overflowText(const ExponentLine& line)
{
    QStringList over;
    QStringList zero;
    for (const FormatEdges& edge : line.edges) {
        const QString format = QString::fromLatin1(name(edge.dtype).data(), static_cast<int>(name(edge.dtype).size()));
        over.append(QStringLiteral("%1 %2").arg(format).arg(edge.overflowing));
        if (edge.zeros > 0)
            zero.append(QStringLiteral("%1 %2").arg(format).arg(edge.zeros));
    }
    QString text
        = QStringLiteral("of %1 keys overflow: %2").arg(line.ticks.size()).arg(over.join(QStringLiteral(" · ")));
    if (!zero.isEmpty())
        text += QStringLiteral("; become 0: ") + zero.join(QStringLiteral(" · "));
    return text;
}

std::vector<double> exponentMarks(double low, double high)
{
    const double span = high - low;
    if (!std::isfinite(span) || span <= 0)
        return {};
    double step = 1;
    while (span / step > 9)
        step *= 2;
    // Counted, not added up: at large exponents a step is less than what they are rounded to.
    const double first = std::ceil(low / step);
    const int count = static_cast<int>(std::floor(high / step) - first) + 1;
    std::vector<double> marks;
    for (int k = 0; k < count; ++k)
        marks.push_back((first + k) * step);
    return marks;
}

void paintExponents(QPainter& painter, const QRectF& rect, const ExponentLine& line, const Theme& theme)
{
    painter.save();
    const QFont small = canvasFont(10.5), mono = monoFont(10);
    painter.setPen(theme.text);
    const QRectF head(rect.left() + side, rect.top(), rect.width() - 2 * side, 15);
    QString title = QStringLiteral("Exponents of P: S − %1").arg(nameOf(line.kind));
    if (line.offset != 0)
        title += QStringLiteral(" + %1").arg(line.offset);
    drawElided(painter, head, Qt::AlignLeft, canvasFont(11, QFont::DemiBold), title);
    if (!line.there) {
        painter.setPen(theme.t2);
        drawLine(painter, head.translated(0, 20), Qt::AlignLeft, small, QStringLiteral("not there at this moment"));
        painter.restore();
        return;
    }
    const Axis axis = axisOf(rect, line);
    const bool none = !line.ticks.empty()
        && std::none_of(line.ticks.begin(), line.ticks.end(),
            [](const ExponentLine::Tick& tick) { return std::isfinite(tick.exponent); });
    if (none || !std::isfinite(axis.high - axis.low)) {
        painter.setPen(theme.t2);
        drawLine(painter, head.translated(0, 20), Qt::AlignLeft, small, QStringLiteral("the exponents are not finite"));
        painter.restore();
        return;
    }
    const double y = rect.top() + ruler;
    painter.setRenderHint(QPainter::Antialiasing, false);
    // Beyond what the format of P holds.
    paintEdges(painter, rect, line, axis, theme);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(theme.mid, 1));
    painter.drawLine(QPointF(axis.left, y), QPointF(axis.right, y));
    double free = rect.left() - side;
    for (const double at : exponentMarks(axis.low, axis.high)) {
        painter.setPen(QPen(theme.mid, 1));
        painter.drawLine(QPointF(axis.x(at), y), QPointF(axis.x(at), y + 3));
        const QString text = exponentText(at);
        const double width = textWidth(mono, text) + 2;
        if (axis.x(at) - width / 2 < free)
            continue;
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(axis.x(at) - width / 2, y + 3, width, 12), Qt::AlignHCenter, mono, text);
        free = axis.x(at) + width / 2 + 2;
    }
    for (const ExponentLine::Tick& tick : line.ticks) {
        if (!std::isfinite(tick.exponent))
            continue;
        const double x = std::floor(axis.x(tick.exponent));
        const bool over = std::any_of(
            line.edges.begin(), line.edges.end(), [&](const FormatEdges& edge) { return tick.exponent > edge.over; });
        painter.fillRect(QRectF(over ? x - 1 : x, rect.top() + tickTop, over ? 3 : 1, ruler - tickTop), theme.text);
    }
    painter.setPen(theme.text);
    drawElided(painter, QRectF(head.left(), y + 27, head.width(), 14), Qt::AlignLeft, small, overflowText(line));
    painter.restore();
}

const ExponentLine::Tick* tickAt(const QRectF& rect, const ExponentLine& line, QPointF point)
{
    if (!line.there || point.y() < rect.top() + 15 || point.y() > rect.top() + ruler + 4)
        return nullptr;
    const Axis axis = axisOf(rect, line);
    const ExponentLine::Tick* nearest = nullptr;
    double best = 4;
    for (const ExponentLine::Tick& tick : line.ticks)
        if (const double away = std::fabs(axis.x(tick.exponent) - point.x()); away < best) {
            best = away;
            nearest = &tick;
        }
    return nearest;
}

} // namespace flashstep::paint
