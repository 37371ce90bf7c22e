// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/trace/trace.h"

namespace flashstep {

// The only way to make a Trace: events are appended in time order, then finish() indexes and hands out the const
// object.
class TraceBuilder {
public:
    // Spans of every instance of the program are reserved at once; `recorded` says whose values will be written.
    // `inputs` are what loads copy from; they may be null where nothing is recorded.
    TraceBuilder(std::shared_ptr<const Program> program, std::shared_ptr<const Inputs> inputs,
        const std::vector<bool>& recorded);

    void begin(CtaId cta, OpId op, Cycle cycle);
    void end(CtaId cta, OpId op, Cycle cycle);
    void hop(CtaId cta, OpId op, Engine engine, Cycle begin, Cycle cycles);
    void busy(Engine engine, double cycles) { m_trace->m_busy[static_cast<std::size_t>(engine)] += cycles; }
    void ctaBegins(CtaId cta, Cycle cycle, int sm, int slot);
    void ctaEnds(CtaId cta, Cycle cycle) { m_trace->m_ctaSpans[cta.index()].end = static_cast<std::uint32_t>(cycle); }
    void blocked(Blocked blocked) { m_trace->m_deadlock.push_back(std::move(blocked)); }

    // A write of the op whose end was appended last: `rows` x columns of the buffer, read from its whole current
    // contents.
    void write(CtaId cta, BufferId buffer, OpId op, std::span<const float> contents);

    [[nodiscard]] std::shared_ptr<const Trace> finish(Cycle cycles, int smCount, int ctasPerSm, double clockMhz);

private:
    // What a CTA has done so far, to know when a key block or the CTA itself is complete.
    struct CtaProgress {
        std::vector<std::uint8_t> roles; // that have finished the n-th block's product
        std::uint32_t opsEnded = 0;
    };
    void append(InstanceId instance, Cycle cycle, bool ends);
    void reserveValues(const std::vector<bool>& recorded);
    void noteSteps(CtaId cta, const Op& op);
    void indexHops();

    std::unique_ptr<Trace> m_trace;
    std::vector<CtaProgress> m_progress;
    std::vector<std::uint32_t> m_ctaOfHop;
    std::array<double, counterCount> m_totals {};
};

} // namespace flashstep
