// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/ptx/register_kind.h"
#include "core/ptx/warp.h"
#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>
#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

namespace flashstep::paint {

// One operand of a matrix instruction, its lanes' elements at their places.
struct MatrixCell {
    int row = 0, column = 0, lane = 0;
    std::uint32_t number = 0; // the register
    int half = -1; // of it, 0 low; -1: all of it
    double value = 0;
    bool written = false;
};
struct MatrixScene {
    QString name, shape; // "A", "16 × 16: row m, column k"
    int rows = 0, columns = 0;
    std::vector<MatrixCell> cells;
    double limit = 0; // of the colours
};
// Operand 0 D, 1 A, 2 B, 3 C of an mma; of ldmatrix and stmatrix the four (two, one) matrices of 8 × 8 side by side.
// Empty for any other instruction, or an operand it has not.
[[nodiscard]] std::optional<MatrixScene> matrixOf(const ptx::Code& code, std::uint32_t pc, int operand,
    const ptx::Warp& warp, bool bf16, const std::vector<std::uint32_t>& writtenLanes);
[[nodiscard]] bool isMatrix(const ptx::Code& code, std::uint32_t pc);

struct MatrixLayout {
    double cellWidth = 62, cellHeight = 18, gutter = 30, header = 18;
    [[nodiscard]] QRectF cell(int row, int column) const
    {
        return { gutter + column * cellWidth, header + row * cellHeight, cellWidth, cellHeight };
    }
    [[nodiscard]] QSizeF size(const MatrixScene& scene) const
    {
        return { gutter + scene.columns * cellWidth + 8, header + scene.rows * cellHeight + 8 };
    }
};
void paintMatrix(QPainter& painter, const MatrixScene& scene, const MatrixLayout& layout, int lane, const Theme& theme);

} // namespace flashstep::paint
