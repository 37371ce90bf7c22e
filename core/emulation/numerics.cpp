// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/numerics.h"

#include "core/program/effects.h"
#include "core/tensor/matmul.h"
#include "core/tensor/real_math.h"
#include "core/tensor/tile.h"

#include <algorithm>
#include <limits>

namespace flashstep {

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float minusInf = -std::numeric_limits<float>::infinity();

// A row that has seen nothing has m = -inf; its exponents use 0 instead, so that P is 0 and not NaN.
float safeMax(float m)
{
    return m == minusInf ? 0.0F : m;
}

// The sum of a row as a quad of lanes makes it: lane t adds columns 2 t, 2 t + 1 of every 8, then two butterflies.
float quadSum(const float* row, int count)
{
    float lane[4] = {};
    for (int c = 0; c < count; ++c)
        lane[(c / 2) % 4] += row[c];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

float rowMaximum(const float* row, int count, float start)
{
    float m = start;
    for (int c = 0; c < count; ++c)
        m = row[c] > m ? row[c] : m; // NaN never wins, as in max.f32
    return m;
}

} // namespace

struct Numerics::Context {
    const Program& program;
    const Cta& cta;
    const Op& op;
    std::vector<Buffer>& buffers;
    const RowSet& rows;
    int j;

    [[nodiscard]] int width(BufferId id) const { return program.buffers[id.index()].cols; }
    [[nodiscard]] float* row(BufferId id, int r) const
    {
        return buffers[id.index()].data() + static_cast<std::ptrdiff_t>(r) * width(id) + program.columns(id, j).first;
    }
    [[nodiscard]] float& at(BufferId id, int r) const { return buffers[id.index()][static_cast<std::size_t>(r)]; }
    [[nodiscard]] int columns(BufferId id) const { return program.columns(id, j).count; }
    // Runs of consecutive rows, so that products take several rows at once.
    template <typename Visit> void forEachRun(Visit visit) const
    {
        for (int k = 0; k < rows.repeat; ++k)
            visit(rows.start + k * rows.stride, static_cast<int>(rows.run));
    }
};

Numerics::Numerics(const Program& program, const Inputs& inputs)
    : m_program(program)
    , m_inputs(inputs)
    , m_scaleLog2(program.problem.softmaxScaleLog2())
    , m_scale(program.problem.softmaxScale())
    , m_live(program.ctas.size())
    , m_o(program.problem.batch, program.problem.heads, program.problem.seqlenQ, program.problem.headDimV)
    , m_lse(program.problem.batch, program.problem.heads, program.problem.seqlenQ, 1)
{
    std::fill(m_o.data.begin(), m_o.data.end(), nan);
    std::fill(m_lse.data.begin(), m_lse.data.end(), nan);
    const bool scoresInHbm = std::any_of(program.ops.begin(), program.ops.end(),
        [](const Op& op) { return op.kind == OpKind::Store && op.tensor == TensorId::S; });
    if (scoresInHbm) {
        const Problem& p = program.problem;
        const std::size_t size = static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.heads)
            * static_cast<std::size_t>(p.seqlenQ) * static_cast<std::size_t>(p.seqlenK);
        m_s.assign(size, nan);
        m_p.assign(size, nan);
    }
}

void Numerics::start(CtaId cta)
{
    auto& buffers = m_live[cta.index()];
    buffers.resize(m_program.buffers.size());
    for (std::size_t k = 0; k < buffers.size(); ++k) {
        const BufferDecl& decl = m_program.buffers[k];
        if (decl.launch == m_program.ctas[cta.index()].launch)
            buffers[k].assign(static_cast<std::size_t>(decl.rows) * static_cast<std::size_t>(decl.cols), nan);
    }
}

void Numerics::finish(CtaId cta)
{
    m_live[cta.index()] = {};
}

void Numerics::load(Context& c)
{
    const Problem& p = m_program.problem;
    const std::size_t head
        = static_cast<std::size_t>(c.cta.b) * static_cast<std::size_t>(p.heads) + static_cast<std::size_t>(c.cta.h);
    const int columns = c.columns(c.op.out);
    const auto fromScores = [&](const std::vector<float>& scores) {
        const int firstKey = c.j * m_program.tile.keys;
        c.rows.forEach([&](int r) {
            const int row = c.cta.row + r;
            const bool inside = row < p.seqlenQ;
            const std::size_t at = (head * static_cast<std::size_t>(p.seqlenQ) + static_cast<std::size_t>(row))
                    * static_cast<std::size_t>(p.seqlenK)
                + static_cast<std::size_t>(firstKey);
            const int count = inside ? std::min(columns, p.seqlenK - firstKey) : 0;
            float* to = c.row(c.op.out, r);
            std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(inside ? at : 0), count, to);
            std::fill(to + count, to + columns, 0.0F);
        });
    };
    if (c.op.tensor == TensorId::S)
        fromScores(m_s);
    else if (c.op.tensor == TensorId::P)
        fromScores(m_p);
    else
        c.rows.forEach([&](int r) {
            loadRow(
                m_program, m_inputs, c.cta, c.op, r, std::span(c.row(c.op.out, r), static_cast<std::size_t>(columns)));
        });
}

void Numerics::store(Context& c)
{
    const Problem& p = m_program.problem;
    const std::size_t head
        = static_cast<std::size_t>(c.cta.b) * static_cast<std::size_t>(p.heads) + static_cast<std::size_t>(c.cta.h);
    const BufferId from = c.op.in[0];
    c.rows.forEach([&](int r) {
        const int row = c.cta.row + r;
        if (row >= p.seqlenQ)
            return;
        const float* values = c.row(from, r);
        if (c.op.tensor == TensorId::O) {
            std::copy(values, values + p.headDimV, m_o.row(c.cta.b, c.cta.h, row).data());
        } else if (c.op.tensor == TensorId::Lse) {
            m_lse.row(c.cta.b, c.cta.h, row)[0] = values[0];
        } else {
            auto& scores = c.op.tensor == TensorId::S ? m_s : m_p;
            const int firstKey = c.j * m_program.tile.keys;
            const std::size_t at = (head * static_cast<std::size_t>(p.seqlenQ) + static_cast<std::size_t>(row))
                    * static_cast<std::size_t>(p.seqlenK)
                + static_cast<std::size_t>(firstKey);
            std::copy(values, values + std::min(m_program.tile.keys, p.seqlenK - firstKey),
                scores.begin() + static_cast<std::ptrdiff_t>(at));
        }
    });
}

void Numerics::apply(CtaId cta, OpId id, TraceBuilder* trace)
{
    auto& buffers = m_live[cta.index()];
    const Op& op = m_program.op(id);
    if (buffers.empty() || op.dropped)
        return;
    Context c { m_program, m_program.ctas[cta.index()], op, buffers, m_program.rows(op),
        m_program.keyBlock(m_program.ctas[cta.index()], op) };
    const Problem& p = m_program.problem;
    const BufferId out = op.out;
    const auto [a, b, third] = op.in;

    switch (op.kind) {
    case OpKind::Load:
        load(c);
        break;
    case OpKind::Store:
        store(c);
        break;
    case OpKind::Mma:
        c.forEachRun([&](int first, int count) {
            const int inner = c.columns(a);
            if (op.transposed) { // out = A Bᵀ
                multiplyTransposed(c.row(a, first), c.width(a), c.row(b, 0), c.width(b), c.row(out, first),
                    c.width(out), count, c.columns(out), inner);
                return;
            }
            if (!op.accumulate) // O starts from 0
                std::fill(
                    c.row(out, first), c.row(out, first) + static_cast<std::ptrdiff_t>(count) * c.width(out), 0.0F);
            multiplyAdd(c.row(a, first), c.width(a), c.row(b, 0), c.width(b), c.row(out, first), c.width(out), count,
                c.columns(out), inner);
        });
        break;
    case OpKind::Mask:
        c.rows.forEach([&](int r) {
            maskRow(m_program, c.cta, op, r, std::span(c.row(out, r), static_cast<std::size_t>(c.columns(out))));
        });
        break;
    case OpKind::RowMax:
        c.rows.forEach([&](int r) {
            const float before = op.accumulate ? c.at(out, r) : minusInf;
            const float after = rowMaximum(c.row(a, r), c.columns(a), before);
            c.at(out, r) = after;
            c.at(op.out2, r) = op.accumulate ? exp2Unit((before - safeMax(after)) * m_scaleLog2) : 1.0F;
        });
        break;
    case OpKind::Rescale:
        c.rows.forEach([&](int r) {
            const float scale = c.at(third, r);
            rowMap(c.row(out, r), c.columns(out)) *= scale;
            c.at(op.out2, r) *= scale;
        });
        break;
    case OpKind::Exp2:
        c.rows.forEach([&](int r) {
            exp2UnitRow(c.row(a, r), c.row(out, r), c.columns(out), m_scaleLog2, safeMax(c.at(b, r)) * m_scaleLog2);
        });
        break;
    case OpKind::RowSum:
        c.rows.forEach(
            [&](int r) { c.at(out, r) = (op.accumulate ? c.at(out, r) : 0.0F) + quadSum(c.row(a, r), c.columns(a)); });
        break;
    case OpKind::Convert:
        c.rows.forEach(
            [&](int r) { roundTo(p.dtype, std::span(c.row(out, r), static_cast<std::size_t>(c.columns(out)))); });
        break;
    case OpKind::Normalise:
        c.rows.forEach([&](int r) {
            const float l = b.valid() ? c.at(b, r) : 0.0F;
            const float inverse = l == 0.0F ? 1.0F : 1.0F / l;
            if (out.valid() && a.valid())
                rowMap(c.row(out, r), c.columns(out)) *= inverse;
            else if (out.valid())
                rowMap(c.row(out, r), c.columns(out)).setZero();
            if (op.out2.valid()) // natural log; a row that saw nothing has l = 0
                c.at(op.out2, r) = l == 0.0F
                    ? minusInf
                    : static_cast<float>(static_cast<double>(c.at(third, r)) * m_scale + lnReal(l));
        });
        break;
    case OpKind::Stage:
        c.rows.forEach([&](int r) { std::copy(c.row(a, r), c.row(a, r) + c.columns(a), c.row(out, r)); });
        break;
    case OpKind::Commit:
    case OpKind::Wait:
    case OpKind::Sync:
        break;
    }

    if (trace != nullptr)
        for (const BufferId written : { op.out, op.out2 })
            if (written.valid())
                trace->write(cta, written, id, buffers[written.index()]);
}

} // namespace flashstep
