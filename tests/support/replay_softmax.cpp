// SPDX-License-Identifier: Apache-2.0
#include "tests/support/replay.h"

#include "core/tensor/real_math.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace flashstep::test {

namespace {

constexpr float minusInf = -std::numeric_limits<float>::infinity();

// 2^x = 2^floor(x) p(x - floor(x)): p by fused multiply-adds, the integer added to its exponent. The coefficients, from
// that of x on, are those of the kernel. [flash_attn/cute/utils.py]
float polynomialExp2(float x, int degree)
{
    static const std::array<std::vector<float>, 5> coefficients { { { 0.922497094F }, { 0.665785074F, 0.330107033F },
        { 0.695146143F, 0.227564394F, 0.0771190897F }, { 0.693042696F, 0.241291255F, 0.0522253588F, 0.0134349382F },
        { 0.693151414F, 0.240163609F, 0.0558021888F, 0.00901452266F, 0.00186810154F } } };
    if (std::isnan(x))
        return x;
    const float inside = std::max(x, -127.0F);
    const float whole = std::floor(inside);
    const float rest = inside - whole;
    const std::vector<float>& p = coefficients[static_cast<std::size_t>(degree - 1)];
    float y = p.back();
    for (std::size_t k = p.size() - 1; k-- > 0;)
        y = std::fma(y, rest, p[k]);
    y = std::fma(y, rest, 1.0F);
    return std::bit_cast<float>(std::bit_cast<std::int32_t>(y) + (static_cast<std::int32_t>(whole) * (1 << 23)));
}

} // namespace

void Replay::rowMax(const Op& op, int row, CtaId cta)
{
    if (op.conditional) {
        lazyRowMax(op, row, cta);
        return;
    }
    const float before = op.accumulate ? cell(op.in[1], row, 0) : minusInf;
    float m = before;
    for (int k = 0; k < m_program.tile.keys; ++k)
        if (mine(op, k))
            m = cell(op.in[0], row, k) > m ? cell(op.in[0], row, k) : m;
    cell(op.out, row, 0) = m;
    if (op.out2.valid())
        cell(op.out2, row, 0)
            = op.accumulate ? exp2Unit((before - guarded(m)) * m_program.problem.softmaxScaleLog2()) : 1.0F;
}

// The reference and, beside it, the true maximum. The reference moves where the maximum has outgrown it by more than
// the threshold, and where it had seen nothing.
void Replay::lazyRowMax(const Op& op, int row, CtaId cta)
{
    float reference = op.accumulate ? cell(op.in[1], row, 0) : minusInf;
    float most = op.accumulate ? cell(op.out, row, 1) : minusInf;
    float wanted = reference;
    for (int k = 0; k < m_program.tile.keys; ++k) {
        const float score = cell(op.in[0], row, k);
        most = score > most ? score : most;
        wanted = score > wanted ? score : wanted;
    }
    const float grown = reference == minusInf ? std::numeric_limits<float>::infinity()
                                              : (wanted - reference) * m_program.problem.softmaxScaleLog2();
    const bool moves = op.accumulate && !(grown <= m_program.softmax.threshold);
    m_moved[{ cta.index(), op.i, row }] = moves;
    if (!op.accumulate || moves || op.framesMixed)
        reference = wanted;
    cell(op.out, row, 0) = reference;
    cell(op.out, row, 1) = most;
    cell(op.out2, row, 0) = moves ? exp2Unit(-grown) : 1.0F;
}

// Of a conditional rescale a warp multiplies its rows when one of them asked for it.
void Replay::rescale(const Op& op, int row, CtaId cta)
{
    if (op.conditional && !m_asked[cta.index()][static_cast<std::size_t>(row)])
        return;
    for (int k = 0; k < m_program.buffers[op.out.index()].cols; ++k)
        cell(op.out, row, k) *= cell(op.in[2], row, 0);
    if (op.out2.valid())
        cell(op.out2, row, 0) *= cell(op.in[2], row, 0);
}

void Replay::exponentials(const Op& op, int row)
{
    const float c = m_program.problem.softmaxScaleLog2();
    const SoftmaxForm& form = m_program.softmax;
    for (int k = 0; k < m_program.tile.keys; ++k) {
        if (!mine(op, k))
            continue;
        const float scaled = cell(op.in[0], row, k) * c;
        const float shift = guarded(cell(op.in[1], row, 0)) * c;
        const bool emulated = !form.emulated.empty() && form.emulated[static_cast<std::size_t>(k)];
        cell(op.out, row, k)
            = emulated ? polynomialExp2(scaled - shift, form.polynomialDegree) : exp2Unit(scaled - shift);
    }
}

// Each of four lanes its pairs of columns, then two butterflies; stretch by stretch.
void Replay::rowSum(const Op& op, int row)
{
    const RowSet whole { 0, static_cast<std::uint16_t>(m_program.tile.keys), 0, 1 };
    const RowSet& own = op.keys.valid() ? m_program.rowSets[op.keys.index()] : whole;
    float sum = op.accumulate ? cell(op.in[1], row, 0) : 0.0F;
    for (int stretch = 0; stretch < own.repeat; ++stretch) {
        const int first = own.start + stretch * own.stride;
        float lanes[4] = {};
        for (int lane = 0; lane < 4; ++lane)
            for (int k = 2 * lane; k < own.run; k += 8)
                for (int pair = k; pair < std::min<int>(k + 2, own.run); ++pair)
                    lanes[lane] += cell(op.in[0], row, first + pair);
        sum += (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    }
    cell(op.out, row, 0) = sum;
}

void Replay::softmaxOp(const Op& op, int row, CtaId cta)
{
    switch (op.kind) {
    case OpKind::Mask:
        for (int k = 0; k < m_program.tile.keys; ++k)
            if (mine(op, k) && !m_program.problem.visible((m_firstRow + row) / m_program.packed, m_firstKey + k))
                cell(op.out, row, k) = minusInf;
        break;
    case OpKind::RowMax:
        rowMax(op, row, cta);
        break;
    case OpKind::Rescale:
        rescale(op, row, cta);
        break;
    case OpKind::Exp2:
        exponentials(op, row);
        break;
    case OpKind::RowSum:
        rowSum(op, row);
        break;
    default:
        break;
    }
}

Vote Replay::vote(CtaId cta, WorkId work, OpId id)
{
    const Op& op = m_program.op(id);
    const std::vector<float>& factors = m_buffers[cta.index()][op.in[2].index()];
    const int rows = m_program.rows(op).count();
    const int inside = m_program.rowsInside(m_program.work(work), op.i);
    std::vector<bool>& asked = m_asked[cta.index()];
    asked.assign(static_cast<std::size_t>(rows), false);
    Vote vote;
    for (int first = 0; first < rows; first += rows / 4) { // a warp of the warpgroup
        const auto begin = factors.begin() + first;
        const bool multiplies
            = !op.dropped && std::any_of(begin, begin + rows / 4, [](float factor) { return factor < 1; });
        std::fill_n(asked.begin() + first, rows / 4, multiplies);
        vote.multiply += multiplies ? 1U << (4 * first / rows) : 0;
        if (first < inside)
            ++(multiplies ? vote.warpsDone : vote.warpsSkipped);
        for (int r = first; r < std::min(first + rows / 4, inside); ++r) {
            const auto moved = m_moved.find({ cta.index(), op.i, r });
            ++(!op.dropped && moved != m_moved.end() && moved->second ? vote.rowsDone : vote.rowsSkipped);
        }
    }
    return vote;
}

} // namespace flashstep::test
