// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/critical_path.h"

#include "core/hardware/cost.h"

#include <algorithm>

namespace flashstep {

namespace {

// Walks back from the end. It always stands at a moment of an op: its end, its begin, or the begin of one of its
// bookings; every step leads to one that was decided earlier in the run.
class Walk {
public:
    Walk(const Run& run, const Causes& causes, CtaId cta)
        : m_run(run)
        , t(*run.trace)
        , c(causes)
        , m_swizzled(choicesOf(run.scenario).swizzled())
        , m_scope(cta)
        , m_first(cta.valid() ? Cycle { t.span(cta).begin } : 0)
        , m_at(cta.valid() ? c.endOf(cta) : t.cycles())
    {
    }

    CriticalPath take()
    {
        CriticalPath path { m_first, m_at - m_first, {} };
        if (enterLast())
            while (m_at > m_first && step())
                ;
        // Nothing can be missing; were it, the sum would still hold.
        addWithout(PathSegment::Kind::Whole, m_first, m_scope);
        std::reverse(m_segments.begin(), m_segments.end());
        path.segments = std::move(m_segments);
        return path;
    }

private:
    enum class Moment : std::uint8_t { End, Begin, Booking, CtaStart };

    // To what happened last.
    bool enterLast()
    {
        if (!m_scope.valid() && !t.wholeGrid())
            return enterLastCta();
        const InstanceId last = m_scope.valid() ? lastEnded(m_scope) : lastEnded();
        if (!last.valid())
            return false;
        standStill(t.endCycle(last));
        stand(Moment::End, last);
        return true;
    }

    // Of a grid timed in two steps, most CTAs are known by their begin and end alone.
    bool enterLastCta()
    {
        CtaId last;
        for (std::size_t k = 0; k < m_run.program->ctaCount(); ++k)
            if (!last.valid() || t.span(CtaId(k)).end > t.span(last).end)
                last = CtaId(k);
        addWithout(PathSegment::Kind::Memory, t.span(last).end, CtaId::none());
        return enterCta(last);
    }

    bool enterCta(CtaId cta)
    {
        if (!t.hasEvents(cta)) {
            addWithout(PathSegment::Kind::Whole, t.span(cta).begin, cta);
            m_moment = Moment::CtaStart;
            m_cta = cta;
            return true;
        }
        const InstanceId last = lastEnded(cta);
        if (last.valid())
            stand(Moment::End, last);
        return last.valid();
    }

    void stand(Moment moment, InstanceId instance, std::uint32_t hop = Causes::none)
    {
        m_moment = moment;
        m_instance = instance;
        m_hop = hop;
        m_cta = t.ctaOf(instance);
    }

    bool step()
    {
        switch (m_moment) {
        case Moment::End:
            stepFromEnd();
            return true;
        case Moment::Begin:
            stepFromBegin();
            return true;
        case Moment::Booking:
            stepFromBooking();
            return true;
        case Moment::CtaStart:
            return stepFromStart();
        }
        return false;
    }

    // What lies between `from` and where the walk has come to belongs to the op.
    void add(Cycle from, std::optional<Engine> engine = std::nullopt)
    {
        from = std::max(from, m_first);
        if (from >= m_at)
            return;
        if (!m_segments.empty() && m_segments.back().instance == m_instance && m_segments.back().engine == engine)
            m_segments.back().begin = from;
        else
            m_segments.push_back({ PathSegment::Kind::Op, m_cta, m_instance, from, m_at, engine, false });
        m_at = from;
    }

    void addWithout(PathSegment::Kind kind, Cycle from, CtaId cta)
    {
        from = std::max(from, m_first);
        if (from >= m_at)
            return;
        m_segments.push_back({ kind, cta, InstanceId::none(), from, m_at, std::nullopt, false });
        if (kind == PathSegment::Kind::Memory)
            m_segments.back().engine = Engine::Hbm;
        m_at = from;
    }

    // ---- steps ------------------------------------------------------------------------------------------------------

    void stepFromEnd()
    {
        if (isWaiting(t.op(m_instance))) {
            stepFromRelease();
            return;
        }
        if (t.op(m_instance).kind == OpKind::Commit && t.op(m_instance).barrier.valid())
            if (const InstanceId product = c.productBehind(m_instance); product.valid()) {
                add(t.endCycle(product));
                stand(Moment::End, product);
                return;
            }
        const std::uint32_t hop = c.bindingHop(m_instance);
        if (hop == Causes::none) {
            add(t.beginCycle(m_instance));
            m_moment = Moment::Begin;
            return;
        }
        finishBooking(hop);
    }

    // The op was done when this booking was, but for a latency.
    void finishBooking(std::uint32_t hop)
    {
        add(t.hops()[hop].end());
        add(c.begin(hop), t.hops()[hop].engine());
        m_moment = Moment::Booking;
        m_hop = hop;
    }

    // A wait is on the path only for the latency after its release.
    void stepFromRelease()
    {
        const auto event = c.release(m_instance);
        if (!event || *event < t.beginPosition(m_instance).value - 1) {
            add(t.beginCycle(m_instance));
            m_moment = Moment::Begin;
            return;
        }
        add(t.timeAt(Position { *event + 1 }));
        const Event released = t.eventAt(*event);
        stand(released.ends ? Moment::End : Moment::Begin, released.instance);
    }

    void stepFromBegin()
    {
        if (const InstanceId fetch = c.tileFetch(m_instance); fetch.valid()) {
            stand(Moment::Begin, fetch);
            add(t.beginCycle(fetch));
            return;
        }
        const InstanceId previous = c.before(m_instance);
        if (!previous.valid()) {
            addWithout(PathSegment::Kind::Start, t.span(m_cta).begin, m_cta);
            m_moment = Moment::CtaStart;
            return;
        }
        stand(Moment::End, previous);
        if (t.ended(previous) && t.endCycle(previous) <= m_at && c.heldUntil(previous) == t.endCycle(previous))
            return;
        const std::uint32_t issue = c.holdingHop(previous); // it went on at once; the role was held by the issue
        if (issue == Causes::none) {
            add(t.beginCycle(previous));
            m_moment = Moment::Begin;
        } else {
            finishBooking(issue);
        }
    }

    void stepFromBooking()
    {
        if (!c.queued(m_hop)) {
            m_moment = c.isLanding(m_hop) ? Moment::End : Moment::Begin;
            return;
        }
        goToOwner(m_hop, c.ownerBefore(m_hop));
    }

    // The engine was busy with another op until then.
    void goToOwner(std::uint32_t hop, std::uint32_t owner)
    {
        if (owner == Causes::none) {
            add(c.readyFor(hop), t.hops()[hop].engine());
            m_moment = c.isLanding(hop) ? Moment::End : Moment::Begin;
            return;
        }
        stand(Moment::Booking, c.instanceOf(owner), owner);
        if (c.tookBandwidth(hop)) {
            takeBandwidth(hop);
            return;
        }
        if (c.landedFromPeer(hop)) {
            add(t.endCycle(m_instance), Engine::Smem);
            m_moment = Moment::End;
            return;
        }
        add(c.begin(owner), t.hops()[owner].engine());
    }

    // A vector op pushed the tensor core back by what it took of the register bandwidth: from its own begin on, or from
    // when the tensor core would have been free. In ticks: many of them together come to cycles.
    void takeBandwidth(std::uint32_t product)
    {
        Ticks at = c.begin(product) * ticksPerCycle;
        while (true) {
            const std::uint32_t vector = m_hop;
            const Cycle begin = t.beginCycle(m_instance);
            at -= contention(m_instance);
            const bool atBegin = at <= begin * ticksPerCycle;
            const std::uint32_t owner = atBegin ? Causes::none : c.tensorOwnerBefore(vector);
            add(owner == Causes::none ? begin : at / ticksPerCycle, Engine::Registers);
            if (owner == Causes::none) {
                m_moment = Moment::Begin;
                return;
            }
            stand(Moment::Booking, c.instanceOf(owner), owner);
            if (t.hops()[owner].engine() == Engine::Tensor) {
                add(c.begin(owner), Engine::Tensor);
                return;
            }
        }
    }

    // The CTA took the place of one that had ended; in another launch, all of the one before had.
    bool stepFromStart()
    {
        if (m_scope.valid() && m_cta == m_scope)
            return false;
        const CtaId before = endedBefore(m_cta);
        return before.valid() && enterCta(before);
    }

    // ---- look-ups ---------------------------------------------------------------------------------------------------

    [[nodiscard]] Ticks contention(InstanceId instance) const
    {
        const Work& work = m_run.program->work(t.workOf(instance));
        return costOf(m_run.gpu, *m_run.program, work, t.op(instance), m_swizzled).contention;
    }

    [[nodiscard]] InstanceId lastEnded() const
    {
        for (std::uint32_t k = t.end().value; k-- > 0;)
            if (const Event event = t.eventAt(k); event.ends)
                return event.instance;
        return InstanceId::none();
    }

    // The op with whose end the CTA could end: its own, or what the peer sent it.
    [[nodiscard]] InstanceId lastEnded(CtaId cta) const
    {
        const CtaId peer = m_run.program->peerOf(cta);
        for (std::uint32_t k = t.positionAt(c.endOf(cta)).value; k-- > 0;) {
            const Event event = t.eventAt(k);
            if (!event.ends)
                continue;
            const CtaId whose = t.ctaOf(event.instance);
            const bool pair = m_run.program->launchOf(cta).pairs; // whose CTAs end together
            if (whose == cta || (whose == peer && (pair || t.op(event.instance).reach != Reach::Own)))
                return event.instance;
        }
        return InstanceId::none();
    }

    [[nodiscard]] CtaId endedBefore(CtaId cta) const
    {
        const LaunchDecl& launch = m_run.program->launchOf(cta);
        const CtaSpan& span = t.span(cta);
        CtaId found;
        for (std::size_t k = 0; k < cta.index(); ++k) {
            const CtaSpan& other = t.span(CtaId(k));
            if (other.end != span.begin || t.worksOf(CtaId(k)).empty())
                continue;
            const bool place = k >= launch.firstCta && other.slot == span.slot
                && other.sm / launch.clusterSize == span.sm / launch.clusterSize;
            if (place || k < launch.firstCta)
                found = CtaId(k);
        }
        return span.begin == 0 ? CtaId::none() : found;
    }

    // A run that stands still: from its last event on nothing happens.
    void standStill(Cycle last)
    {
        if (last >= m_at)
            return;
        const auto& deadlock = t.deadlock();
        const auto mine = std::find_if(deadlock.begin(), deadlock.end(),
            [&](const Blocked& blocked) { return !m_scope.valid() || blocked.cta == m_scope; });
        if (mine == deadlock.end())
            return;
        stand(Moment::Begin, t.instance(mine->work, mine->op));
        add(last);
        m_segments.back().stuck = true;
    }

    const Run& m_run;
    const Trace& t;
    const Causes& c;
    bool m_swizzled;
    CtaId m_scope;
    Cycle m_first = 0, m_at = 0;
    std::vector<PathSegment> m_segments; // from the last on
    Moment m_moment = Moment::End;
    InstanceId m_instance;
    std::uint32_t m_hop = Causes::none; // Booking
    CtaId m_cta;
};

} // namespace

std::string opOf(const Trace& trace, const PathSegment& segment)
{
    switch (segment.kind) {
    case PathSegment::Kind::Op:
        return std::string(name(trace.op(segment.instance).kind));
    case PathSegment::Kind::Start:
        return "CTA start";
    case PathSegment::Kind::Whole:
        return "CTA";
    case PathSegment::Kind::Memory:
        return "HBM";
    }
    return {};
}

std::vector<PathPart> partsOf(const Trace& trace, const CriticalPath& path)
{
    std::vector<PathPart> parts;
    for (const PathSegment& segment : path.segments) {
        const std::string op = opOf(trace, segment);
        const auto found = std::find_if(parts.begin(), parts.end(),
            [&](const PathPart& part) { return part.op == op && part.engine == segment.engine; });
        if (found == parts.end())
            parts.push_back({ op, segment.kind, segment.engine, segment.end - segment.begin });
        else
            found->cycles += segment.end - segment.begin;
    }
    std::stable_sort(
        parts.begin(), parts.end(), [](const PathPart& a, const PathPart& b) { return a.cycles > b.cycles; });
    return parts;
}

CriticalPath criticalPath(const Run& run, CtaId cta)
{
    return Walk(run, Causes(*run.trace), cta).take();
}

CriticalPath criticalPath(const Run& run, const Causes& causes, CtaId cta)
{
    return Walk(run, causes, cta).take();
}

} // namespace flashstep
