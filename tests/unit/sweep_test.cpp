// SPDX-License-Identifier: Apache-2.0
#include "core/io/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace flashstep::test {
namespace {

std::vector<Varied> sweepOf(const std::vector<std::string>& texts)
{
    const auto sweep = parseSweep(texts);
    EXPECT_TRUE(sweep.ok()) << sweep.error().line();
    return sweep.ok() ? *sweep : std::vector<Varied>();
}

std::string errorOf(const std::vector<std::string>& texts)
{
    const auto sweep = parseSweep(texts);
    return sweep.ok() ? std::string("accepted") : sweep.error().line();
}

TEST(Sweep, KeysAreOptionsOrKnobsInEitherSpelling)
{
    const auto sweep = sweepOf({ "seqlen-k=64,128", "head_dim=64", "rescale-threshold=0,8", "two_cta=on,off" });
    ASSERT_EQ(sweep.size(), 4U);
    EXPECT_EQ(sweep[0].key, "seqlen_k");
    EXPECT_EQ(sweep[0].name, "seqlen-k");
    EXPECT_EQ(sweep[1].key, "head_dim");
    EXPECT_TRUE(sweep[2].isKnob);
    EXPECT_EQ(sweep[3].key, "two-cta");
    EXPECT_EQ(sweep[3].name, "two_cta");
}

TEST(Sweep, AWindowKeepsItsComma)
{
    const auto sweep = sweepOf({ "mask=causal,window:8,0,none,window:4,4" });
    EXPECT_EQ(sweep[0].values, (std::vector<std::string> { "causal", "window:8,0", "none", "window:4,4" }));
}

TEST(Sweep, TheLastKeyChangesFastest)
{
    const auto sweep = sweepOf({ "algorithm=fa2,fa3", "seqlen-q=64,128,256" });
    ASSERT_EQ(combinationCount(sweep), 6U);
    std::string all;
    for (std::size_t k = 0; k < 6; ++k) {
        const std::vector<std::string> values = combination(sweep, k);
        all += values[0] + ":" + values[1] + " ";
    }
    EXPECT_EQ(all, "fa2:64 fa2:128 fa2:256 fa3:64 fa3:128 fa3:256 ");
}

TEST(Sweep, WhatCannotVaryIsRefused)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases {
        { { "seqlen-q" }, "'seqlen-q' is not accepted" },
        { { "=1" }, "'=1' is not accepted" },
        { { "speed=1" }, "no option and no knob 'speed'" },
        { { "what-if=sms=8" }, "no option and no knob 'what-if'" },
        { { "seqlen-q=64,,128" }, "a value is empty" },
        { { "seqlen-q=64,x" }, "'x' is not accepted" },
        { { "exp2-degree=3,99" }, "'99' is not accepted" },
        { { "seqlen-q=64,64" }, "'64' stands there twice" },
        { { "seqlen-q=64", "seqlen_q=128" }, "it varies twice" },
        { { "mask=window:4" }, "'window:4' is not accepted" },
    };
    for (const auto& [texts, says] : cases)
        EXPECT_NE(errorOf(texts).find(says), std::string::npos) << texts[0] << ": " << errorOf(texts);
}

TEST(Sweep, MoreThanAMillionCombinationsAreRefused)
{
    std::string many = "seed=0";
    for (int k = 1; k < 1000; ++k)
        many += "," + std::to_string(k);
    std::string sizes = "seqlen_q=1";
    for (int k = 2; k <= 1001; ++k)
        sizes += "," + std::to_string(k);
    EXPECT_NE(errorOf({ many, sizes }).find("too many combinations"), std::string::npos);
}

TEST(Sweep, ShardsShareTheCombinationsOut)
{
    for (std::size_t of = 1; of <= 7; ++of)
        for (std::size_t k = 0; k < 40; ++k) {
            int takers = 0;
            for (std::size_t number = 1; number <= of; ++number)
                takers += Shard { number, of }.takes(k) ? 1 : 0;
            EXPECT_EQ(takers, 1) << k << " of shards " << of;
        }
    for (const char* bad : { "0/4", "5/4", "1", "1/", "/4", "1/0", "a/b", "1/4x", "-1/4", "" })
        EXPECT_FALSE(parseShard(bad).ok()) << bad;
    EXPECT_TRUE(parseShard("4/4").ok());
}

Json report(int k)
{
    Json out;
    out["flashstep"] = "0.1.0";
    out["algorithm"] = "fa2";
    out["seqlen_q"] = 64 * k;
    out["knobs"] = { { "mufu-rate", 32 } };
    out["tflops"] = k % 2 == 0 ? Json() : Json(0.1 * k);
    out["utilisation"] = { { "tensor", 0.25 } };
    out["hazard_list"] = Json::array();
    for (int n = 0; n < 5 * k; ++n)
        out["hazard_list"].push_back("a \"quoted\", listed\nhazard");
    return out;
}

TEST(SweepTable, RowsReadBackAsTheyWere)
{
    const auto sweep = sweepOf({ "seqlen_q=64,128,192", "algorithm=fa2" });
    std::string text = sweepHeader(sweep);
    for (std::size_t k = 0; k < 3; ++k) {
        const Json one = report(static_cast<int>(k) + 1);
        text += sweepLine(
            sweep, { k, k == 1 ? nullptr : &one, k == 1 ? "refused" : "ok", k == 1 ? "no, \"never\"" : "" });
    }
    const auto table = parseCsv(text, "t.csv");
    ASSERT_TRUE(table.ok()) << table.error().line();
    const auto cell = [&](std::size_t row, const char* column) {
        const auto k = table->column(column);
        return k ? table->rows[row].cells[*k] : std::string("no such column");
    };
    EXPECT_EQ(table->columns[0], "seqlen_q");
    EXPECT_EQ(table->columns[1], "algorithm");
    EXPECT_EQ(table->columns[2], "flashstep");
    EXPECT_EQ(std::ranges::count(table->columns, "algorithm"), 1)
        << "a varied key's column is the only one of its name";
    EXPECT_EQ(cell(0, "tflops"), "0.1");
    EXPECT_EQ(cell(2, "utilisation_tensor"), "0.25");
    EXPECT_EQ(cell(0, "knobs"), R"({"mufu-rate":32})");
    EXPECT_EQ(cell(0, "cycles"), "") << "what the report does not say";
    EXPECT_EQ(cell(1, "tflops"), "");
    EXPECT_EQ(cell(1, "seqlen_q"), "128");
    EXPECT_EQ(cell(1, "error"), "no, \"never\"");
    EXPECT_EQ(cell(2, "combination"), "3");
    EXPECT_EQ(cell(2, "combinations"), "3");
    EXPECT_EQ(Json::parse(cell(0, "hazard_list")).size(), 5U);
    EXPECT_EQ(Json::parse(cell(2, "hazard_list")).size(), 8U) << "no more than a cell can bear";
}

// A sweep's lines dealt out to parts, in any order.
class Merge : public testing::Test {
protected:
    static std::string line(std::size_t k)
    {
        const Json one = report(static_cast<int>(k % 5));
        return sweepLine(varied(), { k, k % 3 == 0 ? nullptr : &one, k % 3 == 0 ? "refused" : "ok", "" });
    }
    static const std::vector<Varied>& varied()
    {
        static const auto sweep = sweepOf({ "seqlen-q=64,128,192,256", "mask=none,causal,window:3,1" });
        return sweep;
    }
    static CsvTableText part(const std::vector<std::size_t>& numbers, const std::string& where)
    {
        std::string text = sweepHeader(varied());
        for (const std::size_t k : numbers)
            text += line(k);
        const auto table = parseCsv(text, where);
        EXPECT_TRUE(table.ok());
        return *table;
    }
    static std::string whole()
    {
        std::string text = sweepHeader(varied());
        for (std::size_t k = 0; k < 12; ++k)
            text += line(k);
        return text;
    }
};

TEST_F(Merge, AnyPartsInAnyOrderAreTheWholeTable)
{
    std::minstd_rand random(7);
    for (int round = 0; round < 50; ++round) {
        std::vector<std::vector<std::size_t>> numbers(1 + random() % 5);
        for (std::size_t k = 0; k < 12; ++k)
            numbers[random() % numbers.size()].push_back(k);
        std::vector<CsvTableText> parts;
        for (const auto& one : numbers)
            parts.push_back(part(one, "p"));
        std::ranges::shuffle(parts, random);
        const auto merged = mergeSweeps(parts);
        ASSERT_TRUE(merged.ok()) << merged.error().line();
        EXPECT_EQ(merged->text, whole());
        EXPECT_TRUE(merged->missing.empty());
    }
}

TEST_F(Merge, MissingCombinationsAreNamed)
{
    const std::vector<CsvTableText> parts { part({ 0, 4, 8 }, "a"), part({ 1, 5, 9 }, "b") };
    const auto merged = mergeSweeps(parts);
    ASSERT_TRUE(merged.ok());
    EXPECT_EQ(merged->missing, (std::vector<std::size_t> { 3, 4, 7, 8, 11, 12 }));
    EXPECT_EQ(merged->rows, 6U);
    EXPECT_EQ(merged->combinations, 12U);
}

TEST_F(Merge, TheSameRowTwiceCountsOnce)
{
    const std::vector<CsvTableText> parts { part({ 0, 1, 2, 3, 4, 5, 6, 7 }, "a"), part({ 6, 7, 8, 9, 10, 11 }, "b") };
    const auto merged = mergeSweeps(parts);
    ASSERT_TRUE(merged.ok());
    EXPECT_EQ(merged->text, whole());
}

TEST_F(Merge, WhatDoesNotBelongTogetherIsRefused)
{
    CsvTableText changed = part({ 3 }, "changed.csv");
    changed.rows[0].cells[5] = "other";
    CsvTableText other = part({ 3 }, "other.csv");
    other.columns[0] = "seqlen-k";
    CsvTableText larger = part({ 3 }, "larger.csv");
    larger.rows[0].cells.back() = "99";
    CsvTableText beyond = part({ 3 }, "beyond.csv");
    beyond.rows[0].cells[beyond.columns.size() - 2] = "13";
    const auto foreign = parseCsv("a,b\n1,2\n", "foreign.csv");
    const std::vector<std::pair<CsvTableText, std::string>> cases { { changed,
                                                                        "combination 4 says other things in a:5" },
        { other, "its columns are not those of a" }, { larger, "one of 99 combinations" },
        { beyond, "no combination of a sweep" }, { *foreign, "not a part of a sweep" } };
    for (const auto& [second, says] : cases) {
        const std::vector<CsvTableText> parts { part({ 0, 1, 2, 3 }, "a"), second };
        const auto merged = mergeSweeps(parts);
        ASSERT_FALSE(merged.ok()) << second.where;
        EXPECT_NE(merged.error().line().find(says), std::string::npos) << merged.error().line();
        EXPECT_NE(merged.error().line().find(second.where), std::string::npos) << merged.error().line();
    }
}

} // namespace
} // namespace flashstep::test
