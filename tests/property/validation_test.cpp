// SPDX-License-Identifier: Apache-2.0
#include "core/io/files.h"
#include "core/io/validation.h"

#include <gtest/gtest.h>

#include <map>

namespace {

using namespace flashstep;

class ShippedRows : public ::testing::Test {
protected:
    static void SetUpTestSuite()
    {
        const std::string path = FLASHSTEP_SOURCE_DIR "/resources/published/published_results.csv";
        const auto text = readFile(path, 64U << 20U);
        ASSERT_TRUE(text);
        auto read = publishedResults(*text, path);
        ASSERT_TRUE(read);
        published = std::move(*read);
        auto done = validate(published, {});
        ASSERT_TRUE(done);
        validation = std::move(*done);
    }

    static std::string cell(std::size_t row, std::string_view column)
    {
        return published.table.rows[row].cells[*published.table.column(column)];
    }

    static PublishedResults published;
    static Validation validation;
};
PublishedResults ShippedRows::published;
Validation ShippedRows::validation;

TEST_F(ShippedRows, EveryForwardRowThatCountsIsCovered)
{
    for (const std::size_t k : validation.uncovered) {
        const PublishedResult& result = published.results[k];
        const bool counts = result.tier == "core" || result.tier == "extra";
        EXPECT_FALSE(counts && result.pass == "fwd") << result.label << ": " << result.reason;
        EXPECT_FALSE(result.reason.empty()) << result.label;
    }
}

TEST_F(ShippedRows, EachCoreGroupIsWithinEightPercentAndNearerThanARoofline)
{
    int groups = 0;
    for (const ValidatedGroup& group : validation.groups) {
        if (group.tier != "core" || group.rows < 5)
            continue;
        ++groups;
        EXPECT_LE(group.meanAbsErrorPercent, 8) << group.presetAlgorithm << " on " << group.presetGpu;
        EXPECT_LT(group.meanAbsErrorPercent, group.rooflineErrorPercent / 5) << group.presetAlgorithm;
    }
    EXPECT_EQ(groups, 5);
}

// Where a publication has several versions at the same sizes, the faster one is predicted to be the faster one.
TEST_F(ShippedRows, VersionsAreInThePublishedOrder)
{
    std::map<std::string, std::vector<const ValidatedRow*>> tables;
    for (const ValidatedRow& row : validation.rows) {
        std::string key;
        for (const char* column : { "paper", "figure_or_table", "machine", "preset_gpu", "head_dim", "causal", "seqlen",
                 "batch", "heads", "kv_heads", "unit" })
            key += cell(row.result, column) + '|';
        tables[key].push_back(&row);
    }
    int pairs = 0;
    for (const auto& [key, rows] : tables)
        for (const ValidatedRow* a : rows)
            for (const ValidatedRow* b : rows) {
                const PublishedResult& x = published.results[a->result];
                const PublishedResult& y = published.results[b->result];
                if (x.presetAlgorithm >= y.presetAlgorithm)
                    continue;
                ++pairs;
                EXPECT_EQ(x.published < y.published, a->predicted < b->predicted) << key;
            }
    EXPECT_GE(pairs, 50);
}

} // namespace
