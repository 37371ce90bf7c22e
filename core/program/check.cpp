// SPDX-License-Identifier: Apache-2.0
#include "core/program/check.h"

#include <algorithm>
#include <utility>

namespace flashstep {

namespace {

// Runs the streams of a cluster without time: each role goes as far as it can, barriers let go when their count is
// reached, copies and products are done as they are issued. Each CTA has this one work tile. Where a stream is that of
// both CTAs, offences of the first alone are reported.
class ClusterCheck {
public:
    ClusterCheck(const Program& program, std::vector<const Stream*> streams, std::vector<Offence>& offences)
        : m_program(program)
        , m_streams(std::move(streams))
        , m_offences(offences)
    {
        const bool alike = m_streams.front() == m_streams.back();
        for (std::size_t c = 0; c < m_streams.size(); ++c) {
            Cta& cta = m_ctas.emplace_back();
            cta.reported = c == 0 || !alike;
            cta.next.assign(m_streams[c]->roles.size(), 0);
            cta.atBarrier.assign(m_streams[c]->roles.size(), false);
            for (auto* counts : { &cta.turns, &cta.arrived, &cta.missing })
                counts->assign(program.barriers.size(), 0);
            for (const BufferDecl& buffer : program.buffers)
                cta.written.emplace_back(static_cast<std::size_t>(buffer.rows));
        }
    }

    void run()
    {
        bool moved = true;
        while (moved) {
            moved = false;
            for (std::size_t cta = 0; cta < m_ctas.size(); ++cta)
                for (std::size_t role = 0; role < m_streams[cta]->roles.size(); ++role)
                    while (step(cta, role))
                        moved = true;
        }
        for (std::size_t cta = 0; cta < m_ctas.size(); ++cta)
            for (std::size_t role = 0; role < m_streams[cta]->roles.size(); ++role)
                if (m_ctas[cta].next[role] < m_streams[cta]->roles[role].count)
                    offend("waits for ever at " + labelOf(m_program, opAt(cta, role)), cta, role, opAt(cta, role));
    }

private:
    struct Cta {
        bool reported = true;
        std::vector<std::uint32_t> next; // by role
        std::vector<bool> atBarrier;
        std::vector<std::int64_t> turns, arrived, missing; // by barrier
        std::vector<std::vector<bool>> written; // by buffer and row
    };

    [[nodiscard]] const Op& opAt(std::size_t cta, std::size_t role) const
    {
        return m_program.ops[m_streams[cta]->roles[role].first + m_ctas[cta].next[role]];
    }
    [[nodiscard]] std::size_t peerOf(std::size_t cta) const { return m_ctas.size() == 1 ? cta : 1 - cta; }
    // The CTAs that what an op does reaches.
    [[nodiscard]] std::vector<std::size_t> reached(std::size_t cta, Reach reach) const
    {
        if (reach == Reach::Own || m_ctas.size() == 1)
            return { cta };
        return reach == Reach::Peer ? std::vector { peerOf(cta) } : std::vector { cta, peerOf(cta) };
    }

    // One op of the role; false when it is done or must wait.
    bool step(std::size_t cta, std::size_t role)
    {
        std::uint32_t& next = m_ctas[cta].next[role];
        if (next == m_streams[cta]->roles[role].count)
            return false;
        const Op& op = opAt(cta, role);
        if ((op.kind == OpKind::Sync || (op.kind == OpKind::Wait && op.barrier.valid())) && !passes(cta, role, op))
            return false;
        if (op.kind == OpKind::Arrive || (op.kind == OpKind::Commit && op.barrier.valid()))
            for (const std::size_t at : reached(cta, op.reach))
                arrive(at, op);
        access(cta, role, op);
        if (op.kind == OpKind::Load && op.barrier.valid())
            for (const std::size_t at : reached(cta, op.reach))
                land(at, op);
        ++next;
        return true;
    }

    bool passes(std::size_t at, std::size_t role, const Op& op)
    {
        Cta& cta = m_ctas[at];
        if (op.kind == OpKind::Sync && !cta.atBarrier[role]) {
            cta.atBarrier[role] = true;
            arrive(at, op);
        }
        for (std::size_t b = op.barrier.index(); b < op.barrier.index() + op.barriers; ++b)
            if (!op.dropped && cta.turns[b] <= op.turn)
                return false;
        cta.atBarrier[role] = false;
        return true;
    }

    void arrive(std::size_t at, const Op& op)
    {
        Cta& cta = m_ctas[at];
        for (std::size_t barrier = op.barrier.index(); barrier < op.barrier.index() + op.barriers; ++barrier) {
            const BarrierDecl& decl = m_program.barriers[barrier];
            if (decl.countsBytes()) {
                cta.missing[barrier] += decl.count + op.extraBytes;
                ++cta.arrived[barrier];
            } else {
                cta.arrived[barrier] += op.arrivals;
            }
            complete(cta, barrier);
        }
    }

    void land(std::size_t at, const Op& op)
    {
        Cta& cta = m_ctas[at];
        const std::size_t barrier = op.barrier.index();
        if (m_program.barriers[barrier].countsBytes())
            cta.missing[barrier] -= landingBytes(m_program, op);
        else
            cta.arrived[barrier] += op.arrivals;
        complete(cta, barrier);
    }

    void complete(Cta& cta, std::size_t barrier) const
    {
        const BarrierDecl& decl = m_program.barriers[barrier];
        if (decl.countsBytes()) {
            if (cta.arrived[barrier] > 0 && cta.missing[barrier] == 0) {
                --cta.arrived[barrier];
                ++cta.turns[barrier];
            }
            return;
        }
        for (; cta.arrived[barrier] >= decl.count; cta.arrived[barrier] -= decl.count)
            ++cta.turns[barrier];
    }

    void access(std::size_t at, std::size_t role, const Op& op)
    {
        if (op.kind == OpKind::NextTile || op.kind == OpKind::Free)
            return;
        const RowSet& rows = m_program.rows(op);
        const auto offset = [&](BufferId id) { return m_program.rowOffset(m_program.buffers[id.index()], op); };
        for (std::size_t k = 0; k < op.in.size(); ++k) {
            if (!op.in[k].valid())
                continue;
            const auto& written = m_ctas[at].written[op.in[k].index()];
            bool ready = true;
            if (op.kind == OpKind::Mma && k == 1 && op.keys.valid()) // only the keys that are this warp's
                m_program.rowSets[op.keys.index()].forEach(
                    [&](int r) { ready = ready && written[static_cast<std::size_t>(r)]; });
            else if ((op.kind == OpKind::Mma && k == 1)
                || (op.kind == OpKind::Reduce && k == 0 && m_program.buffers[op.in[0].index()].perWarp))
                ready = std::find(written.begin(), written.end(), false) == written.end();
            else
                rows.forEach([&](int r) { ready = ready && written[static_cast<std::size_t>(r + offset(op.in[k]))]; });
            if (!ready)
                offend(labelOf(m_program, op) + " reads " + m_program.buffers[op.in[k].index()].name
                        + " before it is written",
                    at, role, op);
        }
        // A multicast of halves: both CTAs have all of it once both have issued theirs.
        const bool multicast = op.reach == Reach::Both && op.kind == OpKind::Load;
        const std::vector<std::size_t> ctas = op.kind == OpKind::Load && op.reach == Reach::Peer
            ? std::vector { at }
            : reached(at, op.kind == OpKind::Commit || op.kind == OpKind::Arrive ? Reach::Own : op.reach);
        const int half = multicast ? static_cast<int>(at) * rows.count() : 0;
        for (const BufferId out : { op.out, op.out2 })
            for (const std::size_t cta : out.valid() ? ctas : std::vector<std::size_t> {})
                rows.forEach([&](int r) {
                    m_ctas[cta].written[out.index()][static_cast<std::size_t>(r + offset(out) + half)] = true;
                });
    }

    void offend(std::string what, std::size_t cta, std::size_t role, const Op& op)
    {
        if (m_ctas[cta].reported)
            m_offences.push_back({ std::move(what), m_program.roles[m_streams[cta]->roles[role].role.index()].name,
                m_program.sourceOf(op.line) });
    }

    const Program& m_program;
    std::vector<const Stream*> m_streams; // by CTA
    std::vector<Offence>& m_offences;
    std::vector<Cta> m_ctas;
};

} // namespace

std::vector<Offence> checkProgram(const Program& program)
{
    std::vector<Offence> offences;
    std::vector<bool> checked(program.streams.size());
    for (const Work& work : program.works) {
        const LaunchDecl& launch = program.launches[work.launch];
        const auto positions = static_cast<std::size_t>(launch.ringPositions);
        if (checked[work.stream.index()])
            continue;
        for (std::size_t at = work.stream.index(); at < work.stream.index() + positions; ++at) {
            // Of a pair the first CTA's work comes first; its peer's streams follow its own.
            const std::size_t peer = launch.pairs ? at + positions : at;
            std::vector<const Stream*> streams { &program.streams[at] };
            if (launch.clusterSize > 1)
                streams.push_back(&program.streams[peer]);
            checked[at] = checked[peer] = true;
            ClusterCheck(program, std::move(streams), offences).run();
        }
    }
    return offences;
}

} // namespace flashstep
