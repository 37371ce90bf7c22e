// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/kernel_matrix.h"

#include "core/ptx/fragment.h"
#include "ui/paint/fonts.h"
#include "ui/paint/kernel_values.h"
#include "ui/paint/text.h"

#include <algorithm>
#include <cmath>

namespace flashstep::paint {

namespace {

using ptx::MatrixElement;

// The registers of an operand, in order.
std::vector<std::uint32_t> registersOf(const ptx::Code& code, const ptx::Statement& s, std::size_t operand)
{
    std::vector<std::uint32_t> out;
    if (operand >= s.operands.size())
        return out;
    const ptx::Operand& o = s.operands[operand];
    if (o.kind == ptx::Operand::Kind::Register)
        out.push_back(o.index);
    for (std::uint32_t k = 0; o.kind == ptx::Operand::Kind::Vector && k < o.count; ++k) {
        const ptx::Operand& e = code.function->elements[o.index + k];
        if (e.kind == ptx::Operand::Kind::Register)
            out.push_back(e.index);
    }
    return out;
}

class Gatherer {
public:
    Gatherer(const ptx::Code& code, const ptx::Warp& warp, const std::vector<std::uint32_t>& written)
        : m_code(code)
        , m_warp(warp)
        , m_written(written)
    {
    }
    MatrixScene scene;
    void add(MatrixElement at, int lane, std::uint32_t number, int half, ptx::RegisterKind kind)
    {
        MatrixCell cell { at.row, at.col, lane, number, half, 0, false };
        const auto word = static_cast<std::uint32_t>(registerBits(m_code, m_warp, number, lane));
        cell.value = halfValue(word, std::max(0, half), kind);
        cell.written = number < m_written.size() && (m_written[number] >> lane & 1U) != 0;
        if (cell.written && std::isfinite(cell.value))
            scene.limit = std::max(scene.limit, std::fabs(cell.value));
        scene.cells.push_back(cell);
    }

private:
    const ptx::Code& m_code;
    const ptx::Warp& m_warp;
    const std::vector<std::uint32_t>& m_written;
};

bool has(const ptx::Statement& s, const char* modifier)
{
    return std::find(s.modifiers.begin(), s.modifiers.end(), modifier) != s.modifiers.end();
}

} // namespace

bool isMatrix(const ptx::Code& code, std::uint32_t pc)
{
    if (pc >= code.instructions.size())
        return false;
    const std::string& opcode = code.statementAt(pc).opcode;
    return opcode == "mma" || opcode == "ldmatrix" || opcode == "stmatrix";
}

std::optional<MatrixScene> matrixOf(const ptx::Code& code, std::uint32_t pc, int operand, const ptx::Warp& warp,
    bool bf16, const std::vector<std::uint32_t>& writtenLanes)
{
    if (!isMatrix(code, pc))
        return {};
    const ptx::Statement& s = code.statementAt(pc);
    Gatherer out(code, warp, writtenLanes);
    const ptx::RegisterKind pair = bf16 ? ptx::RegisterKind::Bf16Pair : ptx::RegisterKind::HalfPair;
    if (s.opcode != "mma") {
        const std::vector<std::uint32_t> registers = registersOf(code, s, s.opcode == "ldmatrix" ? 0 : 1);
        const bool transposed = has(s, "trans");
        out.scene.rows = 8;
        out.scene.columns = 8 * static_cast<int>(registers.size());
        out.scene.name = s.opcode == "ldmatrix" ? QObject::tr("loaded") : QObject::tr("stored");
        out.scene.shape = transposed
            ? QObject::tr("%1 matrices of 8 × 8, transposed: as they lie in memory").arg(registers.size())
            : QObject::tr("%1 matrices of 8 × 8").arg(registers.size());
        for (std::size_t m = 0; m < registers.size(); ++m) {
            for (int lane = 0; lane < 32; ++lane) {
                for (int half = 0; half < 2; ++half) {
                    const int a = lane / 4, b = 2 * (lane % 4) + half;
                    const int left = 8 * static_cast<int>(m);
                    out.add(transposed ? MatrixElement { b, left + a } : MatrixElement { a, left + b }, lane,
                        registers[m], half, pair);
                }
            }
        }
        return out.scene;
    }
    const std::vector<std::uint32_t> registers = registersOf(code, s, static_cast<std::size_t>(operand));
    const int k = has(s, "m16n8k8") ? 8 : 16;
    const bool accumulator = operand == 0 || operand == 3;
    const char* const names[] = { "D", "A", "B", "C" };
    out.scene.name = QString::fromLatin1(names[operand]);
    out.scene.rows = operand == 2 ? k : 16;
    out.scene.columns = operand == 1 ? k : 8;
    out.scene.shape = operand == 1 ? QObject::tr("16 × %1: row m, column k").arg(k)
        : operand == 2             ? QObject::tr("%1 × 8: row k, column n").arg(k)
                                   : QObject::tr("16 × 8: row m, column n");
    const bool halves = !accumulator || registers.size() == 2;
    const ptx::RegisterKind kind = accumulator ? (halves ? ptx::RegisterKind::HalfPair : ptx::RegisterKind::F32) : pair;
    const int elements = static_cast<int>(registers.size()) * (halves ? 2 : 1);
    for (int lane = 0; lane < 32; ++lane) {
        for (int e = 0; e < elements; ++e) {
            const MatrixElement at = operand == 1 ? ptx::fragmentA16(lane, e)
                : operand == 2                    ? ptx::fragmentB16(lane, e)
                                                  : ptx::fragmentC(lane, e);
            out.add(at, lane, registers[static_cast<std::size_t>(halves ? e / 2 : e)], halves ? e % 2 : -1, kind);
        }
    }
    return out.scene;
}

void paintMatrix(QPainter& painter, const MatrixScene& scene, const MatrixLayout& layout, int lane, const Theme& theme)
{
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(theme.t2);
    for (int c = 0; c < scene.columns; ++c)
        drawLine(painter, QRectF(layout.cell(0, c).left(), 0, layout.cellWidth, layout.header), Qt::AlignHCenter,
            monoFont(10), QString::number(scene.name.size() == 1 ? c : c % 8));
    for (int r = 0; r < scene.rows; ++r)
        drawLine(painter, QRectF(0, layout.cell(r, 0).top(), layout.gutter - 6, layout.cellHeight), Qt::AlignRight,
            monoFont(10), QString::number(r));
    for (const MatrixCell& cell : scene.cells) {
        const QRectF box = layout.cell(cell.row, cell.column).adjusted(0, 0, -1, -1);
        const QColor ground = cell.written && std::isfinite(cell.value) && scene.limit > 0
            ? divergingColour(theme, cell.value, scene.limit)
            : theme.waitGround;
        painter.fillRect(box, ground);
        const QColor ink = cell.written ? inkOn(ground) : theme.t3;
        painter.setPen(ink);
        drawElided(painter, box.adjusted(20, 0, -3, 0), Qt::AlignRight, monoFont(10.5),
            cell.written ? shortDecimal(cell.value, 3) : QString(QChar(0x2013)));
        painter.setPen(mix(ink, ground, 0.78));
        drawLine(painter, box.adjusted(3, 0, 0, 0), Qt::AlignLeft, canvasFont(9.5), QString::number(cell.lane));
        if (cell.lane == lane) {
            painter.setBrush(Qt::NoBrush);
            painter.setPen(QPen(theme.text, 2));
            painter.drawRect(box.adjusted(1, 1, -1, -1));
        }
    }
    painter.setPen(QPen(theme.mid, 1));
    for (int c = 8; scene.name.size() > 1 && c < scene.columns; c += 8)
        painter.drawLine(QPointF(layout.cell(0, c).left() - 1, layout.header),
            QPointF(layout.cell(0, c).left() - 1, layout.header + scene.rows * layout.cellHeight));
}

} // namespace flashstep::paint
