// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/warp.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {
// A split that spins for another one of its warp must not keep it from running.
constexpr std::uint32_t turnLength = 64;
} // namespace

std::uint32_t Warp::readySplit() const
{
    const auto count = static_cast<std::uint32_t>(splits.size());
    const std::uint32_t first = turn < turnLength ? current : current + 1;
    for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t s = (first + k) % count;
        if (splits[s].state == Split::State::Ready)
            return s;
    }
    return none;
}

void Warp::diverge(std::uint32_t index, std::uint32_t taken, const Instruction& branch)
{
    Split& split = splits[index];
    const std::uint32_t others = split.mask & ~taken;
    // A loop that lanes leave one by one comes here again and again with the same meeting point.
    std::uint32_t join = split.join;
    if (join == none || joins[join].meet != branch.meet) {
        join = static_cast<std::uint32_t>(
            std::find_if(joins.begin(), joins.end(), [](const Join& j) { return j.members == 0; }) - joins.begin());
        const Join made { branch.meet, split.mask, 0, split.join, 0 };
        if (join == joins.size())
            joins.push_back(made);
        else
            joins[join] = made;
    }
    Split other = split;
    split.mask = others;
    split.pc += 1;
    split.join = join;
    other.mask = taken;
    other.pc = branch.target;
    other.join = join;
    splits.push_back(other);
    settle();
}

void Warp::settle()
{
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t s = 0; s < splits.size(); ++s) {
            Split& split = splits[s];
            if (split.join == none || split.pc != joins[split.join].meet || split.state == Split::State::AtBarrier)
                continue;
            Join& join = joins[split.join];
            join.arrived |= split.mask;
            join.last = std::max(join.last, split.ready);
            splits.erase(splits.begin() + static_cast<std::ptrdiff_t>(s));
            if (current > s || current >= splits.size())
                current = current > 0 ? current - 1 : 0;
            changed = true;
            break;
        }
        for (Join& join : joins) {
            const std::uint32_t members = join.members & live;
            if (join.members == 0 || (join.arrived & live) != members)
                continue;
            // Inner joins of the same lanes are closed before outer ones: those still have members on their way.
            if (members != 0) {
                Split together;
                together.pc = join.meet;
                together.mask = members;
                together.join = join.parent;
                together.ready = join.last;
                splits.push_back(together);
            }
            join = {};
            join.members = 0;
            changed = true;
            break;
        }
    }
}

void Warp::leave(std::uint32_t index, std::uint32_t lanes)
{
    live &= ~lanes;
    Split& split = splits[index];
    split.mask &= ~lanes;
    if (split.mask == 0) {
        splits.erase(splits.begin() + index);
        current = 0;
    }
    settle();
}

} // namespace flashstep::ptx
