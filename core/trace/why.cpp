// SPDX-License-Identifier: Apache-2.0
#include "core/trace/why.h"

#include <algorithm>
#include <array>

namespace flashstep {

std::string_view name(WaitLink::Kind kind)
{
    constexpr std::array<std::string_view, 6> names { "barrier", "group", "engine", "tile", "start", "missing" };
    return names[static_cast<std::size_t>(kind)];
}

std::string barrierOf(const Trace& trace, const WaitLink& link)
{
    const BarrierId barrier = trace.op(link.instance).barrier;
    const bool named = link.kind == WaitLink::Kind::Barrier || link.kind == WaitLink::Kind::Missing;
    return named && barrier.valid() ? trace.program().barriers[barrier.index()].name : std::string();
}

std::string reasonOf(const Trace& trace, const WaitLink& link)
{
    const Op& op = trace.op(link.instance);
    switch (link.kind) {
    case WaitLink::Kind::Barrier:
    case WaitLink::Kind::Group:
        if (op.dropped)
            return "broken on purpose: it does not wait";
        return op.wait.valid() ? trace.program().waits[op.wait.index()].reason : std::string(name(op.kind));
    case WaitLink::Kind::Engine:
        return std::string(name(link.engine)) + " busy";
    case WaitLink::Kind::Tile:
        return "the next work tile is not known yet";
    case WaitLink::Kind::Start:
        return "the CTA starts";
    case WaitLink::Kind::Missing:
        return "never reached: " + labelOf(trace.program(), op);
    }
    return {};
}

namespace {

// Walks back from a moment of an op to the last time its role, or its engine, had to wait.
class Explainer {
public:
    explicit Explainer(const Causes& causes)
        : c(causes)
        , t(causes.trace())
    {
    }

    [[nodiscard]] WaitLink waitLink(InstanceId wait) const
    {
        const Op& op = t.op(wait);
        WaitLink link;
        link.kind = op.barrier.valid() ? WaitLink::Kind::Barrier : WaitLink::Kind::Group;
        link.cta = t.ctaOf(wait);
        link.instance = wait;
        link.begin = t.beginCycle(wait);
        link.stuck = !t.ended(wait);
        link.end = link.stuck ? c.endOf(link.cta) : t.endCycle(wait);
        if (const auto event = c.release(wait); event && !link.stuck)
            link.releasedBy = at(*event);
        return link;
    }

    [[nodiscard]] WaitLink engineLink(std::uint32_t hop) const
    {
        WaitLink link;
        link.kind = WaitLink::Kind::Engine;
        link.instance = c.instanceOf(hop);
        link.cta = t.ctaOf(link.instance);
        link.engine = t.hops()[hop].engine();
        link.begin = c.readyFor(hop);
        link.end = c.begin(hop);
        if (const std::uint32_t owner = c.ownerBefore(hop); owner != Causes::none)
            link.releasedBy = ReleasedBy { c.instanceOf(owner), true, link.end };
        return link;
    }

    // Everything behind a link, back to a CTA's start.
    void follow(WaitLink link, std::uint32_t hop, std::vector<WaitLink>& chain) const
    {
        while (link.releasedBy) {
            std::uint32_t next = Causes::none;
            if (link.kind == WaitLink::Kind::Engine)
                link = behindOwner(hop, next);
            else if (link.releasedBy->ended)
                link = behindEnd(link.releasedBy->instance, next);
            else
                link = behindBegin(link.releasedBy->instance, next);
            hop = next;
            chain.push_back(link);
        }
    }

    // A deadlock: who would have to arrive, and where that one stands, until it has gone round.
    void followStuck(const WaitLink& wait, std::vector<WaitLink>& chain) const
    {
        std::vector<InstanceId> seen { wait.instance };
        for (WaitLink link = wait; link.stuck && link.kind == WaitLink::Kind::Barrier;) {
            const WaitLink missing = firstMissing(link);
            if (!missing.instance.valid())
                return;
            chain.push_back(missing);
            const InstanceId stands = standsAt(missing.instance);
            if (!stands.valid() || !isWaiting(t.op(stands)) || t.ended(stands))
                return;
            link = waitLink(stands);
            chain.push_back(link);
            if (std::find(seen.begin(), seen.end(), stands) != seen.end())
                return;
            seen.push_back(stands);
        }
    }

private:
    [[nodiscard]] ReleasedBy at(std::uint32_t event) const
    {
        const Event e = t.eventAt(event);
        return { e.instance, e.ends, t.timeAt(Position { event + 1 }) };
    }

    [[nodiscard]] WaitLink behindEnd(InstanceId instance, std::uint32_t& hop) const
    {
        const bool waits = isWaiting(t.op(instance));
        if (waits && t.endCycle(instance) > t.beginCycle(instance))
            return waitLink(instance);
        if (t.op(instance).kind == OpKind::Commit && t.op(instance).barrier.valid())
            if (const InstanceId product = c.productBehind(instance); product.valid())
                instance = product;
        hop = c.bindingHop(instance);
        if (!waits && c.queued(hop))
            return engineLink(hop);
        return behindBegin(instance, hop);
    }

    // What kept the engine's owner before a booking from being done with it earlier.
    [[nodiscard]] WaitLink behindOwner(std::uint32_t booking, std::uint32_t& hop) const
    {
        const std::uint32_t owner = c.ownerBefore(booking);
        const InstanceId instance = c.instanceOf(owner);
        if (c.tookBandwidth(booking))
            return behindBegin(instance, hop);
        if (c.landedFromPeer(booking))
            return behindEnd(instance, hop);
        hop = owner;
        if (c.queued(owner))
            return engineLink(owner);
        return c.isLanding(owner) ? behindEnd(instance, hop) : behindBegin(instance, hop);
    }

    [[nodiscard]] WaitLink behindBegin(InstanceId instance, std::uint32_t& hop) const
    {
        while (true) {
            if (const InstanceId fetch = c.tileFetch(instance); fetch.valid())
                return tileLink(instance, fetch);
            const InstanceId previous = c.before(instance);
            if (!previous.valid())
                return startLink(instance);
            instance = previous;
            hop = c.holdingHop(instance);
            if (isWaiting(t.op(instance))) {
                if (t.endCycle(instance) > t.beginCycle(instance))
                    return waitLink(instance);
            } else if (c.queued(hop)) {
                return engineLink(hop);
            }
        }
    }

    [[nodiscard]] WaitLink tileLink(InstanceId instance, InstanceId fetch) const
    {
        const InstanceId previous = c.before(instance);
        WaitLink link;
        link.kind = WaitLink::Kind::Tile;
        link.cta = t.ctaOf(instance);
        link.instance = instance;
        link.begin = previous.valid() ? c.heldUntil(previous) : Cycle { t.span(link.cta).begin };
        link.end = t.beginCycle(instance);
        link.begin = std::min(link.begin, link.end);
        link.releasedBy = ReleasedBy { fetch, false, t.beginCycle(fetch) };
        return link;
    }

    [[nodiscard]] WaitLink startLink(InstanceId instance) const
    {
        WaitLink link;
        link.kind = WaitLink::Kind::Start;
        link.cta = t.ctaOf(instance);
        link.instance = instance;
        link.begin = t.span(link.cta).begin;
        link.end = t.beginCycle(instance);
        return link;
    }

    // The first op, role by role, that would arrive at the barrier of a stuck wait and was never reached.
    [[nodiscard]] WaitLink firstMissing(const WaitLink& wait) const
    {
        const BarrierId barrier = t.op(wait.instance).barrier;
        const CtaId peer = t.program().peerOf(wait.cta);
        WaitLink link;
        link.kind = WaitLink::Kind::Missing;
        link.stuck = true;
        for (const CtaId cta : { wait.cta, peer })
            if (!link.instance.valid())
                findMissing(cta, wait.cta, barrier, link);
        return link;
    }

    void findMissing(CtaId cta, CtaId at, BarrierId barrier, WaitLink& link) const
    {
        for (const WorkId work : t.worksOf(cta)) {
            const Stream& stream = t.streamOf(work);
            for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount && !link.instance.valid(); ++k) {
                const Op& op = t.program().ops[k];
                const bool arrives = op.barrier.valid() && barrier.index() >= op.barrier.index()
                    && barrier.index() < op.barrier.index() + op.barriers && op.kind != OpKind::Wait
                    && op.when == When::Always && (cta == at ? op.reach != Reach::Peer : op.reach != Reach::Own);
                const InstanceId instance = t.instance(work, OpId(k));
                if (!arrives || t.began(instance) || standsThere(instance, barrier))
                    continue;
                link.cta = cta;
                link.instance = instance;
                link.begin = link.end = c.endOf(cta);
            }
        }
    }

    // The op that the role of this one has come to.
    [[nodiscard]] InstanceId standsAt(InstanceId instance) const
    {
        const auto& roles = t.streamOf(t.workOf(instance)).roles;
        for (std::size_t k = 0; k < roles.size(); ++k)
            if (roles[k].role == t.op(instance).role)
                return t.currentOp(t.ctaOf(instance), k, t.end());
        return InstanceId::none();
    }

    // Whether that is at the barrier itself: it has arrived, if that was its part, or waits for the same.
    [[nodiscard]] bool standsThere(InstanceId instance, BarrierId barrier) const
    {
        const InstanceId stands = standsAt(instance);
        return stands.valid() && !t.ended(stands) && t.op(stands).barrier == barrier;
    }

    const Causes& c;
    const Trace& t;
};

// Whether the op that a role has begun last waits at p: at a wait, or for its engine.
bool waitsNow(const Causes& causes, InstanceId instance, Position p)
{
    const Trace& trace = causes.trace();
    if (!instance.valid() || trace.endedAt(instance, p))
        return false;
    if (isWaiting(trace.op(instance)))
        return !trace.ended(instance) || trace.endCycle(instance) > trace.beginCycle(instance);
    const std::uint32_t hop = causes.holdingHop(instance);
    return causes.queued(hop) && trace.timeAt(p) < causes.begin(hop);
}

} // namespace

WaitExplained explainWait(const Causes& causes, InstanceId instance)
{
    const Explainer explainer(causes);
    const Op& op = causes.trace().op(instance);
    const bool wait = op.kind == OpKind::Wait || op.kind == OpKind::Sync;
    const std::uint32_t hop = wait ? Causes::none : causes.holdingHop(instance);
    WaitExplained explained { wait ? explainer.waitLink(instance) : explainer.engineLink(hop), {} };
    if (explained.wait.stuck)
        explainer.followStuck(explained.wait, explained.chain);
    else
        explainer.follow(explained.wait, hop, explained.chain);
    return explained;
}

std::vector<WaitExplained> waitsAt(const Causes& causes, CtaId cta, Position p)
{
    const Trace& trace = causes.trace();
    std::vector<InstanceId> waiting;
    for (std::size_t k = 0; k < trace.program().ctaCount(); ++k) {
        if ((cta.valid() && cta.index() != k) || !trace.hasEvents(CtaId(k)))
            continue;
        const auto& roles = trace.streamOf(trace.worksOf(CtaId(k)).front()).roles;
        for (std::size_t role = 0; role < roles.size(); ++role)
            if (const InstanceId current = trace.currentOp(CtaId(k), role, p); waitsNow(causes, current, p))
                waiting.push_back(current);
    }
    std::vector<WaitExplained> explained;
    explained.reserve(waiting.size());
    for (const InstanceId instance : waiting)
        explained.push_back(explainWait(causes, instance));
    std::stable_sort(explained.begin(), explained.end(), [](const WaitExplained& a, const WaitExplained& b) {
        return a.wait.end - a.wait.begin > b.wait.end - b.wait.begin;
    });
    return explained;
}

InstanceId nthWait(const Trace& trace, std::size_t n, CtaId cta)
{
    for (std::uint32_t k = 0; k < trace.end().value; ++k) {
        const Event event = trace.eventAt(k);
        if (event.ends || (cta.valid() && trace.ctaOf(event.instance) != cta))
            continue;
        const OpKind kind = trace.op(event.instance).kind;
        if ((kind == OpKind::Wait || kind == OpKind::Sync) && n-- == 0)
            return event.instance;
    }
    return InstanceId::none();
}

} // namespace flashstep
