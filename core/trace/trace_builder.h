// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/effects.h"
#include "core/trace/trace.h"

namespace flashstep {

// The only way to make a Trace: events are appended in time order, then finish() indexes and hands out the const
// object.
class TraceBuilder {
public:
    // Spans of every instance of the program are reserved at once; `recorded` says whose values will be written.
    // `inputs` are what loads copy from; they may be null where nothing is recorded.
    // `withEvents`: the works that will be run, where it is not all of them.
    TraceBuilder(std::shared_ptr<const Program> program, std::shared_ptr<const Inputs> inputs,
        const std::vector<bool>& recorded, const std::vector<bool>& withEvents = {});

    void workBegins(WorkId work, CtaId cta, int position);
    void begin(WorkId work, OpId op, Cycle cycle);
    void end(WorkId work, OpId op, Cycle cycle);
    // Has the processor fetch what begin() and end() of that op write.
    void fetchAhead(WorkId work, OpId op) const { fetchAhead(instanceOf(work, op)); }
    void skip(WorkId work, OpId op); // not executed in this work
    void vote(WorkId work, OpId op, const Vote& vote); // of the conditional rescale that begins
    void hop(WorkId work, OpId op, Engine engine, Cycle begin, Cycle cycles);
    void busy(Engine engine, double cycles) { m_trace->m_busy[static_cast<std::size_t>(engine)] += cycles; }
    void hbm(double read, double written)
    {
        m_trace->m_hbmRead += read;
        m_trace->m_hbmWrite += written;
    }
    // An arrival at a barrier of `cta`, by the event appended last.
    void arrival(CtaId cta, BarrierId barrier, std::uint32_t turns, std::uint32_t arrived);
    void ctaBegins(CtaId cta, Cycle cycle, int sm, int slot);
    void ctaEnds(CtaId cta, Cycle cycle);
    void blocked(Blocked blocked) { m_trace->m_deadlock.push_back(std::move(blocked)); }

    // What the op whose end was appended last wrote to a buffer of `cta`, read from the buffer's current contents.
    void write(CtaId cta, BufferId buffer, const Performed& performed, std::span<const float> contents);

    // The rest of the grid, of which no events are kept: who did the work, and when; and what all of it came to.
    void place(WorkId work, CtaId cta, Cycle begin, Cycle end, int sm, int slot);
    void setTotals(const GridTotals& totals) { m_trace->m_totals = totals; }

    [[nodiscard]] std::shared_ptr<const Trace> finish(Cycle cycles, int smCount, int ctasPerSm, double clockMhz);

private:
    // What of a work is still to end, to know when a key block or the work itself is complete.
    struct WorkProgress {
        const Stream* stream = nullptr; // the work's, once its ring position is known
        std::uint32_t firstInstance = 0; // of the program's first op, were it one of the work's: unsigned, so it wraps
        std::uint32_t cta = 0;
        std::uint32_t opsEnded = 0;
        std::vector<std::uint16_t> parts; // by step: ended
    };
    // What the end of an op adds up to and completes, of all it is the little that every event needs.
    struct AtEnd {
        std::uint32_t step = Op::noStep;
        std::uint32_t counts = 0; // into m_counts; 0: nothing; byVote: what its vote says
    };
    static constexpr std::uint32_t byVote = 0xffffffffU;
    [[nodiscard]] std::uint32_t instanceOf(WorkId work, OpId op) const
    {
        return m_progress[work.index()].firstInstance + static_cast<std::uint32_t>(op.index());
    }
    void fetchAhead(std::uint32_t instance) const
    {
        if (instance < m_trace->m_spans.size())
            __builtin_prefetch(&m_trace->m_spans[instance], 1);
    }
    void append(std::uint32_t instance, Cycle cycle, bool ends);
    void keepTotals();
    void computeCounts();
    void reserveValues(const std::vector<bool>& recorded);
    void countVote(std::uint32_t instance);
    void noteStep(WorkId work, std::uint32_t step);
    void noteWorkEnds(WorkId work);
    void indexHops();
    void indexWorks();
    void indexArrivals();
    void indexSteps();

    std::unique_ptr<Trace> m_trace;
    std::vector<WorkProgress> m_progress;
    struct ArrivalAt {
        std::uint32_t key = 0; // CTA and barrier
        Arrival arrival;
    };
    std::vector<ArrivalAt> m_arrivals;
    std::vector<std::pair<std::uint32_t, WorkId>> m_worksBegun; // by CTA, in order
    std::vector<AtEnd> m_atEnd; // by op
    std::vector<std::array<double, counterCount>> m_counts; // of ops, each once
    std::array<double, counterCount> m_totals {};
    std::size_t m_barrierCount = 0;
};

} // namespace flashstep
