// SPDX-License-Identifier: Apache-2.0
#include "core/io/scenario_arguments.h"

#include <gtest/gtest.h>

#include <random>

namespace flashstep {
namespace {

// What the command line makes of the words.
ScenarioFile stated(ScenarioFile file, const std::vector<std::string>& words)
{
    EXPECT_EQ(words.size() % 2, 0U);
    for (std::size_t k = 0; k + 1 < words.size(); k += 2) {
        EXPECT_EQ(words[k].substr(0, 2), "--");
        std::string key = words[k].substr(2);
        std::replace(key.begin(), key.end(), '-', '_');
        EXPECT_TRUE(setOption(file, key, words[k + 1])) << words[k] << ' ' << words[k + 1];
    }
    EXPECT_TRUE(loadInputs(file));
    return file;
}

ScenarioFile with(ScenarioFile file, const std::vector<std::pair<const char*, const char*>>& options)
{
    for (const auto& [key, value] : options)
        EXPECT_TRUE(setOption(file, key, value)) << key;
    EXPECT_TRUE(loadInputs(file));
    return file;
}

// Some options of those that a scenario may have, in any order.
ScenarioFile someScenario(std::mt19937& random, ScenarioFile file)
{
    const std::vector<std::pair<const char*, std::vector<const char*>>> choices {
        { "algorithm", { "fa1", "fa3", "fa4" } }, { "gpu", { "h100", "b200" } }, { "dtype", { "fp16", "fp32" } },
        { "batch", { "2" } }, { "heads", { "4", "8" } }, { "kv_heads", { "2", "4" } }, { "seqlen_q", { "64", "512" } },
        { "seqlen_k", { "128", "512" } }, { "head_dim", { "32", "128" } }, { "head_dim_v", { "32", "96" } },
        { "mask", { "causal", "window:16,0" } }, { "tile", { "16x16" } }, { "cost_tile", { "128x128" } },
        { "stages", { "2", "3" } }, { "init", { "outliers", "constant" } }, { "seed", { "7", "18446744073709551615" } },
        { "what_if", { "mufu-rate=32", "mufu-rate=16", "l2-mib=10", "swizzle=off" } },
        { "break", { "wait:K_landed", "rescale:skip" } }, { "record", { "all", "none", "cta:3" } }
    };
    for (int k = 0; k < 6; ++k) {
        const auto& [key, values] = choices[random() % choices.size()];
        EXPECT_TRUE(setOption(file, key, values[random() % values.size()]));
    }
    ScenarioFile filled = file;
    if (!loadInputs(filled)) // heads that do not divide
        return someScenario(random, file);
    return filled;
}

TEST(ScenarioArguments, DefaultsNeedNoWords)
{
    EXPECT_EQ(scenarioArguments(with({}, {})), std::vector<std::string> {});
}

TEST(ScenarioArguments, OnlyWhatDiffersIsSaid)
{
    const ScenarioFile base = with({}, { { "seqlen_q", "64" }, { "what_if", "l2-mib=10" } });
    const ScenarioFile wanted = with(base, { { "mask", "causal" }, { "what_if", "mufu-rate=32" } });
    EXPECT_EQ(scenarioArguments(wanted, base),
        (std::vector<std::string> { "--mask", "causal", "--what-if", "mufu-rate=32" }));
}

TEST(ScenarioArguments, WordsGiveTheScenarioAgain)
{
    std::mt19937 random(8);
    for (int k = 0; k < 500; ++k) {
        const ScenarioFile wanted = someScenario(random, {});
        EXPECT_EQ(scenarioText(stated({}, scenarioArguments(wanted)), ""), scenarioText(wanted, ""));
    }
}

TEST(ScenarioArguments, WordsBesideAFileGiveTheScenarioAgainOrThereAreNone)
{
    std::mt19937 random(9);
    int said = 0;
    for (int k = 0; k < 500; ++k) {
        const ScenarioFile file = someScenario(random, {});
        const Result<ScenarioFile> base = parseScenario(scenarioText(file, ""), "", "file");
        ASSERT_TRUE(base);
        ScenarioFile wanted = someScenario(random, k % 2 == 0 ? *base : ScenarioFile {});
        const auto words = scenarioArguments(wanted, *base);
        if (!words)
            continue;
        ++said;
        ScenarioFile again = stated(*base, *words);
        std::sort(again.scenario.knobs.begin(), again.scenario.knobs.end());
        std::sort(wanted.scenario.knobs.begin(), wanted.scenario.knobs.end());
        EXPECT_EQ(scenarioText(again, ""), scenarioText(wanted, ""));
    }
    EXPECT_GT(said, 250);
}

TEST(ScenarioArguments, WhatCannotBeTakenBackIsNotSaid)
{
    const ScenarioFile plain = with({}, { { "seqlen_q", "64" } });
    for (const auto& [key, value] :
        std::vector<std::pair<const char*, const char*>> { { "what_if", "mufu-rate=32" }, { "break", "rescale:skip" },
            { "tile", "16x16" }, { "stages", "3" }, { "record", "none" }, { "gpu", "h100" } })
        EXPECT_FALSE(scenarioArguments(plain, with(plain, { { key, value } }))) << key;
}

} // namespace
} // namespace flashstep
