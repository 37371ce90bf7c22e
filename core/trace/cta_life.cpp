// SPDX-License-Identifier: Apache-2.0
#include "core/trace/cta_life.h"

namespace flashstep {

std::optional<std::pair<Cycle, Cycle>> lifeOf(const Trace& trace, CtaId cta)
{
    const CtaSpan& own = trace.span(cta);
    if (own.end > 0)
        return std::pair<Cycle, Cycle>(own.begin, own.end);
    for (const WorkId work : trace.worksOf(cta)) {
        if (!trace.hasEvents(work))
            continue;
        for (const RoleRange& role : trace.streamOf(work).roles)
            if (role.count > 0 && trace.began(trace.instance(work, OpId(role.first))))
                return std::pair<Cycle, Cycle>(own.begin, trace.cycles());
    }
    return std::nullopt;
}

} // namespace flashstep
