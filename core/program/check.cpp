// SPDX-License-Identifier: Apache-2.0
#include "core/program/check.h"

#include <algorithm>

namespace flashstep {

namespace {

// Runs a stream without time: each role goes as far as it can, barriers let go when their count is reached.
class StreamCheck {
public:
    StreamCheck(const Program& program, const Stream& stream, std::vector<Offence>& offences)
        : m_program(program)
        , m_stream(stream)
        , m_offences(offences)
        , m_next(stream.roles.size())
        , m_turns(program.barriers.size())
        , m_arrived(program.barriers.size())
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
        if (op.kind == OpKind::Sync && !passes(role, op))
            return false;
        access(role, op);
        ++m_next[role];
        return true;
    }

    bool passes(std::size_t role, const Op& op)
    {
        const std::size_t barrier = op.barrier.index();
        if (!m_atBarrier[role]) {
            m_atBarrier[role] = true;
            m_arrived[barrier] += m_program.barriers[barrier].perArrival;
            while (m_arrived[barrier] >= m_program.barriers[barrier].count) {
                m_arrived[barrier] -= m_program.barriers[barrier].count;
                ++m_turns[barrier];
            }
        }
        if (!op.dropped && m_turns[barrier] <= op.turn)
            return false;
        m_atBarrier[role] = false;
        return true;
    }

    void access(std::size_t role, const Op& op)
    {
        const RowSet& rows = m_program.rows(op);
        for (std::size_t k = 0; k < op.in.size(); ++k) {
            if (!op.in[k].valid())
                continue;
            const auto& written = m_written[op.in[k].index()];
            bool ready = true;
            if (op.kind == OpKind::Mma && k == 1)
                ready = std::find(written.begin(), written.end(), false) == written.end();
            else
                rows.forEach([&](int r) { ready = ready && written[static_cast<std::size_t>(r)]; });
            if (!ready)
                offend(labelOf(m_program, op) + " reads " + m_program.buffers[op.in[k].index()].name
                        + " before it is written",
                    role, op);
        }
        for (const BufferId out : { op.out, op.out2 })
            if (out.valid())
                rows.forEach([&](int r) { m_written[out.index()][static_cast<std::size_t>(r)] = true; });
    }

    void offend(std::string what, std::size_t role, const Op& op)
    {
        m_offences.push_back(
            { std::move(what), m_program.roles[m_stream.roles[role].role.index()].name, m_program.sourceOf(op.line) });
    }

    const Program& m_program;
    const Stream& m_stream;
    std::vector<Offence>& m_offences;
    std::vector<std::uint32_t> m_next;
    std::vector<std::uint32_t> m_turns;
    std::vector<int> m_arrived;
    std::vector<bool> m_atBarrier;
    std::vector<std::vector<bool>> m_written;
};

} // namespace

std::vector<Offence> checkProgram(const Program& program)
{
    std::vector<Offence> offences;
    for (const Stream& stream : program.streams)
        StreamCheck(program, stream, offences).run();
    return offences;
}

} // namespace flashstep
