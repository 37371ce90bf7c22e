// SPDX-License-Identifier: Apache-2.0
#include "core/io/validation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace {

using namespace flashstep;

const std::string head = "gpu,algorithm,pass,dtype,head_dim,causal,seqlen,batch,heads,tflops_or_value,unit,preset_gpu,"
                         "preset_algorithm,tier\n";

TEST(Validation, ErrorIsRelativeToThePublishedFigure)
{
    EXPECT_DOUBLE_EQ(errorPercent(110, 100), 10);
    EXPECT_DOUBLE_EQ(errorPercent(75, 100), -25);
    EXPECT_DOUBLE_EQ(errorPercent(100, 80), 25);
}

TEST(Validation, GroupsHaveMeanAndWorstOfTheirOwnRows)
{
    PublishedResults published;
    const auto result = [&](const char* gpu, const char* algorithm, const char* tier) {
        PublishedResult r;
        r.presetGpu = gpu;
        r.presetAlgorithm = algorithm;
        r.pass = "fwd";
        r.tier = tier;
        published.results.push_back(r);
    };
    result("h100", "fa2", "extra");
    result("h100", "fa2", "core");
    result("h100", "fa3", "core");
    result("h100", "fa2", "core");
    const std::vector<ValidatedRow> rows { { 0, 0, 0, 50, 1, 0 }, { 1, 0, 0, -30, 100, 0 }, { 2, 0, 0, 7, 80, 0 },
        { 3, 0, 0, 10, 50, 0 } };
    const auto groups = groupsOf(published, rows);
    ASSERT_EQ(groups.size(), 3U);
    EXPECT_EQ(groups[0].presetAlgorithm, "fa2");
    EXPECT_EQ(groups[0].tier, "core") << "core comes before extra";
    EXPECT_EQ(groups[0].rows, 2U);
    EXPECT_DOUBLE_EQ(groups[0].meanAbsErrorPercent, 20);
    EXPECT_DOUBLE_EQ(groups[0].meanErrorPercent, -10);
    EXPECT_DOUBLE_EQ(groups[0].worstPercent, 30);
    EXPECT_DOUBLE_EQ(groups[0].rooflineErrorPercent, 75);
    EXPECT_EQ(groups[1].presetAlgorithm, "fa3");
    EXPECT_EQ(groups[1].rows, 1U);
    EXPECT_EQ(groups[2].tier, "extra");
    EXPECT_DOUBLE_EQ(groups[2].meanAbsErrorPercent, 50);
}

TEST(Validation, SaysTheSameOnOneThreadAndOnSeveral)
{
    std::string text = head;
    for (const char* shape : { "H100,FA3,fwd,bf16,64,1,768,2,3,100,TFLOPS,h100,fa3,core\n",
             "H100,FA2,fwd,bf16,64,0,512,1,4,100,TFLOPS,h100,fa2,core\n",
             "B200,FA4,fwd,bf16,128,0,1024,1,4,0.02,ms,b200,fa4,core\n",
             "H100,FA4,fwd,bf16,64,1,768,2,3,1,ms,h100,fa4,\n", // refused
             "H100,FA3,fwd,bf16,64,1,768,2,3,0.02,ms,h100,fa3,core\n", // the first one's scenario
             "H100,FA3,fwd,bf16,128,1,1024,1,8,100,TFLOPS,h100,fa3,extra\n" })
        text += shape;
    std::vector<ValidatedRow> rows;
    std::vector<std::string> reasons;
    for (const unsigned threads : { 1U, 2U, 3U, 64U }) {
        SCOPED_TRACE(threads);
        auto published = publishedResults(text, "f.csv");
        ASSERT_TRUE(published.ok()) << published.error().line();
        std::vector<double> fractions;
        const auto validation
            = validate(*published, { {}, [&](double fraction) { fractions.push_back(fraction); } }, threads);
        ASSERT_TRUE(validation.ok());
        EXPECT_TRUE(std::ranges::is_sorted(fractions));
        std::vector<std::string> found;
        for (const std::size_t k : validation->uncovered)
            found.push_back(published->results[k].reason);
        if (threads == 1) {
            rows = validation->rows;
            reasons = found;
            EXPECT_EQ(rows.size(), 5U);
        }
        EXPECT_EQ(found, reasons);
        ASSERT_EQ(validation->rows.size(), rows.size());
        for (std::size_t k = 0; k < rows.size(); ++k) {
            EXPECT_EQ(validation->rows[k].result, rows[k].result);
            EXPECT_EQ(validation->rows[k].predicted, rows[k].predicted);
            EXPECT_EQ(validation->rows[k].roofline, rows[k].roofline);
            EXPECT_EQ(validation->rows[k].clockMhz, rows[k].clockMhz);
        }
    }
}

// Both units of the same row say the same; the prediction is that of a run in two steps.
TEST(Validation, RowsOfEitherUnit)
{
    const std::string row = "H100,FA3,fwd,bf16,64,1,768,2,3,";
    const std::string preset = ",h100,fa3,core\n";
    auto published = publishedResults(head + row + "100,TFLOPS" + preset + row + "0.02,ms" + preset
            + "H100,FA3,bwd,bf16,64,1,768,2,3,100,TFLOPS" + preset + "H100,FA4,fwd,bf16,64,1,768,2,3,1,ms,h100,fa4,\n",
        "f.csv");
    ASSERT_TRUE(published.ok()) << published.error().line();
    const auto validation = validate(*published, {});
    ASSERT_TRUE(validation.ok());
    ASSERT_EQ(validation->rows.size(), 2U);
    EXPECT_EQ(validation->uncovered, (std::vector<std::size_t> { 2, 3 }));
    EXPECT_NE(published->results[3].reason.find("tcgen05"), std::string::npos) << published->results[3].reason;
    const double flops = 4.0 * 768 * 768 / 2 * 64 * 2 * 3;
    const ValidatedRow& rate = validation->rows[0];
    const ValidatedRow& time = validation->rows[1];
    EXPECT_NEAR(rate.predicted * time.predicted * 1e9, flops, 1e-6 * flops);
    EXPECT_DOUBLE_EQ(rate.errorPercent, errorPercent(rate.predicted, 100));
    EXPECT_DOUBLE_EQ(time.errorPercent, errorPercent(time.predicted, 0.02));
    EXPECT_GT(rate.roofline, rate.predicted);
    EXPECT_LT(time.roofline, time.predicted);

    RunOptions options;
    options.grid = RunOptions::Grid::TwoSteps;
    const auto run = runScenario(published->results[0].scenario->scenario, std::nullopt, {}, options);
    ASSERT_TRUE(run.ok());
    EXPECT_DOUBLE_EQ(rate.predicted, *run->report.tflops);
}

TEST(Validation, ScenariosAreRunInOrderAndCancelled)
{
    auto published = publishedResults(head + "H100,FA3,fwd,bf16,64,1,768,2,3,100,TFLOPS,h100,fa3,core\n", "f.csv");
    ASSERT_TRUE(published.ok());
    std::stop_source stop;
    stop.request_stop();
    const auto validation = validate(*published, { stop.get_token(), {} });
    ASSERT_FALSE(validation.ok());
    EXPECT_EQ(validation.error().what, "cancelled");
}

// H100, 1830 MHz, 132 SMs: 4096 FLOP and 16 exponentials a clock and SM, 3350 GB/s.
TEST(Roofline, IsTheLargestOfThreeTimes)
{
    Scenario s;
    s.algorithm = "fa3";
    s.problem.batch = 2;
    s.problem.heads = s.problem.kvHeads = 8;
    s.problem.seqlenQ = s.problem.seqlenK = 4096;
    s.problem.headDim = s.problem.headDimV = 128;
    const GpuSpec& gpu = *findGpu("h100");
    const double scores = 4096.0 * 4096 * 16;
    const Roofline dense = rooflineOf(s, gpu, 1830);
    EXPECT_NEAR(dense.tensor, 4 * scores * 128 / (4096 * 132 * 1830.0), 1e-9);
    EXPECT_NEAR(dense.exp, scores / (16 * 132 * 1830.0), 1e-9);
    EXPECT_NEAR(dense.hbm, (4 * 4096.0 * 128 * 2 + 4096 * 4) * 16 / 3350e3, 1e-9);
    EXPECT_DOUBLE_EQ(dense.microseconds(), dense.tensor);
    s.problem.headDim = s.problem.headDimV = 64;
    s.problem.mask.kind = MaskKind::Causal;
    const Roofline causal = rooflineOf(s, gpu, 1830);
    EXPECT_NEAR(causal.tensor, dense.tensor / 4, 1e-9);
    EXPECT_NEAR(causal.exp, dense.exp / 2, 1e-9);
    EXPECT_DOUBLE_EQ(causal.microseconds(), causal.exp);
    s.algorithm = "fa2"; // mma.sync is slower than wgmma
    EXPECT_GT(rooflineOf(s, gpu, 1830).tensor, 1.4 * causal.tensor);
    s.algorithm = "standard"; // S and P through HBM
    EXPECT_GT(rooflineOf(s, gpu, 1830).hbm, 4 * scores * 2 / 3350e3);
}

} // namespace
