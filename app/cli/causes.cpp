// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/causes.h"

#include "app/cli/status.h"

#include <fmt/format.h>

namespace flashstep::cli {

void addOp(Json& out, const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    const Work& work = program.work(trace.workOf(instance));
    const Op& op = trace.op(instance);
    const int j = program.keyBlock(work, op);
    out["cta"] = trace.ctaOf(instance).index();
    out["role"] = program.roles[op.role.index()].name;
    out["op"] = std::string(name(op.kind));
    out["i"] = program.queryTile(work, op);
    out["j"] = j < 0 ? Json() : Json(j);
}

std::string partText(const PathPart& part)
{
    if (part.engine)
        return fmt::format("{} on {}", part.op, name(*part.engine));
    return part.kind == PathSegment::Kind::Op ? part.op + " latency" : part.op;
}

Result<CtaId> ctaWithEvents(const Trace& trace, const std::string& text, const std::string& option)
{
    Result<CtaId> cta = ctaFrom(trace.program(), text);
    if (!cta)
        return Error { cta.error().what, option, cta.error().hint };
    if (cta->valid() && !trace.hasEvents(*cta))
        return Error { fmt::format("CTA {} has no events in this run", text), option,
            trace.wholeGrid() ? "it was never started" : fmt::format("--record cta:{}", text) };
    return cta;
}

std::size_t ctasWithEvents(const Trace& trace)
{
    std::size_t kept = 0;
    for (std::size_t k = 0; k < trace.program().ctaCount(); ++k)
        kept += trace.hasEvents(CtaId(k)) ? 1 : 0;
    return kept;
}

void noteTwoSteps(const Trace& trace, bool quiet)
{
    if (trace.wholeGrid())
        return;
    note(fmt::format("a grid this large is timed in two steps: {} of {} CTAs are known event by event",
             ctasWithEvents(trace), trace.program().ctaCount()),
        quiet);
}

} // namespace flashstep::cli
