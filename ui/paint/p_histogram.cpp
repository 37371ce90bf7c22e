// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/p_histogram.h"

#include "core/tensor/real_math.h"
#include "ui/paint/fonts.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace flashstep::paint {

namespace {

constexpr double side = 8, plotTop = 34, plotBottom = 108;
constexpr int deepest = -24; // exponents below it share a bar

// The exact number, short where it can be.
QString sumText(double value)
{
    return QString::number(value, 'g', 9);
}

void paintMeter(QPainter& painter, const QRectF& rect, const QString& label, double value, double most,
    const QColor& fill, const Theme& theme)
{
    const QFont small = canvasFont(10.5), mono = monoFont(10.5);
    const QString number = sumText(value);
    painter.setPen(theme.t2);
    drawLine(painter, QRectF(rect.left(), rect.top(), 108, rect.height()), Qt::AlignLeft, small, label);
    const QRectF bar = rect.adjusted(110, 2, -textWidth(mono, number) - 8, -2);
    const double share = std::isinf(value)             ? 1
        : most > 0 && std::isfinite(most) && value > 0 ? std::min(1.0, value / most)
                                                       : 0;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * share, bar.height()), fill);
    painter.setPen(QPen(theme.mid, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(bar);
    painter.setPen(theme.text);
    drawLine(painter, rect, Qt::AlignRight, mono, number);
}

QString quotientText(const PHistogram& histogram)
{
    if (!std::isfinite(histogram.stored) || !std::isfinite(histogram.summed))
        return QStringLiteral("no quotient: what was summed is not finite");
    if (!(histogram.summed > 0))
        return QStringLiteral("no quotient: nothing was summed");
    const QString number = sumText(histogram.quotient());
    return histogram.clipped > 0
        ? QStringLiteral("quotient %1: they part, P clips and O comes out too small").arg(number)
        : QStringLiteral("quotient %1: what rounding P does").arg(number);
}

} // namespace

double PHistogram::quotient() const
{
    const bool there = summed > 0 && std::isfinite(stored) && std::isfinite(summed);
    return there ? stored / summed : std::numeric_limits<double>::quiet_NaN();
}

PHistogram pHistogram(const Program& program, const TileNumbers& tile, int row)
{
    PHistogram histogram;
    histogram.ceiling = ceilingOf(program);
    histogram.rounded = tile.rounded;
    std::map<int, int> counts;
    for (int r = std::max(0, row); r < (row < 0 ? tile.rows : row + 1); ++r) {
        const double reference = referenceOfP(tile, r);
        const bool known = !std::isnan(reference) && !std::isnan(tile.row[static_cast<std::size_t>(r)].blockMax);
        const std::vector<float> exact
            = known ? probabilitiesOf(program, scoresOf(tile, r), reference) : std::vector<float> {};
        for (int k = 0; k < tile.keys; ++k) {
            const float p = tile.p.at(r, k);
            if (std::isnan(p))
                continue;
            ++histogram.elements;
            if (std::isinf(p))
                ++histogram.infinite;
            else if (p > 0)
                ++counts[std::max(deepest, std::ilogb(p))];
            else
                ++histogram.zeros;
            if (!known)
                continue;
            histogram.stored += static_cast<double>(p);
            histogram.summed += static_cast<double>(exact[static_cast<std::size_t>(k)]);
            histogram.clipped
                += static_cast<double>(exact[static_cast<std::size_t>(k)]) > histogram.ceiling.holds ? 1 : 0;
        }
    }
    if (counts.empty())
        return histogram;
    histogram.lowest = counts.begin()->first;
    histogram.counts.assign(static_cast<std::size_t>(counts.rbegin()->first - histogram.lowest + 1), 0);
    for (const auto& [exponent, count] : counts)
        histogram.counts[static_cast<std::size_t>(exponent - histogram.lowest)] = count;
    return histogram;
}

void paintHistogram(QPainter& painter, const QRectF& rect, const PHistogram& histogram, const Theme& theme)
{
    painter.save();
    const QFont small = canvasFont(10.5), mono = monoFont(10);
    const QString format = QString::fromLatin1(
        name(histogram.ceiling.dtype).data(), static_cast<int>(name(histogram.ceiling.dtype).size()));
    const QRectF head(rect.left() + side, rect.top(), rect.width() - 2 * side, 15);
    painter.setPen(theme.text);
    drawElided(painter, head, Qt::AlignLeft, canvasFont(11, QFont::DemiBold),
        histogram.rounded ? QStringLiteral("P of the tile, stored as %1, by powers of two").arg(format)
                          : QStringLiteral("P of the tile in fp32, by powers of two"));
    painter.setPen(theme.t2);
    if (histogram.elements == 0) {
        drawLine(painter, head.translated(0, 20), Qt::AlignLeft, small, QStringLiteral("not there at this moment"));
        painter.restore();
        return;
    }
    drawElided(painter, head.translated(0, 15), Qt::AlignLeft, small,
        QStringLiteral("%1 elements, %2 of them 0%3; %4 clipped")
            .arg(histogram.elements)
            .arg(histogram.zeros)
            .arg(histogram.infinite > 0 ? QStringLiteral(", %1 infinite").arg(histogram.infinite) : QString())
            .arg(histogram.clipped));
    const QRectF plot(rect.left() + side, rect.top() + plotTop, rect.width() - 2 * side, plotBottom - plotTop);
    const double holds = log2Real(histogram.ceiling.holds), reach = histogram.ceiling.log2Most;
    const int first = std::min(histogram.counts.empty() ? -1 : histogram.lowest, -1);
    const int top = histogram.counts.empty() ? 0 : histogram.lowest + static_cast<int>(histogram.counts.size());
    const int last = static_cast<int>(std::ceil(
                         std::max({ static_cast<double>(top), reach, holds < reach + 12 ? holds : 0.0, 1.0 })))
        + 1;
    const double width = plot.width() / (last - first);
    const auto x = [&](double exponent) { return plot.left() + (exponent - first) * width; };
    const int most = histogram.counts.empty() ? 1 : *std::max_element(histogram.counts.begin(), histogram.counts.end());
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t k = 0; k < histogram.counts.size(); ++k) {
        const double left = x(histogram.lowest + static_cast<int>(k));
        const double height = (plot.height() - 12) * histogram.counts[k] / std::max(1, most);
        if (histogram.counts[k] > 0)
            painter.fillRect(
                QRectF(left, plot.bottom() - std::max(1.0, height), std::max(1.0, width - 1), std::max(1.0, height)),
                mapColour(theme.sequential, 0.72));
    }
    painter.setPen(QPen(theme.mid, 1));
    painter.drawLine(plot.bottomLeft(), plot.bottomRight());
    const int step = std::max(1, static_cast<int>(std::ceil(34 / width)));
    for (int e = first; e <= last; ++e)
        if (e % step == 0 && x(e) - 18 >= plot.left() && x(e) + 16 <= plot.right() + 4) {
            painter.setPen(theme.t2);
            drawLine(painter, QRectF(x(e) - 20, plot.bottom() + 2, 40, 12), Qt::AlignHCenter, mono,
                QStringLiteral("2^%1").arg(fixed(e, 0)));
        }
    const auto line = [&](double at, const QString& text, Qt::PenStyle style) {
        painter.setPen(QPen(theme.text, 2, style));
        painter.drawLine(QPointF(x(at), plot.top() + (style == Qt::SolidLine ? 0 : 24)), QPointF(x(at), plot.bottom()));
        const double needed = textWidth(small, text) + 4;
        const bool leftOf = x(at) + needed > plot.right();
        const QRectF words(
            leftOf ? x(at) - needed : x(at) + 4, plot.top() - (style == Qt::SolidLine ? 1 : -11), needed - 2, 12);
        painter.fillRect(words, theme.panel);
        painter.setPen(theme.text);
        drawLine(painter, words, Qt::AlignLeft, small, text);
    };
    const QString largest = histogram.ceiling.holds < 1e6 ? QString::number(histogram.ceiling.holds, 'f', 0)
                                                          : QStringLiteral("2^%1").arg(fixed(holds, 0));
    if (holds <= last)
        line(holds, QStringLiteral("%1 holds %2").arg(format, largest), Qt::SolidLine);
    else {
        painter.setPen(theme.t2);
        drawLine(painter, QRectF(plot.left(), plot.top() - 1, plot.width(), 12), Qt::AlignRight, small,
            QStringLiteral("%1 holds %2 →").arg(format, largest));
    }
    if (reach > 0)
        line(reach, QStringLiteral("P may reach 2^%1").arg(QString::number(reach)), Qt::DashLine);
    const double larger = std::max(histogram.stored, histogram.summed);
    const QRectF meter(rect.left() + side, rect.top() + plotBottom + 18, rect.width() - 2 * side, 13);
    paintMeter(painter, meter, QStringLiteral("numerator, stored P"), histogram.stored, larger,
        mapColour(theme.sequential, 0.72), theme);
    paintMeter(painter, meter.translated(0, 14), QStringLiteral("denominator, fp32"), histogram.summed, larger,
        mix(theme.mid, theme.panel, 0.45), theme);
    painter.setPen(theme.text);
    drawElided(painter, meter.translated(0, 28), Qt::AlignLeft, small, quotientText(histogram));
    painter.restore();
}

} // namespace flashstep::paint
