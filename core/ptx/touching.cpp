// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/touching.h"

#include "core/ptx/memory.h"

#include <algorithm>
#include <vector>

namespace flashstep::ptx {

namespace {

using U64 = std::uint64_t;

bool reachesMemory(std::string_view opcode)
{
    constexpr std::string_view those[] = { "ld", "ldu", "st", "ldmatrix", "stmatrix", "atom", "red", "cp" };
    return std::find(std::begin(those), std::end(those), opcode) != std::end(those);
}

// Lanes that go together: all 32 up to 4 bytes, 16 of 8 bytes, 8 of 16 (clock.h).
int together(const Touched& touched)
{
    return touched.bytes <= 4 ? 32 : touched.bytes <= 8 ? 16 : 8;
}

// The different words that some lanes ask for.
std::vector<U64> wordsOf(const Touched& touched, int first, int count)
{
    std::vector<U64> words;
    for (int lane = first; lane < first + count; ++lane) {
        if ((touched.mask >> lane & 1U) == 0)
            continue;
        const U64 address = touched.addresses[static_cast<std::size_t>(lane)];
        for (U64 word = address / 4; word < (address + std::max(1U, touched.bytes) + 3) / 4; ++word)
            words.push_back(word);
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

} // namespace

Touching touchingOf(const Code& code, std::uint32_t pc, const Warp& warp, std::uint32_t mask)
{
    Touching out;
    const Instruction& i = code.instructions[pc];
    const std::string& opcode = code.statement(i).opcode;
    if (!reachesMemory(opcode) || !i.a.valid() || i.space == Space::Param)
        return out;
    const Lanes lanes { const_cast<std::uint32_t*>(warp.cells.data()), code.pool.data(), nullptr, mask, warp.live,
        &code, nullptr }; // only read
    const bool copies = i.unit == Unit::Copy && i.flow == Flow::Next;
    const bool matrix = opcode == "ldmatrix" || opcode == "stmatrix";
    Touched& own = copies ? out.source : out.touched;
    own.space = i.space;
    own.mask = mask;
    own.bytes = i.bytes * (matrix ? 1U : i.vector);
    own.touch = opcode == "st" || opcode == "stmatrix" ? Touch::Write
        : opcode == "atom" || opcode == "red"          ? Touch::Atomic
                                                       : Touch::Read;
    if (matrix) // the lanes of the first 8, 16 or 32 give the rows
        own.mask = mask == 0 ? 0 : i.vector == 4 ? allLanes : (1U << (8U * i.vector)) - 1;
    for (int l = 0; l < warpSize; ++l) {
        const auto at = static_cast<std::size_t>(l);
        const U64 address = (i.wide ? lanes.wides(i.a)[l] : lanes.words(i.a)[l]) + static_cast<U64>(i.offset);
        own.addresses[at] = i.wide ? address : address & 0xffffffffU;
        if (copies) {
            const Row offset = code.rows[i.rowsFirst];
            const U64 to = (i.detail != 0 ? lanes.wides(i.b)[l] : lanes.words(i.b)[l]) + lanes.wides(offset)[l];
            out.touched.addresses[at] = to & 0xffffffffU;
        }
    }
    if (copies) {
        out.touched.space = Space::Shared;
        out.touched.mask = mask;
        out.touched.bytes = i.bytes;
        out.touched.touch = Touch::Write;
    } else if (own.space == Space::Generic && own.mask != 0) {
        const auto first = static_cast<std::size_t>(std::countr_zero(own.mask));
        own.space = spaceOf(own.addresses[first]);
        if (own.space == Space::Shared) {
            for (U64& address : own.addresses)
                address &= 0xffffffffU;
        }
    }
    return out;
}

std::array<int, 32> bankAsks(const Touched& touched)
{
    std::array<int, 32> asks {};
    const int part = together(touched);
    for (int first = 0; first < warpSize; first += part) {
        for (const U64 word : wordsOf(touched, first, part))
            ++asks[word % 32];
    }
    return asks;
}

int fewestWavefronts(const Touched& touched)
{
    int sum = 0;
    const int part = together(touched);
    for (int first = 0; first < warpSize; first += part)
        sum += static_cast<int>((wordsOf(touched, first, part).size() + 31) / 32);
    return sum;
}

} // namespace flashstep::ptx
