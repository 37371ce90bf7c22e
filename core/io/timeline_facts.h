// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"
#include "core/io/spans.h"

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// What the timeline formats say beside the slices themselves.

// A number about a slice, beyond what every slice has (tile, role, source, cycles).
enum class FactKey : std::uint8_t {
    GlobalReadBytes,
    GlobalWriteBytes,
    Flops,
    Exp2,
    Exp2Emulated,
    RowsRescaled,
    RowsSkipped,
    WarpsRescaling,
    MLowest,
    MHighest,
    LLowest,
    LHighest
};
constexpr std::size_t factKeyCount = 12;
[[nodiscard]] std::string_view name(FactKey key); // "global_read_bytes", …

struct Fact {
    FactKey key = FactKey::Flops;
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
    std::vector<Sample> samples; // by cycle; so many at most, however long the run is
};
// Bytes through the SMs' port to L2 and behind L2 so far; shared and tensor memory that CTAs hold; the use of each
// engine that `run` reports, per window.
[[nodiscard]] std::vector<CounterLine> counterLines(const Run& run, const Range& range);

// "FlashStep 0.1.0, fa2 forward on a100; times are modelled at a clock of 1410 MHz"
[[nodiscard]] std::string provenance(const Run& run);

} // namespace flashstep
