// SPDX-License-Identifier: Apache-2.0
#include "core/io/why_text.h"

#include <fmt/format.h>

namespace flashstep {

std::string whoText(const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    return fmt::format(
        "{} of CTA {}", program.roles[trace.op(instance).role.index()].name, trace.ctaOf(instance).index());
}

std::string opText(const Trace& trace, InstanceId instance)
{
    const Program& program = trace.program();
    const Work& work = program.work(trace.workOf(instance));
    const Op& op = trace.op(instance);
    const int i = program.queryTile(work, op);
    const int j = program.keyBlock(work, op);
    return labelOf(program, op) + (j < 0 ? fmt::format(" ({})", i) : fmt::format(" ({}, {})", i, j));
}

std::string releasedText(const Trace& trace, const WaitLink& link)
{
    if (link.stuck)
        return "nobody ever came";
    if (!link.releasedBy)
        return "there was nothing to wait for";
    const ReleasedBy& by = *link.releasedBy;
    const std::string_view how = link.kind == WaitLink::Kind::Engine ? "the engine had been taken by"
        : by.ended                                                   ? "released by the end of"
                                                                     : "released by";
    return fmt::format("at {} cy, {} {}, {}", by.cycle, how, opText(trace, by.instance), whoText(trace, by.instance));
}

std::string linkText(const Trace& trace, const WaitLink& link)
{
    const std::string span = fmt::format("{} - {} cy ({})", link.begin, link.end, link.end - link.begin);
    const std::string who = whoText(trace, link.instance);
    switch (link.kind) {
    case WaitLink::Kind::Barrier:
        return fmt::format("{} waits at {} {}: {}; {}", who, barrierOf(trace, link), span, reasonOf(trace, link),
            releasedText(trace, link));
    case WaitLink::Kind::Group:
        return fmt::format("{} waits {}: {}; {}", who, span, reasonOf(trace, link), releasedText(trace, link));
    case WaitLink::Kind::Engine:
    case WaitLink::Kind::Tile:
        return fmt::format("{}, {}, waits {}: {}; {}", opText(trace, link.instance), who, span, reasonOf(trace, link),
            releasedText(trace, link));
    case WaitLink::Kind::Start:
        return fmt::format("CTA {} starts {}; nothing was waited for before", link.cta.index(), span);
    case WaitLink::Kind::Missing:
        return fmt::format("{} never comes to {}", who, opText(trace, link.instance));
    }
    return {};
}

std::string stuckText(const WaitExplained& why)
{
    const WaitLink& last = why.chain.empty() ? why.wait : why.chain.back();
    if (!last.stuck || last.kind != WaitLink::Kind::Barrier)
        return {};
    bool round = last.instance == why.wait.instance && !why.chain.empty();
    for (std::size_t k = 0; k + 1 < why.chain.size(); ++k)
        round = round || (why.chain[k].kind == WaitLink::Kind::Barrier && why.chain[k].instance == last.instance);
    return round ? "and so on, in a circle" : "everyone who arrives there has, and it is not enough";
}

} // namespace flashstep
