// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/inputs.h"
#include "core/program/program.h"
#include "core/trace/trace_builder.h"

#include <map>

namespace flashstep {

// Values while a run is under way: the buffers of the CTAs that are on an SM, and the tensors in HBM. The effect of an
// op is applied when the op completes, on what its buffers hold then; so a missing wait shows in the numbers.
class Numerics {
public:
    // `kernelEmptyRowLse`: the LSE of a row that sees nothing is +inf, as FlashAttention-2 stores it, and not -inf.
    Numerics(const Program& program, const Inputs& inputs, bool kernelEmptyRowLse = false);

    void start(CtaId cta); // its buffers hold NaN: nothing has been written
    void finish(CtaId cta);
    // Applies the op's effect, as the CTA performs it for that work, and leaves what it wrote in the trace (nullptr:
    // thrown away).
    void apply(CtaId cta, WorkId work, OpId op, TraceBuilder* trace);
    // How the conditional rescale that begins now comes out: the factors are there.
    [[nodiscard]] Vote vote(CtaId cta, WorkId work, OpId op);
    void setNextWork(CtaId cta, float number) { m_nextWork[cta.index()] = number; } // what the tile scheduler said

    [[nodiscard]] const Tensor& o() const { return m_o; } // NaN where no CTA has stored
    [[nodiscard]] const Tensor& lse() const { return m_lse; }
    [[nodiscard]] std::uint64_t clipped() const { return m_clipped; } // elements beyond e4m3's largest number

private:
    struct Context; // one op of one CTA, with its operands at hand
    using Buffer = std::vector<float>;

    void load(Context& c);
    void store(Context& c);
    void multiply(Context& c, std::vector<Buffer>& mine);
    void rowMax(Context& c, CtaId cta);
    void exponentials(Context& c) const;
    void dequantiseScores(Context& c, std::vector<Buffer>& mine, int firstRow, int rows);
    void reduce(Context& c);
    [[nodiscard]] std::vector<float>& stateOf(TensorId tensor);

    const Program& m_program;
    const Inputs& m_inputs;
    bool m_kernelEmptyRowLse;
    float m_scaleLog2; // c of the papers: softmax scale times log2 e
    double m_scale;
    std::uint64_t m_clipped = 0;
    std::vector<std::vector<Buffer>> m_live; // by CTA; empty unless it is on an SM
    Tensor m_o, m_lse;
    std::vector<float> m_oTmp, m_mState, m_lState; // O and statistics between two visits, where they live in HBM
    std::vector<float> m_nextWork; // by CTA
    // The rows whose reference the newest conditional maximum of a query tile has moved, by CTA and tile.
    std::map<std::pair<std::size_t, int>, std::vector<bool>> m_moved;
    std::map<std::size_t, Vote> m_votes; // by CTA: of the conditional rescale under way
    std::vector<float> m_s, m_p; // (batch heads, seqlenQ, seqlenK), where the algorithm keeps scores in HBM
};

} // namespace flashstep
