// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/meeting_points.h"

#include <algorithm>

namespace flashstep::ptx {

namespace {

struct Block {
    std::uint32_t first = 0, last = 0; // instructions
    std::vector<std::uint32_t> next, previous;
};

bool endsBlock(const Instruction& i)
{
    return i.flow == Flow::Branch || i.flow == Flow::Exit || i.flow == Flow::Trap;
}

// The blocks in order of their instructions, and a last one that stands for the end of the kernel.
std::vector<Block> blocksOf(const Code& code)
{
    const auto count = static_cast<std::uint32_t>(code.instructions.size());
    std::vector<std::uint8_t> starts(count + 1, 0);
    starts[0] = 1;
    for (std::uint32_t pc = 0; pc < count; ++pc) {
        const Instruction& i = code.instructions[pc];
        if (i.flow == Flow::Branch)
            starts[i.target] = 1;
        if (endsBlock(i))
            starts[pc + 1] = 1;
    }
    std::vector<Block> blocks;
    std::vector<std::uint32_t> blockAt(count + 1);
    for (std::uint32_t pc = 0; pc < count; ++pc) {
        if (starts[pc] != 0)
            blocks.push_back({ pc, pc, {}, {} });
        blocks.back().last = pc;
        blockAt[pc] = static_cast<std::uint32_t>(blocks.size() - 1);
    }
    const auto end = static_cast<std::uint32_t>(blocks.size());
    blockAt[count] = end;
    blocks.push_back({ count, count, {}, {} });
    for (std::uint32_t b = 0; b < end; ++b) {
        const Instruction& i = code.instructions[blocks[b].last];
        const bool leaves = i.flow == Flow::Exit || i.flow == Flow::Trap;
        if (i.flow == Flow::Branch)
            blocks[b].next.push_back(blockAt[i.target]);
        if (leaves)
            blocks[b].next.push_back(end);
        if ((!leaves && i.flow != Flow::Branch) || i.guard != none)
            blocks[b].next.push_back(blockAt[blocks[b].last + 1]);
    }
    for (std::uint32_t b = 0; b < end; ++b) {
        for (const std::uint32_t to : blocks[b].next)
            blocks[to].previous.push_back(b);
    }
    return blocks;
}

// Blocks from which the end can be reached, the end first, each before those that lead to it where there is no loop.
std::vector<std::uint32_t> reversePostorder(const std::vector<Block>& blocks)
{
    std::vector<std::uint32_t> order;
    std::vector<std::uint8_t> seen(blocks.size(), 0);
    struct Visit {
        std::uint32_t block;
        std::size_t edge;
    };
    std::vector<Visit> stack { { static_cast<std::uint32_t>(blocks.size() - 1), 0 } };
    seen.back() = 1;
    while (!stack.empty()) {
        Visit& top = stack.back();
        const auto& edges = blocks[top.block].previous;
        if (top.edge == edges.size()) {
            order.push_back(top.block);
            stack.pop_back();
            continue;
        }
        const std::uint32_t to = edges[top.edge++];
        if (seen[to] == 0) {
            seen[to] = 1;
            stack.push_back({ to, 0 });
        }
    }
    std::reverse(order.begin(), order.end());
    return order;
}

// Immediate post-dominators (Cooper, Harvey and Kennedy: A Simple, Fast Dominance Algorithm, on the reversed graph).
std::vector<std::uint32_t> postDominators(const std::vector<Block>& blocks)
{
    const std::vector<std::uint32_t> order = reversePostorder(blocks);
    std::vector<std::uint32_t> rank(blocks.size(), none), dominator(blocks.size(), none);
    for (std::uint32_t k = 0; k < order.size(); ++k)
        rank[order[k]] = k;
    dominator[order[0]] = order[0];
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = 1; k < order.size(); ++k) {
            std::uint32_t meet = none;
            for (const std::uint32_t to : blocks[order[k]].next) {
                if (rank[to] == none || dominator[to] == none)
                    continue;
                std::uint32_t a = to, b = meet;
                while (b != none && a != b) {
                    while (rank[a] > rank[b])
                        a = dominator[a];
                    while (rank[b] > rank[a])
                        b = dominator[b];
                }
                meet = a;
            }
            if (dominator[order[k]] != meet) {
                dominator[order[k]] = meet;
                changed = true;
            }
        }
    }
    return dominator;
}

} // namespace

void findMeetingPoints(Code& code)
{
    const std::vector<Block> blocks = blocksOf(code);
    const std::vector<std::uint32_t> dominator = postDominators(blocks);
    for (std::size_t b = 0; b + 1 < blocks.size(); ++b) {
        Instruction& i = code.instructions[blocks[b].last];
        if (i.flow == Flow::Branch)
            i.meet = dominator[b] == none ? static_cast<std::uint32_t>(code.instructions.size())
                                          : blocks[dominator[b]].first;
    }
}

} // namespace flashstep::ptx
