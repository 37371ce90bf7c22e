// SPDX-License-Identifier: Apache-2.0
#include "core/io/kanata.h"

#include "core/io/op_classes.h"
#include "core/io/role_walk.h"
#include "core/io/text_buffer.h"
#include "core/io/timeline_facts.h"
#include "core/io/tracks.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace flashstep {

namespace {

// How many instructions began before an event: the number by which the file calls what begins with it. Counts are kept
// every so many events, ever more of them apart, so that they take the same memory however long the run is.
class Numbers {
public:
    Numbers(const Trace& trace, const Range& range)
        : m_trace(trace)
        , m_range(range)
    {
    }

    // To be called for every event, in order.
    void pass(std::uint32_t event)
    {
        if (event % m_stride == 0) {
            m_counts.push_back(m_count);
            if (m_counts.size() > mostCounts)
                thin();
        }
        m_count += begins(event) ? 1 : 0;
    }
    [[nodiscard]] bool begins(std::uint32_t event) const
    {
        const Event e = m_trace.eventAt(event);
        return !e.ends && overlaps(m_trace, e.instance, m_range);
    }
    // Of something that has begun.
    [[nodiscard]] std::uint32_t of(InstanceId instance) const
    {
        const std::uint32_t begin = m_trace.beginPosition(instance).value - 1;
        std::uint32_t number = m_counts[begin / m_stride];
        for (std::uint32_t k = begin / m_stride * m_stride; k < begin; ++k)
            number += begins(k) ? 1 : 0;
        return number;
    }

private:
    static constexpr std::size_t mostCounts = 1U << 16U;

    void thin()
    {
        for (std::size_t k = 0; 2 * k < m_counts.size(); ++k)
            m_counts[k] = m_counts[2 * k];
        m_counts.resize((m_counts.size() + 1) / 2);
        m_stride *= 2;
    }

    const Trace& m_trace;
    Range m_range;
    std::vector<std::uint32_t> m_counts; // before every m_stride-th event
    std::uint32_t m_stride = 64;
    std::uint32_t m_count = 0;
};

class Writer {
public:
    Writer(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
        : m_run(run)
        , m_trace(*run.trace)
        , m_program(*run.program)
        , m_range(range)
        , m_progress(progress)
        , m_text(out)
        , m_classes(*run.program)
        , m_numbers(m_trace, range)
    {
    }

    bool write()
    {
        m_text << "Kanata\t0004\n";
        for (std::uint32_t k = 0; k < m_trace.end().value; ++k) {
            if ((k & 0xfffU) == 0 && !goOn(k))
                return false;
            const Event event = m_trace.eventAt(k);
            m_numbers.pass(k);
            if (k >= m_range.to.value && m_live.empty())
                break;
            if (!overlaps(m_trace, event.instance, m_range)) {
                if (!event.ends)
                    follow(event.instance);
                continue;
            }
            moveTo(m_trace.timeAt(Position { k + 1 }));
            if (event.ends)
                end(event.instance);
            else
                begin(event.instance);
        }
        flushUnfinished();
        m_text.flush();
        return true;
    }

private:
    struct Live {
        std::uint32_t number = 0;
        std::vector<InstanceId> producers;
    };

    bool goOn(std::uint32_t event)
    {
        m_progress.at(static_cast<double>(event) / static_cast<double>(m_trace.end().value));
        for (auto at = m_walks.begin(); at != m_walks.end();) { // CTAs that are over
            const Cycle end = m_trace.span(CtaId(at->first.first)).end; // 0: it never is
            at = end > 0 && end < m_cycle ? m_walks.erase(at) : std::next(at);
        }
        return !m_progress.cancelled();
    }

    void moveTo(Cycle cycle)
    {
        if (m_started && cycle == m_cycle)
            return;
        command(m_started ? "C" : "C=", cycle - (m_started ? m_cycle : 0));
        m_text << '\n';
        m_started = true;
        m_cycle = cycle;
    }

    TextBuffer& command(std::string_view name, std::int64_t first)
    {
        m_text << name << '\t';
        return m_text.integer(first);
    }
    void stage(std::string_view name, std::uint32_t number, int lane, std::string_view what, std::string_view engine)
    {
        command(name, number) << '\t';
        m_text.integer(lane) << '\t' << what << engine << '\n';
    }
    // Konata draws dependencies between stages with an X in their name: those in which the work is done.
    void stages(std::string_view name, std::uint32_t number, const Op& op)
    {
        const auto engine = engineOf(op.kind);
        if (engine) {
            stage(name, number, 0, "X.", flashstep::name(*engine));
        } else {
            stage(name, number, 0, "Wait", "");
            stage(name, number, 1, "Stall", "");
        }
    }

    void begin(InstanceId instance)
    {
        const WorkId work = m_trace.workOf(instance);
        const Span span = spanOf(m_trace, work, m_trace.opOf(instance));
        Live& live = m_live[static_cast<std::uint32_t>(instance.index())];
        live.number = m_next++;
        introduce(span, live.number);
        stages("S", live.number, *span.op);
        walkOf(span.cta, span.op->role).step(work, *span.op, instance, [&](InstanceId from, InstanceId) {
            const bool known = std::find(live.producers.begin(), live.producers.end(), from) != live.producers.end();
            if (!known && overlaps(m_trace, from, m_range))
                live.producers.push_back(from);
        });
    }
    // What the stretch leaves out still says what the role waits for later.
    void follow(InstanceId instance)
    {
        const WorkId work = m_trace.workOf(instance);
        const Op& op = m_trace.op(instance);
        walkOf(m_trace.ctaOf(work), op.role).step(work, op, instance, [](InstanceId, InstanceId) {});
    }
    void introduce(const Span& span, std::uint32_t number)
    {
        const OpClass& kind = m_classes.at(m_classes.indexOf(*span.op));
        command("I", number) << '\t';
        m_text.integer(static_cast<std::int64_t>(span.instance.index())) << '\t';
        m_text.integer(static_cast<std::int64_t>(span.cta.index() * m_program.roles.size() + span.op->role.index()))
            << '\n';
        m_tile.clear();
        appendTile(m_tile, span);
        command("L", number) << "\t0\tCTA ";
        m_text.integer(static_cast<std::int64_t>(span.cta.index()))
            << ' ' << kind.role << ": " << kind.label << m_tile << '\n';
        command("L", number) << "\t1\t" << kind.source;
        factsOf(m_run, span, m_facts);
        for (const Fact& fact : m_facts) {
            m_text << ", " << name(fact.key) << ' ';
            m_text.number(fact.value);
        }
        m_text << '\n';
    }
    RoleWalk& walkOf(CtaId cta, RoleId role)
    {
        const auto key = std::pair { cta.index(), role.index() };
        const auto found = m_walks.find(key);
        return found != m_walks.end() ? found->second : m_walks.emplace(key, RoleWalk(m_trace, cta)).first->second;
    }

    void end(InstanceId instance)
    {
        const auto found = m_live.find(static_cast<std::uint32_t>(instance.index()));
        const Live& live = found->second;
        for (const InstanceId producer : live.producers)
            if (m_trace.beginPosition(producer) <= m_trace.endPosition(instance)) {
                command("W", live.number) << '\t';
                m_text.integer(m_numbers.of(producer)) << "\t0\n";
            }
        stages("E", live.number, m_trace.op(instance));
        retire(live.number, m_retired++, 0);
        m_live.erase(found);
    }
    void retire(std::uint32_t number, std::uint32_t serial, int type)
    {
        command("R", number) << '\t';
        m_text.integer(serial) << '\t';
        m_text.integer(type) << '\n';
    }
    // What a deadlock left where it was.
    void flushUnfinished()
    {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> left;
        for (const auto& [instance, live] : m_live)
            left.emplace_back(live.number, instance);
        std::sort(left.begin(), left.end());
        if (!left.empty() && m_trace.endCycle(InstanceId(left.front().second)) > m_cycle)
            moveTo(m_trace.endCycle(InstanceId(left.front().second)));
        for (const auto& [number, instance] : left) {
            stages("E", number, m_trace.op(InstanceId(instance)));
            retire(number, m_retired, 1);
        }
    }

    const Run& m_run;
    const Trace& m_trace;
    const Program& m_program;
    Range m_range;
    const Progress& m_progress;
    TextBuffer m_text;
    OpClasses m_classes;
    Numbers m_numbers;
    std::map<std::pair<std::size_t, std::size_t>, RoleWalk> m_walks; // by CTA and role; of CTAs that are running
    std::unordered_map<std::uint32_t, Live> m_live; // by instance
    std::vector<Fact> m_facts;
    std::string m_tile;
    Cycle m_cycle = 0;
    std::uint32_t m_next = 0, m_retired = 0;
    bool m_started = false;
};

} // namespace

Status writeKanata(const Run& run, const Range& range, std::ostream& out, const Progress& progress)
{
    if (!Writer(run, range, out, progress).write())
        return Error { "cancelled", "", "" };
    return Nothing {};
}

} // namespace flashstep
