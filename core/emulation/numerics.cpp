// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/numerics_context.h"

#include "core/tensor/matmul.h"
#include "core/tensor/real_math.h"
#include "core/tensor/tile.h"

#include <algorithm>
#include <limits>

namespace flashstep {

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// The sum of a row as a quad of lanes makes it: lane t adds columns 2 t, 2 t + 1 of every 8, then two butterflies.
float quadSum(const float* row, int count)
{
    float lane[4] = {};
    for (int c = 0; c < count; ++c)
        lane[(c / 2) % 4] += row[c];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

} // namespace

Numerics::Numerics(const Program& program, const Inputs& inputs, bool kernelEmptyRowLse)
    : m_program(program)
    , m_inputs(inputs)
    , m_kernelEmptyRowLse(kernelEmptyRowLse)
    , m_scaleLog2(program.problem.softmaxScaleLog2())
    , m_scale(program.problem.softmaxScale())
    , m_live(program.ctaCount())
    , m_o(program.problem.batch, program.problem.heads, program.problem.seqlenQ, program.problem.headDimV)
    , m_lse(program.problem.batch, program.problem.heads, program.problem.seqlenQ, 1)
    , m_nextWork(program.ctaCount(), -1.0F)
{
    std::fill(m_o.data.begin(), m_o.data.end(), nan);
    std::fill(m_lse.data.begin(), m_lse.data.end(), nan);
    const Problem& p = program.problem;
    const std::size_t rows
        = static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.heads) * static_cast<std::size_t>(p.seqlenQ);
    const auto stores = [&](TensorId tensor) {
        return std::any_of(program.ops.begin(), program.ops.end(),
            [&](const Op& op) { return op.kind == OpKind::Store && op.tensor == tensor; });
    };
    if (stores(TensorId::S)) {
        m_s.assign(rows * static_cast<std::size_t>(p.seqlenK), nan);
        m_p.assign(rows * static_cast<std::size_t>(p.seqlenK), nan);
    }
    if (stores(TensorId::OTmp))
        m_oTmp.assign(rows * static_cast<std::size_t>(p.headDimV), nan);
    if (stores(TensorId::M))
        m_mState.assign(rows, nan);
    if (stores(TensorId::L))
        m_lState.assign(rows, nan);
}

void Numerics::start(CtaId cta)
{
    auto& buffers = m_live[cta.index()];
    const auto launch = static_cast<std::size_t>(&m_program.launchOf(cta) - m_program.launches.data());
    buffers.resize(m_program.buffers.size());
    for (std::size_t k = 0; k < buffers.size(); ++k) {
        const BufferDecl& decl = m_program.buffers[k];
        if (decl.launch == launch)
            buffers[k].assign(static_cast<std::size_t>(decl.rows) * static_cast<std::size_t>(decl.cols), nan);
    }
}

void Numerics::finish(CtaId cta)
{
    m_live[cta.index()] = {};
}

// What a tensor in HBM holds between two visits, by query row.
std::vector<float>& Numerics::stateOf(TensorId tensor)
{
    switch (tensor) {
    case TensorId::S:
        return m_s;
    case TensorId::P:
        return m_p;
    case TensorId::OTmp:
        return m_oTmp;
    case TensorId::M:
        return m_mState;
    case TensorId::L:
        return m_lState;
    case TensorId::O:
        return m_o.data;
    default:
        return m_lse.data;
    }
}

void Numerics::load(Context& c)
{
    const Problem& p = m_program.problem;
    const Op& op = c.op();
    const Work& work = c.performed.work;
    if (inputOf(m_inputs, op.tensor) != nullptr) {
        const int copies = m_program.rowOffset(c.decl(op.out), op);
        for (auto* buffers : { &c.buffers, c.peer }) {
            if (buffers == nullptr || buffers->empty())
                continue;
            c.performed.forEachSpan(op.out, [&](int row, int column, int count) {
                float* to
                    = (*buffers)[op.out.index()].data() + static_cast<std::ptrdiff_t>(row) * c.width(op.out) + column;
                loadRow(c.performed, m_inputs, row - copies, std::span(to, static_cast<std::size_t>(count)));
            });
        }
        return;
    }
    const std::vector<float>& state = stateOf(op.tensor);
    const bool scores = op.tensor == TensorId::S || op.tensor == TensorId::P;
    const int columns = c.columns(op.out);
    const int width = scores ? p.seqlenK : columns; // of a row in HBM
    const int first = scores ? c.performed.j() * m_program.tile.keys : 0;
    const std::size_t head
        = static_cast<std::size_t>(work.b) * static_cast<std::size_t>(p.heads) + static_cast<std::size_t>(work.h);
    c.forEachRow([&](int r) {
        const int row = m_program.firstRow(work, op) + r;
        const bool inside = row < p.seqlenQ;
        const std::size_t at = (head * static_cast<std::size_t>(p.seqlenQ) + static_cast<std::size_t>(row))
                * static_cast<std::size_t>(width)
            + static_cast<std::size_t>(first);
        const int count = inside ? std::min(columns, width - first) : 0;
        float* to = c.row(op.out, r);
        std::copy_n(state.begin() + static_cast<std::ptrdiff_t>(inside ? at : 0), count, to);
        std::fill(to + count, to + columns, 0.0F);
    });
}

void Numerics::store(Context& c)
{
    const Problem& p = m_program.problem;
    const Op& op = c.op();
    const Work& work = c.performed.work;
    const BufferId from = op.in[0];
    std::vector<float>& state = stateOf(op.tensor);
    const bool scores = op.tensor == TensorId::S || op.tensor == TensorId::P;
    const int columns = c.columns(from);
    const int width = scores ? p.seqlenK : columns;
    const int first = scores ? c.performed.j() * m_program.tile.keys : 0;
    c.forEachRow([&](int r) {
        const Program::QueryRow to = m_program.queryRow(work.h, m_program.firstRow(work, op) + r);
        if (to.row >= p.seqlenQ)
            return;
        const float* values = c.row(from, r);
        const std::size_t head
            = static_cast<std::size_t>(work.b) * static_cast<std::size_t>(p.heads) + static_cast<std::size_t>(to.h);
        const std::size_t at = (head * static_cast<std::size_t>(p.seqlenQ) + static_cast<std::size_t>(to.row))
                * static_cast<std::size_t>(width)
            + static_cast<std::size_t>(first);
        std::copy(values, values + std::min(columns, width - first), state.begin() + static_cast<std::ptrdiff_t>(at));
    });
}

// `mine`: the buffers of the CTA whose result it is. Of a pair's operand B each CTA holds half: of K the keys, which
// are columns of S; of V the columns of O.
void Numerics::multiply(Context& c, std::vector<Buffer>& mine)
{
    const Op& op = c.op();
    const auto [a, b, third] = op.in;
    const bool pair = c.peer != nullptr && c.decl(b).half != BufferDecl::Half::None;
    const auto rowOf = [&](std::vector<Buffer>& buffers, BufferId id, int r) {
        return buffers[id.index()].data() + static_cast<std::ptrdiff_t>(r + c.performed.rowOffset(id)) * c.width(id)
            + c.program().columns(id, c.performed.j()).first;
    };
    for (int half = 0; half < (pair ? 2 : 1); ++half) {
        std::vector<Buffer>& theirs = half == 0 ? c.buffers : *c.peer; // the first CTA of a pair issues
        c.forEachRun([&](int first, int count) {
            float* out = rowOf(mine, op.out, first);
            if (op.transposed) { // out = A Bᵀ, for the keys that are this role's
                const int before = half * c.decl(b).rows;
                const auto product = [&](int key, int keys) {
                    multiplyTransposed(rowOf(mine, a, first), c.width(a), rowOf(theirs, b, key), c.width(b),
                        out + before + key, c.width(op.out), count, keys, c.columns(a));
                };
                if (pair)
                    product(0, c.decl(b).rows);
                else
                    c.forEachKeys(op.out, product);
                return;
            }
            const int columns = pair ? c.width(b) : c.columns(op.out);
            out += half * columns;
            if (!op.accumulate) // O starts from 0
                for (int r = 0; r < count; ++r)
                    std::fill_n(out + static_cast<std::ptrdiff_t>(r) * c.width(op.out), columns, 0.0F);
            c.forEachKeys(a, [&](int key, int keys) {
                multiplyAdd(rowOf(mine, a, first) + key, c.width(a), rowOf(theirs, b, key), c.width(b), out,
                    c.width(op.out), count, columns, keys);
            });
        });
    }
    if (op.transposed)
        c.forEachRun([&](int first, int count) { dequantiseScores(c, mine, first, count); });
}

// Products of quantised operands, times the factors of their query row and key block. [docs/hardware-model.md, FP8]
void Numerics::dequantiseScores(Context& c, std::vector<Buffer>& mine, int first, int count)
{
    if (m_inputs.qFactors.none())
        return;
    const Op& op = c.op();
    const Work& work = c.performed.work;
    const float keyFactor
        = m_inputs.kFactors.at(work.b, m_program.problem.kvHeadOf(work.h), c.performed.j() * m_program.tile.keys);
    for (int r = first; r < first + count; ++r) {
        const Program::QueryRow query = m_program.queryRow(work.h, m_program.firstRow(work, op) + r);
        const float factor = keyFactor * m_inputs.qFactors.at(work.b, query.h, query.row);
        float* row = mine[op.out.index()].data()
            + static_cast<std::ptrdiff_t>(r + c.performed.rowOffset(op.out)) * c.width(op.out)
            + m_program.columns(op.out, c.performed.j()).first;
        c.forEachKeys(op.out, [&](int key, int keys) { rowMap(row + key, keys) *= factor; });
    }
}

// The parts of a row, one a warp, stand queryRows apart. out = (scale before +) sum of parts, in the order of the
// warps; or the maximum of them and of what was before, and the factor that takes the old reference to the new one.
void Numerics::reduce(Context& c)
{
    const Op& op = c.op();
    const auto [parts, before, factor] = op.in;
    const int tileRows = m_program.launches[c.performed.work.launch].queryRows;
    const BufferDecl& decl = c.decl(parts);
    const int copies = decl.rows / tileRows;
    const float* from = c.buffers[parts.index()].data();
    const int columns = c.columns(op.out);
    c.forEachRow([&](int r) {
        const auto partOf = [&](int k) { return from + static_cast<std::ptrdiff_t>(k * tileRows + r) * decl.cols; };
        if (op.maximum) {
            const float old = !before.valid() ? minusInf
                : op.lse                      ? static_cast<float>(static_cast<double>(c.at(before, r)) / m_scale)
                                              : c.at(before, r);
            float m = old;
            for (int k = 0; k < copies; ++k)
                m = *partOf(k) > m ? *partOf(k) : m;
            c.at(op.out, r) = m;
            if (op.out2.valid())
                c.at(op.out2, r) = before.valid() ? exp2Unit((old - safeMax(m)) * m_scaleLog2) : 1.0F;
            return;
        }
        float* out = c.row(op.out, r);
        const float scale = factor.valid() ? c.at(factor, r) : 1.0F;
        for (int k = 0; k < columns; ++k) {
            float sum = before.valid() && scale != 0.0F ? scale * c.row(before, r)[k] : 0.0F;
            for (int w = 0; w < copies; ++w)
                sum += partOf(w)[k];
            out[k] = sum;
        }
    });
}

void Numerics::apply(CtaId cta, WorkId work, OpId id, TraceBuilder* trace)
{
    auto& buffers = m_live[cta.index()];
    const Op& op = m_program.op(id);
    if (buffers.empty() || op.dropped)
        return;
    const CtaId other = m_program.peerOf(cta);
    const LaunchDecl& launch = m_program.launchOf(cta);
    const int rank = static_cast<int>((cta.index() - launch.firstCta) % static_cast<std::size_t>(launch.clusterSize));
    Context c { { m_program, m_program.work(work), op, rank }, buffers,
        op.reach == Reach::Both && other != cta && (op.kind == OpKind::Load || op.kind == OpKind::Mma)
            ? &m_live[other.index()]
            : nullptr };
    const BufferId out = op.out;
    const auto [a, b, third] = op.in;
    // A stretch of a tile: its row and first column within the tile, its values.
    const auto forEachSpan = [&](const auto& visit) {
        const int copies = m_program.rowOffset(c.decl(out), op);
        c.performed.forEachSpan(out, [&](int row, int column, int count) {
            float* values = buffers[out.index()].data() + static_cast<std::ptrdiff_t>(row) * c.width(out) + column;
            visit(row - copies, column - m_program.columns(out, c.performed.j()).first,
                std::span(values, static_cast<std::size_t>(count)));
        });
    };

    switch (op.kind) {
    case OpKind::Load:
        load(c);
        break;
    case OpKind::Store:
        store(c);
        break;
    case OpKind::Mma:
        multiply(c, c.buffers);
        if (c.peer != nullptr && !c.peer->empty())
            multiply(c, *c.peer);
        break;
    case OpKind::Mask:
        forEachSpan([&](int r, int column, std::span<float> row) { maskRow(c.performed, r, column, row); });
        break;
    case OpKind::RowMax:
        rowMax(c, cta);
        break;
    case OpKind::Rescale: {
        const float change = frameChange(c.performed, m_inputs);
        c.forEachRow([&](int r) {
            if (op.conditional && !votingWarps(m_program, op).multiply(m_votes[cta.index()], r))
                return;
            const float scale = c.at(third, r);
            rowMap(c.row(out, r), c.columns(out)) *= scale * change;
            if (op.out2.valid())
                c.at(op.out2, r) *= scale;
        });
        break;
    }
    case OpKind::Exp2:
        exponentials(c);
        break;
    case OpKind::RowSum:
        c.forEachRow([&](int r) {
            float sum = op.accumulate ? c.at(b, r) : 0.0F;
            c.forEachKeys(a, [&](int key, int keys) { sum += quadSum(c.row(a, r) + key, keys); });
            c.at(out, r) = sum;
        });
        break;
    case OpKind::Convert:
        forEachSpan([&](int r, int column, std::span<float> row) {
            if (a != out)
                std::copy_n(c.row(a, r) + column, row.size(), row.begin());
            const int clipped = convertRow(op, row);
            if (r < m_program.rowsInside(c.performed.work, op.i))
                m_clipped += static_cast<std::uint64_t>(clipped);
        });
        break;
    case OpKind::Normalise: {
        const float frame = lastFrame(c.performed, m_inputs);
        c.forEachRow([&](int r) {
            const float l = b.valid() ? c.at(b, r) : 0.0F;
            const float inverse = l == 0.0F ? 1.0F : 1.0F / l * frame;
            if (out.valid() && a.valid())
                rowMap(c.row(out, r), c.columns(out)) *= inverse;
            else if (out.valid())
                rowMap(c.row(out, r), c.columns(out)).setZero();
            if (op.out2.valid()) // natural log; a row that saw nothing has l = 0
                c.at(op.out2, r) = l == 0.0F
                    ? (m_kernelEmptyRowLse ? -minusInf : minusInf)
                    : static_cast<float>(static_cast<double>(c.at(third, r)) * m_scale + lnReal(l)
                        - static_cast<double>(m_program.softmax.offset) * ln2); // l carries 2^offset, as P does
        });
        break;
    }
    case OpKind::Reduce:
        reduce(c);
        break;
    case OpKind::Stage:
        c.forEachRow([&](int r) {
            if (!a.valid()) {
                c.at(out, r) = m_nextWork[cta.index()];
                return;
            }
            const int columns = std::min(c.columns(a), c.columns(out));
            if (op.keys.valid() && c.decl(out).tile == BufferDecl::Tile::Pair)
                c.forEachKeys(
                    out, [&](int key, int keys) { std::copy_n(c.row(a, r) + key, keys, c.row(out, r) + key); });
            else
                std::copy_n(c.row(a, r), columns, c.row(out, r));
        });
        break;
    case OpKind::Allocate:
        c.at(out, 0) = 0.0F; // all columns: from the first on
        break;
    default: // keeps order; computes nothing
        break;
    }

    if (trace == nullptr || op.kind == OpKind::Free)
        return;
    for (const BufferId written : { op.out, op.out2 })
        if (written.valid()) {
            trace->write(cta, written, c.performed, buffers[written.index()]);
            if (c.peer != nullptr && !c.peer->empty())
                trace->write(other, written, c.performed, (*c.peer)[written.index()]);
        }
}

} // namespace flashstep
