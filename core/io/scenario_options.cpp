// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace flashstep {

namespace {

constexpr std::array options {
    ScenarioOption { "algorithm", "NAME", "standard, fa1, fa2, fa3 or fa4 (default fa2)" },
    ScenarioOption { "pass", "PASS", "forward" },
    ScenarioOption { "gpu", "NAME", "see 'list gpus' (default: the algorithm's own)" },
    ScenarioOption { "dtype", "TYPE",
        "fp32, fp16, bf16 or e4m3 (default bf16); fp32 is a numerics mode, costed as bf16; e4m3 with standard, fa3 and "
        "fa4",
        true },
    ScenarioOption { "batch", "N", "batch (default 1)", true, true },
    ScenarioOption { "heads", "N", "query heads (default 1)", true, true },
    ScenarioOption { "kv_heads", "N", "key/value heads, dividing the query heads (default: as many)", true, true },
    ScenarioOption { "seqlen_q", "N", "query rows (default 256)", true, true },
    ScenarioOption { "seqlen_k", "N", "keys (default: as many as queries)", true, true },
    ScenarioOption { "head_dim", "N", "head dimension of Q and K (default 64)", true, true },
    ScenarioOption { "head_dim_v", "N", "head dimension of V and O (default: head-dim)", true, true },
    ScenarioOption { "mask", "MASK", "none, causal or window:L,R (default none), aligned bottom-right", true },
    ScenarioOption { "tile", "BRxBC", "tile that is computed and shown (default: the kernel's table)" },
    ScenarioOption { "cost_tile", "BRxBC", "tile whose time an op takes (default: the shown one)" },
    ScenarioOption { "stages", "S", "buffers in the key/value ring (default: the kernel's table)", false, true },
    ScenarioOption { "q", "F.npy", "Q, rank 4 (batch, heads, seqlen, dim)", true },
    ScenarioOption { "k", "F.npy", "K", true },
    ScenarioOption { "v", "F.npy", "V", true },
    ScenarioOption { "init", "KIND", "normal, outliers, rising-left, rising-right or constant (default normal)", true },
    ScenarioOption { "seed", "S", "seed of the generator (default 1)", true, true },
    ScenarioOption { "what_if", "KEY=VALUE", "turn a knob (see 'list knobs'), repeatable", false, false, true },
    ScenarioOption { "break", "SPEC",
        "break the program on purpose, repeatable: wait:NAME, count:BARRIER=N, rescale:skip, rescale:mix-frames", false,
        false, true },
    ScenarioOption { "record", "WHOSE", "whose values are kept: all, cta:K or none" },
};

std::string optionName(std::string_view key)
{
    std::string text = "--" + std::string(key);
    std::replace(text.begin(), text.end(), '_', '-');
    return text;
}

Error refused(std::string_view key, std::string_view value, std::string hint)
{
    return Error { fmt::format("'{}' is not accepted", value), optionName(key), std::move(hint) };
}

template <typename Number> std::optional<Number> numberFrom(std::string_view text)
{
    Number value {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

constexpr int largest = 1 << 24;

Status setCount(int& target, std::string_view key, std::string_view value)
{
    const std::optional<int> number = numberFrom<int>(value);
    if (!number || *number < 1 || *number > largest)
        return refused(key, value, fmt::format("a whole number from 1 to {}", largest));
    target = *number;
    return Nothing {};
}

Status setTile(std::optional<TileSize>& target, std::string_view key, std::string_view value)
{
    const std::size_t cross = value.find('x');
    const auto rows = numberFrom<int>(value.substr(0, cross));
    const auto keys = cross == std::string_view::npos ? std::nullopt : numberFrom<int>(value.substr(cross + 1));
    if (!rows || !keys || *rows < 1 || *keys < 1 || *rows > 65535 || *keys > 65535)
        return refused(key, value, "BRxBC, for example 128x64");
    target = TileSize { *rows, *keys };
    return Nothing {};
}

template <typename Value>
Status setNamed(
    Value& target, std::optional<Value> value, std::string_view key, std::string_view text, std::string_view accepted)
{
    if (!value)
        return refused(key, text, std::string(accepted));
    target = *value;
    return Nothing {};
}

Status setKnob(Scenario& scenario, std::string_view value)
{
    const std::size_t equals = value.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == value.size())
        return refused("what_if", value, "KEY=VALUE, see 'list knobs'");
    const std::string key(value.substr(0, equals));
    std::erase_if(scenario.knobs, [&](const auto& knob) { return knob.first == key; });
    scenario.knobs.emplace_back(key, std::string(value.substr(equals + 1)));
    return Nothing {};
}

Status setText(std::string& target, std::string_view key, std::string_view value)
{
    if (value.empty())
        return refused(key, value, "something");
    target = value;
    return Nothing {};
}

int* countOf(ScenarioFile& file, std::string_view key)
{
    Problem& p = file.scenario.problem;
    const std::array<std::pair<std::string_view, int*>, 7> counts { { { "batch", &p.batch }, { "heads", &p.heads },
        { "kv_heads", &p.kvHeads }, { "seqlen_q", &p.seqlenQ }, { "seqlen_k", &p.seqlenK }, { "head_dim", &p.headDim },
        { "head_dim_v", &p.headDimV } } };
    const auto found
        = std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == key; });
    return found == counts.end() ? nullptr : found->second;
}

std::string* textOf(ScenarioFile& file, std::string_view key)
{
    Scenario& s = file.scenario;
    const std::array<std::pair<std::string_view, std::string*>, 6> texts { { { "algorithm", &s.algorithm },
        { "pass", &s.pass }, { "gpu", &s.gpu }, { "q", &s.qFile }, { "k", &s.kFile }, { "v", &s.vFile } } };
    const auto found = std::find_if(texts.begin(), texts.end(), [&](const auto& entry) { return entry.first == key; });
    return found == texts.end() ? nullptr : found->second;
}

Status setOther(Scenario& s, std::string_view key, std::string_view value)
{
    if (key == "dtype")
        return setNamed(s.problem.dtype, dtypeFromName(value), key, value, "fp32, fp16, bf16 or e4m3");
    if (key == "mask")
        return setNamed(s.problem.mask, maskFromText(value), key, value, "none, causal or window:L,R");
    if (key == "init")
        return setNamed(
            s.problem.init, initFromName(value), key, value, "normal, outliers, rising-left, rising-right or constant");
    if (key == "seed")
        return setNamed(
            s.problem.seed, numberFrom<std::uint64_t>(value), key, value, "a whole number from 0 to 2^64 - 1");
    if (key == "record")
        return setNamed(s.record, recordFromText(value), key, value, "all, cta:K or none");
    if (key == "tile")
        return setTile(s.tile, key, value);
    if (key == "cost_tile")
        return setTile(s.costTile, key, value);
    if (key == "stages") {
        int stages = 0;
        Status set = setCount(stages, key, value);
        if (set)
            s.stages = stages;
        return set;
    }
    if (key == "what_if")
        return setKnob(s, value);
    if (key == "break") {
        s.breaks.emplace_back(value);
        return value.empty() ? Status(refused(key, value, "wait:NAME, count:BARRIER=N or rescale:…"))
                             : Status(Nothing {});
    }
    return Error { "no such option", optionName(key), "" };
}

// Knobs that later versions bring, so that asking for one is not taken for a slip of the pen.
constexpr std::array<std::string_view, 9> laterKnobs { "q-stage", "rescale-threshold", "exp2-emulation", "exp2-degree",
    "two-cta", "pack-gqa", "deterministic", "assumed-rescale-rate", "tmem-columns" };

} // namespace

std::span<const ScenarioOption> scenarioOptions()
{
    return options;
}

const ScenarioOption* findScenarioOption(std::string_view key)
{
    const auto found
        = std::find_if(options.begin(), options.end(), [&](const ScenarioOption& option) { return option.key == key; });
    return found == options.end() ? nullptr : &*found;
}

Status setOption(ScenarioFile& file, std::string_view key, std::string_view value)
{
    int* const count = countOf(file, key);
    std::string* const text = textOf(file, key);
    Status set = count != nullptr ? setCount(*count, key, value)
        : text != nullptr         ? setText(*text, key, value)
                                  : setOther(file.scenario, key, value);
    if (set)
        file.given.emplace(key);
    return set;
}

Status checkKnobs(const Scenario& scenario)
{
    for (const auto& [key, value] : scenario.knobs) {
        const bool here
            = std::any_of(knobs().begin(), knobs().end(), [&k = key](const Knob& knob) { return knob.key == k; });
        if (here)
            continue;
        if (std::find(laterKnobs.begin(), laterKnobs.end(), key) != laterKnobs.end())
            return Error { fmt::format("the knob {} is not in this version", key), "--what-if",
                "'list knobs' shows those that are" };
        return Error { fmt::format("there is no knob '{}'", key), "--what-if", "'list knobs' shows them" };
    }
    return Nothing {};
}

} // namespace flashstep
