// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/generator.h"

#include "core/tensor/real_math.h"

#include <cmath>

namespace flashstep {

namespace {

// Element n takes block n of its stream: two uniforms of 52 random bits each, as odd multiples of 2^-53, so that
// neither 0 nor 1 occurs and the value is exact.
struct Uniforms {
    double first, second;
};
Uniforms uniformsAt(std::uint64_t seed, std::uint32_t stream, std::uint64_t n)
{
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    const auto block = philox4x32({ low(n), high(n), stream, 0 }, { low(seed), high(seed) });
    const auto uniform = [](std::uint32_t lowWord, std::uint32_t highWord) {
        const std::uint64_t bits = std::uint64_t { highWord } << 32 | lowWord;
        return static_cast<double>(bits >> 11 | 1) * 0x1p-53;
    };
    return { uniform(block[0], block[1]), uniform(block[2], block[3]) };
}

} // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key)
{
    constexpr int rounds = 10;
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t even = std::uint64_t { 0xd2511f53u } * counter[0];
        const std::uint64_t odd = std::uint64_t { 0xcd9e8d57u } * counter[2];
        counter = { static_cast<std::uint32_t>(odd >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(odd),
            static_cast<std::uint32_t>(even >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(even) };
        key[0] += 0x9e3779b9u;
        key[1] += 0xbb67ae85u;
    }
    return counter;
}

double uniformAt(std::uint64_t seed, std::uint32_t stream, std::uint64_t n)
{
    return uniformsAt(seed, stream, n).first;
}

double normalAt(std::uint64_t seed, std::uint32_t stream, std::uint64_t n)
{
    const Uniforms u = uniformsAt(seed, stream, n);
    return std::sqrt(-2 * lnReal(u.first))
        * cosPi(2 * u.second); // IEEE: sqrt is correctly rounded, so the same everywhere
}

} // namespace flashstep
