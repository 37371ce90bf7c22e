// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/engine.h"
#include "core/program/inputs.h"
#include "core/program/program.h"
#include "core/program/vote.h"

#include <array>
#include <memory>
#include <span>
#include <vector>

namespace flashstep {

using InstanceId = Id<struct InstanceTag>; // one execution of an op by one CTA

// A place in the run: p events have been applied; 0 … Trace::end().
struct Position {
    std::uint32_t value = 0;
    auto operator<=>(const Position&) const = default;
};

enum class Level : std::uint8_t { Event, Operation, InnerTile, OuterTile, Cta };
[[nodiscard]] std::string_view name(Level level); // "event", "operation", "inner-tile", "outer-tile", "cta"
[[nodiscard]] std::optional<Level> levelFromName(std::string_view text);

// Running totals; a difference over any window is two reads.
enum class Counter : std::uint8_t {
    GlobalRead,
    GlobalWrite,
    Flops,
    Exp2,
    Exp2Emulated,
    Rescales,
    RescalesSkipped,
    RescaleWarps,
    RescaleWarpsSkipped
};
constexpr std::size_t counterCount = 9;
[[nodiscard]] std::string_view name(Counter counter); // "global_read_bytes", …

// The p-th event: an op of a CTA begins (is issued), or ends (its effect is there).
struct Event {
    InstanceId instance;
    bool ends = false;
};

// An engine busy with an op. Engines that every quarter of the SM has its own of carry the role's quarter.
struct Hop {
    std::uint32_t instance = 0;
    std::uint32_t begin = 0;
    std::uint32_t packed = 0; // engine in the low 4 bits, cycles above
    [[nodiscard]] Engine engine() const { return static_cast<Engine>(packed & 15U); }
    [[nodiscard]] Cycle cycles() const { return packed >> 4U; }
    [[nodiscard]] Cycle end() const { return begin + cycles(); }
};

// Adds what one execution of an op counts; of a conditional rescale, what its vote does.
void addCounts(const OpCounts& counts, std::array<double, counterCount>& totals);
void addVote(const Vote& vote, std::array<double, counterCount>& totals);

// What the whole grid came to, where events are kept of a part of it only.
struct GridTotals {
    Cycle cycles = 0;
    std::array<double, counterCount> counters {};
    std::array<double, engineCount> busy {};
    double hbmRead = 0, hbmWrite = 0;
};

struct CtaSpan {
    std::uint32_t begin = 0, end = 0; // cycles
    std::uint16_t sm = 0, slot = 0; // where it ran; slot: which of the SM's resident CTAs
};

// An arrival at a barrier: at which event, and where it left the barrier.
struct Arrival {
    std::uint32_t event = 0; // index: the begin of an Arrive or Sync, the end of a copy
    std::uint32_t turns = 0; // completed with it, since the CTA began
    std::uint32_t arrived = 0; // of the turn under way, after it
};

// One thing that holds: a role stuck for ever.
struct Blocked {
    CtaId cta;
    WorkId work;
    RoleId role;
    OpId op;
    std::string waitingFor;
};

// Tile values of one buffer of one CTA: as of a position, NaN where nothing has been written.
struct TileValues {
    int rows = 0, cols = 0;
    std::vector<float> data; // row-major
    [[nodiscard]] float at(int r, int c) const
    {
        return data[static_cast<std::size_t>(r) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(c)];
    }
};

// What happened: immutable once built, safe to share between threads. Instances are numbered work by work, in the order
// of the work's stream; so an instance's op needs no storage.
class Trace {
public:
    [[nodiscard]] const Program& program() const { return *m_program; }
    [[nodiscard]] std::shared_ptr<const Program> programPtr() const { return m_program; }

    [[nodiscard]] Position end() const { return Position { static_cast<std::uint32_t>(m_events.size()) }; }
    [[nodiscard]] Cycle cycles() const { return m_totals ? m_totals->cycles : m_cycles; } // of the whole grid
    [[nodiscard]] Cycle timeAt(Position p) const { return p.value == 0 ? 0 : m_events[p.value - 1].cycle; }
    [[nodiscard]] Position positionAt(Cycle cycle) const; // everything up to and including that cycle applied
    [[nodiscard]] Event eventAt(std::size_t index) const; // 0 … end - 1; event p - 1 is the last applied at p

    [[nodiscard]] std::size_t instanceCount() const { return m_spans.size(); }
    [[nodiscard]] WorkId workOf(InstanceId instance) const;
    [[nodiscard]] CtaId ctaOf(InstanceId instance) const { return ctaOf(workOf(instance)); }
    [[nodiscard]] OpId opOf(InstanceId instance) const;
    [[nodiscard]] const Op& op(InstanceId instance) const { return m_program->op(opOf(instance)); }
    [[nodiscard]] InstanceId instance(WorkId work, OpId op) const;
    [[nodiscard]] bool began(InstanceId instance) const
    {
        const SpanRow& span = m_spans[instance.index()];
        return span.begin != never && span.end != skipped;
    }
    [[nodiscard]] bool ended(InstanceId instance) const { return m_spans[instance.index()].end < skipped; }

    // Who does which work. A work that was never reached belongs to no CTA.
    [[nodiscard]] CtaId ctaOf(WorkId work) const
    {
        const std::uint32_t cta = m_works[work.index()].cta;
        return cta == never ? CtaId::none() : CtaId(cta);
    }
    [[nodiscard]] const Stream& streamOf(WorkId work) const
    {
        return m_program->streams[m_program->works[work.index()].stream.index() + m_works[work.index()].position];
    }
    [[nodiscard]] std::span<const WorkId> worksOf(CtaId cta) const; // in the order in which it did them
    // How many turns of a barrier the CTA's works before this one completed.
    [[nodiscard]] std::int64_t turnsBefore(WorkId work, BarrierId barrier) const;
    // The work the CTA's roles have come to: the newest one begun by any of them; its first before that, none() where
    // it did nothing.
    [[nodiscard]] WorkId workAt(CtaId cta, Position p) const;

    // The positions just after the begin and the end event; only where began() and ended().
    [[nodiscard]] Position beginPosition(InstanceId instance) const
    {
        return Position { m_spans[instance.index()].begin + 1 };
    }
    [[nodiscard]] Position endPosition(InstanceId instance) const
    {
        return Position { m_spans[instance.index()].end + 1 };
    }
    [[nodiscard]] Cycle beginCycle(InstanceId instance) const
    {
        return m_events[m_spans[instance.index()].begin].cycle;
    }
    [[nodiscard]] Cycle endCycle(InstanceId instance) const
    {
        return ended(instance) ? m_events[m_spans[instance.index()].end].cycle : m_cycles; // of what was run
    }
    [[nodiscard]] bool begunAt(InstanceId instance, Position p) const
    {
        return m_spans[instance.index()].begin < p.value;
    }
    [[nodiscard]] bool endedAt(InstanceId instance, Position p) const
    {
        return m_spans[instance.index()].end < p.value;
    }
    // The op that this role of the CTA (by its place in the stream's list) began last, as of p; none() before its
    // first. And the same within one work.
    [[nodiscard]] InstanceId currentOp(CtaId cta, std::size_t role, Position p) const;
    [[nodiscard]] InstanceId currentOp(WorkId work, const RoleRange& role, Position p) const;
    [[nodiscard]] std::span<const Arrival> arrivals(CtaId cta, BarrierId barrier) const;

    [[nodiscard]] const CtaSpan& span(CtaId cta) const { return m_ctaSpans[cta.index()]; }
    [[nodiscard]] std::span<const Hop> hops() const { return m_hops; } // in order of booking (begin of the op)
    [[nodiscard]] std::span<const std::uint32_t> hopsOf(
        CtaId cta) const; // indices into hops(), by begin cycle per engine order of booking
    [[nodiscard]] int smCount() const { return m_smCount; }
    [[nodiscard]] int ctasPerSm() const { return m_ctasPerSm; }
    [[nodiscard]] double clockMhz() const { return m_clockMhz; }

    // How a conditional rescale came out; empty for every other op.
    [[nodiscard]] std::optional<Vote> voteOf(InstanceId instance) const;
    [[nodiscard]] double counter(Counter counter, Position p) const;
    // Of the whole grid, at its end.
    [[nodiscard]] double total(Counter counter) const;
    // Whether the work's events are kept; in a grid timed in two steps only those of the CTAs asked for are.
    [[nodiscard]] bool hasEvents(WorkId work) const
    {
        return m_workFirst[work.index() + 1] > m_workFirst[work.index()];
    }
    [[nodiscard]] bool hasEvents(CtaId cta) const;
    [[nodiscard]] bool wholeGrid() const { return !m_totals.has_value(); }
    // Busy cycles of an engine over the whole run, all SMs, and how many of it there are (for utilisation).
    [[nodiscard]] double busy(Engine engine) const
    {
        return (m_totals ? m_totals->busy : m_busy)[static_cast<std::size_t>(engine)];
    }
    // Behind L2, over the whole run; what is left in L2 at the end counts as written.
    [[nodiscard]] double hbmRead() const { return m_totals ? m_totals->hbmRead : m_hbmRead; }
    [[nodiscard]] double hbmWrite() const { return m_totals ? m_totals->hbmWrite : m_hbmWrite; }

    // Stepping: the nearest position after / before p at which a step of the level is complete; end() or 0 beyond the
    // last. With a valid cta only that CTA's steps count.
    [[nodiscard]] Position next(Position p, Level level, CtaId cta = CtaId::none()) const;
    [[nodiscard]] Position previous(Position p, Level level, CtaId cta = CtaId::none()) const;
    // block(i, n): the position at which the last part of query tile i's n-th PV product (from 1) has landed in O.
    [[nodiscard]] std::optional<Position> block(int b, int h, int i, int n) const;
    [[nodiscard]] std::optional<Position> block(WorkId work, int i, int n) const; // i relative to the work's
    // The work whose products land in this one's O: its own; of a pair's second CTA the first's.
    [[nodiscard]] WorkId productsOf(WorkId work) const
    {
        const Work& w = m_program->work(work);
        const LaunchDecl& launch = m_program->launches[w.launch];
        return launch.pairs && (work.index() - launch.firstWork) % 2 == 1 ? WorkId(work.index() - 1) : work;
    }
    // The work, and the CTA, whose O holds query tile i of (b, h).
    [[nodiscard]] WorkId workOfTile(int b, int h, int i) const;
    [[nodiscard]] CtaId ctaOfTile(int b, int h, int i) const { return ctaOf(workOfTile(b, h, i)); }

    [[nodiscard]] int rankOf(CtaId cta) const; // in its cluster
    [[nodiscard]] bool hasValues(CtaId cta) const; // recorded
    [[nodiscard]] TileValues value(CtaId cta, BufferId buffer, Position p) const;
    // Key block a buffer of kind Key or Pair holds at p (the last one of which a write has landed), -1 before.
    [[nodiscard]] int keyBlockIn(CtaId cta, BufferId buffer, Position p) const;
    [[nodiscard]] std::size_t versionCount(CtaId cta, BufferId buffer) const;

    [[nodiscard]] const std::vector<Blocked>& deadlock() const { return m_deadlock; } // empty: ran to its end
    [[nodiscard]] std::size_t bytesWithoutValues() const;
    [[nodiscard]] std::size_t bytes() const;

private:
    friend class TraceBuilder;
    static constexpr std::uint32_t never = 0xffffffffU;
    static constexpr std::uint32_t skipped = 0xfffffffeU; // as the end of a span: not executed in this work

    struct EventRow {
        std::uint32_t packed = 0; // instance, lowest bit: ends
        std::uint32_t cycle = 0;
    };
    struct SpanRow {
        std::uint32_t begin = never, end = never; // indices into m_events
    };
    struct WorkRow {
        std::uint32_t cta = never;
        std::uint32_t position = 0; // of its rings
    };
    // One write of an op: its rows have these values until a later version says otherwise. Nothing is stored of a write
    // that can be repeated (effects.h).
    struct Version {
        std::uint32_t event = 0; // index of the end event that wrote it
        std::uint64_t offset = 0; // into m_values
    };
    struct BufferLog {
        std::vector<Version> versions;
        // After every keyframeEvery-th version the whole buffer, so that a read never walks far.
        std::vector<std::uint64_t> keyframes; // offsets into m_values
    };
    static constexpr std::size_t keyframeEvery = 64;
    static constexpr std::size_t counterEvery = 64;

    struct StepRow {
        std::uint32_t position = 0;
        std::uint32_t cta = 0;
        bool outer = false; // a query tile (FA1: a key block's sweep) is complete with it
        bool endsCta = false; // and so is the CTA
    };
    void addCounts(InstanceId instance, OpId op, std::array<double, counterCount>& totals) const;
    [[nodiscard]] const std::vector<StepRow>& stepsOf(Level level) const;
    [[nodiscard]] bool isStep(const StepRow& row, Level level, CtaId cta) const;
    [[nodiscard]] Position scan(Position p, int direction, Level level, CtaId cta) const;
    [[nodiscard]] const BufferLog* log(CtaId cta, BufferId buffer) const;
    void apply(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const;
    void repeat(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const;
    [[nodiscard]] InstanceId writerOf(const Version& version) const { return eventAt(version.event).instance; }

    std::shared_ptr<const Program> m_program;
    std::shared_ptr<const Inputs> m_inputs;
    std::vector<EventRow> m_events;
    std::vector<SpanRow> m_spans; // by instance
    std::vector<std::uint32_t> m_workFirst; // first instance of each work, one more at the end
    std::vector<WorkRow> m_works;
    std::vector<WorkId> m_ctaWorks; // CSR: the works of each CTA
    std::vector<std::uint32_t> m_ctaWorksFirst;
    std::vector<Arrival> m_arrivals; // CSR by CTA and barrier
    std::vector<std::uint32_t> m_arrivalsFirst;
    std::vector<CtaSpan> m_ctaSpans;
    std::vector<Hop> m_hops;
    std::vector<std::uint32_t> m_ctaHops, m_ctaHopsFirst; // CSR
    std::vector<std::array<double, counterCount>> m_counters; // totals before event k * counterEvery
    std::vector<StepRow> m_innerTiles; // sorted by position
    std::vector<StepRow> m_ctaSteps;
    std::vector<OpCounts> m_opCounts; // by op
    struct VoteRow {
        std::uint32_t instance = 0;
        std::uint16_t rowsDone = 0, rowsSkipped = 0;
        std::uint8_t warpsDone = 0, warpsSkipped = 0, multiply = 0;
    };
    std::vector<VoteRow> m_votes; // by instance, once the run is over; as they came before
    std::vector<std::uint32_t> m_stepFirst; // per work: into m_stepPositions
    std::vector<std::uint32_t> m_stepPositions; // of Stream::steps; never: not reached
    std::vector<std::uint32_t> m_innerFirst; // per CTA: into m_innerByCta
    std::vector<std::uint32_t> m_innerByCta; // positions of the CTA's inner tiles, in order
    std::vector<std::uint32_t> m_recorded; // per CTA: index of its logs, or never
    std::vector<BufferLog> m_logs; // recorded index * buffers + buffer
    std::vector<float> m_values;
    std::array<double, engineCount> m_busy {};
    std::vector<Blocked> m_deadlock;
    Cycle m_cycles = 0;
    int m_smCount = 0, m_ctasPerSm = 1;
    double m_clockMhz = 0;
    double m_hbmRead = 0, m_hbmWrite = 0;
    std::optional<GridTotals> m_totals;
};

} // namespace flashstep
