// SPDX-License-Identifier: Apache-2.0
#include "tests/support/replay.h"

#include "core/tensor/real_math.h"

#include <cmath>
#include <limits>

namespace flashstep::test {

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float minusInf = -std::numeric_limits<float>::infinity();

} // namespace

Replay::Replay(const Program& program, const Inputs& inputs)
    : m_program(program)
    , m_inputs(inputs)
    , m_buffers(program.ctaCount())
{
    for (Buffers& buffers : m_buffers)
        for (const BufferDecl& decl : program.buffers)
            buffers.emplace_back(static_cast<std::size_t>(decl.rows * decl.cols), nan);
    const Problem& p = program.problem;
    if (program.algorithm == "standard") {
        const auto scores = static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.heads * p.seqlenQ)
            * static_cast<std::size_t>(p.seqlenK);
        m_s.assign(scores, nan);
        m_p.assign(scores, nan);
    }
}

// A column of the op's key block: in a buffer of whole rows the blocks lie side by side.
float& Replay::cell(BufferId id, int row, int column)
{
    const BufferDecl& decl = m_program.buffers[id.index()];
    const int first = decl.wholeRow ? m_firstKey : 0;
    const int copy = decl.perWarp ? m_op->part * m_program.launches[decl.launch].queryRows : 0;
    return (*m_now)[id.index()][static_cast<std::size_t>((row + copy) * decl.cols + first + column)];
}

float Replay::hbm(const Op& op, int row, int column) const
{
    const Problem& p = m_program.problem;
    const int kvHead = m_work->h / (p.heads / p.kvHeads);
    const auto element = [&](const Tensor& t, int h, int n) {
        return n < t.seqlen ? t.row(m_work->b, h, n)[static_cast<std::size_t>(column)] : 0.0F;
    };
    if (op.tensor == TensorId::Q)
        return element(m_inputs.q, m_work->h, m_firstRow + row);
    if (op.tensor == TensorId::K)
        return element(m_inputs.k, kvHead, m_firstKey + row);
    if (op.tensor == TensorId::V)
        return element(m_inputs.v, kvHead, m_firstKey + row);
    const int n = m_firstRow + row;
    const int key = m_firstKey + column;
    if (n >= p.seqlenQ || key >= p.seqlenK)
        return 0.0F;
    const auto at = static_cast<std::size_t>(((m_work->b * p.heads + m_work->h) * p.seqlenQ + n))
        * static_cast<std::size_t>(p.seqlenK);
    return (op.tensor == TensorId::S ? m_s : m_p)[at + static_cast<std::size_t>(key)];
}

void Replay::toHbm(const Op& op, int row, int column, float value)
{
    const Problem& p = m_program.problem;
    const int n = m_firstRow + row;
    const int key = m_firstKey + column;
    if ((op.tensor != TensorId::S && op.tensor != TensorId::P) || n >= p.seqlenQ || key >= p.seqlenK)
        return; // O and LSE: nothing reads them again
    const auto at = static_cast<std::size_t>(((m_work->b * p.heads + m_work->h) * p.seqlenQ + n))
        * static_cast<std::size_t>(p.seqlenK);
    (op.tensor == TensorId::S ? m_s : m_p)[at + static_cast<std::size_t>(key)] = value;
}

void Replay::product(const Op& op, int row)
{
    const BufferId a = op.in[0];
    const BufferId b = op.in[1];
    const int inner = m_program.buffers[a.index()].cols;
    for (int c = 0; c < m_program.buffers[op.out.index()].cols; ++c) {
        float sum = op.accumulate && !op.transposed ? cell(op.out, row, c) : 0.0F;
        for (int k = 0; k < inner; ++k) {
            const float factor = op.transposed ? cell(b, c, k) : cell(b, k, c);
            const float term = cell(a, row, k) * factor;
            sum = sum + term;
        }
        cell(op.out, row, c) = sum;
    }
}

void Replay::softmaxOp(const Op& op, int row)
{
    const Problem& p = m_program.problem;
    const float c = p.softmaxScaleLog2();
    const int keys = m_program.tile.keys;
    const int position = m_firstRow + row;
    const auto guarded = [](float m) { return m == minusInf ? 0.0F : m; };
    switch (op.kind) {
    case OpKind::Mask:
        for (int k = 0; k < keys; ++k)
            if (!p.visible(position, m_firstKey + k))
                cell(op.out, row, k) = minusInf;
        break;
    case OpKind::RowMax: {
        const float before = op.accumulate ? cell(op.in[1], row, 0) : minusInf;
        float m = before;
        for (int k = 0; k < keys; ++k)
            m = cell(op.in[0], row, k) > m ? cell(op.in[0], row, k) : m;
        cell(op.out, row, 0) = m;
        if (op.out2.valid())
            cell(op.out2, row, 0) = op.accumulate ? exp2Unit((before - guarded(m)) * c) : 1.0F;
        break;
    }
    case OpKind::Rescale:
        for (int k = 0; k < m_program.buffers[op.out.index()].cols; ++k)
            cell(op.out, row, k) *= cell(op.in[2], row, 0);
        cell(op.out2, row, 0) *= cell(op.in[2], row, 0);
        break;
    case OpKind::Exp2:
        for (int k = 0; k < keys; ++k) {
            const float scaled = cell(op.in[0], row, k) * c;
            const float shift = guarded(cell(op.in[1], row, 0)) * c;
            cell(op.out, row, k) = exp2Unit(scaled - shift);
        }
        break;
    case OpKind::RowSum: { // each of four lanes its pairs of columns, then two butterflies
        float lanes[4] = {};
        for (int lane = 0; lane < 4; ++lane)
            for (int k = 2 * lane; k < keys; k += 8)
                for (int pair = k; pair < std::min(k + 2, keys); ++pair)
                    lanes[lane] += cell(op.in[0], row, pair);
        const float sum = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
        cell(op.out, row, 0) = (op.accumulate ? cell(op.in[1], row, 0) : 0.0F) + sum;
        break;
    }
    default:
        break;
    }
}

void Replay::apply(CtaId cta, WorkId work, OpId id)
{
    const Op& op = m_program.op(id);
    if (op.dropped)
        return;
    m_now = &m_buffers[cta.index()];
    m_work = &m_program.work(work);
    m_op = &op;
    m_firstRow = m_work->row + op.i * m_program.launches[m_work->launch].queryRows;
    m_firstKey = (m_work->jBase + op.j) * m_program.tile.keys;
    const auto columnsOf = [&](BufferId buffer) {
        const BufferDecl& decl = m_program.buffers[buffer.index()];
        return decl.wholeRow ? m_program.tile.keys : decl.cols;
    };
    const double scale = m_program.problem.softmaxScale();
    m_program.rows(op).forEach([&](int row) {
        switch (op.kind) {
        case OpKind::Load:
            for (int c = 0; c < columnsOf(op.out); ++c)
                cell(op.out, row, c) = hbm(op, row, c);
            break;
        case OpKind::Store:
            for (int c = 0; c < columnsOf(op.in[0]); ++c)
                toHbm(op, row, c, cell(op.in[0], row, c));
            break;
        case OpKind::Mma:
            product(op, row);
            break;
        case OpKind::Convert:
            for (int c = 0; c < columnsOf(op.out); ++c)
                cell(op.out, row, c) = roundTo(m_program.problem.dtype, cell(op.in[0], row, c));
            break;
        case OpKind::Stage:
            for (int c = 0; c < columnsOf(op.out); ++c)
                cell(op.out, row, c) = cell(op.in[0], row, c);
            break;
        case OpKind::Normalise: {
            const float l = op.in[1].valid() ? cell(op.in[1], row, 0) : 0.0F;
            for (int c = 0; op.out.valid() && c < columnsOf(op.out); ++c)
                cell(op.out, row, c) = op.in[0].valid() ? cell(op.out, row, c) * (l == 0.0F ? 1.0F : 1.0F / l) : 0.0F;
            if (op.out2.valid())
                cell(op.out2, row, 0) = l == 0.0F
                    ? minusInf
                    : static_cast<float>(static_cast<double>(cell(op.in[2], row, 0)) * scale + lnReal(l));
            break;
        }
        default:
            softmaxOp(op, row);
            break;
        }
    });
}

RowSoFar rowSoFar(
    const Problem& p, const Inputs& inputs, int b, int h, int row, const std::vector<int>& keyBlocks, int blockKeys)
{
    const int kvHead = h / (p.heads / p.kvHeads);
    RowSoFar result { -std::numeric_limits<double>::infinity(), 0,
        std::vector<double>(static_cast<std::size_t>(p.headDimV)) };
    std::vector<std::pair<int, double>> scores;
    for (const int j : keyBlocks) {
        for (int key = j * blockKeys; key < std::min((j + 1) * blockKeys, p.seqlenK); ++key) {
            if (!p.visible(row, key))
                continue;
            double sum = 0;
            for (std::size_t d = 0; d < static_cast<std::size_t>(p.headDim); ++d)
                sum += static_cast<double>(inputs.q.row(b, h, row)[d])
                    * static_cast<double>(inputs.k.row(b, kvHead, key)[d]);
            scores.emplace_back(key, sum / std::sqrt(static_cast<double>(p.headDim)));
            result.m = std::max(result.m, scores.back().second);
        }
    }
    for (const auto& [key, score] : scores) {
        const double weight = std::exp(score - result.m);
        result.l += weight;
        for (std::size_t d = 0; d < result.o.size(); ++d)
            result.o[d] += weight * static_cast<double>(inputs.v.row(b, kvHead, key)[d]);
    }
    return result;
}

} // namespace flashstep::test
