// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/numerics_context.h"

#include "core/tensor/exp2_polynomial.h"
#include "core/tensor/real_math.h"

namespace flashstep {

// The reference of each row. A lazy one stays while the maximum has outgrown it by no more than the threshold; what it
// would have been stands beside it. [flash_attn/cute/softmax.py]
void Numerics::rowMax(Context& c, CtaId cta)
{
    const Op& op = c.op();
    const auto [a, b, third] = op.in;
    const SoftmaxForm& form = m_program.softmax;
    std::vector<bool>* moved = nullptr;
    if (op.conditional) {
        moved = &m_moved[{ cta.index(), op.i }];
        moved->assign(static_cast<std::size_t>(c.decl(op.out).rows), false);
    }
    c.forEachRow([&](int r) {
        const float before = !op.accumulate ? minusInf
            : op.lse                        ? static_cast<float>(static_cast<double>(c.at(b, r)) / m_scale)
                                            : c.at(b, r);
        float block = minusInf;
        c.forEachKeys(a, [&](int key, int keys) { block = rowMaximum(c.row(a, r) + key, keys, block); });
        const float most = block > before ? block : before;
        if (!op.conditional) {
            c.at(op.out, r) = most;
            if (op.out2.valid())
                c.at(op.out2, r) = op.accumulate ? exp2Unit((before - safeMax(most)) * m_scaleLog2) : 1.0F;
            return;
        }
        float* m = c.row(op.out, r); // the reference, the true maximum
        const float trueBefore = op.accumulate ? m[1] : minusInf;
        m[1] = block > trueBefore ? block : trueBefore;
        const float growth = (before - safeMax(most)) * m_scaleLog2; // at most 0; -inf where nothing was seen
        const bool stays = op.accumulate && growth >= -form.threshold;
        (*moved)[static_cast<std::size_t>(r)] = op.accumulate && !stays;
        m[0] = stays && !op.framesMixed ? before : most;
        c.at(op.out2, r) = !op.accumulate || stays ? 1.0F : exp2Unit(growth);
    });
}

void Numerics::exponentials(Context& c) const
{
    const Op& op = c.op();
    const auto [a, b, third] = op.in;
    const SoftmaxForm& form = m_program.softmax;
    std::vector<float> row(form.emulated.size());
    c.forEachRow([&](int r) {
        const float shift = safeMax(c.at(b, r)) * m_scaleLog2 - form.offset;
        c.forEachKeys(a, [&](int key, int keys) {
            const float* x = c.row(a, r) + key;
            float* out = c.row(op.out, r) + key;
            if (!form.emulated.empty()) // the same scores once more, by the polynomial
                exp2PolynomialRow(x, row.data(), keys, m_scaleLog2, shift, form.polynomialDegree);
            exp2UnitRow(x, out, keys, m_scaleLog2, shift);
            for (int k = 0; k < keys && !form.emulated.empty(); ++k)
                if (form.emulated[static_cast<std::size_t>(key + k)])
                    out[k] = row[static_cast<std::size_t>(k)];
        });
    });
}

Vote Numerics::vote(CtaId cta, WorkId work, OpId id)
{
    const Op& op = m_program.op(id);
    const VotingWarps voting = votingWarps(m_program, op);
    const int inside = m_program.rowsInside(m_program.work(work), op.i);
    const auto moved = m_moved.find({ cta.index(), op.i });
    const std::vector<float>& factor = m_live[cta.index()][op.in[2].index()];
    Vote vote;
    for (int warp = 0; warp < voting.warps; ++warp) {
        bool any = false;
        for (int r = warp * voting.rowsEach; r < (warp + 1) * voting.rowsEach; ++r) {
            const auto at = static_cast<std::size_t>(r);
            any = any || factor[at] < 1.0F;
            if (r >= inside)
                continue;
            const bool done = moved != m_moved.end() && moved->second[at];
            ++(done ? vote.rowsDone : vote.rowsSkipped);
        }
        vote.multiply |= (any ? 1U : 0U) << warp;
        if (warp * voting.rowsEach < inside)
            ++(any ? vote.warpsDone : vote.warpsSkipped);
    }
    m_votes[cta.index()] = vote;
    return vote;
}

} // namespace flashstep
