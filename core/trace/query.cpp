// SPDX-License-Identifier: Apache-2.0
#include "core/trace/query.h"

#include "core/trace/op_filter.h"

#include <algorithm>
#include <cmath>

namespace flashstep {

namespace {

Error notUnderstood(std::string_view text,
    std::string hint
    = "an event index, end, 1200cy, 3.4us, first(KIND, key=value…), last(…), nth(N, KIND, …), block(i=I, n=N)")
{
    return Error { "not understood", "position " + std::string(text), std::move(hint) };
}

Result<OpFilter> filterFrom(
    std::string_view text, std::string_view kind, const std::map<std::string_view, std::string_view>& keys)
{
    const auto known = opKindFromName(kind);
    if (!known)
        return notUnderstood(text, "list ops shows the kinds");
    OpFilter filter;
    filter.kind = *known;
    for (const auto& [key, value] : keys) {
        const Result<bool> taken = setFilter(filter, key, value);
        if (!taken)
            return notUnderstood(text, taken.error().hint);
        if (!*taken)
            return notUnderstood(text, "keys " + std::string(filterKeys));
    }
    return filter;
}

// The moments at which matching ops ended, in time order.
std::vector<Moment> momentsOf(const Trace& trace, const OpFilter& filter)
{
    const Program& program = trace.program();
    std::vector<Moment> moments;
    for (std::size_t w = 0; w < program.works.size(); ++w) {
        const WorkId id(w);
        const CtaId cta = trace.ctaOf(id);
        if (!cta.valid() || !trace.hasEvents(id) || (filter.cta && *filter.cta != static_cast<int>(cta.index())))
            continue;
        const Work& work = program.works[w];
        const Stream& stream = trace.streamOf(id);
        for (std::uint32_t k = stream.firstOp; k < stream.firstOp + stream.opCount; ++k) {
            const InstanceId instance = trace.instance(id, OpId(k));
            const Op& op = program.ops[k];
            if (!trace.ended(instance) || !matches(program, work, op, filter))
                continue;
            if (filter.turn && *filter.turn != op.turn + trace.turnsBefore(id, op.barrier))
                continue;
            moments.push_back({ trace.endPosition(instance), cta });
        }
    }
    std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.position < b.position; });
    return moments;
}

Result<Moment> findBlock(const Trace& trace, std::string_view text, const Call& call)
{
    const Problem& problem = trace.program().problem;
    int i = -1;
    int n = -1;
    int b = 0;
    int h = 0;
    for (const auto& [key, value] : call.keys) {
        int* target = key == "i" ? &i : key == "n" ? &n : key == "b" ? &b : key == "h" ? &h : nullptr;
        const auto number = numberFrom<int>(value);
        if (target == nullptr || !number)
            return notUnderstood(text, "block(i=I, n=N, b=B, h=H) with whole numbers");
        *target = *number;
    }
    if (!call.positional.empty() || i < 0 || n < 1)
        return notUnderstood(text, "block(i=I, n=N), i from 0, n from 1");
    const int tiles = trace.program().queryTiles();
    if (i >= tiles || b < 0 || b >= problem.batch || h < 0 || h >= problem.heads)
        return Error { "there is no such query tile", "position " + std::string(text),
            "i below " + std::to_string(tiles) + ", b below " + std::to_string(problem.batch) + ", h below "
                + std::to_string(problem.heads) };
    const WorkId work = trace.workOfTile(b, h, i);
    const auto at = trace.block(b, h, i, n);
    const auto& steps = trace.streamOf(work).steps;
    const auto visits = std::count_if(
        steps.begin(), steps.end(), [&](const StepDecl& s) { return s.i == i - trace.program().work(work).i; });
    if (!at)
        return Error { "never happens", "position " + std::string(text),
            "query tile " + std::to_string(i) + " visits " + std::to_string(visits) + " key blocks" };
    return Moment { *at, trace.ctaOf(work) };
}

Result<Moment> findOp(const Trace& trace, std::string_view text, const Call& call)
{
    std::vector<std::string_view> positional = call.positional;
    std::size_t index = 0;
    if (call.function == "nth") {
        const auto number = positional.empty() ? std::nullopt : numberFrom<std::size_t>(positional.front());
        if (!number || *number == 0)
            return notUnderstood(text, "nth(N, KIND, key=value…) with N from 1");
        index = *number - 1;
        positional.erase(positional.begin());
    }
    if (positional.size() != 1)
        return notUnderstood(text);
    const Result<OpFilter> filter = filterFrom(text, positional.front(), call.keys);
    if (!filter)
        return filter.error();
    const std::vector<Moment> moments = momentsOf(trace, *filter);
    if (call.function == "last" && !moments.empty())
        index = moments.size() - 1;
    if (index >= moments.size())
        return Error { "never happens", "position " + std::string(text),
            std::to_string(moments.size()) + " such events" };
    return moments[index];
}

std::optional<Moment> findTime(const Trace& trace, std::string_view text)
{
    if (text.ends_with("cy")) {
        const auto cycles = numberFrom<double>(withoutBlanks(text.substr(0, text.size() - 2)));
        if (cycles && *cycles >= 0)
            return Moment { trace.positionAt(static_cast<Cycle>(std::floor(std::min(*cycles, 1e15)))), CtaId::none() };
    }
    if (text.ends_with("us")) {
        const auto micros = numberFrom<double>(withoutBlanks(text.substr(0, text.size() - 2)));
        if (micros && *micros >= 0)
            return Moment { trace.positionAt(
                                static_cast<Cycle>(std::floor(std::min(*micros * trace.clockMhz(), 1e15)))),
                CtaId::none() };
    }
    return std::nullopt;
}

} // namespace

Result<Moment> findMoment(const Trace& trace, std::string_view asked)
{
    const std::string_view text = withoutBlanks(asked);
    if (text == "end")
        return Moment { trace.end(), CtaId::none() };
    if (const auto index = numberFrom<std::uint64_t>(text)) {
        if (*index > trace.end().value)
            return Error { "beyond the end", "position " + std::string(text),
                "0 … " + std::to_string(trace.end().value) };
        return Moment { Position { static_cast<std::uint32_t>(*index) }, CtaId::none() };
    }
    if (const auto time = findTime(trace, text))
        return *time;
    if (text.empty())
        return notUnderstood(text);
    const auto call = callFrom(text);
    if (!call)
        return notUnderstood(text);
    if (call->function == "block")
        return findBlock(trace, text, *call);
    if (call->function == "first" || call->function == "last" || call->function == "nth")
        return findOp(trace, text, *call);
    return notUnderstood(text);
}

} // namespace flashstep
