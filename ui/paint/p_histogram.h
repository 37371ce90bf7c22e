// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/ledger_facts.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// The values of P of one tile as they are stored, by powers of two.
struct PHistogram {
    int elements = 0; // that are there; masked ones are 0
    int zeros = 0;
    int infinite = 0; // in no bar
    int clipped = 0; // elements whose fp32 value the format cannot hold
    bool rounded = false; // P is there as stored; else still in fp32
    int lowest = 0; // exponent of counts.front()
    std::vector<int> counts; // of 2^lowest … 2^(lowest + 1), and so on
    Ceiling ceiling;
    // Over the rows whose reference is known. The numerator of O is made from stored P, the denominator l sums fp32.
    double stored = 0, summed = 0;
    // NaN where nothing was summed, or what was is not finite.
    [[nodiscard]] double quotient() const;
};
// `row`: of that row of the tile alone; -1: of all.
[[nodiscard]] PHistogram pHistogram(const Program& program, const TileNumbers& tile, int row = -1);

constexpr double histogramHeight = 168;
void paintHistogram(QPainter& painter, const QRectF& rect, const PHistogram& histogram, const Theme& theme);

} // namespace flashstep::paint
