// SPDX-License-Identifier: Apache-2.0
#include "core/trace/op_filter.h"

#include <algorithm>
#include <iterator>

namespace flashstep {

std::string_view withoutBlanks(std::string_view text)
{
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

std::optional<Call> callFrom(std::string_view text)
{
    const std::size_t open = text.find('(');
    if (open == std::string_view::npos || text.back() != ')')
        return std::nullopt;
    Call call { withoutBlanks(text.substr(0, open)), {}, {} };
    std::string_view rest = text.substr(open + 1, text.size() - open - 2);
    while (!withoutBlanks(rest).empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view item = withoutBlanks(rest.substr(0, comma));
        const std::size_t equals = item.find('=');
        if (item.empty())
            return std::nullopt;
        if (equals == std::string_view::npos)
            call.positional.push_back(item);
        else if (!call.keys.emplace(withoutBlanks(item.substr(0, equals)), withoutBlanks(item.substr(equals + 1)))
                      .second)
            return std::nullopt; // given twice
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        if (comma != std::string_view::npos && withoutBlanks(rest).empty())
            return std::nullopt; // a comma with nothing behind it
    }
    return call;
}

namespace {

std::string withoutSpaces(std::string_view text)
{
    std::string plain;
    std::copy_if(text.begin(), text.end(), std::back_inserter(plain), [](char c) { return c != ' '; });
    return plain;
}

} // namespace

Result<bool> setFilter(OpFilter& filter, std::string_view key, std::string_view value)
{
    if (key == "role")
        filter.role = withoutSpaces(value);
    else if (key == "buffer")
        filter.buffer = std::string(value);
    else if (key == "barrier")
        filter.barrier = std::string(value);
    else {
        std::optional<int>* target = key == "cta" ? &filter.cta
            : key == "i"                          ? &filter.i
            : key == "j"                          ? &filter.j
            : key == "row"                        ? &filter.row
            : key == "turn"                       ? &filter.turn
                                                  : nullptr;
        if (target == nullptr)
            return false;
        const auto number = numberFrom<int>(value);
        if (!number)
            return Error { "not a number", std::string(key), std::string(key) + " takes a number" };
        *target = number;
    }
    return true;
}

bool matches(const Program& program, const Work& work, const Op& op, const OpFilter& filter)
{
    if (op.kind != filter.kind)
        return false;
    if (filter.i && *filter.i != program.queryTile(work, op))
        return false;
    if (filter.j && *filter.j != program.keyBlock(work, op))
        return false;
    if (filter.row && !program.rows(op).contains(*filter.row - program.firstRow(work, op)))
        return false;
    if (filter.turn && !op.barrier.valid())
        return false;
    if (filter.role && *filter.role != withoutSpaces(program.roles[op.role.index()].name))
        return false;
    if (filter.barrier
        && (!op.barrier.valid()
            || (program.barriers[op.barrier.index()].name != *filter.barrier
                && program.barriers[op.barrier.index()].family != *filter.barrier)))
        return false;
    if (filter.buffer) {
        const auto named = [&](BufferId id) {
            return id.valid()
                && (program.buffers[id.index()].name == *filter.buffer
                    || program.buffers[id.index()].family == *filter.buffer);
        };
        if (!named(op.out) && !named(op.out2) && !named(op.in[0]) && !named(op.in[1]) && !named(op.in[2]))
            return false;
    }
    return true;
}

bool matches(const Trace& trace, InstanceId instance, const OpFilter& filter)
{
    const WorkId id = trace.workOf(instance);
    const Op& op = trace.op(instance);
    if (!matches(trace.program(), trace.program().work(id), op, filter))
        return false;
    if (filter.cta && *filter.cta != static_cast<int>(trace.ctaOf(id).index()))
        return false;
    return !filter.turn || *filter.turn == op.turn + trace.turnsBefore(id, op.barrier);
}

} // namespace flashstep
