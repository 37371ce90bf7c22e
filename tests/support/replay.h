// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <vector>

namespace flashstep::test {

// A second, slow interpreter of a program: what every buffer holds after each event, from the inputs alone. It shares
// nothing with the emulator but the exponential unit, the rounding and the order of sums that the project writes down.
class Replay {
public:
    Replay(const Program& program, const Inputs& inputs);

    // The op has ended: what it does, for that work, to the CTA's buffers and to HBM.
    void apply(CtaId cta, WorkId work, OpId op);
    [[nodiscard]] const std::vector<float>& buffer(CtaId cta, BufferId id) const
    {
        return m_buffers[cta.index()][id.index()];
    }

private:
    using Buffers = std::vector<std::vector<float>>;
    [[nodiscard]] float& cell(BufferId id, int row, int column);
    [[nodiscard]] float hbm(const Op& op, int row, int column) const;
    void toHbm(const Op& op, int row, int column, float value);
    void product(const Op& op, int row);
    void softmaxOp(const Op& op, int row);

    const Program& m_program;
    const Inputs& m_inputs;
    std::vector<Buffers> m_buffers; // by CTA
    std::vector<float> m_s, m_p; // (batch, heads, rows, keys)
    // Of the op under way.
    Buffers* m_now = nullptr;
    const Work* m_work = nullptr;
    const Op* m_op = nullptr;
    int m_firstRow = 0, m_firstKey = 0;
};

// Attention of one row over the first n visited key blocks, in float64 straight from the inputs.
struct RowSoFar {
    double m = 0; // largest scaled score seen, -inf: none
    double l = 0; // sum of exp(s - m)
    std::vector<double> o; // sum of exp(s - m) V: not yet divided by l
};
[[nodiscard]] RowSoFar rowSoFar(const Problem& problem, const Inputs& inputs, int b, int h, int row,
    const std::vector<int>& keyBlocks, int blockKeys);

} // namespace flashstep::test
