// SPDX-License-Identifier: Apache-2.0
#include "ieee.h"

#include <map>

namespace flashstep::conform {

Real operand(Format format, std::uint64_t bits, const Style& style)
{
    return read(format, style.ftz ? flushed(format, bits) : bits);
}

Expected settled(Format format, const Real& exact, const Style& style)
{
    const std::uint64_t rounded = write(format, exact, style.mode);
    const std::uint64_t zero = exact.negative ? signBit(format) : 0;
    Expected result(rounded);
    if (style.ftz && exact.kind == Real::Kind::Finite) {
        if (isSubnormal(format, rounded))
            result = Expected(zero);
        Real magnitude = exact;
        magnitude.negative = false;
        const bool tiny = compare(magnitude, read(format, smallestNormal(format))) < 0;
        if (tiny && (rounded & (signBit(format) - 1)) == smallestNormal(format))
            result = Expected(rounded, zero);
    }
    if (style.sat) {
        const std::uint64_t one = fromDouble(format, 1.0);
        if (exact.kind == Real::Kind::Nan)
            return Expected(0);
        if (exact.negative || exact.kind == Real::Kind::Zero)
            return Expected(0, zero); // the sign of a zero is not spoken of
        if (result.bits > one)
            return Expected(one);
    }
    if (style.relu && exact.kind != Real::Kind::Nan && exact.negative)
        return Expected(0, exact.kind == Real::Kind::Zero || (rounded & (signBit(format) - 1)) == 0 ? zero : 0);
    return result;
}

Expected added(Format format, std::uint64_t a, std::uint64_t b, const Style& style)
{
    return settled(format, sum(operand(format, a, style), operand(format, b, style), style.mode), style);
}

Expected subtracted(Format format, std::uint64_t a, std::uint64_t b, const Style& style)
{
    const Real right = operand(format, b, style);
    return settled(format, sum(operand(format, a, style), negated(right), style.mode), style);
}

Expected multiplied(Format format, std::uint64_t a, std::uint64_t b, const Style& style)
{
    return settled(format, product(operand(format, a, style), operand(format, b, style)), style);
}

Expected fused(Format format, std::uint64_t a, std::uint64_t b, std::uint64_t c, const Style& style)
{
    const Real left = product(operand(format, a, style), operand(format, b, style));
    return settled(format, sum(left, operand(format, c, style), style.mode), style);
}

Expected divided(Format format, std::uint64_t a, std::uint64_t b, const Style& style)
{
    return settled(format, quotient(operand(format, a, style), operand(format, b, style)), style);
}

Expected rooted(Format format, std::uint64_t a, const Style& style)
{
    return settled(format, root(operand(format, a, style)), style);
}

Expected extreme(Format format, std::uint64_t a, std::uint64_t b, const Extreme& style)
{
    if (style.ftz) {
        a = flushed(format, a);
        b = flushed(format, b);
    }
    const std::uint64_t sign = signBit(format);
    const std::uint64_t signs = (a ^ b) & sign;
    if (style.xorSign) {
        a &= ~sign;
        b &= ~sign;
    }
    const bool aNan = isNan(format, a), bNan = isNan(format, b);
    if (style.nan ? aNan || bNan : aNan && bNan)
        return nanOf(format);
    std::uint64_t chosen = a;
    if (aNan || bNan)
        chosen = aNan ? b : a;
    else {
        const int order = compare(read(format, a), read(format, b));
        const bool aAbove = order > 0 || (order == 0 && (a & sign) == 0); // +0 is above -0
        chosen = aAbove == style.maximum ? a : b;
    }
    return style.xorSign ? chosen | signs : chosen;
}

namespace {

std::vector<Values> makePairs(Kind kind)
{
    std::vector<Values> columns = crossed(corners(kind), corners(kind));
    for (std::size_t k = 0; k < 2; ++k) {
        for (const std::uint64_t value : noise(kind, 128, 40 + k))
            columns[k].push_back(value);
    }
    return columns;
}

std::vector<Values> makeTriples(Kind kind)
{
    std::vector<Values> columns = mixed(corners(kind), corners(kind), corners(kind), 512);
    for (std::size_t k = 0; k < 3; ++k) {
        for (const std::uint64_t value : noise(kind, 128, 50 + k))
            columns[k].push_back(value);
    }
    const bool twoHalves = kind == Kind::F16x2 || kind == Kind::Bf16x2;
    const Format format = formatOf(kind);
    const Values a = noise(kind, 64, 60), b = noise(kind, 64, 61);
    for (std::size_t i = 0; i < a.size(); ++i) { // c = -(a * b), rounded: what is left is the product's own error
        std::uint64_t c = 0;
        for (int half = 0; half < (twoHalves ? 2 : 1); ++half) {
            const int shift = 16 * half;
            const int width = format.width;
            const Real exact
                = product(read(format, masked(a[i] >> shift, width)), read(format, masked(b[i] >> shift, width)));
            c |= write(format, negated(exact), Round::NearestEven) << shift;
        }
        columns[0].push_back(a[i]);
        columns[1].push_back(b[i]);
        columns[2].push_back(c);
    }
    return columns;
}

// Made once for each kind.
Columns kept(std::map<Kind, Columns>& made, Kind kind, std::vector<Values> (*make)(Kind))
{
    const auto found = made.find(kind);
    return found != made.end() ? found->second : made.emplace(kind, make(kind)).first->second;
}

} // namespace

Columns pairs(Kind kind)
{
    static std::map<Kind, Columns> made;
    return kept(made, kind, makePairs);
}

Columns triples(Kind kind)
{
    static std::map<Kind, Columns> made;
    return kept(made, kind, makeTriples);
}

} // namespace flashstep::conform
