// SPDX-License-Identifier: Apache-2.0
#include "core/trace/barrier_card.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

namespace flashstep {

std::string_view name(BarrierParty::Kind kind)
{
    constexpr std::array<std::string_view, 6> names { "arrives", "meets", "announces", "lands", "commits", "waits" };
    return names[static_cast<std::size_t>(kind)];
}

namespace {

std::optional<BarrierParty::Kind> partIn(const Program& program, const Op& op, BarrierId barrier)
{
    if (!op.barrier.valid() || barrier.index() < op.barrier.index()
        || barrier.index() >= op.barrier.index() + op.barriers)
        return std::nullopt;
    switch (op.kind) {
    case OpKind::Arrive:
        return program.barriers[barrier.index()].countsBytes() ? BarrierParty::Kind::Announces
                                                               : BarrierParty::Kind::Arrives;
    case OpKind::Sync:
        return BarrierParty::Kind::Meets;
    case OpKind::Commit:
        return BarrierParty::Kind::Commits;
    case OpKind::Wait:
        return BarrierParty::Kind::Waits;
    default:
        return BarrierParty::Kind::Lands;
    }
}

std::int64_t worthOf(const Program& program, const Op& op, BarrierId barrier, BarrierParty::Kind kind)
{
    const BarrierDecl& decl = program.barriers[barrier.index()];
    switch (kind) {
    case BarrierParty::Kind::Announces:
        return decl.count + op.extraBytes;
    case BarrierParty::Kind::Lands:
        return decl.countsBytes() ? landingBytes(program, op) : op.arrivals;
    case BarrierParty::Kind::Waits:
        return 0;
    default:
        return op.arrivals;
    }
}

void addParties(std::vector<BarrierParty>& parties, const Trace& trace, WorkId work, BarrierId barrier, bool ofPeer)
{
    const Program& program = trace.program();
    const Stream& stream = trace.streamOf(work);
    for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
        const Op& op = program.ops[k];
        const auto kind = partIn(program, op, barrier);
        const bool reaches = !kind || *kind == BarrierParty::Kind::Waits || *kind == BarrierParty::Kind::Meets
            ? !ofPeer
            : op.reach == Reach::Both || (op.reach == Reach::Peer) == ofPeer;
        if (!kind || !reaches)
            continue;
        const BarrierParty party { *kind, op.role, ofPeer, worthOf(program, op, barrier, *kind), op.line, 0 };
        const auto same = [&](BarrierParty other) {
            other.times = 0;
            return other == party;
        };
        auto known = std::find_if(parties.begin(), parties.end(), same);
        if (known == parties.end())
            known = parties.insert(parties.end(), party);
        ++known->times;
    }
}

} // namespace

std::vector<BarrierParty> partiesOf(const Trace& trace, CtaId cta, BarrierId barrier, Position p)
{
    std::vector<BarrierParty> parties;
    const WorkId work = trace.workAt(cta, p);
    if (!work.valid())
        return parties;
    addParties(parties, trace, work, barrier, false);
    if (trace.program().launchOf(cta).clusterSize > 1) {
        const CtaId peer = trace.program().peerOf(cta);
        if (const WorkId there = trace.workAt(peer, p); there.valid())
            addParties(parties, trace, there, barrier, true);
    }
    std::stable_sort(parties.begin(), parties.end(), [](const BarrierParty& a, const BarrierParty& b) {
        return std::tuple(a.ofPeer, a.role.index(), a.line) < std::tuple(b.ofPeer, b.role.index(), b.line);
    });
    return parties;
}

} // namespace flashstep
