// SPDX-License-Identifier: Apache-2.0
#include "tests/support/replay.h"

#include "core/tensor/real_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flashstep::test {

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float minusInf = -std::numeric_limits<float>::infinity();

} // namespace

float guarded(float m)
{
    return m == minusInf ? 0.0F : m;
}

Replay::Replay(const Program& program, const Inputs& inputs)
    : m_program(program)
    , m_inputs(inputs)
    , m_buffers(program.ctaCount())
{
    for (Buffers& buffers : m_buffers)
        for (const BufferDecl& decl : program.buffers)
            buffers.emplace_back(static_cast<std::size_t>(decl.rows * decl.cols), nan);
    const Problem& p = program.problem;
    const auto rows = static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.heads * p.seqlenQ);
    if (program.algorithm == "standard") {
        m_s.assign(rows * static_cast<std::size_t>(p.seqlenK), nan);
        m_p = m_s;
    }
    m_oTmp.assign(rows * static_cast<std::size_t>(p.headDimV), nan);
    m_m.assign(rows, nan);
    m_l.assign(rows, nan);
    m_lse.assign(rows, nan);
}

int Replay::columnsOf(BufferId buffer) const
{
    const BufferDecl& decl = m_program.buffers[buffer.index()];
    return decl.wholeRow ? m_program.tile.keys : decl.cols;
}

bool Replay::mine(const Op& op, int key) const
{
    return !op.keys.valid() || m_program.rowSets[op.keys.index()].contains(key);
}

// A column of the op's key block: in a buffer of whole rows the blocks lie side by side.
float& Replay::cellOf(Buffers& buffers, BufferId id, int row, int column)
{
    const BufferDecl& decl = m_program.buffers[id.index()];
    const int first = decl.wholeRow ? m_firstKey : 0;
    const int copy = decl.perWarp ? m_op->part * m_program.launches[decl.launch].queryRows : 0;
    return buffers[id.index()][static_cast<std::size_t>((row + copy) * decl.cols + first + column)];
}

float& Replay::cell(BufferId id, int row, int column)
{
    return cellOf(*m_now, id, row, column);
}

std::vector<float>* Replay::stateOf(TensorId tensor)
{
    switch (tensor) {
    case TensorId::S:
        return &m_s;
    case TensorId::P:
        return &m_p;
    case TensorId::OTmp:
        return &m_oTmp;
    case TensorId::M:
        return &m_m;
    case TensorId::L:
        return &m_l;
    case TensorId::Lse:
        return &m_lse;
    default:
        return nullptr;
    }
}

// Where the element of a tensor with a row for each query lies; beyond its bounds: nowhere.
std::size_t Replay::stateIndex(TensorId tensor, int row, int column) const
{
    constexpr auto nowhere = static_cast<std::size_t>(-1);
    const Problem& p = m_program.problem;
    const bool scores = tensor == TensorId::S || tensor == TensorId::P;
    const int width = scores ? p.seqlenK : tensor == TensorId::OTmp ? p.headDimV : 1;
    const int at = scores ? m_firstKey + column : column;
    const int h = m_work->h + (m_firstRow + row) % m_program.packed;
    const int n = (m_firstRow + row) / m_program.packed;
    if (n >= p.seqlenQ || at >= width)
        return nowhere;
    return static_cast<std::size_t>((m_work->b * p.heads + h) * p.seqlenQ + n) * static_cast<std::size_t>(width)
        + static_cast<std::size_t>(at);
}

// Of a pair of CTAs each has half of the keys of K, and half of the columns of V.
float Replay::hbm(const Op& op, int row, int column)
{
    const Problem& p = m_program.problem;
    const int kvHead = m_work->h / (p.heads / p.kvHeads);
    const BufferDecl& to = m_program.buffers[op.out.index()];
    const int before = to.half == BufferDecl::Half::None ? 0 : op.part; // halves
    const auto element = [&](const Tensor& t, int h, int n, int c) {
        return n < t.seqlen ? t.row(m_work->b, h, n)[static_cast<std::size_t>(c)] : 0.0F;
    };
    if (op.tensor == TensorId::Q)
        return element(m_inputs.q, m_work->h + (m_firstRow + row) % m_program.packed,
            (m_firstRow + row) / m_program.packed, column);
    if (op.tensor == TensorId::K)
        return element(m_inputs.k, kvHead, m_firstKey + before * m_program.tile.keys / 2 + row, column);
    if (op.tensor == TensorId::V)
        return element(m_inputs.v, kvHead, m_firstKey + row, before * p.headDimV / 2 + column);
    const std::size_t at = stateIndex(op.tensor, row, column);
    return at == static_cast<std::size_t>(-1) ? 0.0F : (*stateOf(op.tensor))[at];
}

void Replay::toHbm(const Op& op, int row, int column, float value)
{
    std::vector<float>* state = stateOf(op.tensor);
    if (state == nullptr)
        return; // O: nothing reads it again
    if (const std::size_t at = stateIndex(op.tensor, row, column); at != static_cast<std::size_t>(-1))
        (*state)[at] = value;
}

// A multicast brings each CTA's half of the rows to both.
void Replay::load(const Op& op, int row, CtaId cta)
{
    const LaunchDecl& launch = m_program.launchOf(cta);
    const std::size_t rank = (cta.index() - launch.firstCta) % static_cast<std::size_t>(launch.clusterSize);
    const bool both = op.reach == Reach::Both;
    const int half = both ? static_cast<int>(rank) * m_program.rows(op).count() : 0;
    Buffers* own = m_now;
    for (const CtaId to : { cta, m_program.peerOf(cta) }) {
        m_now = &m_buffers[to.index()];
        for (int c = 0; c < columnsOf(op.out) && (both || to == cta); ++c)
            cell(op.out, row + half, c) = hbm(op, row + half, c);
    }
    m_now = own;
}

// A product of a pair of CTAs is computed in both, each with its own rows of A; the first CTA has the first half of B,
// the second the other.
void Replay::product(const Op& op, int row, CtaId cta)
{
    const BufferId a = op.in[0];
    const BufferId b = op.in[1];
    const BufferDecl& right = m_program.buffers[b.index()];
    const bool pair = op.reach == Reach::Both;
    const int inner = m_program.buffers[a.index()].cols;
    const auto factor = [&](int column, int k) {
        const int half = op.transposed ? right.rows : right.cols;
        Buffers& holder = pair && column >= half ? m_buffers[m_program.peerOf(cta).index()] : m_buffers[cta.index()];
        const int at = pair ? column % half : column;
        return op.transposed ? cellOf(holder, b, at, k) : cellOf(holder, b, k, at);
    };
    for (int c = 0; c < m_program.buffers[op.out.index()].cols; ++c) {
        if (op.transposed && !mine(op, c))
            continue;
        float sum = op.accumulate && !op.transposed ? cell(op.out, row, c) : 0.0F;
        for (int k = 0; k < inner; ++k) {
            if (!op.transposed && !mine(op, k))
                continue;
            const float term = cell(a, row, k) * factor(c, k);
            sum = sum + term;
        }
        cell(op.out, row, c) = sum;
    }
}

// The warps' parts of a row stand a tile's rows apart.
void Replay::reduce(const Op& op, int row)
{
    const Problem& p = m_program.problem;
    const auto [parts, before, factor] = op.in;
    const BufferDecl& decl = m_program.buffers[parts.index()];
    const int tileRows = m_program.launches[decl.launch].queryRows;
    const auto part = [&](int warp, int column) {
        return (*m_now)[parts.index()][static_cast<std::size_t>((warp * tileRows + row) * decl.cols + column)];
    };
    if (op.maximum) {
        float old = before.valid() ? cell(before, row, 0) : minusInf;
        if (before.valid() && op.lse) // a log-sum-exp plays the maximum of the raw scores
            old = static_cast<float>(static_cast<double>(old) / p.softmaxScale());
        float m = old;
        for (int warp = 0; warp < decl.rows / tileRows; ++warp)
            m = part(warp, 0) > m ? part(warp, 0) : m;
        cell(op.out, row, 0) = m;
        if (op.out2.valid())
            cell(op.out2, row, 0) = before.valid() ? exp2Unit((old - guarded(m)) * p.softmaxScaleLog2()) : 1.0F;
        return;
    }
    const float scale = factor.valid() ? cell(factor, row, 0) : 1.0F;
    for (int c = 0; c < columnsOf(op.out); ++c) {
        float sum = before.valid() && scale != 0.0F ? scale * cell(before, row, c) : 0.0F;
        for (int warp = 0; warp < decl.rows / tileRows; ++warp)
            sum += part(warp, c);
        cell(op.out, row, c) = sum;
    }
}

void Replay::normalise(const Op& op, int row)
{
    const double scale = m_program.problem.softmaxScale();
    const float l = op.in[1].valid() ? cell(op.in[1], row, 0) : 0.0F;
    for (int c = 0; op.out.valid() && c < columnsOf(op.out); ++c)
        cell(op.out, row, c) = op.in[0].valid() ? cell(op.out, row, c) * (l == 0.0F ? 1.0F : 1.0F / l) : 0.0F;
    if (op.out2.valid())
        cell(op.out2, row, 0) = l == 0.0F
            ? minusInf
            : static_cast<float>(static_cast<double>(cell(op.in[2], row, 0)) * scale + lnReal(l));
}

void Replay::apply(CtaId cta, WorkId work, OpId id, int next)
{
    const Op& op = m_program.op(id);
    if (op.dropped)
        return;
    m_now = &m_buffers[cta.index()];
    m_work = &m_program.work(work);
    m_op = &op;
    m_firstRow = m_work->row + op.i * m_program.launches[m_work->launch].queryRows;
    m_firstKey = (m_work->jBase + op.j) * m_program.tile.keys;
    m_program.rows(op).forEach([&](int row) {
        switch (op.kind) {
        case OpKind::Load:
            load(op, row, cta);
            break;
        case OpKind::Store:
            for (int c = 0; c < columnsOf(op.in[0]); ++c)
                toHbm(op, row, c, cell(op.in[0], row, c));
            break;
        case OpKind::Mma:
            product(op, row, cta);
            if (op.reach == Reach::Both) {
                m_now = &m_buffers[m_program.peerOf(cta).index()];
                product(op, row, cta);
                m_now = &m_buffers[cta.index()];
            }
            break;
        case OpKind::Convert:
            for (int c = 0; c < columnsOf(op.out); ++c)
                if (m_program.buffers[op.out.index()].tile != BufferDecl::Tile::Pair || mine(op, c))
                    cell(op.out, row, c) = roundTo(m_program.problem.dtype, cell(op.in[0], row, c));
            break;
        case OpKind::Stage:
            for (int c = 0; c < columnsOf(op.out); ++c)
                if (m_program.buffers[op.out.index()].tile != BufferDecl::Tile::Pair || mine(op, c))
                    cell(op.out, row, c) = op.in[0].valid() ? cell(op.in[0], row, c) : static_cast<float>(next);
            break;
        case OpKind::Reduce:
            reduce(op, row);
            break;
        case OpKind::Normalise:
            normalise(op, row);
            break;
        case OpKind::Allocate: // columns of tensor memory from 0 on
            cell(op.out, row, 0) = 0;
            break;
        default:
            softmaxOp(op, row, cta);
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
