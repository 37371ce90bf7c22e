// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/tensor/dtype.h"

#include <QFont>
#include <QPainter>
#include <QRectF>
#include <QString>
#include <QStringList>

#include <cstdint>

namespace flashstep::paint {

// How numbers are written in cells: decimal, the bits as stored (0x3F80), or exactly (9/16, 5·2^−20).
enum class NumberFormat : std::uint8_t { Decimal, Hex, Exact };

// Words along the rows and columns; empty when the input has none.
struct Tokens {
    QStringList queries; // by query row of the head's sequence
    QStringList keys; // by key
    [[nodiscard]] QString query(int row) const { return row >= 0 && row < queries.size() ? queries[row] : QString(); }
    [[nodiscard]] QString key(int key) const { return key >= 0 && key < keys.size() ? keys[key] : QString(); }
};

// "8 160": groups of three with a no-break space, minus U+2212.
[[nodiscard]] QString grouped(std::int64_t value);
// Fixed decimals, minus U+2212; "−∞", "∞"; "–" for what is not there (NaN).
[[nodiscard]] QString fixed(double value, int decimals);
// As many decimals as fit `digits` digits in all: 12.40, 1.000, 0.040, 67.52, 126.9.
[[nodiscard]] QString shortDecimal(double value, int digits = 4);
// A factor of which small values matter: 1, 0.5, 0.00109, 3.1e−7.
[[nodiscard]] QString factor(double value);
// As asked; hex and exact are of `value` as the format stores it.
[[nodiscard]] QString number(double value, NumberFormat format, DType dtype, int decimals = 2);
// "4.45 µs", "812 ns": cycles at a clock.
[[nodiscard]] QString duration(double cycles, double clockMhz);
// "32 KB", "960 B", "1.5 MB" in units of 1024, as the papers count SMEM.
[[nodiscard]] QString byteCount(double bytes);

// Width of a text in canvas pixels.
[[nodiscard]] double textWidth(const QFont& font, const QString& text);
// Draws one line of text with its vertical middle on the rectangle's, aligned left, right or centre
// (Qt::AlignmentFlag), without clipping. The pen's colour is used.
void drawLine(QPainter& painter, const QRectF& rect, Qt::Alignment alignment, const QFont& font, const QString& text);
// The same, elided with … when it would not fit.
void drawElided(QPainter& painter, const QRectF& rect, Qt::Alignment alignment, const QFont& font, const QString& text);

} // namespace flashstep::paint
