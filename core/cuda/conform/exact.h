// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

// Arithmetic without error, and one rounding at its end: what IEEE 754 asks of every basic operation, for each of PTX's
// formats and rounding modes. Slow and plain on purpose.
namespace flashstep::conform {

struct Format {
    int precision; // bits of the significand, the hidden one included
    int maxExponent; // of the largest finite value; the smallest normal one is 2^(1 - maxExponent)
    int width; // bits
};
constexpr Format halfFormat { 11, 15, 16 };
constexpr Format bfloatFormat { 8, 127, 16 };
constexpr Format singleFormat { 24, 127, 32 };
constexpr Format doubleFormat { 53, 1023, 64 };

enum class Round : std::uint8_t { NearestEven, NearestAway, Zero, Down, Up };

struct Real {
    enum class Kind : std::uint8_t { Zero, Finite, Infinite, Nan };
    Kind kind = Kind::Zero;
    bool negative = false;
    std::vector<std::uint32_t> magnitude; // low word first, the last one is not 0
    int exponent = 0; // value = magnitude * 2^exponent
};

std::uint64_t signBit(Format format);
std::uint64_t infinityOf(Format format);
std::uint64_t largestOf(Format format);
std::uint64_t smallestNormal(Format format);
std::uint64_t nanOf(Format format);
bool isNan(Format format, std::uint64_t bits);
bool isSubnormal(Format format, std::uint64_t bits);
std::uint64_t flushed(Format format, std::uint64_t bits); // a subnormal becomes a zero of its sign

Real read(Format format, std::uint64_t bits);
Real fromInteger(bool negative, std::uint64_t magnitude);
std::uint64_t write(Format format, const Real& value, Round mode);
double toDouble(Format format, std::uint64_t bits);
std::uint64_t fromDouble(Format format, double value, Round mode = Round::NearestEven);

Real negated(Real value);
Real sum(const Real& a, const Real& b, Round mode); // the mode decides the sign of x - x
Real product(const Real& a, const Real& b);
Real quotient(const Real& a, const Real& b); // exact enough to be rounded once
Real root(const Real& a); // likewise
Real integral(const Real& a, Round mode); // the nearest integer in that direction; keeps the sign of zero
int compare(const Real& a, const Real& b); // -1, 0, 1; not for NaN

// The bits, as wide as `bits`, of an integral value; beyond the range the end of the range.
std::uint64_t clampedInteger(const Real& integralValue, int bits, bool isSigned);

} // namespace flashstep::conform
