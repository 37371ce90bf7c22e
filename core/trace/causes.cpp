// SPDX-License-Identifier: Apache-2.0
#include "core/trace/causes.h"

#include <algorithm>
#include <limits>

namespace flashstep {

namespace {

constexpr std::size_t quarters = 4;

bool perQuarter(Engine engine)
{
    return engine == Engine::Tensor || engine == Engine::Exp || engine == Engine::Alu || engine == Engine::Issue;
}

// Ops whose operands come from the registers beside the tensor core's.
bool isVector(OpKind kind)
{
    switch (kind) {
    case OpKind::Mask:
    case OpKind::RowMax:
    case OpKind::Rescale:
    case OpKind::Exp2:
    case OpKind::RowSum:
    case OpKind::Convert:
    case OpKind::Normalise:
    case OpKind::Reduce:
        return true;
    default:
        return false;
    }
}

const RoleRange* rangeOf(const Stream& stream, RoleId role)
{
    const auto found = std::find_if(
        stream.roles.begin(), stream.roles.end(), [&](const RoleRange& range) { return range.role == role; });
    return found == stream.roles.end() ? nullptr : &*found;
}

bool inGroups(const Op& op, GroupKind group)
{
    if (!op.async || op.barrier.valid())
        return false;
    switch (group) {
    case GroupKind::Mma:
        return op.kind == OpKind::Mma;
    case GroupKind::Stores:
        return op.kind == OpKind::Store;
    case GroupKind::Copies:
        return op.kind == OpKind::Load;
    }
    return false;
}

} // namespace

// Who booked each engine last, as the bookings are gone through in their order.
struct Causes::Owners {
    explicit Owners(const Trace& of)
        : trace(of)
        , last(static_cast<std::size_t>(of.smCount()) * engineCount * quarters, none)
        , vectors(static_cast<std::size_t>(of.smCount()) * quarters, none)
    {
    }

    static std::pair<std::size_t, std::size_t> quartersOf(Engine engine, int quarter)
    {
        if (!perQuarter(engine))
            return { 0, 1 };
        return quarter < 0 ? std::pair<std::size_t, std::size_t> { 0, quarters }
                           : std::pair { static_cast<std::size_t>(quarter), static_cast<std::size_t>(quarter) + 1 };
    }
    std::uint32_t& at(int sm, Engine engine, std::size_t quarter)
    {
        const std::size_t of = engine == Engine::Hbm ? 0 : static_cast<std::size_t>(sm);
        return last[(of * engineCount + static_cast<std::size_t>(engine)) * quarters + quarter];
    }
    std::uint32_t& vectorAt(int sm, std::size_t quarter)
    {
        return vectors[static_cast<std::size_t>(sm) * quarters + quarter];
    }

    // The one of the quarters that was busy longest.
    [[nodiscard]] std::uint32_t owner(int sm, Engine engine, int quarter)
    {
        std::uint32_t found = none;
        const auto [first, end] = quartersOf(engine, quarter);
        for (std::size_t q = first; q < end; ++q) {
            const std::uint32_t hop = at(sm, engine, q);
            if (hop != none && (found == none || trace.hops()[hop].end() >= trace.hops()[found].end()))
                found = hop;
        }
        return found;
    }
    // Of two bookings the one that ends later.
    [[nodiscard]] std::uint32_t later(std::uint32_t a, std::uint32_t b) const
    {
        if (a == none || b == none)
            return a == none ? b : a;
        return trace.hops()[b].end() > trace.hops()[a].end() ? b : a;
    }
    // The newest vector op on any of the quarters.
    [[nodiscard]] std::uint32_t vectorOwner(int sm, int quarter)
    {
        std::uint32_t found = none;
        const auto [first, end] = quartersOf(Engine::Tensor, quarter);
        for (std::size_t q = first; q < end; ++q)
            if (const std::uint32_t hop = vectorAt(sm, q); hop != none && (found == none || hop > found))
                found = hop;
        return found;
    }
    // Vector work pushes the tensor core back without a booking there: what no product explains is its doing.
    [[nodiscard]] std::uint32_t tensorOwner(int sm, int quarter, Cycle busyUntil)
    {
        const std::uint32_t product = owner(sm, Engine::Tensor, quarter);
        if (product != none && trace.hops()[product].end() >= busyUntil)
            return product;
        const std::uint32_t vector = vectorOwner(sm, quarter);
        return vector == none || (product != none && product > vector) ? product : vector;
    }
    void take(int sm, Engine engine, int quarter, std::uint32_t hop)
    {
        const auto [first, end] = quartersOf(engine, quarter);
        for (std::size_t q = first; q < end; ++q)
            at(sm, engine, q) = hop;
    }
    void takeVector(int sm, int quarter, std::uint32_t hop)
    {
        const auto [first, end] = quartersOf(Engine::Tensor, quarter);
        for (std::size_t q = first; q < end; ++q)
            vectorAt(sm, q) = hop;
    }

    const Trace& trace;
    std::vector<std::uint32_t> last; // by SM, engine and quarter: its newest hop
    std::vector<std::uint32_t> vectors; // by SM and quarter: the issue of its newest vector op
};

Causes::Causes(const Trace& trace, Engines engines)
    : m_trace(trace)
{
    if (engines == Engines::Indexed)
        index();
}

void Causes::index()
{
    const auto hops = m_trace.hops();
    m_firstHop.assign(m_trace.instanceCount(), none);
    m_ownerBefore.assign(hops.size(), none);
    m_tensorOwnerBefore.assign(hops.size(), none);
    Owners owners(m_trace);
    for (std::uint32_t k = 0; k < hops.size(); ++k) {
        const InstanceId instance = instanceOf(k);
        const Op& op = m_trace.op(instance);
        const CtaId cta = m_trace.ctaOf(instance);
        const int sm = m_trace.span(cta).sm;
        const int quarter = m_trace.program().quarterOf(op);
        const Engine engine = hops[k].engine();
        const bool pair = op.kind == OpKind::Mma && op.reach == Reach::Both; // keeps both SMs busy
        const int peerSm = m_trace.span(m_trace.program().peerOf(cta)).sm;
        if (m_firstHop[instance.index()] == none && !isLanding(k))
            m_firstHop[instance.index()] = k;
        // Vector work takes no bandwidth from accumulators in tensor memory.
        const bool registers
            = op.kind == OpKind::Mma && m_trace.program().buffers[op.out.index()].space == Space::Registers;
        m_ownerBefore[k] = engine == Engine::Tensor && registers ? owners.tensorOwner(sm, quarter, hops[k].begin)
                                                                 : owners.owner(sm, engine, quarter);
        if (pair)
            m_ownerBefore[k] = owners.later(m_ownerBefore[k], owners.owner(peerSm, engine, quarter));
        owners.take(sm, engine, quarter, k);
        if (pair)
            owners.take(peerSm, engine, quarter, k);
        if (isLanding(k) && op.reach == Reach::Both) // what lands in both CTAs passes both ports
            owners.take(peerSm, engine, quarter, k);
        if (engine == Engine::Issue && isVector(op.kind)) {
            m_tensorOwnerBefore[k] = owners.tensorOwner(sm, quarter, std::numeric_limits<Cycle>::max());
            owners.takeVector(sm, quarter, k);
        }
    }
}

// ---- roles ----------------------------------------------------------------------------------------------------------

InstanceId Causes::before(InstanceId instance) const
{
    const WorkId work = m_trace.workOf(instance);
    const CtaId cta = m_trace.ctaOf(work);
    const RoleId role = m_trace.op(instance).role;
    const auto works = m_trace.worksOf(cta);
    auto at = static_cast<std::size_t>(std::find(works.begin(), works.end(), work) - works.begin());
    std::size_t end = m_trace.opOf(instance).index();
    while (true) {
        const RoleRange* range = rangeOf(m_trace.streamOf(works[at]), role);
        while (range != nullptr && end > range->first) {
            const InstanceId found = m_trace.instance(works[at], OpId(--end));
            if (m_trace.began(found))
                return found;
        }
        if (at == 0)
            return InstanceId::none();
        const RoleRange* earlier = rangeOf(m_trace.streamOf(works[--at]), role);
        end = earlier == nullptr ? 0 : earlier->first + earlier->count;
    }
}

InstanceId Causes::tileFetch(InstanceId instance) const
{
    const WorkId work = m_trace.workOf(instance);
    const auto works = m_trace.worksOf(m_trace.ctaOf(work));
    if (work == works.front())
        return InstanceId::none();
    const InstanceId previous = before(instance);
    if (previous.valid() && m_trace.workOf(previous) == work)
        return InstanceId::none();
    // Each work but the first was given by the fetch of the one before it.
    const WorkId giver = *(std::find(works.begin(), works.end(), work) - 1);
    const Stream& stream = m_trace.streamOf(giver);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = m_trace.program().ops[k];
        const InstanceId fetch = m_trace.instance(giver, OpId(k));
        if (op.kind != OpKind::NextTile || op.in[0].valid() || !m_trace.began(fetch))
            continue;
        const bool waited = m_trace.beginCycle(fetch) + 1 == m_trace.beginCycle(instance) && fetch != previous
            && (!previous.valid() || m_trace.beginPosition(previous) < m_trace.beginPosition(fetch));
        return waited ? fetch : InstanceId::none();
    }
    return InstanceId::none();
}

Cycle Causes::heldUntil(InstanceId instance) const
{
    const Op& op = m_trace.op(instance);
    const Cycle begin = m_trace.beginCycle(instance);
    if (!m_trace.ended(instance))
        return isWaiting(op) ? endOf(m_trace.ctaOf(instance)) : begin;
    const bool remote = op.kind == OpKind::Arrive && op.reach != Reach::Own;
    const bool fetch = op.kind == OpKind::NextTile && !op.in[0].valid();
    if (!op.async && !remote && !fetch)
        return m_trace.endCycle(instance);
    // Issued when the role's next op begins; the last of a work shows it by its booking alone.
    const WorkId work = m_trace.workOf(instance);
    const RoleRange* range = rangeOf(m_trace.streamOf(work), op.role);
    for (std::size_t k = m_trace.opOf(instance).index() + 1; k < range->first + range->count; ++k)
        if (const InstanceId next = m_trace.instance(work, OpId(k)); m_trace.began(next))
            return m_trace.beginCycle(next);
    const std::uint32_t hop = holdingHop(instance);
    return std::max(begin + 1, hop == none ? 0 : m_trace.hops()[hop].end());
}

Cycle Causes::endOf(CtaId cta) const
{
    return m_trace.span(cta).end == 0 ? m_trace.cycles() : m_trace.span(cta).end;
}

// ---- waits ----------------------------------------------------------------------------------------------------------

std::optional<std::uint32_t> Causes::release(InstanceId wait) const
{
    const Op& op = m_trace.op(wait);
    if (!isWaiting(op))
        return std::nullopt;
    return op.barrier.valid() ? turnCompleted(wait) : groupsDone(wait);
}

std::optional<std::uint32_t> Causes::turnCompleted(InstanceId wait) const
{
    const Op& op = m_trace.op(wait);
    const WorkId work = m_trace.workOf(wait);
    std::optional<std::uint32_t> last; // where each warp waits at a barrier of its own
    for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b) {
        const std::int64_t turn = m_trace.turnsBefore(work, BarrierId(b)) + op.turn;
        const auto arrivals = m_trace.arrivals(m_trace.ctaOf(work), BarrierId(b));
        const auto found
            = std::partition_point(arrivals.begin(), arrivals.end(), [&](const Arrival& a) { return a.turns <= turn; });
        if (turn < 0 || found == arrivals.end())
            return std::nullopt;
        last = std::max(last.value_or(found->event), found->event);
    }
    return last;
}

InstanceId Causes::productBehind(InstanceId commit) const
{
    for (InstanceId at = before(commit); at.valid(); at = before(at))
        if (m_trace.op(at).kind == OpKind::Mma)
            return m_trace.ended(at) && m_trace.endPosition(at) >= m_trace.beginPosition(commit) ? at
                                                                                                 : InstanceId::none();
    return InstanceId::none();
}

// Backwards through the role's ops; groups are counted from the newest. What an earlier wait has seen done, it has.
std::optional<std::uint32_t> Causes::groupsDone(InstanceId wait) const
{
    const Op& op = m_trace.op(wait);
    const bool products = op.group == GroupKind::Mma;
    std::size_t group = 0; // that ops met now belong to; 0: not committed
    std::size_t oldest = none; // the last group that may matter
    std::optional<std::uint32_t> last;
    for (InstanceId at = before(wait); at.valid() && group <= oldest; at = before(at)) {
        const Op& earlier = m_trace.op(at);
        if (earlier.kind == OpKind::Commit && earlier.group == op.group && !products)
            ++group;
        if (isWaiting(earlier) && !earlier.barrier.valid() && earlier.group == op.group)
            oldest = std::min(oldest, group + earlier.pending);
        if (!inGroups(earlier, op.group))
            continue;
        if (products && ++group > oldest)
            break;
        if (group <= op.pending || group > oldest || group == 0)
            continue;
        if (!m_trace.ended(at))
            return std::nullopt;
        const std::uint32_t event = m_trace.endPosition(at).value - 1;
        last = std::max(last.value_or(event), event);
    }
    return last;
}

// ---- engines --------------------------------------------------------------------------------------------------------

bool Causes::isLanding(std::uint32_t hop) const
{
    return m_trace.hops()[hop].engine() == Engine::Smem && m_trace.op(instanceOf(hop)).kind == OpKind::Load;
}

Causes::Bookings Causes::bookingsOf(InstanceId instance) const
{
    const std::uint32_t first = m_firstHop[instance.index()];
    if (first == none)
        return {};
    std::uint32_t count = 1;
    while (first + count < m_trace.hops().size() && instanceOf(first + count) == instance && !isLanding(first + count))
        ++count;
    return { first, count };
}

std::uint32_t Causes::bindingHop(InstanceId instance) const
{
    std::uint32_t binding = none;
    const Bookings own = bookingsOf(instance);
    for (std::uint32_t k = own.first; k < own.first + own.count; ++k)
        if (binding == none || m_trace.hops()[k].end() > m_trace.hops()[binding].end())
            binding = k;
    return binding;
}

std::uint32_t Causes::holdingHop(InstanceId instance) const
{
    if (!m_trace.op(instance).async)
        return bindingHop(instance);
    const Bookings own = bookingsOf(instance);
    for (std::uint32_t k = own.first; k < own.first + own.count; ++k)
        if (m_trace.hops()[k].engine() == Engine::Issue)
            return k;
    return none;
}

bool Causes::landedFromPeer(std::uint32_t hop) const
{
    const std::uint32_t owner = m_ownerBefore[hop];
    return owner != none && isLanding(owner)
        && m_trace.span(m_trace.ctaOf(instanceOf(owner))).sm != m_trace.span(m_trace.ctaOf(instanceOf(hop))).sm;
}

Cycle Causes::readyFor(std::uint32_t hop) const
{
    const InstanceId instance = instanceOf(hop);
    return isLanding(hop) ? m_trace.endCycle(instance) : m_trace.beginCycle(instance);
}

} // namespace flashstep
