// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe.h"

// What the manual adds to IEEE 754: .ftz, .sat, .relu, and the order of min and max.
namespace flashstep::conform {

struct Style {
    Round mode = Round::NearestEven;
    bool ftz = false;
    bool sat = false;
    bool relu = false;
};

// An exact result as the instruction leaves it. Where .ftz meets a result that only rounding lifts to the smallest
// normal number, the manual does not say which comes first: both are right.
Expected settled(Format format, const Real& exact, const Style& style);
Real operand(Format format, std::uint64_t bits, const Style& style); // subnormals flushed with .ftz

Expected added(Format format, std::uint64_t a, std::uint64_t b, const Style& style);
Expected subtracted(Format format, std::uint64_t a, std::uint64_t b, const Style& style);
Expected multiplied(Format format, std::uint64_t a, std::uint64_t b, const Style& style);
Expected fused(Format format, std::uint64_t a, std::uint64_t b, std::uint64_t c, const Style& style);
Expected divided(Format format, std::uint64_t a, std::uint64_t b, const Style& style);
Expected rooted(Format format, std::uint64_t a, const Style& style);

struct Extreme {
    bool maximum = false;
    bool ftz = false;
    bool nan = false; // .NaN: a NaN operand wins
    bool xorSign = false; // .xorsign.abs
};
Expected extreme(Format format, std::uint64_t a, std::uint64_t b, const Extreme& style);

// Columns for instructions of two or three operands: corners against corners, then noise, then sums that cancel.
Columns pairs(Kind kind);
Columns triples(Kind kind);

} // namespace flashstep::conform
