// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"
#include "ui/paint/tile_numbers.h"

#include <QPainter>

namespace flashstep::paint {

// What is subtracted from the scores before the exponential.
enum class ExponentReference : std::uint8_t { TrueMax, InUse, Lse, Zero };

// Where a number format stops: 2^x overflows above, becomes 0 below.
struct FormatEdges {
    DType dtype = DType::Bf16;
    double over = 0, under = 0; // log2
    int overflowing = 0, zeros = 0; // keys of the row beyond them
};
// The exponents of one row's visible keys in one block.
struct ExponentLine {
    ExponentReference kind = ExponentReference::InUse;
    double reference = 0; // log2 units; NaN: not there
    double offset = 0; // of FP8, added to every exponent
    struct Tick {
        int key = 0; // over the head's sequence
        double score = 0, exponent = 0; // log2 units
    };
    std::vector<Tick> ticks;
    std::vector<FormatEdges> edges; // fp16, bf16, fp32, and e4m3 where P is stored so
    bool there = false; // scores and reference are
};
// `lse`: the row's log-sum-exp at the end of the run, log2 units; NaN where it is not recorded.
[[nodiscard]] ExponentLine exponentLine(
    const Program& program, const TileNumbers& tile, int row, ExponentReference kind, double lse);

// Where the axis from `low` to `high` is labelled: multiples of a power of two, at most eleven; none if not finite.
[[nodiscard]] std::vector<double> exponentMarks(double low, double high);

constexpr double exponentsHeight = 104;
void paintExponents(QPainter& painter, const QRectF& rect, const ExponentLine& line, const Theme& theme);
[[nodiscard]] const ExponentLine::Tick* tickAt(const QRectF& rect, const ExponentLine& line, QPointF point);
// "with the true max: 0 of 8 keys overflow fp16, 0 bf16, 0 fp32"
[[nodiscard]] QString overflowText(const ExponentLine& line);
[[nodiscard]] QString nameOf(ExponentReference kind); // "true max", "reference in use", "log-sum-exp", "0"

} // namespace flashstep::paint
