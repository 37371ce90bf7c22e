// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

#include <map>
#include <tuple>
#include <vector>

namespace flashstep::test {

// A second, slow interpreter of a program: what every buffer holds after each event, from the inputs alone. It shares
// nothing with the emulator but the exponential unit, the rounding and the order of sums that the project writes down.
class Replay {
public:
    Replay(const Program& program, const Inputs& inputs);

    // The op has ended: what it does, for that work, to the CTA's buffers (or those of its cluster) and to HBM. `next`
    // is the number of the work that the CTA does after this one, -1: none; an op that writes it to SMEM takes it.
    void apply(CtaId cta, WorkId work, OpId op, int next = -1);
    // How the conditional rescale that begins now comes out; it is what the op does when it ends.
    Vote vote(CtaId cta, WorkId work, OpId op);
    [[nodiscard]] const std::vector<float>& buffer(CtaId cta, BufferId id) const
    {
        return m_buffers[cta.index()][id.index()];
    }

private:
    using Buffers = std::vector<std::vector<float>>;
    [[nodiscard]] float& cellOf(Buffers& buffers, BufferId id, int row, int column);
    [[nodiscard]] float& cell(BufferId id, int row, int column);
    [[nodiscard]] std::vector<float>* stateOf(TensorId tensor);
    [[nodiscard]] std::size_t stateIndex(TensorId tensor, int row, int column) const;
    [[nodiscard]] float hbm(const Op& op, int row, int column);
    void toHbm(const Op& op, int row, int column, float value);
    void load(const Op& op, int row, CtaId cta);
    void product(const Op& op, int row, CtaId cta);
    void reduce(const Op& op, int row);
    void normalise(const Op& op, int row);
    void softmaxOp(const Op& op, int row, CtaId cta);
    void rowMax(const Op& op, int row, CtaId cta);
    void lazyRowMax(const Op& op, int row, CtaId cta);
    void rescale(const Op& op, int row, CtaId cta);
    void exponentials(const Op& op, int row);
    void rowSum(const Op& op, int row);
    [[nodiscard]] int columnsOf(BufferId buffer) const;
    [[nodiscard]] bool mine(const Op& op, int key) const; // where the warps share out the keys

    const Program& m_program;
    const Inputs& m_inputs;
    std::vector<Buffers> m_buffers; // by CTA
    std::vector<float> m_s, m_p; // (batch, heads, rows, keys)
    std::vector<float> m_oTmp, m_m, m_l, m_lse; // what FA1 keeps between two visits
    // By CTA, query tile and row: whether the newest maximum moved a reference that may stay.
    std::map<std::tuple<std::size_t, int, int>, bool> m_moved;
    std::map<std::size_t, std::vector<bool>> m_asked; // by CTA and row: whether its warp multiplies
    // Of the op under way.
    Buffers* m_now = nullptr;
    const Work* m_work = nullptr;
    const Op* m_op = nullptr;
    int m_firstRow = 0, m_firstKey = 0;
};

// Of a row that has seen nothing the exponents use 0.
[[nodiscard]] float guarded(float m);

// Attention of one row over the first n visited key blocks, in float64 straight from the inputs.
struct RowSoFar {
    double m = 0; // largest scaled score seen, -inf: none
    double l = 0; // sum of exp(s - m)
    std::vector<double> o; // sum of exp(s - m) V: not yet divided by l
};
[[nodiscard]] RowSoFar rowSoFar(const Problem& problem, const Inputs& inputs, int b, int h, int row,
    const std::vector<int>& keyBlocks, int blockKeys);

} // namespace flashstep::test
