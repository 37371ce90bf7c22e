// SPDX-License-Identifier: Apache-2.0
// Rows of published files and the scenarios that do the same work, by hand.
#include "core/io/published_results.h"

#include "resources/embedded/resources.h"

#include <gtest/gtest.h>

#include <map>

namespace {

using namespace flashstep;

const std::string columns = "paper,figure_or_table,gpu,algorithm,pass,dtype,head_dim,causal,seqlen,batch,heads,"
                            "tflops_or_value,unit,source,note,kv_heads";
const std::string presets = ",preset_gpu,preset_algorithm,knobs,machine,tier,tier_note";

Result<PublishedResults> read(const std::string& head, const std::string& row)
{
    return publishedResults(head + "\n" + row + "\n", "f.csv");
}

PublishedResult one(const std::string& row, bool withPresets = true)
{
    const auto results = read(columns + (withPresets ? presets : ""), row);
    EXPECT_TRUE(results.ok()) << results.error().line();
    return results->results.at(0);
}

Scenario scenarioOf(const std::string& row, bool withPresets = true)
{
    const PublishedResult result = one(row, withPresets);
    EXPECT_TRUE(result.scenario.has_value()) << result.reason;
    return result.scenario.value_or(ScenarioFile {}).scenario;
}

std::string errorOf(const std::string& row)
{
    const auto results = read(columns + presets, row);
    return results ? "" : results.error().line();
}

TEST(PublishedResults, AFigureOfFlashAttention2)
{
    const PublishedResult result = one("FA3 (arXiv 2407.08608),Fig 5d,H100-SXM5-80GB,FA2,fwd,fp16,128,1,2048,8,16,298,"
                                       "TFLOPS,https://x,\"clock fixed; FA2 2.5.8\",16,h100,fa2,,fa3-paper,core,");
    ASSERT_TRUE(result.scenario.has_value()) << result.reason;
    const Scenario& s = result.scenario->scenario;
    EXPECT_EQ(s.algorithm, "fa2");
    EXPECT_EQ(s.gpu, "h100");
    EXPECT_EQ(s.problem.dtype, DType::Fp16);
    EXPECT_EQ(s.problem.headDim, 128);
    EXPECT_EQ(s.problem.headDimV, 128);
    EXPECT_EQ(s.problem.mask.kind, MaskKind::Causal);
    EXPECT_EQ(s.problem.seqlenQ, 2048);
    EXPECT_EQ(s.problem.seqlenK, 2048);
    EXPECT_EQ(s.problem.batch, 8);
    EXPECT_EQ(s.problem.heads, 16);
    EXPECT_EQ(s.problem.kvHeads, 16);
    EXPECT_FALSE(s.tile.has_value());
    EXPECT_TRUE(s.knobs.empty());
    EXPECT_EQ(s.record.kind, Record::Kind::None);
    EXPECT_EQ(result.published, 298);
    EXPECT_EQ(result.unit, PublishedUnit::Tflops);
    EXPECT_EQ(result.tier, "core");
}

TEST(PublishedResults, KnobsAndOptionsAlike)
{
    const Scenario fa3
        = scenarioOf("FA3,Fig 5a,H100-SXM5-80GB,FA3,fwd,fp16,64,0,512,32,32,333,TFLOPS,https://x,,32,h100,"
                     "fa3,tile=192x128,fa3-paper,core,");
    EXPECT_EQ(fa3.tile, (TileSize { 192, 128 }));
    EXPECT_EQ(fa3.problem.mask.kind, MaskKind::None);
    const Scenario fa4
        = scenarioOf("PR 2605,benchmark log,GB200 or GB300 (log),FA4,fwd,bf16 (script default),64,1,16384,"
                     "2,32,1176,TFLOPS,https://x,,32,gb200,fa4,two-cta=off; scheduler=single-tile,m,core,");
    EXPECT_EQ(fa4.gpu, "gb200");
    EXPECT_EQ(fa4.problem.dtype, DType::Bf16);
    using Knobs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(fa4.knobs, (Knobs { { "two-cta", "off" }, { "scheduler", "single-tile" } }));
}

TEST(PublishedResults, TokensInAllAndGroupedHeads)
{
    const Scenario few
        = scenarioOf("e122e67,log,B200,FA4 hd256 hardware exp2,fwd,bf16,256,1,4096,~32k tokens,8,1175,TFLOPS,"
                     "https://x,,8,b200,fa4,exp2-emulation=off,e122e67,extra,");
    EXPECT_EQ(few.problem.batch, 8);
    const Scenario longer
        = scenarioOf("e122e67,log,B200,FA4,fwd,bf16,256,0,65536,~32k tokens,8,1569,TFLOPS,https://x,,8,"
                     "b200,fa4,,e122e67,extra,");
    EXPECT_EQ(longer.problem.batch, 1) << "one sequence is longer than the tokens in all";
    const std::string cudnn
        = "cudnn,log,B200,FA2,fwd,bf16,128,1,1024,1,128,147.3,TFLOPS,https://x,0.2 ms; kv_heads=8; cuDNN "
          "9.10,";
    EXPECT_EQ(scenarioOf(cudnn + "8,b200,fa2,,cudnn-b200,extra,").problem.kvHeads, 8);
    EXPECT_EQ(scenarioOf(cudnn + ",b200,fa2,,cudnn-b200,extra,").problem.kvHeads, 8) << "of the note";
}

TEST(PublishedResults, HeadDimsThatDiffer)
{
    for (const char* dims : { "192/128", "\"192,128\"", "\"(192, 128)\"" }) {
        const Scenario s = scenarioOf("2270,log,B200,FA4 2-CTA,fwd,bf16," + std::string(dims)
            + ",0,8192,4,16,1555.7,TFLOPS,https://x,1.767 ms,16,b200,fa4,two-cta=on,2270,extra,");
        EXPECT_EQ(s.problem.headDim, 192);
        EXPECT_EQ(s.problem.headDimV, 128);
    }
}

TEST(PublishedResults, WhatTheFiguresDoNotSay)
{
    const auto problem = [](const std::string& algorithm, const std::string& dim, const std::string& seqlen) {
        const std::string gpu = algorithm == "FA4" ? "B200" : "H100";
        return scenarioOf(
            "p,f," + gpu + "," + algorithm + ",fwd,bf16," + dim + ",1," + seqlen + ",,,100,TFLOPS,s,,", false)
            .problem;
    };
    EXPECT_EQ(problem("FA2", "64", "1024").batch, 16);
    EXPECT_EQ(problem("FA2", "64", "1024").heads, 32);
    EXPECT_EQ(problem("FA3", "256", "16384").batch, 1);
    EXPECT_EQ(problem("FA3", "256", "16384").heads, 8);
    EXPECT_EQ(problem("FA4", "128", "1024").batch, 32);
    EXPECT_EQ(problem("FA4", "192/128", "32768").heads, 16);
    EXPECT_EQ(problem("FA1", "64", "1024").batch, 16);
    EXPECT_EQ(problem("FA1", "64", "1024").heads, 8);
}

TEST(PublishedResults, TimesHaveUnitsOfTheirOwn)
{
    const PublishedResult ms = one("FA1,Table 9,A100,FA1,fwd,fp16,64,0,1024,16,8,0.78,ms,s,,,a100,fa1,,m,core,");
    ASSERT_TRUE(ms.scenario.has_value()) << ms.reason;
    EXPECT_EQ(ms.unit, PublishedUnit::Milliseconds);
    EXPECT_DOUBLE_EQ(inUnit(ms.unit, 780, 1e9), 0.78);
    EXPECT_DOUBLE_EQ(inUnit(PublishedUnit::Tflops, 100, 2e10), 200);
    EXPECT_DOUBLE_EQ(inUnit(PublishedUnit::Microseconds, 100, 2e10), 100);
    EXPECT_DOUBLE_EQ(inUnit(PublishedUnit::Seconds, 100, 2e10), 1e-4);
}

TEST(PublishedResults, WhatNothingOfOursDoesHasAReason)
{
    const auto reason = [](const std::string& row) { return one(row).reason; };
    const std::string rest = ",fp16,128,0,1024,16,16,300,TFLOPS,s,,,";
    EXPECT_EQ(reason("p,f,H100,FA2,bwd" + rest + "h100,fa2,,,core,"), "the backward pass is not in this version");
    EXPECT_EQ(reason("p,f,H100,FA2,fwd+bwd" + rest + "h100,fa2,,,core,"),
        "its time includes the backward pass, which is not in this version");
    EXPECT_EQ(reason("p,f,H100,FA2,decode" + rest + "h100,fa2,,,core,"), "the pass 'decode' is not in this version");
    EXPECT_EQ(reason("p,f,H100,cuDNN,fwd" + rest + ",,,,,"), "no preset does what 'cuDNN' does");
    EXPECT_EQ(reason("p,f,RTX4090,FA2,fwd" + rest + ",,,,,"), "no preset stands for the GPU 'RTX4090'");
    EXPECT_EQ(reason("p,f,H100,FA2,fwd" + rest + ",,,,,"), "the file names no preset for it");
    EXPECT_EQ(reason("p,f,H100,FA2,fwd" + rest + "h900,fa2,,,core,"), "no GPU 'h900' in this version");
    EXPECT_EQ(reason("p,f,H100,FA2,fwd" + rest + "h100,fa9,,,core,"), "no algorithm 'fa9' in this version");
    EXPECT_EQ(reason("p,f,B200,FA4,fwd,nvfp4/bf16,128,0,1024,16,16,300,TFLOPS,s,,,b200,fa4,,,extra,"),
        "no kernel here takes nvfp4/bf16");
    EXPECT_EQ(reason("p,f,B200,FA4,fwd,bf16,128,0,varlen 2048-8192,,16,300,TFLOPS,s,,,b200,fa4,,,,"),
        "sequences of varying length are not in this version");
    EXPECT_EQ(reason("p,f,A100,FA1,fwd,fp16,64,0,65536,16,8,OOM,ms,s,,,a100,fa1,,,,"),
        "ran out of memory: there is no number");
    EXPECT_EQ(reason("p,f,A100,FA1,fwd,fp16,64,0,65536,16,8,1.1-1.3,ms,s,,,a100,fa1,,,,"), "'1.1-1.3' is a range");
    EXPECT_EQ(reason("p,f,A100,FA1,fwd,fp16,64,0,4096,16,8,209,MB memory,s,,,a100,fa1,,,,"),
        "'MB memory' is no rate or time of a kernel");
    EXPECT_EQ(reason("p,f,H100,FA3,fwd" + rest + "h100,fa3,deterministic=on,,core,"),
        "the knob deterministic is not in this version");
}

TEST(PublishedResults, WhatCannotBeReadIsAnErrorWithItsPlace)
{
    const std::string good = "p,f,H100,FA2,fwd,fp16,128,0,1024,16,16,";
    EXPECT_EQ(errorOf(good + "fast,TFLOPS,s,,,h100,fa2,,,core,"),
        "f.csv:2, column tflops_or_value: 'fast' is not accepted (a number above 0, a range like 1.5-2.5, or OOM)");
    EXPECT_EQ(errorOf("p,f,H100,FA2,fwd,fp16,128,0,1k,16,16,300,TFLOPS,s,,,h100,fa2,,,core,"),
        "f.csv:2, column seqlen: '1k' is not accepted (a whole number)");
    EXPECT_EQ(errorOf("p,f,H100,FA2,fwd,fp16,128,0,1024,some,16,300,TFLOPS,s,,,h100,fa2,,,core,"),
        "f.csv:2, column batch: 'some' is not accepted (a whole number, or tokens in all: 16k tokens)");
    EXPECT_EQ(errorOf("p,f,H100,FA2,fwd,fp16,128,yes,1024,16,16,300,TFLOPS,s,,,h100,fa2,,,core,"),
        "f.csv:2, column causal: 'yes' is not accepted (0 or 1, with ? where it is a guess)");
    EXPECT_EQ(errorOf("p,f,H100,FA2,fwd,fp16,12x,0,1024,16,16,300,TFLOPS,s,,,h100,fa2,,,core,"),
        "f.csv:2, column head_dim: '12x' is not accepted (a whole number, or two like 192/128)");
    EXPECT_EQ(errorOf(good + "300,TFLOPS,s,,,h100,fa2,tile,,core,"),
        "f.csv:2, column knobs: 'tile' is not accepted (KEY=VALUE;KEY=VALUE of options and knobs)");
    EXPECT_EQ(errorOf(good + "300,TFLOPS,s,,,h100,fa2,tile=64,,core,"),
        "f.csv:2, --tile: '64' is not accepted (BRxBC, for example 128x64)");
    const auto missing = read("gpu,algorithm,pass", "H100,FA2,fwd");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().line(), "f.csv:1: there is no column 'dtype' (the columns of published_results.csv)");
}

PublishedResults shipped()
{
    auto results = publishedResults(resource("published/published_results.csv").value_or(""), "shipped");
    EXPECT_TRUE(results.ok()) << results.error().line();
    return std::move(*results);
}

TEST(PublishedResults, EveryForwardRowOfTheShippedFileThatCountsHasAScenario)
{
    std::map<std::string, int> forward;
    for (const PublishedResult& result : shipped().results) {
        if (result.tier.empty() || result.pass != "fwd") {
            EXPECT_FALSE(result.scenario.has_value()) << result.label;
            EXPECT_NE(result.reason, "") << result.label;
            continue;
        }
        ++forward[result.tier];
        EXPECT_TRUE(result.scenario.has_value()) << result.label << ": " << result.reason;
    }
    EXPECT_EQ(forward, (std::map<std::string, int> { { "core", 156 }, { "extra", 122 } }));
}

// Names say the same as the columns beside them.
TEST(PublishedResults, ShippedRowsAreMappedByNameAsByTheirColumns)
{
    const PublishedResults named = shipped();
    std::string text; // the same file without the columns
    const auto quoted = [](const std::string& cell) {
        std::string out = "\"";
        for (const char c : cell)
            out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + "\"";
    };
    const auto append = [&](const std::vector<std::string>& cells) {
        for (std::size_t k = 0; k < 16; ++k)
            text += (k == 0 ? "" : ",") + quoted(cells[k]);
        text += "\n";
    };
    append(named.table.columns);
    for (const auto& row : named.table.rows)
        append(row.cells);
    const auto byName = publishedResults(text, "named");
    ASSERT_TRUE(byName.ok()) << byName.error().line();
    int compared = 0;
    for (std::size_t k = 0; k < named.results.size(); ++k) {
        const PublishedResult& with = named.results[k];
        const PublishedResult& without = byName->results[k];
        if (with.tier.empty())
            continue;
        ++compared;
        EXPECT_EQ(with.presetGpu, without.presetGpu) << with.label;
        EXPECT_EQ(with.presetAlgorithm, without.presetAlgorithm) << with.label;
        if (!with.scenario)
            continue;
        ASSERT_TRUE(without.scenario.has_value()) << with.label << ": " << without.reason;
        EXPECT_EQ(with.scenario->scenario.problem, without.scenario->scenario.problem) << with.label;
        EXPECT_EQ(with.scenario->scenario.tile, without.scenario->scenario.tile) << with.label;
    }
    EXPECT_EQ(compared, 461);
}

} // namespace
