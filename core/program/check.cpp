// SPDX-License-Identifier: Apache-2.0
#include "core/program/check.h"

#include <algorithm>

namespace flashstep {

namespace {

// Runs a stream without time: each role goes as far as it can, barriers let go when their count is reached, copies land
// as they are issued. A CTA with this one work tile; the other CTA of a cluster does as this one does.
class StreamCheck {
public:
    StreamCheck(const Program& program, const Stream& stream, int clusterSize, std::vector<Offence>& offences)
        : m_program(program)
        , m_stream(stream)
        , m_clusterSize(clusterSize)
        , m_offences(offences)
        , m_next(stream.roles.size())
        , m_turns(program.barriers.size())
        , m_arrived(program.barriers.size())
        , m_missing(program.barriers.size())
        , m_atBarrier(stream.roles.size(), false)
        , m_written(program.buffers.size())
    {
        for (std::size_t k = 0; k < m_written.size(); ++k)
            m_written[k].resize(static_cast<std::size_t>(program.buffers[k].rows));
    }

    void run()
    {
        bool moved = true;
        while (moved) {
            moved = false;
            for (std::size_t role = 0; role < m_stream.roles.size(); ++role)
                while (step(role))
                    moved = true;
        }
        for (std::size_t role = 0; role < m_stream.roles.size(); ++role)
            if (m_next[role] < m_stream.roles[role].count)
                offend("waits for ever at " + labelOf(m_program, opAt(role)), role, opAt(role));
    }

private:
    [[nodiscard]] const Op& opAt(std::size_t role) const
    {
        return m_program.ops[m_stream.roles[role].first + m_next[role]];
    }

    // One op of the role; false when it is done or must wait.
    bool step(std::size_t role)
    {
        if (m_next[role] == m_stream.roles[role].count)
            return false;
        const Op& op = opAt(role);
        if ((op.kind == OpKind::Sync || (op.kind == OpKind::Wait && op.barrier.valid())) && !passes(role, op))
            return false;
        if (op.kind == OpKind::Arrive)
            arrive(op);
        access(role, op);
        if (op.kind == OpKind::Load && op.barrier.valid())
            land(op);
        ++m_next[role];
        return true;
    }

    bool passes(std::size_t role, const Op& op)
    {
        if (op.kind == OpKind::Sync && !m_atBarrier[role]) {
            m_atBarrier[role] = true;
            arrive(op);
        }
        if (!op.dropped && m_turns[op.barrier.index()] <= op.turn)
            return false;
        m_atBarrier[role] = false;
        return true;
    }

    void arrive(const Op& op)
    {
        const std::size_t barrier = op.barrier.index();
        const BarrierDecl& decl = m_program.barriers[barrier];
        if (decl.countsBytes()) {
            m_missing[barrier] += decl.count;
            ++m_arrived[barrier];
        } else {
            m_arrived[barrier] += op.arrivals * (op.reach == Reach::Both ? m_clusterSize : 1);
        }
        complete(barrier);
    }

    void land(const Op& op)
    {
        const std::size_t barrier = op.barrier.index();
        if (m_program.barriers[barrier].countsBytes())
            m_missing[barrier] -= landingBytes(m_program, op) * (op.reach == Reach::Both ? m_clusterSize : 1);
        else
            m_arrived[barrier] += op.arrivals;
        complete(barrier);
    }

    void complete(std::size_t barrier)
    {
        const BarrierDecl& decl = m_program.barriers[barrier];
        if (decl.countsBytes()) {
            if (m_arrived[barrier] > 0 && m_missing[barrier] == 0) {
                --m_arrived[barrier];
                ++m_turns[barrier];
            }
            return;
        }
        for (; m_arrived[barrier] >= decl.count; m_arrived[barrier] -= decl.count)
            ++m_turns[barrier];
    }

    void access(std::size_t role, const Op& op)
    {
        if (op.kind == OpKind::NextTile)
            return;
        const RowSet& rows = m_program.rows(op);
        const auto offset = [&](BufferId id) { return m_program.rowOffset(m_program.buffers[id.index()], op); };
        for (std::size_t k = 0; k < op.in.size(); ++k) {
            if (!op.in[k].valid())
                continue;
            const auto& written = m_written[op.in[k].index()];
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
                    role, op);
        }
        for (const BufferId out : { op.out, op.out2 })
            if (out.valid())
                for (int half = 0; half < (op.reach == Reach::Both && op.kind == OpKind::Load ? m_clusterSize : 1);
                     ++half)
                    rows.forEach([&](int r) {
                        m_written[out.index()][static_cast<std::size_t>(r + offset(out) + half * rows.count())] = true;
                    });
    }

    void offend(std::string what, std::size_t role, const Op& op)
    {
        m_offences.push_back(
            { std::move(what), m_program.roles[m_stream.roles[role].role.index()].name, m_program.sourceOf(op.line) });
    }

    const Program& m_program;
    const Stream& m_stream;
    int m_clusterSize;
    std::vector<Offence>& m_offences;
    std::vector<std::uint32_t> m_next;
    std::vector<std::int64_t> m_turns, m_arrived, m_missing; // by barrier
    std::vector<bool> m_atBarrier;
    std::vector<std::vector<bool>> m_written;
};

} // namespace

std::vector<Offence> checkProgram(const Program& program)
{
    std::vector<Offence> offences;
    std::vector<int> clusterSize(program.streams.size(), 1);
    for (const Work& work : program.works)
        for (int position = 0; position < program.launches[work.launch].ringPositions; ++position)
            clusterSize[work.stream.index() + static_cast<std::size_t>(position)]
                = program.launches[work.launch].clusterSize;
    for (std::size_t s = 0; s < program.streams.size(); ++s)
        StreamCheck(program, program.streams[s], clusterSize[s], offences).run();
    return offences;
}

} // namespace flashstep
