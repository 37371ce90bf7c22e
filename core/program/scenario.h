// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/program/choices.h"
#include "core/program/program.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flashstep {

// Whose tile values are computed and kept. Timing always is.
struct Record {
    enum class Kind : std::uint8_t { Automatic, All, OneCta, None } kind = Kind::Automatic;
    std::uint32_t cta = 0;
    [[nodiscard]] std::string text() const; // "all", "cta:3", "none"
    bool operator==(const Record&) const = default;
};
[[nodiscard]] std::optional<Record> recordFromText(std::string_view text);

// A run is a function of its scenario (and of the tensors it names).
struct Scenario {
    std::string algorithm = "fa2";
    std::string pass = "forward";
    std::string gpu; // empty: the algorithm's own
    Problem problem;
    std::optional<TileSize> tile, costTile;
    std::optional<int> stages;
    std::vector<std::pair<std::string, std::string>> knobs; // the last of a key wins
    std::vector<std::string> breaks;
    Record record;
    std::string qFile, kFile, vFile; // empty: generated
};

// One thing a version can be asked to do differently, with its range.
struct Knob {
    std::string_view key;
    std::string_view unit;
    std::string_view accepts; // in words: "0 … 4", "on, off"
    std::string_view help;
    std::string_view source;
    double low = 0, high = 0; // numeric knobs
    std::vector<std::string_view> algorithms; // that obey it
    std::vector<std::string_view> words; // the values of a knob that is no number
};
[[nodiscard]] const std::vector<Knob>& knobs();
// The number a knob's value says; "off" is 0.
[[nodiscard]] std::optional<double> knobNumber(const std::string& text);
// Whether a value is one the knob takes; in words what it takes instead.
[[nodiscard]] Status checkKnob(const Scenario& scenario, std::string_view key, const std::string& value);
// The schedule's knobs of a scenario; the last of a key wins. They have been checked.
[[nodiscard]] Choices choicesOf(const Scenario& scenario);

} // namespace flashstep
