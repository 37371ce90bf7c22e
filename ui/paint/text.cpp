// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/text.h"

#include "ui/paint/pattern.h"
#include "ui/paint/text_cache.h"

#include <QFontMetricsF>
#include <QPaintEngine>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace flashstep::paint {

namespace {

constexpr QChar minus(0x2212), noBreakSpace(0x00a0), times(0x00b7);

QString withMinus(QString text)
{
    return text.replace(QLatin1Char('-'), minus);
}

// What std::to_chars gives, so that the locale has no say.
template <typename... Format> QString printed(double value, Format... format)
{
    std::array<char, 400> buffer {};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format...).ptr;
    return QString::fromLatin1(buffer.data(), static_cast<int>(end - buffer.data()));
}

QString special(double value)
{
    if (std::isnan(value))
        return QString(QChar(0x2013));
    return value < 0 ? QString(minus) + QChar(0x221e) : QString(QChar(0x221e));
}

QString scientific(double value, int decimals)
{
    QString text = printed(value, std::chars_format::scientific, decimals);
    // 1.2e-07 → 1.2e−7
    const int e = text.indexOf(QLatin1Char('e'));
    const int exponent = text.mid(e + 1).toInt();
    return withMinus(text.left(e) + QLatin1Char('e') + QString::number(exponent));
}

// The value as an integer, a fraction with a power of two below the line, or mantissa·2^exponent.
QString exact(double value)
{
    if (value == 0)
        return QStringLiteral("0");
    int exponent = 0;
    double mantissa = std::frexp(value, &exponent);
    auto whole = static_cast<std::int64_t>(std::ldexp(mantissa, 53));
    exponent -= 53;
    while (whole % 2 == 0) {
        whole /= 2;
        ++exponent;
    }
    if (exponent >= 0 && exponent <= 8 && std::abs(whole) < (std::int64_t { 1 } << 50))
        return grouped(whole << exponent);
    if (exponent < 0 && exponent >= -10)
        return grouped(whole) + QLatin1Char('/') + QString::number(1 << -exponent);
    return grouped(whole) + times + QStringLiteral("2^") + withMinus(QString::number(exponent));
}

QString hex(double value, DType dtype)
{
    const int digits = dtype == DType::E4m3 ? 2 : dtype == DType::Fp32 ? 8 : 4;
    const std::uint32_t bits = bitsOf(dtype, static_cast<float>(value));
    return QStringLiteral("0x") + QStringLiteral("%1").arg(bits, digits, 16, QLatin1Char('0')).toUpper();
}

// The fonts draw brackets, dashes and the like beside figures in another form, which a PDF cannot take back to the
// character. Each is drawn by itself there, at its place in the line.
void drawPieces(QPainter& painter, QPointF at, const QFont& font, const QString& text)
{
    const auto plain
        = [](QChar c) { return c.isLetterOrNumber() || c.isSpace() || c == QLatin1Char(',') || c == QLatin1Char('.'); };
    int begin = 0;
    while (begin < text.size()) {
        int end = begin + 1;
        while (plain(text[begin]) && end < text.size() && plain(text[end]))
            ++end;
        painter.drawText(at + QPointF(textWidth(font, text.left(begin)), 0), text.mid(begin, end - begin));
        begin = end;
    }
}

// The shipped fonts have the raised small t for the transpose, and no raised capital: a font of the system's would
// stand in for it, which differs between machines.
QString inShippedFonts(const QString& text)
{
    constexpr QChar raisedCapital(0x1d40), raisedSmall(0x1d57);
    return text.contains(raisedCapital) ? QString(text).replace(raisedCapital, raisedSmall) : text;
}

} // namespace

QString grouped(std::int64_t value)
{
    QString digits = QString::number(value < 0 ? -value : value);
    for (int at = digits.size() - 3; at > 0; at -= 3)
        digits.insert(at, noBreakSpace);
    return value < 0 ? minus + digits : digits;
}

QString fixed(double value, int decimals)
{
    if (!std::isfinite(value))
        return special(value);
    QString text = printed(value, std::chars_format::fixed, decimals);
    // No minus in front of what rounds to nothing.
    if (text.startsWith(QLatin1Char('-')) && std::all_of(text.cbegin() + 1, text.cend(), [](QChar c) {
            return c == QLatin1Char('0') || c == QLatin1Char('.');
        }))
        text.remove(0, 1);
    return withMinus(text);
}

QString shortDecimal(double value, int digits)
{
    if (!std::isfinite(value))
        return special(value);
    const double size = std::fabs(value);
    int before = 1; // digits in front of the point
    for (double power = 10; power <= size && before < digits + 3; power *= 10)
        ++before;
    if (before > digits + 2)
        return scientific(value, 1);
    return fixed(value, std::clamp(digits - before, 0, digits - 1));
}

QString factor(double value)
{
    if (!std::isfinite(value))
        return special(value);
    if (value == std::floor(value) && std::fabs(value) < 1e6)
        return grouped(static_cast<std::int64_t>(value));
    if (std::fabs(value) < 0.0001)
        return scientific(value, 1);
    return fixed(value, 5);
}

QString number(double value, NumberFormat format, DType dtype, int decimals)
{
    if (std::isnan(value))
        return special(value);
    if (format == NumberFormat::Hex)
        return hex(value, dtype);
    if (format == NumberFormat::Exact && std::isfinite(value))
        return exact(static_cast<double>(roundTo(dtype, static_cast<float>(value))));
    return fixed(value, decimals);
}

QString duration(double cycles, double clockMhz)
{
    if (clockMhz <= 0)
        return QString();
    const double us = cycles / clockMhz;
    if (us >= 1000)
        return fixed(us / 1000, 2) + QStringLiteral(" ms");
    if (us >= 1)
        return fixed(us, 2) + QStringLiteral(" µs");
    return fixed(us * 1000, 0) + QStringLiteral(" ns");
}

QString byteCount(double bytes)
{
    const auto with = [](double value, const QString& unit) {
        const bool whole = value == std::floor(value) || value >= 100;
        return fixed(value, whole ? 0 : 1) + noBreakSpace + unit;
    };
    if (bytes >= 1024.0 * 1024.0 * 1024.0)
        return with(bytes / (1024.0 * 1024.0 * 1024.0), QStringLiteral("GB"));
    if (bytes >= 1024.0 * 1024.0)
        return with(bytes / (1024.0 * 1024.0), QStringLiteral("MB"));
    if (bytes >= 1024)
        return with(bytes / 1024, QStringLiteral("KB"));
    return with(bytes, QStringLiteral("B"));
}

double textWidth(const QFont& font, const QString& text)
{
    return shapedWidth(font, inShippedFonts(text));
}

void drawLine(QPainter& painter, const QRectF& rect, Qt::Alignment alignment, const QFont& font, const QString& asked)
{
    if (asked.isEmpty())
        return;
    const QString text = inShippedFonts(asked);
    double x = rect.left();
    if (alignment & (Qt::AlignRight | Qt::AlignHCenter)) {
        const double slack = rect.width() - textWidth(font, text);
        x += alignment & Qt::AlignRight ? slack : slack / 2;
    }
    // Capitals and figures centred; the base line on a whole pixel.
    const double baseline = std::round(rect.center().y() + QFontMetricsF(font).capHeight() / 2);
    if (!drawsVectors(painter)) {
        drawShaped(painter, QPointF(x, baseline), font, text);
        return;
    }
    painter.setFont(font);
    if (painter.paintEngine()->type() == QPaintEngine::Pdf)
        drawPieces(painter, QPointF(x, baseline), font, text);
    else
        painter.drawText(QPointF(x, baseline), text);
}

void drawElided(QPainter& painter, const QRectF& rect, Qt::Alignment alignment, const QFont& font, const QString& text)
{
    const bool fits = textWidth(font, text) <= rect.width();
    drawLine(painter, rect, alignment, font,
        fits ? text : QFontMetricsF(font).elidedText(text, Qt::ElideRight, rect.width()));
}

} // namespace flashstep::paint
