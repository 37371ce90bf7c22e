// SPDX-License-Identifier: Apache-2.0
#include "core/program/breaks.h"

#include <algorithm>
#include <charconv>

namespace flashstep {

namespace {

template <typename Range> std::string namesOf(const Range& range)
{
    std::string names;
    for (const auto& item : range)
        names += (names.empty() ? "" : ", ") + item.name;
    return names;
}

Status dropWait(Program& program, const std::string& spec, const std::string& name)
{
    const auto found = std::find_if(
        program.waits.begin(), program.waits.end(), [&](const WaitDecl& wait) { return wait.name == name; });
    if (found == program.waits.end())
        return Error { "no wait of that name", "break " + spec, namesOf(program.waits) };
    const WaitId id(static_cast<std::size_t>(found - program.waits.begin()));
    for (Op& op : program.ops)
        if (op.wait == id)
            op.dropped = true;
    return Nothing {};
}

Status setCount(Program& program, const std::string& spec, const std::string& assignment)
{
    const std::size_t equals = assignment.find('=');
    const std::string name = assignment.substr(0, equals);
    const auto named = [&](const BarrierDecl& barrier) { return barrier.family == name || barrier.name == name; };
    const auto found = std::find_if(program.barriers.begin(), program.barriers.end(), named);
    if (found == program.barriers.end())
        return Error { "no barrier of that name", "break " + spec, namesOf(program.barriers) };
    const std::string text = equals == std::string::npos ? std::string() : assignment.substr(equals + 1);
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > 1'000'000)
        return Error { "no such count", "break " + spec,
            "count:" + name + "=N with N from 1 to 1000000 " + found->unit };
    for (BarrierDecl& barrier : program.barriers) // every slot of a ring
        if (named(barrier))
            barrier.count = count;
    return Nothing {};
}

// The factor is computed, but neither O nor l is multiplied by it.
Status skipRescale(Program& program, const std::string& spec)
{
    bool any = false;
    for (Op& op : program.ops) {
        if (op.kind == OpKind::Reduce && op.in[2].valid()) { // FA1 folds the rescale into the sum
            op.in[2] = BufferId::none();
            any = true;
        }
        if (op.kind != OpKind::Rescale)
            continue;
        op.dropped = true;
        any = true;
    }
    if (!any)
        return Error { program.algorithm + " never rescales", "break " + spec, "fa1, fa2, fa3, fa4" };
    return Nothing {};
}

// O goes to the new reference and l does not; where a reference may stay, P takes the new maximum while O and l keep
// the old one.
Status mixFrames(Program& program, const std::string& spec)
{
    bool any = false;
    for (Op& op : program.ops) {
        if (op.kind == OpKind::RowMax && op.conditional)
            op.framesMixed = any = true;
        const auto isSum = [&](BufferId id) { return id.valid() && program.buffers[id.index()].family == "l"; };
        if (op.kind != OpKind::Rescale)
            continue;
        any = true;
        if (isSum(op.out))
            op.dropped = true;
        if (isSum(op.out2)) { // O and l by one op: O alone
            op.out2 = BufferId::none();
            op.in[1] = BufferId::none();
        }
    }
    if (!any)
        return Error { program.algorithm + " keeps no frames", "break " + spec, "fa2, fa3, fa4" };
    return Nothing {};
}

} // namespace

Status breakProgram(Program& program, const std::string& spec)
{
    if (spec.starts_with("wait:"))
        return dropWait(program, spec, spec.substr(5));
    if (spec.starts_with("count:"))
        return setCount(program, spec, spec.substr(6));
    if (spec == "rescale:skip")
        return skipRescale(program, spec);
    if (spec == "rescale:mix-frames")
        return mixFrames(program, spec);
    return Error { "not understood", "break " + spec, "wait:NAME, count:BARRIER=N, rescale:skip, rescale:mix-frames" };
}

} // namespace flashstep
