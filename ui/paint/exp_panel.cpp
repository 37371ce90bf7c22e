// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/exp_panel.h"

#include "core/algorithms/fa4_setting.h"
#include "ui/paint/fonts.h"
#include "ui/paint/pattern.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

constexpr double side = 8, lineHeight = 15, headHeight = 18, between = 10;
constexpr double tableRow = 16, curveHeight = 74, gridHeight = 56, barHeight = 11;
constexpr int ways = 6, curveBins = 128;

QFont strong()
{
    return canvasFont(11, QFont::DemiBold);
}

// As short as its size allows: 736.2, 1.04, 0.500.
QString ulp(double value)
{
    return value >= 1000 ? grouped(std::llround(value)) : shortDecimal(value, 4);
}

void heading(QPainter& painter, const QRectF& rect, const QString& text, const Theme& theme)
{
    painter.setPen(theme.text);
    drawElided(painter, QRectF(rect.left(), rect.top(), rect.width(), headHeight - 2), Qt::AlignLeft, strong(), text);
}

void paintTable(QPainter& painter, const QRectF& rect, int inUse, const Theme& theme)
{
    heading(painter, rect, QStringLiteral("Largest error of 2^x on [0, 1), in units of the last place"), theme);
    const double columns[] = { rect.left() + rect.width() * 0.50, rect.left() + rect.width() * 0.74, rect.right() };
    const char16_t* titles[] = { u"fp32", u"then bf16", u"exact bf16" };
    const QFont small = canvasFont(10.5), mono = monoFont(11);
    double left = rect.left() + 70;
    double y = rect.top() + headHeight;
    for (int k = 0; k < 3; ++k) {
        painter.setPen(theme.t2);
        drawElided(painter, QRectF(left, y, columns[k] - left, tableRow), Qt::AlignRight, small,
            QString::fromUtf16(titles[k]));
        left = columns[k] + 6;
    }
    for (int way = 0; way < ways; ++way) {
        y += tableRow;
        const QRectF line(rect.left(), y, rect.width(), tableRow);
        if (way == inUse) {
            painter.setRenderHint(QPainter::Antialiasing, false);
            painter.fillRect(line.adjusted(-4, 0, 4, 0), theme.highlight);
            painter.setPen(QPen(theme.mid, 1));
            painter.drawRect(line.adjusted(-4, 0, 3, -1));
        }
        const Exp2Errors& errors = expErrors()[static_cast<std::size_t>(way)];
        painter.fillRect(
            QRectF(line.left(), line.top() + 3, 3, tableRow - 6), theme.engine(way == 0 ? Engine::Exp : Engine::Alu));
        painter.setPen(theme.text);
        drawLine(painter, line.adjusted(8, 0, 0, 0), Qt::AlignLeft, small, wayName(way));
        const QString cells[]
            = { ulp(errors.ulpFp32), ulp(errors.ulpBf16), fixed(100 * errors.sameBf16, 3) + QStringLiteral(" %") };
        for (int k = 0; k < 3; ++k)
            drawLine(painter, QRectF(columns[k] - 90, y, 90, tableRow), Qt::AlignRight, mono, cells[k]);
    }
}

// The error of the unit and of one polynomial over [0, 1), as the span between its least and largest in each bin.
void paintCurve(QPainter& painter, const QRectF& rect, int way, bool rounded, const Theme& theme)
{
    const QFont small = canvasFont(10);
    const QRectF plot = rect.adjusted(0, 14, 0, -1);
    const auto low = [&](const Exp2Curve& c) { return rounded ? c.lowBf16 : c.lowFp32; };
    const auto high = [&](const Exp2Curve& c) { return rounded ? c.highBf16 : c.highFp32; };
    double most = 0;
    for (const int each : { 0, way })
        for (const std::vector<float>& values : { low(expCurve(each)), high(expCurve(each)) })
            for (const float value : values)
                most = std::max(most, std::fabs(static_cast<double>(value)));
    painter.setPen(theme.t2);
    drawElided(painter, QRectF(rect.left(), rect.top(), rect.width(), 13), Qt::AlignLeft, small,
        (rounded ? QStringLiteral("rounded, bf16 ulp, ±") : QStringLiteral("before rounding, fp32 ulp, ±"))
            + ulp(most));
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(theme.line, 1));
    painter.drawRect(plot);
    const double middle = plot.center().y(), scale = (plot.height() / 2 - 2) / most;
    for (const int each : way > 0 ? std::vector<int> { way, 0 } : std::vector<int> { 0 }) {
        const std::vector<float> lows = low(expCurve(each)), highs = high(expCurve(each));
        const double step = plot.width() / static_cast<double>(lows.size());
        for (std::size_t k = 0; k < lows.size(); ++k) {
            const double top = middle - static_cast<double>(highs[k]) * scale;
            const double bottom = middle - static_cast<double>(lows[k]) * scale;
            painter.fillRect(QRectF(plot.left() + static_cast<double>(k) * step, top, std::max(1.0, step),
                                 std::max(1.0, bottom - top)),
                each == 0 && rounded ? mix(theme.text, theme.engine(Engine::Exp), 0.25)
                                     : theme.engine(each == 0 ? Engine::Exp : Engine::Alu));
        }
    }
    painter.setPen(QPen(theme.mid, 1));
    painter.drawLine(QPointF(plot.left(), middle), QPointF(plot.right(), middle));
}

// A share of the polynomial wears lines as well as its hue.
void fillEmulated(QPainter& painter, const QRectF& rect, const Theme& theme)
{
    painter.fillRect(rect, theme.engine(Engine::Alu));
    painter.setPen(QPen(inkOn(theme.engine(Engine::Alu)), 1));
    for (double y = std::floor(rect.top()) + 2; y < rect.bottom() - 0.5; y += 4)
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right() - 1, y));
}

QString share(double part, double all)
{
    return all > 0 ? fixed(100 * part / all, 2) + QStringLiteral(" %") : fixed(std::nan(""), 1);
}

void paintSplitBar(QPainter& painter, const QRectF& rect, double hardware, double emulated, const Theme& theme)
{
    painter.setRenderHint(QPainter::Antialiasing, false);
    const double all = hardware + emulated;
    const double width = all > 0 ? std::round(rect.width() * hardware / all) : 0;
    painter.fillRect(QRectF(rect.left(), rect.top(), width, rect.height()), theme.engine(Engine::Exp));
    if (emulated > 0)
        fillEmulated(painter, rect.adjusted(width, 0, 0, 0), theme);
    painter.setPen(QPen(theme.mid, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect);
}

void paintSplit(QPainter& painter, const QRectF& rect, const ExpScene& scene, const Theme& theme)
{
    heading(painter, rect, QStringLiteral("Elements of this run"), theme);
    const QFont small = canvasFont(10.5), mono = monoFont(10.5);
    QRectF line(rect.left(), rect.top() + headHeight, rect.width(), lineHeight);
    paintSplitBar(
        painter, QRectF(line.left(), line.top() + 2, line.width(), barHeight), scene.hardware, scene.emulated, theme);
    const auto say = [&](const QString& label, double hardware, double emulated) {
        line.translate(0, lineHeight);
        painter.setPen(theme.t2);
        drawLine(painter, line, Qt::AlignLeft, small, label);
        painter.setPen(theme.text);
        drawLine(painter, line, Qt::AlignRight, mono,
            QStringLiteral("%1 unit · %2 emulated · %3")
                .arg(grouped(std::llround(hardware)), grouped(std::llround(emulated)),
                    share(emulated, hardware + emulated)));
    };
    say(QStringLiteral("all"), scene.hardware, scene.emulated);
    if (scene.trace->wholeGrid())
        say(QStringLiteral("so far"), scene.trace->counter(Counter::Exp2, scene.position),
            scene.trace->counter(Counter::Exp2Emulated, scene.position));
}

void paintTile(QPainter& painter, const QRectF& rect, const ExpScene& scene, const Theme& theme)
{
    const Program& program = scene.trace->program();
    const TileNumbers& tile = scene.tile;
    heading(painter, rect,
        QStringLiteral("P of tile (%1, %2): solid by unit, lined by polynomial").arg(tile.i).arg(tile.j), theme);
    if (tile.rows == 0 || tile.keys == 0)
        return;
    const QFont small = canvasFont(10);
    constexpr double gap = 5; // between fragments
    const int keys = program.tile.keys;
    const int width = std::max(1, keys / 4);
    const double column = (rect.width() - 3 * gap) / keys;
    const double top = rect.top() + headHeight + 12, height = gridHeight - 12;
    const auto x = [&](int key) { return std::floor(rect.left() + key * column) + gap * std::min(3, key / width); };
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (int key = 0; key < tile.keys; ++key) {
        const bool emulated = program.softmax.emulatedKeys(key, 1) > 0;
        const double left = x(key), right = key + 1 < keys && (key + 1) % width != 0 ? x(key + 1) : left + column;
        const QRectF cells(left, top, std::max(1.0, std::floor(right - left) - (column >= 5 ? 1 : 0)), height);
        if (emulated)
            fillEmulated(painter, cells, theme);
        else
            painter.fillRect(cells, theme.engine(Engine::Exp));
        for (int r = 0; r < tile.rows; ++r) { // what the mask hides
            if (!(tile.s.at(r, key) == -std::numeric_limits<float>::infinity()))
                continue;
            const double first = std::floor(top + height * r / tile.rows);
            painter.fillRect(QRectF(cells.left(), first, cells.width(),
                                 std::max(1.0, std::floor(top + height * (r + 1) / tile.rows) - first)),
                mix(theme.waitGround, theme.engine(emulated ? Engine::Alu : Engine::Exp), 0.72));
        }
    }
    for (int fragment = 0; fragment < 4 && fragment * width < tile.keys; ++fragment) {
        painter.setPen(theme.t2);
        const QString count = QStringLiteral("%1: %2 of %3")
                                  .arg(fragment)
                                  .arg(program.softmax.emulatedKeys(fragment * width, width))
                                  .arg(width);
        drawElided(painter, QRectF(x(fragment * width), top - 13, width * column + 2, 12), Qt::AlignLeft, small, count);
    }
    QRectF line(rect.left(), top + height + 3, rect.width(), lineHeight);
    for (const QString& text : emulationRule(program, *scene.gpu, scene.knobTurned)) {
        painter.setPen(theme.t2);
        drawElided(painter, line, Qt::AlignLeft, canvasFont(10.5), text);
        line.translate(0, lineHeight);
    }
}

void paintRates(QPainter& painter, const QRectF& rect, const ExpScene& scene, const Theme& theme)
{
    const int degree = scene.trace->program().softmax.polynomialDegree;
    const ExpRates rates = expRates(*scene.gpu, degree);
    heading(painter, rect, QStringLiteral("Exponentials per clock and SM, with nothing else to do"), theme);
    const QFont small = canvasFont(10.5), mono = monoFont(11);
    const double most = std::max(rates.unit, rates.polynomial);
    QRectF line(rect.left(), rect.top() + headHeight, rect.width(), lineHeight);
    const auto bar = [&](const QString& label, double rate, bool polynomial) {
        painter.setPen(theme.t2);
        drawLine(painter, line, Qt::AlignLeft, small, label);
        const QRectF room(line.left() + 84, line.top() + 2, line.width() - 84 - 44, barHeight);
        const QRectF filled(room.left(), room.top(), room.width() * rate / most, room.height());
        painter.setRenderHint(QPainter::Antialiasing, false);
        if (polynomial && rate > 0)
            fillEmulated(painter, filled, theme);
        else
            painter.fillRect(filled, theme.engine(Engine::Exp));
        painter.setPen(theme.text);
        drawLine(painter, line, Qt::AlignRight, mono, rate > 0 ? shortDecimal(rate, 3) : fixed(std::nan(""), 1));
        line.translate(0, lineHeight);
    };
    bar(QStringLiteral("unit (MUFU)"), rates.unit, false);
    bar(wayName(degree), rates.polynomial, true);
    painter.setPen(theme.t2);
    drawElided(painter, line, Qt::AlignLeft, small,
        rates.polynomial > 0
            ? QStringLiteral("%1 instructions a pair, bound by %2; both would end together at %3 % emulated")
                  .arg(rates.instructions)
                  .arg(rates.bound, fixed(100 * rates.balance, 0))
            : QStringLiteral("this GPU has no packed fp32 arithmetic: no kernel emulates on it"));
}

} // namespace

const std::array<Exp2Errors, 6>& expErrors()
{
    static const std::array<Exp2Errors, 6> errors = exp2Errors(1 << 16);
    return errors;
}

const Exp2Curve& expCurve(int way)
{
    static const std::array<Exp2Curve, ways> curves { exp2Curve(0, curveBins, 128), exp2Curve(1, curveBins, 128),
        exp2Curve(2, curveBins, 128), exp2Curve(3, curveBins, 128), exp2Curve(4, curveBins, 128),
        exp2Curve(5, curveBins, 128) };
    return curves[static_cast<std::size_t>(way)];
}

QString wayName(int way)
{
    return way == 0 ? QStringLiteral("unit") : QStringLiteral("degree %1").arg(way);
}

// Of a pair: 2 max, 2 shifts and 2 integer additions on the ALU; 3 packed additions and `degree` packed FMA, each the
// work of two lanes; every one an issue slot.
ExpRates expRates(const GpuSpec& gpu, int degree)
{
    constexpr double onAlu = 6, lanes = 32, pair = 2;
    ExpRates rates;
    rates.unit = gpu.mufuPerClk;
    if (gpu.polynomialInstructions.value == 0)
        return rates;
    const double instructions = gpu.polynomialInstructions + degree;
    rates.instructions = static_cast<int>(instructions);
    const std::pair<double, const char16_t*> limits[] = { { gpu.issuePerClk * lanes / instructions, u"issue" },
        { gpu.aluPerClk / onAlu, u"ALU" }, { gpu.fmaPerClk / (pair * (instructions - onAlu)), u"FMA" } };
    double pairs = limits[0].first;
    for (const auto& [rate, what] : limits)
        pairs = std::min(pairs, rate);
    QStringList bound;
    for (const auto& [rate, what] : limits)
        if (rate == pairs)
            bound.append(QString::fromUtf16(what));
    rates.bound = bound.join(QStringLiteral(", "));
    rates.polynomial = pair * pairs;
    rates.balance = rates.polynomial / (rates.polynomial + rates.unit);
    return rates;
}

QStringList emulationRule(const Program& program, const GpuSpec& gpu, bool knobTurned)
{
    if (program.algorithm != "fa4")
        return { QStringLiteral("This version computes every exponential on the unit;"),
            QStringLiteral("FlashAttention-4 emulates a share of them.") };
    const Fa4Emulation rule = fa4EmulationOf(program, gpu.computeCapability);
    QStringList text;
    if (rule.frequency > 0)
        text << QStringLiteral("Kernel: fragments %1 to 2 of 32 keys; of every %2 keys")
                    .arg(rule.start)
                    .arg(rule.frequency)
             << QStringLiteral("the last %1 by polynomial, the last fragment never").arg(rule.run);
    else if (gpu.computeCapability == 103)
        text << QStringLiteral("Kernel: frequency 0 on B300, whose unit computes %1 a clock,").arg(gpu.mufuPerClk.value)
             << QStringLiteral("twice B200's, and is fast enough alone");
    else
        text << QStringLiteral("Kernel: none for this shape; its table has no tuned entry") << QString();
    if (knobTurned)
        text << QStringLiteral("Knob: the share asked for, at the end of each fragment");
    else if (rule.frequency > 0 && program.tile.keys != 128)
        text << QStringLiteral("Shown tile: the same share, at the end of each fragment");
    else
        text << QString();
    return text;
}

int ExpScene::way() const
{
    const SoftmaxForm& form = trace->program().softmax;
    return form.emulatedKeys(0, static_cast<int>(form.emulated.size())) > 0 ? form.polynomialDegree : 0;
}

ExpLayout layoutExp(const QRectF& rect, const ExpScene& scene)
{
    ExpLayout at;
    const QRectF inner = rect.adjusted(side, 6, -side, 0);
    double y = inner.top();
    const auto place = [&](double height) {
        const QRectF part(inner.left(), y, inner.width(), height);
        y += height + between;
        return part;
    };
    at.split = place(headHeight + lineHeight * (scene.trace->wholeGrid() ? 3 : 2));
    at.tile = place(headHeight + gridHeight + 3 + 3 * lineHeight);
    at.table = place(headHeight + tableRow * (ways + 1));
    at.curves = place(headHeight + curveHeight);
    at.rates = place(headHeight + 3 * lineHeight);
    at.height = y - rect.top();
    return at;
}

int ExpLayout::wayAt(QPointF point) const
{
    const double line = (point.y() - table.top() - headHeight - tableRow) / tableRow;
    return table.contains(point) && line >= 0 && line < ways ? static_cast<int>(line) : -1;
}

void paintExp(QPainter& painter, const QRectF& rect, const ExpScene& scene, const Theme& theme)
{
    painter.save();
    const ExpLayout at = layoutExp(rect, scene);
    paintSplit(painter, at.split, scene, theme);
    paintTile(painter, at.tile, scene, theme);
    paintTable(painter, at.table, scene.way(), theme);
    const int way = scene.way() > 0 ? scene.way() : scene.trace->program().softmax.polynomialDegree;
    heading(painter, at.curves, QStringLiteral("Error over [0, 1): unit, %1").arg(wayName(way)), theme);
    const QRectF plots = at.curves.adjusted(0, headHeight - 2, 0, 0);
    const double half = (plots.width() - 10) / 2;
    paintCurve(painter, QRectF(plots.left(), plots.top(), half, plots.height()), way, false, theme);
    paintCurve(painter, QRectF(plots.right() - half, plots.top(), half, plots.height()), way, true, theme);
    paintRates(painter, at.rates, scene, theme);
    painter.restore();
}

} // namespace flashstep::paint
