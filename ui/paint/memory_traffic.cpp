// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/paint/memory_traffic.h"

#include "core/emulation/memory_system.h"
#include "core/hardware/cost.h"

#include <algorithm>
#include <optional>

namespace flashstep::paint {

MemoryTraffic::MemoryTraffic(const Trace& trace, const GpuSpec& gpu)
    : m_trace(trace)
    , m_known(trace.wholeGrid())
{
    if (!m_known)
        return;
    const Program& program = trace.program();
    struct Sizes {
        double costed = 0, shown = 0;
    };
    std::vector<std::optional<Sizes>> sizes(program.ops.size()); // works that share a stream move alike
    struct Access {
        std::uint32_t begin = 0; // position
        InstanceId instance;
        WorkId work;
        OpId op;
    };
    std::vector<Access> accesses;
    for (std::size_t w = 0; w < program.works.size(); ++w) {
        const WorkId work(w);
        if (!trace.ctaOf(work).valid() || !trace.hasEvents(work))
            continue;
        const Stream& stream = trace.streamOf(work);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k)
            if (program.ops[k].kind == OpKind::Load || program.ops[k].kind == OpKind::Store)
                if (const InstanceId instance = trace.instance(work, OpId(k)); trace.began(instance))
                    accesses.push_back({ trace.beginPosition(instance).value, instance, work, OpId(k) });
    }
    std::sort(accesses.begin(), accesses.end(), [](const Access& a, const Access& b) { return a.begin < b.begin; });
    MemorySystem memory(program, gpu);
    for (const Access& access : accesses) {
        const Op& op = program.op(access.op);
        std::optional<Sizes>& size = sizes[access.op.index()];
        const Work& work = program.work(access.work);
        if (!size) {
            const OpCost cost = costOf(gpu, program, work, op);
            size = { cost.memoryBytes, cost.shownBytes };
        }
        if (size->costed <= 0)
            continue;
        const auto traffic = memory.access(work, op, trace.rankOf(trace.ctaOf(access.work)), size->costed);
        const double scale = size->shown / size->costed;
        if ((traffic.read == 0 && traffic.written == 0) || !trace.ended(access.instance))
            continue;
        m_rows.push_back({ trace.endPosition(access.instance).value, static_cast<double>(traffic.read) * scale,
            static_cast<double>(traffic.written) * scale });
    }
    std::stable_sort(m_rows.begin(), m_rows.end(), [](const Row& a, const Row& b) { return a.position < b.position; });
    for (std::size_t k = 1; k < m_rows.size(); ++k) {
        m_rows[k].read += m_rows[k - 1].read;
        m_rows[k].written += m_rows[k - 1].written;
    }
}

MemoryTraffic::Bytes MemoryTraffic::at(Position p) const
{
    Bytes bytes;
    bytes.served = m_trace.counter(Counter::GlobalRead, p);
    const auto after
        = std::partition_point(m_rows.begin(), m_rows.end(), [&](const Row& row) { return row.position <= p.value; });
    if (after != m_rows.begin()) {
        bytes.fromHbm = (after - 1)->read;
        bytes.toHbm = (after - 1)->written;
    }
    return bytes;
}

} // namespace flashstep::paint
