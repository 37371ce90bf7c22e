// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/csv_table.h"
#include "core/io/json.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// An option or a knob with the values it is to take one after the other: "seqlen-k=256,512".
struct Varied {
    std::string name; // as it was written: the column's
    std::string key; // of the option, with '_'; of the knob; or "scenario"
    bool isKnob = false;
    std::vector<std::string> values;
};
// Values are looked at one by one; whether they go together is for the runs to say.
[[nodiscard]] Result<Varied> parseVaried(std::string_view text);
// All that is to vary: nothing twice, and no more combinations than a file can be of use with.
[[nodiscard]] Result<std::vector<Varied>> parseSweep(std::span<const std::string> texts);

// Combinations are counted from 0 in the order given: the last key's values change fastest.
[[nodiscard]] std::size_t combinationCount(std::span<const Varied> varied);
[[nodiscard]] std::vector<std::string> combination(std::span<const Varied> varied, std::size_t number);

// One of several computers: it takes every of-th combination.
struct Shard {
    std::size_t number = 1, of = 1; // from 1
    [[nodiscard]] bool takes(std::size_t combination) const { return combination % of == number - 1; }
};
[[nodiscard]] Result<Shard> parseShard(std::string_view text); // "2/8"

// The table: varied keys, the keys of `run --json` (an object's members by name_member), then how it went.
struct SweepRow {
    std::size_t number = 0; // of the combination
    const Json* report = nullptr; // null where it was refused
    std::string status, error;
    std::string sweep; // a fingerprint of all that the sweep was stated as: the same in each part
};
[[nodiscard]] std::string sweepHeader(std::span<const Varied> varied);
[[nodiscard]] std::string sweepLine(std::span<const Varied> varied, const SweepRow& row);
// The keys of `run --json` that have columns.
[[nodiscard]] std::span<const std::string_view> sweepRunColumns();

// Parts of one sweep, in any order, as the table that one computer would have written.
struct MergedSweep {
    std::string text;
    std::size_t rows = 0, combinations = 0;
    std::vector<std::size_t> missing; // combinations, from 1
};
[[nodiscard]] Result<MergedSweep> mergeSweeps(std::span<const CsvTableText> parts);

} // namespace flashstep
