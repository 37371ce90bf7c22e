// SPDX-License-Identifier: Apache-2.0
#include "core/io/timeline_facts.h"
#include "core/trace/cta_life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace flashstep {

namespace {

constexpr std::size_t windows = 256;
constexpr std::size_t mostSteps = 4096; // of a line that holds each change

struct Stretch {
    Cycle begin = 0, length = 1;
    [[nodiscard]] Cycle edge(std::size_t k) const
    {
        return begin + length * static_cast<Cycle>(k) / static_cast<Cycle>(windows);
    }
};

Stretch stretchOf(const Trace& trace, const Range& range)
{
    const Cycle begin = trace.timeAt(range.from);
    return { begin, std::max<Cycle>(1, trace.timeAt(range.to) - begin) };
}

CounterLine totalLine(const Trace& trace, Counter counter, const Range& range)
{
    CounterLine line { std::string(name(counter)), "bytes", {} };
    const Stretch stretch = stretchOf(trace, range);
    for (std::size_t k = 0; k <= windows; ++k) {
        const Cycle cycle = stretch.edge(k);
        if (!line.samples.empty() && line.samples.back().cycle == cycle)
            continue;
        const Position p = std::clamp(trace.positionAt(cycle), range.from, range.to);
        line.samples.push_back({ cycle, trace.counter(counter, p) });
    }
    return line;
}

// From when to when a CTA has its tensor memory: between the ops that allocate and free it.
class TmemSpans {
public:
    explicit TmemSpans(const Trace& trace)
        : m_trace(trace)
        , m_ops(trace.program().streams.size())
    {
    }
    [[nodiscard]] std::pair<Cycle, Cycle> of(CtaId cta, std::pair<Cycle, Cycle> span)
    {
        const auto works = m_trace.worksOf(cta);
        if (works.empty() || !m_trace.hasEvents(works.front()) || !m_trace.hasEvents(works.back()))
            return span;
        const auto moment = [&](WorkId work, OpKind kind, Cycle& cycle) {
            const OpId op = find(work, kind);
            if (op.valid() && m_trace.ended(m_trace.instance(work, op)))
                cycle = m_trace.endCycle(m_trace.instance(work, op));
        };
        moment(works.front(), OpKind::Allocate, span.first);
        moment(works.back(), OpKind::Free, span.second);
        return span;
    }

private:
    struct Ends {
        bool known = false;
        OpId allocate, free;
    };
    OpId find(WorkId work, OpKind kind)
    {
        const Stream& stream = m_trace.streamOf(work);
        Ends& ends = m_ops[static_cast<std::size_t>(&stream - m_trace.program().streams.data())];
        for (std::uint32_t k = stream.firstOp; !ends.known && k < stream.firstOp + stream.opCount; ++k) {
            const OpKind found = m_trace.program().ops[k].kind;
            if (found == OpKind::Allocate)
                ends.allocate = OpId(k);
            else if (found == OpKind::Free)
                ends.free = OpId(k);
        }
        ends.known = true;
        return kind == OpKind::Allocate ? ends.allocate : ends.free;
    }

    const Trace& m_trace;
    std::vector<Ends> m_ops; // by stream
};

// What is held over time, from who takes how much when. Each change as a sample; beyond so many of them, the level at
// equally spaced moments.
class HeldLine {
public:
    HeldLine(std::string name, const Stretch& stretch)
        : m_line { std::move(name), "bytes", {} }
        , m_stretch(stretch)
    {
    }
    void add(Cycle begin, Cycle end, Bytes bytes)
    {
        m_changes.emplace_back(begin, bytes);
        m_changes.emplace_back(end, -bytes);
        if (m_changes.size() >= 4 * mostSteps)
            thin();
    }
    CounterLine finished()
    {
        merge();
        if (m_changes.size() > mostSteps)
            thin();
        Bytes held = 0;
        const Cycle end = m_stretch.begin + m_stretch.length;
        for (const auto& [cycle, change] : m_changes) {
            held += change;
            if (cycle > end)
                continue;
            if (cycle < m_stretch.begin)
                m_line.samples.clear();
            m_line.samples.push_back({ std::max(cycle, m_stretch.begin), static_cast<double>(held) });
        }
        return std::move(m_line);
    }

private:
    void merge()
    {
        std::sort(m_changes.begin(), m_changes.end());
        std::size_t kept = 0;
        for (const auto& change : m_changes) {
            if (kept > 0 && m_changes[kept - 1].first == change.first)
                m_changes[kept - 1].second += change.second;
            else
                m_changes[kept++] = change;
        }
        m_changes.resize(kept);
    }
    // Changes are moved to the end of their stretch of the time there is.
    void thin()
    {
        const Cycle step = std::max<Cycle>(1, m_stretch.length / static_cast<Cycle>(mostSteps / 2));
        for (auto& [cycle, change] : m_changes)
            if (cycle > m_stretch.begin)
                cycle = std::min(m_stretch.begin + ((cycle - m_stretch.begin - 1) / step + 1) * step,
                    m_stretch.begin + m_stretch.length + 1);
            else
                cycle = std::min(cycle, m_stretch.begin);
        merge();
    }

    CounterLine m_line;
    Stretch m_stretch;
    std::vector<std::pair<Cycle, Bytes>> m_changes;
};

void addHeld(const Trace& trace, const Range& range, std::vector<CounterLine>& lines)
{
    constexpr Bytes bytesOfColumn = 128 * 4; // lanes, each 32 bits
    const Program& program = trace.program();
    HeldLine smem("smem_bytes_of_resident_ctas", stretchOf(trace, range));
    HeldLine tmem("tmem_bytes_allocated", stretchOf(trace, range));
    TmemSpans allocated(trace);
    bool any = false;
    for (std::size_t k = 0; k < program.ctaCount(); ++k) {
        const CtaId cta(k);
        const LaunchDecl& launch = program.launchOf(cta);
        const auto life = lifeOf(trace, cta);
        if (!life)
            continue;
        smem.add(life->first, life->second, launch.smemBytes);
        if (launch.tmemColumns == 0)
            continue;
        any = true;
        const auto [begin, end] = allocated.of(cta, *life);
        tmem.add(begin, end, launch.tmemColumns * bytesOfColumn);
    }
    lines.push_back(smem.finished());
    if (any)
        lines.push_back(tmem.finished());
}

// Busy cycles of every engine in each window, over all SMs, in one pass over the bookings.
class EngineUse {
public:
    EngineUse(const Trace& trace, const Stretch& stretch)
        : m_stretch(stretch)
        , m_width(static_cast<double>(stretch.length) / static_cast<double>(windows))
    {
        for (std::vector<double>& each : m_busy)
            each.resize(windows);
        for (const Hop& hop : trace.hops())
            add(hop);
    }
    [[nodiscard]] double busy(Engine engine, std::size_t window) const
    {
        return m_busy[static_cast<std::size_t>(engine)][window];
    }
    [[nodiscard]] double before(Engine engine) const { return m_before[static_cast<std::size_t>(engine)]; }
    [[nodiscard]] double total(Engine engine) const { return m_total[static_cast<std::size_t>(engine)]; }
    [[nodiscard]] double width() const { return m_width; }

private:
    void add(const Hop& hop)
    {
        const auto e = static_cast<std::size_t>(hop.engine());
        const auto begin = static_cast<double>(hop.begin - m_stretch.begin);
        const auto end = static_cast<double>(hop.end() - m_stretch.begin);
        m_total[e] += end - begin;
        m_before[e] += std::max(0.0, std::min(end, 0.0) - begin);
        const double from = std::clamp(begin, 0.0, static_cast<double>(m_stretch.length));
        const double to = std::clamp(end, 0.0, static_cast<double>(m_stretch.length));
        for (auto k = static_cast<std::size_t>(from / m_width); k < windows && static_cast<double>(k) * m_width < to;
             ++k)
            m_busy[e][k] += std::max(0.0,
                std::min(to, static_cast<double>(k + 1) * m_width) - std::max(from, static_cast<double>(k) * m_width));
    }

    Stretch m_stretch;
    double m_width;
    std::array<std::vector<double>, engineCount> m_busy;
    std::array<double, engineCount> m_before {}, m_total {}; // before the stretch; of the whole run
};

// Bytes that passed behind L2 so far: the run's total, spread over time as HBM was busy with it.
CounterLine hbmLine(const Trace& trace, const Stretch& stretch, const EngineUse& use)
{
    CounterLine line { "hbm_bytes", "bytes", {} };
    const double total = use.total(Engine::Hbm);
    const double perCycle = total > 0 ? (trace.hbmRead() + trace.hbmWrite()) / total : 0;
    double busy = use.before(Engine::Hbm);
    for (std::size_t k = 0; k <= windows; ++k) {
        const CounterLine::Sample sample { stretch.edge(k), std::round(busy * perCycle) };
        if (!line.samples.empty() && line.samples.back().cycle == sample.cycle)
            line.samples.back() = sample;
        else
            line.samples.push_back(sample);
        if (k < windows)
            busy += use.busy(Engine::Hbm, k);
    }
    return line;
}

// An engine that comes once per quarter counts four times; scaled so that the whole run's mean is what `run` reports.
CounterLine useLine(const Trace& trace, Engine engine, double reported, const Stretch& stretch, const EngineUse& use)
{
    CounterLine line { fmt::format("{}_utilisation", name(engine)), "%", {} };
    const double total = use.total(engine);
    const double perCycle = total > 0 ? reported * static_cast<double>(trace.cycles()) / total : 0;
    for (std::size_t k = 0; k < windows; ++k) {
        const Cycle cycle = stretch.begin + static_cast<Cycle>(static_cast<double>(k) * use.width());
        // Bookings are whole cycles: the sum may come out a little above all there is.
        const double percent = std::min(100.0, 100 * use.busy(engine, k) * perCycle / use.width());
        if (line.samples.empty() || line.samples.back().cycle != cycle)
            line.samples.push_back({ cycle, percent });
    }
    line.samples.push_back({ stretch.begin + stretch.length, 0 });
    return line;
}

} // namespace

std::vector<CounterLine> counterLines(const Run& run, const Range& range)
{
    const Trace& trace = *run.trace;
    const Stretch stretch = stretchOf(trace, range);
    const EngineUse use(trace, stretch);
    std::vector<CounterLine> lines { totalLine(trace, Counter::GlobalRead, range),
        totalLine(trace, Counter::GlobalWrite, range), hbmLine(trace, stretch, use) };
    addHeld(trace, range, lines);
    // Engines that take turns (issue, the port of shared memory) are booked for as long as a request is under way, not
    // for what it takes of them: how busy they were in a window is not in the trace.
    const Utilisation& reported = run.report.utilisation;
    for (const auto& [engine, share] : { std::pair { Engine::Tensor, reported.tensor }, { Engine::Exp, reported.exp },
             { Engine::L2, reported.l2 }, { Engine::Hbm, reported.hbm } })
        lines.push_back(useLine(trace, engine, share, stretch, use));
    return lines;
}

} // namespace flashstep
