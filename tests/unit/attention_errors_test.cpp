// SPDX-License-Identifier: Apache-2.0
// The shape of FlashAttention-3's Table 3.
#include "core/emulation/attention_errors.h"
#include "core/emulation/run.h"
#include "core/io/published_errors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace {

using namespace flashstep;

Problem problemOf(int heads, int seqlenQ, int seqlenK, int headDim)
{
    Problem p;
    p.heads = p.kvHeads = heads;
    p.seqlenQ = seqlenQ;
    p.seqlenK = seqlenK;
    p.headDim = p.headDimV = headDim;
    p.init = Init::Outliers;
    return p;
}

std::vector<AttentionWay> fp16Ways(const Problem& problem)
{
    const std::vector<AttentionWay> all = attentionWays(problem);
    return { all.begin(), all.begin() + 3 };
}

// By the definition, with libm.
std::vector<double> exactAttention(const Inputs& inputs)
{
    std::vector<double> o;
    for (int h = 0; h < inputs.q.heads; ++h) {
        for (int i = 0; i < inputs.q.seqlen; ++i) {
            std::vector<double> sum(static_cast<std::size_t>(inputs.v.dim));
            double l = 0;
            for (int j = 0; j < inputs.k.seqlen; ++j) {
                double score = 0;
                for (int d = 0; d < inputs.q.dim; ++d)
                    score += double { inputs.q.row(0, h, i)[static_cast<std::size_t>(d)] }
                        * inputs.k.row(0, h, j)[static_cast<std::size_t>(d)];
                const double weight = std::exp(score / std::sqrt(static_cast<double>(inputs.q.dim)));
                l += weight;
                for (std::size_t d = 0; d < sum.size(); ++d)
                    sum[d] += weight * inputs.v.row(0, h, j)[d];
            }
            for (const double x : sum)
                o.push_back(x / l);
        }
    }
    return o;
}

TEST(AttentionErrors, AreAgainstTheInputsBeforeTheyWereRounded)
{
    const Problem problem = problemOf(2, 32, 64, 32);
    const std::vector<AttentionWay> ways = fp16Ways(problem);
    const auto errors = attentionErrors(ways, {});
    ASSERT_TRUE(errors.ok()) << errors.error().line();
    Problem unrounded = problem;
    unrounded.dtype = DType::Fp32;
    const std::vector<double> exact = exactAttention(generateInputs(unrounded));
    for (std::size_t k = 0; k < ways.size(); ++k) {
        const auto run = runScenario(ways[k].scenario, std::nullopt, {}); // both heads in one go
        ASSERT_TRUE(run.ok()) << run.error().line();
        ASSERT_EQ(run->o.data.size(), exact.size());
        double squares = 0;
        for (std::size_t i = 0; i < exact.size(); ++i)
            squares += std::pow(run->o.data[i] - exact[i], 2);
        const double rmse = std::sqrt(squares / static_cast<double>(exact.size()));
        ASSERT_TRUE((*errors)[k].rmse) << (*errors)[k].refused;
        EXPECT_NEAR(*(*errors)[k].rmse, rmse, 1e-9 * rmse) << ways[k].algorithm;
        EXPECT_GT(*(*errors)[k].rmse, 1.1 * *run->report.rmsError) << ways[k].algorithm; // that leaves rounding out
    }
}

TEST(AttentionErrors, Fp16RowsHaveTheOrderOfTheTable)
{
    const Problem problem = problemOf(2, 128, 2048, 64);
    const auto errors = attentionErrors(fp16Ways(problem), {});
    ASSERT_TRUE(errors.ok()) << errors.error().line();
    const double baseline = *(*errors)[0].rmse;
    const double fa2 = *(*errors)[1].rmse;
    const double fa3 = *(*errors)[2].rmse;
    EXPECT_GT(baseline, 1.15 * fa3);
    EXPECT_NEAR(fa2 / fa3, 1, 0.02);
}

TEST(AttentionErrors, Fp8RowsHaveTheOrderOfTheTable)
{
    const Problem problem = problemOf(3, 128, 2048, 128);
    const auto errors = attentionErrors(attentionWays(problem), {});
    ASSERT_TRUE(errors.ok()) << errors.error().line();
    for (const AttentionError& error : *errors)
        ASSERT_TRUE(error.rmse) << error.refused;
    const double fa3Fp16 = *(*errors)[2].rmse;
    const double baseline = *(*errors)[3].rmse;
    const double fa3 = *(*errors)[4].rmse;
    const double oneFactor = *(*errors)[5].rmse;
    const double noRotation = *(*errors)[6].rmse;
    EXPECT_GT(fa3, 30 * fa3Fp16);
    EXPECT_GT(baseline, 1.2 * fa3);
    EXPECT_GT(noRotation, 1.2 * fa3); // the rotation is what helps
    EXPECT_NEAR(oneFactor / fa3, 1, 0.15); // factors of blocks are not
}

TEST(AttentionErrors, WaysAreThoseOfTheTable)
{
    const std::vector<AttentionWay> ways = attentionWays(problemOf(1, 32, 64, 32));
    EXPECT_EQ(ways.size(), 7u);
    for (const AttentionWay& way : ways)
        EXPECT_NE(publishedError(way.algorithm, way.dtype, "RMSE"), nullptr) << way.algorithm;
}

TEST(AttentionErrors, AWayThatIsRefusedSaysWhyAndTheOthersGoOn)
{
    std::vector<AttentionWay> ways = fp16Ways(problemOf(1, 16, 32, 16));
    ways[1].scenario.tile = TileSize { 7, 7 };
    const auto errors = attentionErrors(ways, {});
    ASSERT_TRUE(errors.ok()) << errors.error().line();
    EXPECT_TRUE((*errors)[0].rmse && (*errors)[2].rmse);
    EXPECT_FALSE((*errors)[1].rmse);
    EXPECT_NE((*errors)[1].refused.find("7x7"), std::string::npos) << (*errors)[1].refused;
    for (AttentionWay& way : ways)
        way.scenario.tile = TileSize { 7, 7 };
    EXPECT_FALSE(attentionErrors(ways, {}).ok());
}

TEST(AttentionErrors, CanBeStopped)
{
    std::stop_source stop;
    stop.request_stop();
    const auto errors = attentionErrors(fp16Ways(problemOf(4, 256, 256, 64)), { stop.get_token(), {} });
    ASSERT_FALSE(errors.ok());
    EXPECT_EQ(errors.error().what, "cancelled");
}

} // namespace
