// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

#include <bit>
#include <cstring>

namespace flashstep::ptx {

// Registers are bytes that instructions read as what they please.
using Word = std::uint32_t __attribute__((may_alias));
using Wide = std::uint64_t __attribute__((may_alias));
constexpr int warpSize = 32;
constexpr std::uint32_t allLanes = 0xffffffffU;

class Access; // memory as a warp sees it (access.h)

// What an instruction works on: the rows of one warp, and which lanes are active in it.
struct Lanes {
    std::uint32_t* cells = nullptr;
    const std::uint32_t* pool = nullptr;
    std::uint32_t* predicates = nullptr; // a bit per lane
    std::uint32_t mask = 0; // active and not guarded off
    std::uint32_t live = 0; // of the warp: not exited
    const Code* code = nullptr;
    Access* access = nullptr;

    [[nodiscard]] const Word* words(Row row) const
    {
        return row.pooled() ? pool + std::size_t { row.offset() } * warpSize
                            : cells + std::size_t { row.index } * warpSize;
    }
    [[nodiscard]] const Wide* wides(Row row) const
    {
        return reinterpret_cast<const Wide*>(row.pooled() ? pool + std::size_t { row.offset() } * warpSize
                                                          : cells + std::size_t { row.index } * warpSize);
    }
    [[nodiscard]] Word* wordsOut(Row row) const { return cells + std::size_t { row.index } * warpSize; }
    [[nodiscard]] Wide* widesOut(Row row) const
    {
        return reinterpret_cast<Wide*>(cells + std::size_t { row.index } * warpSize);
    }
    [[nodiscard]] bool has(int lane) const { return (mask >> lane & 1U) != 0; }
};

// Calls f(lane) for each active lane; all 32 in a loop without tests where all are.
template <typename F> inline void forLanes(std::uint32_t mask, F&& f)
{
    if (mask == allLanes) {
        for (int lane = 0; lane < warpSize; ++lane)
            f(lane);
        return;
    }
    for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
        f(std::countr_zero(rest));
}

// How a value of a type lies in a register: below 64 bits in a word, its upper bits as a move of that size leaves them.
template <std::size_t bytes> struct StoredAs {
    using Type = Word;
};
template <> struct StoredAs<8> {
    using Type = Wide;
};
template <typename T> struct Cell {
    static constexpr bool wide = sizeof(T) == 8;
    using Stored = typename StoredAs<sizeof(T)>::Type;
    static T get(Stored cell)
    {
        if constexpr (std::is_same_v<T, float>)
            return std::bit_cast<float>(static_cast<std::uint32_t>(cell));
        else if constexpr (std::is_same_v<T, double>)
            return std::bit_cast<double>(static_cast<std::uint64_t>(cell));
        else
            return static_cast<T>(cell);
    }
    static Stored put(T value)
    {
        if constexpr (std::is_same_v<T, float>)
            return std::bit_cast<std::uint32_t>(value);
        else if constexpr (std::is_same_v<T, double>)
            return std::bit_cast<std::uint64_t>(value);
        else if constexpr (wide)
            return static_cast<std::uint64_t>(value);
        else
            return static_cast<std::uint32_t>(static_cast<std::make_unsigned_t<T>>(value));
    }
    static const Stored* in(const Lanes& lanes, Row row)
    {
        if constexpr (wide)
            return lanes.wides(row);
        else
            return lanes.words(row);
    }
    static Stored* out(const Lanes& lanes, Row row)
    {
        if constexpr (wide)
            return lanes.widesOut(row);
        else
            return lanes.wordsOut(row);
    }
};

// d = f(a), f(a, b), f(a, b, c), lane by lane. The destination may be one of the sources.
template <typename D, typename A, typename F> inline void each(Lanes& lanes, const Instruction& i, F f)
{
    const auto* a = Cell<A>::in(lanes, i.a);
    auto* d = Cell<D>::out(lanes, i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = Cell<D>::put(f(Cell<A>::get(a[l]))); });
}
template <typename D, typename A, typename B, typename F> inline void each(Lanes& lanes, const Instruction& i, F f)
{
    const auto* a = Cell<A>::in(lanes, i.a);
    const auto* b = Cell<B>::in(lanes, i.b);
    auto* d = Cell<D>::out(lanes, i.d);
    forLanes(lanes.mask, [&](int l) { d[l] = Cell<D>::put(f(Cell<A>::get(a[l]), Cell<B>::get(b[l]))); });
}
template <typename D, typename A, typename B, typename C, typename F>
inline void each(Lanes& lanes, const Instruction& i, F f)
{
    const auto* a = Cell<A>::in(lanes, i.a);
    const auto* b = Cell<B>::in(lanes, i.b);
    const auto* c = Cell<C>::in(lanes, i.c);
    auto* d = Cell<D>::out(lanes, i.d);
    forLanes(
        lanes.mask, [&](int l) { d[l] = Cell<D>::put(f(Cell<A>::get(a[l]), Cell<B>::get(b[l]), Cell<C>::get(c[l]))); });
}

} // namespace flashstep::ptx
