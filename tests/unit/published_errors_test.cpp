// SPDX-License-Identifier: Apache-2.0
#include "core/io/published_errors.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace flashstep;

TEST(PublishedErrors, EveryRowIsReadWhole)
{
    EXPECT_EQ(publishedErrors().size(), 33u);
    for (const PublishedError& row : publishedErrors()) {
        EXPECT_GT(row.value, 0) << row.algorithm << ' ' << row.metric;
        EXPECT_FALSE(row.paper.empty() || row.place.empty() || row.metric.empty() || row.unit.empty()) << row.algorithm;
        EXPECT_NE(row.source.find("https://"), std::string::npos) << row.source; // cells with commas keep their place
    }
}

TEST(PublishedErrors, Table3)
{
    const auto rmse = [](const char* algorithm, const char* dtype) {
        const PublishedError* row = publishedError(algorithm, dtype, "RMSE");
        return row == nullptr ? 0 : row->value;
    };
    EXPECT_EQ(rmse("baseline (standard attention)", "fp16"), 3.2e-4);
    EXPECT_EQ(rmse("FA2", "fp16"), 1.9e-4);
    EXPECT_EQ(rmse("FA3", "fp16"), 1.9e-4);
    EXPECT_EQ(rmse("baseline (per-tensor scaling)", "fp8_e4m3"), 2.4e-2);
    EXPECT_EQ(rmse("FA3", "fp8_e4m3"), 9.1e-3);
    EXPECT_EQ(rmse("FA3 without block quantization", "fp8_e4m3"), 9.3e-3);
    EXPECT_EQ(rmse("FA3 without incoherent processing", "fp8_e4m3"), 2.4e-2);
}

TEST(PublishedErrors, ThePaperComesBeforeTheRecomputation)
{
    const PublishedError* degree3 = publishedError("polynomial degree 3", "fp32", "max relative error");
    ASSERT_NE(degree3, nullptr);
    EXPECT_EQ(degree3->value, 8.77e-5);
    EXPECT_EQ(degree3->place, "Table 2");
    const PublishedError* degree1 = publishedError("polynomial degree 1", "fp32", "max relative error");
    ASSERT_NE(degree1, nullptr);
    EXPECT_EQ(degree1->paper, "derived here");
    EXPECT_EQ(publishedError("polynomial degree 6", "fp32", "max relative error"), nullptr);
}

} // namespace
