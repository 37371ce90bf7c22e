// SPDX-License-Identifier: Apache-2.0
#include "core/io/sweep.h"

#include "core/io/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace flashstep {

namespace {

constexpr std::size_t mostCombinations = 1'000'000;

std::string withDashes(std::string text, char from, char to)
{
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

// "window:128,0" is one value: its second number is no value of its own.
std::vector<std::string> splitValues(std::string_view text)
{
    std::vector<std::string> values;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        std::string value(text.substr(at, end - at));
        const bool belongs
            = !values.empty() && values.back().starts_with("window:") && values.back().find(',') == std::string::npos;
        if (belongs)
            values.back() += "," + value;
        else
            values.push_back(std::move(value));
        at = end + 1;
    }
    return values;
}

Status checkOptionValue(const Varied& varied, const std::string& value)
{
    ScenarioFile scratch;
    const Status set = setOption(scratch, varied.key, value);
    return set ? Nothing {} : Status(Error { set.error().what, "--vary " + varied.name, set.error().hint });
}

// In a version that obeys the knob: which one runs is not known yet.
Status checkKnobValue(const Varied& varied, const std::string& value)
{
    const auto knob = std::ranges::find(knobs(), varied.key, &Knob::key);
    Scenario scratch;
    scratch.algorithm = knob->algorithms.front();
    const Status known = checkKnob(scratch, varied.key, value);
    return known
        ? Nothing {}
        : Status(Error { fmt::format("'{}' is not accepted", value), "--vary " + varied.name, known.error().hint });
}

Status checkValues(const Varied& varied)
{
    for (std::size_t k = 0; k < varied.values.size(); ++k) {
        const std::string& value = varied.values[k];
        if (value.empty())
            return Error { "a value is empty", "--vary " + varied.name, "KEY=a,b,c" };
        if (std::find(varied.values.begin(), varied.values.begin() + static_cast<std::ptrdiff_t>(k), value)
            != varied.values.begin() + static_cast<std::ptrdiff_t>(k))
            return Error { "'" + value + "' stands there twice", "--vary " + varied.name, "each value once" };
        if (varied.key == "scenario")
            continue;
        if (Status status = varied.isKnob ? checkKnobValue(varied, value) : checkOptionValue(varied, value); !status)
            return status;
    }
    return Nothing {};
}

} // namespace

Result<Varied> parseVaried(std::string_view text)
{
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos)
        return Error { fmt::format("'{}' is not accepted", text), "--vary", "KEY=a,b,c" };
    Varied varied;
    varied.name = text.substr(0, equals);
    varied.values = splitValues(text.substr(equals + 1));
    varied.key = withDashes(varied.name, '-', '_');
    const ScenarioOption* option = findScenarioOption(varied.key);
    if ((option == nullptr || varied.key == "what_if") && varied.key != "scenario") {
        varied.key = withDashes(varied.name, '_', '-');
        varied.isKnob = true;
        if (std::ranges::find(knobs(), varied.key, &Knob::key) == knobs().end())
            return Error { "there is no option and no knob '" + varied.name + "'", "--vary",
                "an option of the problem without its dashes, or a knob; 'list knobs' shows them" };
    }
    if (Status status = checkValues(varied); !status)
        return status.error();
    return varied;
}

Result<std::vector<Varied>> parseSweep(std::span<const std::string> texts)
{
    std::vector<Varied> sweep;
    std::size_t combinations = 1;
    for (const std::string& text : texts) {
        Result<Varied> varied = parseVaried(text);
        if (!varied)
            return varied.error();
        if (std::ranges::find(sweep, varied->key, &Varied::key) != sweep.end())
            return Error { "it varies twice", "--vary " + varied->name, "all its values in one list" };
        combinations *= varied->values.size();
        if (combinations > mostCombinations)
            return Error { "too many combinations", "--vary " + varied->name,
                fmt::format("at most {}", mostCombinations) };
        sweep.push_back(std::move(*varied));
    }
    return sweep;
}

std::size_t combinationCount(std::span<const Varied> varied)
{
    std::size_t count = 1;
    for (const Varied& one : varied)
        count *= one.values.size();
    return count;
}

std::vector<std::string> combination(std::span<const Varied> varied, std::size_t number)
{
    std::vector<std::string> values(varied.size());
    for (std::size_t k = varied.size(); k-- > 0; number /= varied[k].values.size())
        values[k] = varied[k].values[number % varied[k].values.size()];
    return values;
}

Result<Shard> parseShard(std::string_view text)
{
    Shard shard;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, shard.number);
    const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
    const auto second = slash ? std::from_chars(first.ptr + 1, end, shard.of) : first;
    if (!slash || second.ec != std::errc() || second.ptr != end || shard.number < 1 || shard.number > shard.of)
        return Error { fmt::format("'{}' is not accepted", text), "--shard", "k/n, k from 1 to n: 1/8 … 8/8" };
    return shard;
}

} // namespace flashstep
