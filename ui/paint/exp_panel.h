// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/hardware/spec.h"
#include "core/tensor/exp2_errors.h"
#include "core/trace/trace.h"
#include "ui/paint/theme.h"
#include "ui/paint/tile_numbers.h"

#include <QPainter>
#include <QStringList>

namespace flashstep::paint {

// Exponentials by unit and by polynomial: how exact, how many of this run, which of the tile, how fast.

// Unit and degrees 1 … 5, at 2^16 inputs; and their curves. Made once for the program.
[[nodiscard]] const std::array<Exp2Errors, 6>& expErrors();
[[nodiscard]] const Exp2Curve& expCurve(int way);
[[nodiscard]] QString wayName(int way); // "unit", "degree 3"

// Exponentials per clock and SM, from the GPU's figures, were there nothing else to do.
struct ExpRates {
    double unit = 0;
    double polynomial = 0; // 0: the GPU has no packed fp32 arithmetic
    int instructions = 0; // of a pair
    QString bound; // what holds the polynomial back: "issue", "ALU", "FMA"
    double balance = 0; // share of the polynomial at which both take equally long
};
[[nodiscard]] ExpRates expRates(const GpuSpec& gpu, int degree);

// The rule by which the kernel chooses, in words.
[[nodiscard]] QStringList emulationRule(const Program& program, const GpuSpec& gpu, bool knobTurned);

struct ExpScene {
    const Trace* trace = nullptr;
    const GpuSpec* gpu = nullptr;
    Position position;
    double hardware = 0, emulated = 0; // of the run, as its report counts them
    bool knobTurned = false; // the share is the user's, not the kernel's
    TileNumbers tile; // on show
    [[nodiscard]] int way() const; // the polynomial in use, 0: none
    [[nodiscard]] bool can() const { return trace->program().algorithm == "fa4"; } // emulate
};

struct ExpLayout {
    QRectF table, curves, split, tile, rates;
    double height = 0;
    [[nodiscard]] int wayAt(QPointF point) const; // of the table's rows, -1: none
};
[[nodiscard]] ExpLayout layoutExp(const QRectF& rect, const ExpScene& scene);
void paintExp(QPainter& painter, const QRectF& rect, const ExpScene& scene, const Theme& theme);

} // namespace flashstep::paint
