// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/io/spans.h"

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// What both timeline formats say beside the slices themselves.

// A number or a word about a slice, beyond what every slice has (tile, role, source, cycles).
struct Fact {
    std::string_view key;
    double value = 0;
};
// Bytes, FLOP, exponentials, rows rescaled; where values were recorded also the statistics of the rows the op touched.
void factsOf(const Run& run, const Span& span, std::vector<Fact>& facts);

// Values of a counter over time, for a line of its own.
struct CounterLine {
    std::string name;
    std::string unit; // "bytes", "%"
    struct Sample {
        Cycle cycle = 0;
        double value = 0;
    };
    std::vector<Sample> samples; // by cycle
};
// Global bytes so far, shared memory held by resident CTAs, use of tensor cores and exponential units per window.
[[nodiscard]] std::vector<CounterLine> counterLines(const Run& run, const Range& range);

// A moment worth a mark: a barrier's turn completed, rows rescaled.
struct Mark {
    std::string line; // "syncthreads", "rescales"
    std::string text;
    Cycle cycle = 0;
};
// Of one CTA, by line, then by time.
[[nodiscard]] std::vector<Mark> marksOf(const Trace& trace, CtaId cta, const Range& range);

// "FlashStep 0.1.0, fa2 forward on a100; times are modelled at a clock of 1410 MHz"
[[nodiscard]] std::string provenance(const Run& run);

} // namespace flashstep
