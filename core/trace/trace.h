// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/engine.h"
#include "core/program/inputs.h"
#include "core/program/program.h"

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
enum class Counter : std::uint8_t { GlobalRead, GlobalWrite, Flops, Exp2, Rescales };
constexpr std::size_t counterCount = 5;
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
    std::uint32_t packed = 0; // engine in the low 3 bits, cycles above
    [[nodiscard]] Engine engine() const { return static_cast<Engine>(packed & 7U); }
    [[nodiscard]] Cycle cycles() const { return packed >> 3U; }
    [[nodiscard]] Cycle end() const { return begin + cycles(); }
};

struct CtaSpan {
    std::uint32_t begin = 0, end = 0; // cycles
    std::uint16_t sm = 0, slot = 0; // where it ran; slot: which of the SM's resident CTAs
};

// One thing that holds: a role stuck for ever.
struct Blocked {
    CtaId cta;
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

// What happened: immutable once built, safe to share between threads. Instances are numbered CTA by CTA, in the order
// of their stream; so an instance's op and CTA need no storage.
class Trace {
public:
    [[nodiscard]] const Program& program() const { return *m_program; }
    [[nodiscard]] std::shared_ptr<const Program> programPtr() const { return m_program; }

    [[nodiscard]] Position end() const { return Position { static_cast<std::uint32_t>(m_events.size()) }; }
    [[nodiscard]] Cycle cycles() const { return m_cycles; } // of the whole grid
    [[nodiscard]] Cycle timeAt(Position p) const { return p.value == 0 ? 0 : m_events[p.value - 1].cycle; }
    [[nodiscard]] Position positionAt(Cycle cycle) const; // everything up to and including that cycle applied
    [[nodiscard]] Event eventAt(std::size_t index) const; // 0 … end - 1; event p - 1 is the last applied at p

    [[nodiscard]] std::size_t instanceCount() const { return m_spans.size(); }
    [[nodiscard]] CtaId ctaOf(InstanceId instance) const;
    [[nodiscard]] OpId opOf(InstanceId instance) const;
    [[nodiscard]] InstanceId instance(CtaId cta, OpId op) const;
    [[nodiscard]] bool began(InstanceId instance) const { return m_spans[instance.index()].begin != never; }
    [[nodiscard]] bool ended(InstanceId instance) const { return m_spans[instance.index()].end != never; }
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
        return ended(instance) ? m_events[m_spans[instance.index()].end].cycle : m_cycles;
    }
    [[nodiscard]] bool begunAt(InstanceId instance, Position p) const
    {
        return m_spans[instance.index()].begin < p.value;
    }
    [[nodiscard]] bool endedAt(InstanceId instance, Position p) const
    {
        return m_spans[instance.index()].end < p.value;
    }
    // The op this role of this CTA began last, as of p; none() before its first.
    [[nodiscard]] InstanceId currentOp(CtaId cta, const RoleRange& role, Position p) const;

    [[nodiscard]] const CtaSpan& span(CtaId cta) const { return m_ctaSpans[cta.index()]; }
    [[nodiscard]] std::span<const Hop> hops() const { return m_hops; } // in order of booking (begin of the op)
    [[nodiscard]] std::span<const std::uint32_t> hopsOf(
        CtaId cta) const; // indices into hops(), by begin cycle per engine order of booking
    [[nodiscard]] int smCount() const { return m_smCount; }
    [[nodiscard]] int ctasPerSm() const { return m_ctasPerSm; }
    [[nodiscard]] double clockMhz() const { return m_clockMhz; }

    [[nodiscard]] double counter(Counter counter, Position p) const;
    // Busy cycles of an engine over the whole run, all SMs, and how many of it there are (for utilisation).
    [[nodiscard]] double busy(Engine engine) const { return m_busy[static_cast<std::size_t>(engine)]; }

    // Stepping: the nearest position after / before p at which a step of the level is complete; end() or 0 beyond the
    // last. With a valid cta only that CTA's steps count.
    [[nodiscard]] Position next(Position p, Level level, CtaId cta = CtaId::none()) const;
    [[nodiscard]] Position previous(Position p, Level level, CtaId cta = CtaId::none()) const;
    // block(i, n): the position at which the last part of the CTA's n-th PV product (from 1) has landed in O.
    [[nodiscard]] std::optional<Position> block(CtaId cta, int n) const;
    // The CTA whose O holds query tile i of (b, h).
    [[nodiscard]] CtaId ctaOfTile(int b, int h, int i) const;

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

    struct EventRow {
        std::uint32_t packed = 0; // instance, lowest bit: ends
        std::uint32_t cycle = 0;
    };
    struct SpanRow {
        std::uint32_t begin = never, end = never; // indices into m_events
    };
    // One write of an op: its rows have these values until a later version says otherwise. Nothing is stored of a write
    // that can be repeated (effects.h).
    struct Version {
        std::uint32_t event = 0; // index of the end event that wrote it
        std::uint32_t op = 0; // Program::ops index
        std::uint64_t offset = 0; // into m_values
    };
    struct BufferLog {
        std::vector<Version> versions;
        // After every keyframeEvery-th version the whole buffer, so that a read never walks far.
        std::vector<std::uint64_t> keyframes; // offsets into m_values
    };
    static constexpr std::size_t keyframeEvery = 64;
    static constexpr std::size_t counterEvery = 32;

    struct StepRow {
        std::uint32_t position = 0;
        std::uint32_t cta = 0;
    };
    void addCounts(OpId op, std::array<double, counterCount>& totals) const;
    [[nodiscard]] bool isStep(const StepRow& row, Level level, CtaId cta) const;
    [[nodiscard]] Position scan(Position p, int direction, Level level, CtaId cta) const;
    [[nodiscard]] const BufferLog* log(CtaId cta, BufferId buffer) const;
    void apply(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const;
    void repeat(const Version& version, CtaId cta, BufferId buffer, TileValues& tile) const;

    std::shared_ptr<const Program> m_program;
    std::shared_ptr<const Inputs> m_inputs;
    std::vector<EventRow> m_events;
    std::vector<SpanRow> m_spans; // by instance
    std::vector<std::uint32_t> m_ctaFirst; // first instance of each CTA, one more at the end
    std::vector<CtaSpan> m_ctaSpans;
    std::vector<Hop> m_hops;
    std::vector<std::uint32_t> m_ctaHops, m_ctaHopsFirst; // CSR
    std::vector<std::array<double, counterCount>> m_counters; // totals before event k * counterEvery
    std::vector<StepRow> m_innerTiles; // sorted by position
    std::vector<StepRow> m_ctaSteps;
    std::vector<OpCounts> m_opCounts; // by op
    std::vector<std::uint32_t> m_innerFirst; // per CTA: into m_innerByCta
    std::vector<std::uint32_t> m_innerByCta; // positions of the CTA's inner tiles, n = 1 …; never: not reached
    std::vector<std::uint32_t> m_recorded; // per CTA: index of its logs, or never
    std::vector<BufferLog> m_logs; // recorded index * buffers + buffer
    std::vector<float> m_values;
    std::array<double, engineCount> m_busy {};
    std::vector<Blocked> m_deadlock;
    Cycle m_cycles = 0;
    int m_smCount = 0, m_ctasPerSm = 1;
    double m_clockMhz = 0;
};

} // namespace flashstep
