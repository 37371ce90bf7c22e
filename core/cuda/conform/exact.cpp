// SPDX-License-Identifier: Apache-2.0
#include "exact.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace flashstep::conform {
namespace {

using Words = std::vector<std::uint32_t>;

void trim(Words& words)
{
    while (!words.empty() && words.back() == 0)
        words.pop_back();
}

Words wordsOf(std::uint64_t value)
{
    Words words { static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32) };
    trim(words);
    return words;
}

int bitLength(const Words& words)
{
    if (words.empty())
        return 0;
    int bits = static_cast<int>(words.size() - 1) * 32;
    for (std::uint32_t top = words.back(); top != 0; top >>= 1)
        ++bits;
    return bits;
}

bool bitAt(const Words& words, int position)
{
    const auto word = static_cast<std::size_t>(position / 32);
    return position >= 0 && word < words.size() && (words[word] >> (position % 32) & 1U) != 0;
}

Words shiftedLeft(const Words& words, int count)
{
    Words result(words.size() + static_cast<std::size_t>(count / 32) + 1, 0);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::uint64_t wide = std::uint64_t { words[i] } << (count % 32);
        const std::size_t at = i + static_cast<std::size_t>(count / 32);
        result[at] |= static_cast<std::uint32_t>(wide);
        result[at + 1] |= static_cast<std::uint32_t>(wide >> 32);
    }
    trim(result);
    return result;
}

Words shiftedRight(const Words& words, int count)
{
    const int length = bitLength(words) - count;
    Words result(static_cast<std::size_t>(std::max(0, length + 31) / 32), 0);
    for (int i = 0; i < length; ++i) {
        if (bitAt(words, i + count))
            result[static_cast<std::size_t>(i / 32)] |= 1U << (i % 32);
    }
    return result;
}

int compareWords(const Words& a, const Words& b)
{
    if (a.size() != b.size())
        return a.size() < b.size() ? -1 : 1;
    for (std::size_t i = a.size(); i-- > 0;) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

Words plus(const Words& a, const Words& b)
{
    Words result;
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
        carry += (i < a.size() ? a[i] : 0ULL) + (i < b.size() ? b[i] : 0ULL);
        result.push_back(static_cast<std::uint32_t>(carry));
        carry >>= 32;
    }
    result.push_back(static_cast<std::uint32_t>(carry));
    trim(result);
    return result;
}

Words minus(const Words& a, const Words& b) // a >= b
{
    Words result;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::uint64_t taken = (i < b.size() ? b[i] : 0ULL) + borrow;
        borrow = a[i] < taken ? 1 : 0;
        result.push_back(static_cast<std::uint32_t>(a[i] - taken));
    }
    trim(result);
    return result;
}

Words times(const Words& a, const Words& b)
{
    Words result(a.size() + b.size(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < b.size(); ++j) {
            carry += result[i + j] + std::uint64_t { a[i] } * b[j];
            result[i + j] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        result[i + b.size()] = static_cast<std::uint32_t>(carry);
    }
    trim(result);
    return result;
}

std::uint64_t lowBits(const Words& words)
{
    const std::uint64_t low = words.empty() ? 0 : words[0];
    return words.size() < 2 ? low : low | std::uint64_t { words[1] } << 32;
}

// Drops `count` low bits of a magnitude.
Words rounded(const Words& words, int count, bool negative, Round mode)
{
    if (count <= 0)
        return shiftedLeft(words, -count);
    const bool half = bitAt(words, count - 1);
    bool rest = false;
    for (int i = 0; i < count - 1 && !rest; ++i)
        rest = bitAt(words, i);
    Words kept = shiftedRight(words, count);
    bool up = false;
    switch (mode) {
    case Round::NearestEven:
        up = half && (rest || bitAt(kept, 0));
        break;
    case Round::NearestAway:
        up = half;
        break;
    case Round::Zero:
        break;
    case Round::Down:
        up = negative && (half || rest);
        break;
    case Round::Up:
        up = !negative && (half || rest);
        break;
    }
    return up ? plus(kept, { 1 }) : kept;
}

Real special(Real::Kind kind, bool negative = false)
{
    Real value;
    value.kind = kind;
    value.negative = negative;
    return value;
}

Real finite(bool negative, Words magnitude, int exponent)
{
    Real value = special(magnitude.empty() ? Real::Kind::Zero : Real::Kind::Finite, negative);
    value.magnitude = std::move(magnitude);
    value.exponent = exponent;
    return value;
}

} // namespace

std::uint64_t signBit(Format format)
{
    return std::uint64_t { 1 } << (format.width - 1);
}

std::uint64_t infinityOf(Format format)
{
    return signBit(format) - smallestNormal(format);
}

std::uint64_t largestOf(Format format)
{
    return infinityOf(format) - 1;
}

std::uint64_t smallestNormal(Format format)
{
    return std::uint64_t { 1 } << (format.precision - 1);
}

std::uint64_t nanOf(Format format)
{
    return signBit(format) - 1;
}

bool isNan(Format format, std::uint64_t bits)
{
    return (bits & (signBit(format) - 1)) > infinityOf(format);
}

bool isSubnormal(Format format, std::uint64_t bits)
{
    const std::uint64_t magnitude = bits & (signBit(format) - 1);
    return magnitude != 0 && magnitude < smallestNormal(format);
}

std::uint64_t flushed(Format format, std::uint64_t bits)
{
    return isSubnormal(format, bits) ? bits & signBit(format) : bits;
}

Real read(Format format, std::uint64_t bits)
{
    const bool negative = (bits & signBit(format)) != 0;
    const std::uint64_t magnitude = bits & (signBit(format) - 1);
    if (magnitude > infinityOf(format))
        return special(Real::Kind::Nan, negative);
    if (magnitude == infinityOf(format))
        return special(Real::Kind::Infinite, negative);
    const std::uint64_t hidden = smallestNormal(format);
    const auto biased = static_cast<int>(magnitude / hidden);
    const std::uint64_t significand = magnitude % hidden + (biased > 0 ? hidden : 0);
    const int exponent = std::max(biased, 1) - format.maxExponent - (format.precision - 1);
    return finite(negative, wordsOf(significand), exponent);
}

Real fromInteger(bool negative, std::uint64_t magnitude)
{
    return finite(negative, wordsOf(magnitude), 0);
}

std::uint64_t write(Format format, const Real& value, Round mode)
{
    const std::uint64_t sign = value.negative ? signBit(format) : 0;
    if (value.kind == Real::Kind::Nan)
        return nanOf(format);
    if (value.kind == Real::Kind::Infinite)
        return sign | infinityOf(format);
    if (value.kind == Real::Kind::Zero)
        return sign;
    const int leading = bitLength(value.magnitude) - 1 + value.exponent;
    int last = std::max(leading, 1 - format.maxExponent) - (format.precision - 1);
    std::uint64_t significand = lowBits(rounded(value.magnitude, last - value.exponent, value.negative, mode));
    const std::uint64_t hidden = smallestNormal(format);
    if (significand == hidden * 2) {
        significand = hidden;
        ++last;
    }
    const int exponent = last + format.precision - 1;
    if (significand >= hidden && exponent > format.maxExponent) {
        const bool stays = mode == Round::Zero || mode == (value.negative ? Round::Up : Round::Down);
        return sign | (stays ? largestOf(format) : infinityOf(format));
    }
    if (significand < hidden)
        return sign | significand;
    return sign | (static_cast<std::uint64_t>(exponent + format.maxExponent) * hidden + (significand - hidden));
}

double toDouble(Format format, std::uint64_t bits)
{
    const std::uint64_t wide = write(doubleFormat, read(format, bits), Round::NearestEven);
    double value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

std::uint64_t fromDouble(Format format, double value, Round mode)
{
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return write(format, read(doubleFormat, bits), mode);
}

Real negated(Real value)
{
    value.negative = !value.negative;
    return value;
}

Real sum(const Real& a, const Real& b, Round mode)
{
    using Kind = Real::Kind;
    if (a.kind == Kind::Nan || b.kind == Kind::Nan)
        return special(Kind::Nan);
    if (a.kind == Kind::Infinite && b.kind == Kind::Infinite)
        return a.negative == b.negative ? a : special(Kind::Nan);
    if (a.kind == Kind::Infinite)
        return a;
    if (b.kind == Kind::Infinite)
        return b;
    if (a.kind == Kind::Zero && b.kind == Kind::Zero)
        return special(Kind::Zero, a.negative == b.negative ? a.negative : mode == Round::Down);
    if (a.kind == Kind::Zero)
        return b;
    if (b.kind == Kind::Zero)
        return a;
    const int exponent = std::min(a.exponent, b.exponent);
    const Words left = shiftedLeft(a.magnitude, a.exponent - exponent);
    const Words right = shiftedLeft(b.magnitude, b.exponent - exponent);
    if (a.negative == b.negative)
        return finite(a.negative, plus(left, right), exponent);
    const int order = compareWords(left, right);
    if (order == 0)
        return special(Kind::Zero, mode == Round::Down);
    return order > 0 ? finite(a.negative, minus(left, right), exponent)
                     : finite(b.negative, minus(right, left), exponent);
}

Real product(const Real& a, const Real& b)
{
    using Kind = Real::Kind;
    const bool negative = a.negative != b.negative;
    if (a.kind == Kind::Nan || b.kind == Kind::Nan)
        return special(Kind::Nan);
    if (a.kind == Kind::Infinite || b.kind == Kind::Infinite)
        return a.kind == Kind::Zero || b.kind == Kind::Zero ? special(Kind::Nan) : special(Kind::Infinite, negative);
    if (a.kind == Kind::Zero || b.kind == Kind::Zero)
        return special(Kind::Zero, negative);
    return finite(negative, times(a.magnitude, b.magnitude), a.exponent + b.exponent);
}

Real quotient(const Real& a, const Real& b)
{
    using Kind = Real::Kind;
    const bool negative = a.negative != b.negative;
    if (a.kind == Kind::Nan || b.kind == Kind::Nan || (a.kind == Kind::Infinite && b.kind == Kind::Infinite)
        || (a.kind == Kind::Zero && b.kind == Kind::Zero))
        return special(Kind::Nan);
    if (a.kind == Kind::Infinite || b.kind == Kind::Zero)
        return special(Kind::Infinite, negative);
    if (a.kind == Kind::Zero || b.kind == Kind::Infinite)
        return special(Kind::Zero, negative);
    // 130 bits of the quotient, digit by digit, and a last one that says whether anything is left.
    const int extra = 130;
    Words rest;
    const Words numerator = shiftedLeft(a.magnitude, extra);
    Words digits;
    for (int i = bitLength(numerator) - 1; i >= 0; --i) {
        rest = shiftedLeft(rest, 1);
        if (bitAt(numerator, i))
            rest = plus(rest, { 1 });
        digits = shiftedLeft(digits, 1);
        if (compareWords(rest, b.magnitude) >= 0) {
            rest = minus(rest, b.magnitude);
            digits = plus(digits, { 1 });
        }
    }
    digits = shiftedLeft(digits, 1);
    if (!rest.empty())
        digits = plus(digits, { 1 });
    return finite(negative, digits, a.exponent - b.exponent - extra - 1);
}

Real root(const Real& a)
{
    using Kind = Real::Kind;
    if (a.kind == Kind::Nan || (a.negative && a.kind != Kind::Zero))
        return special(Kind::Nan);
    if (a.kind != Kind::Finite)
        return a;
    const int shift = 130 + ((a.exponent - 130) % 2 != 0 ? 1 : 0);
    const Words square = shiftedLeft(a.magnitude, shift);
    Words digits;
    for (int i = bitLength(square) / 2; i >= 0; --i) {
        const Words trial = plus(digits, shiftedLeft({ 1 }, i));
        if (compareWords(times(trial, trial), square) <= 0)
            digits = trial;
    }
    const bool left = compareWords(times(digits, digits), square) != 0;
    digits = shiftedLeft(digits, 1);
    if (left)
        digits = plus(digits, { 1 });
    return finite(false, digits, (a.exponent - shift) / 2 - 1);
}

Real integral(const Real& a, Round mode)
{
    if (a.kind != Real::Kind::Finite || a.exponent >= 0)
        return a;
    return finite(a.negative, rounded(a.magnitude, -a.exponent, a.negative, mode), 0);
}

int compare(const Real& a, const Real& b)
{
    const auto sign = [](const Real& x) { return x.kind == Real::Kind::Zero ? 0 : x.negative ? -1 : 1; };
    if (sign(a) != sign(b) || sign(a) == 0)
        return sign(a) < sign(b) ? -1 : sign(a) > sign(b) ? 1 : 0;
    if (a.kind == Real::Kind::Infinite || b.kind == Real::Kind::Infinite) {
        if (a.kind == b.kind)
            return 0;
        return a.kind == Real::Kind::Infinite ? sign(a) : -sign(a);
    }
    const Real difference = sum(a, negated(b), Round::NearestEven);
    return sign(difference);
}

std::uint64_t clampedInteger(const Real& integralValue, int bits, bool isSigned)
{
    const std::uint64_t all = bits == 64 ? ~std::uint64_t { 0 } : (std::uint64_t { 1 } << bits) - 1;
    const std::uint64_t top = std::uint64_t { 1 } << (bits - 1);
    const std::uint64_t highest = isSigned ? top - 1 : all;
    const std::uint64_t lowest = isSigned ? top : 0; // its magnitude
    if (integralValue.kind == Real::Kind::Zero)
        return 0;
    const bool infinite = integralValue.kind == Real::Kind::Infinite;
    const Words words = infinite ? Words {} : shiftedLeft(integralValue.magnitude, integralValue.exponent);
    const bool huge = infinite || bitLength(words) > 64;
    const std::uint64_t limit = integralValue.negative ? lowest : highest;
    const std::uint64_t magnitude = huge ? limit : std::min(lowBits(words), limit);
    return (integralValue.negative ? 0 - magnitude : magnitude) & all;
}

} // namespace flashstep::conform
