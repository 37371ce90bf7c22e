// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/csv_table.h"
#include "core/io/scenario.h"

#include <optional>
#include <string>
#include <vector>

namespace flashstep {

// What a row's number says: a rate with the conventional flops, or a time.
enum class PublishedUnit : std::uint8_t { Tflops, Seconds, Milliseconds, Microseconds };

// One published measurement, and the scenario that does the same work here.
struct PublishedResult {
    std::size_t row = 0; // of the table
    std::string presetGpu, presetAlgorithm; // of the file, or by name; empty: none of ours
    std::string pass, tier, machine;
    std::string label; // "FA3 (arXiv …) Fig 5a: FA3 on H100, fwd, fp16, head dim 64, dense, seqlen 512, …"
    double published = 0;
    PublishedUnit unit = PublishedUnit::Tflops;
    std::optional<ScenarioFile> scenario;
    std::string reason; // in words, where there is no scenario
};

struct PublishedResults {
    CsvTableText table;
    std::vector<PublishedResult> results; // one for each row, in order
};

// Rows of a file with the columns of resources/published/published_results.csv. Without its columns preset_gpu and
// preset_algorithm, GPUs and algorithms are known by name. What nobody can read (a number that is none) is an error
// with file and line; what nothing of ours does is a result without a scenario. [docs/validation.md]
[[nodiscard]] Result<PublishedResults> publishedResults(std::string_view csv, const std::string& where);

// What a run of so many microseconds has in a unit.
[[nodiscard]] double inUnit(PublishedUnit unit, double microseconds, double flops);
[[nodiscard]] std::string_view name(PublishedUnit unit); // "TFLOP/s", "ms"

} // namespace flashstep
