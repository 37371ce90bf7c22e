// SPDX-License-Identifier: Apache-2.0
// The table in docs/versions.md is what the command prints; `bash docs/versions.sh` makes it again.
#include "tests/support/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace flashstep::test {
namespace {

TEST(OverviewDocs, TableIsWhatTheCommandPrints)
{
    const CommandResult result = runCli({ "overview", "--markdown", "--quiet" });
    ASSERT_EQ(result.status, 0) << result.error;
    const std::string docs = bytesOfFile(std::string(FLASHSTEP_SOURCE_DIR) + "/docs/versions.md");
    const std::string begin = "<!-- begin: flashstep-cli overview --markdown -->\n";
    const std::string end = "<!-- end -->\n";
    const std::size_t from = docs.find(begin);
    const std::size_t to = docs.find(end);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
    EXPECT_EQ(docs.substr(from + begin.size(), to - from - begin.size()), result.out)
        << "the table is stale: bash docs/versions.sh";
}

// Every number that people read is one of those that programs read.
TEST(OverviewCommand, TextAndJsonSayTheSame)
{
    const std::vector<std::string> words { "overview", "--seqlen", "1024", "--mask", "causal", "--gpu", "h100", "--gpu",
        "h100" };
    std::vector<std::string> asJson = words;
    asJson.push_back("--json");
    const CommandResult text = runCli(words);
    const CommandResult json = runCli(asJson);
    ASSERT_EQ(text.status, 0) << text.error;
    ASSERT_EQ(json.status, 0) << json.error;
    const auto rows = nlohmann::json::parse(json.out).at("rows");
    ASSERT_EQ(rows.size(), 4U) << "a GPU named twice is there once";
    for (const auto& row : rows) {
        EXPECT_EQ(row.at("mask"), "causal");
        const auto& shares = row.at("utilisation");
        double most = 0;
        for (const auto& share : shares)
            most = std::max(most, share.get<double>());
        EXPECT_EQ(shares.at(row.at("binding").get<std::string>()).get<double>(), most);
        const double flops = 4.0 * 1024 * 1024 / 2 * 128 * 16 * row.at("batch").get<double>();
        EXPECT_NEAR(row.at("tflops").get<double>() * row.at("microseconds").get<double>() * 1e6, flops, 1e-6 * flops);
        const std::string rate = std::to_string(std::lround(row.at("tflops").get<double>()));
        const std::string name = row.at("algorithm").get<std::string>();
        const std::size_t line = text.out.find("\n" + name + " ");
        ASSERT_NE(line, std::string::npos);
        EXPECT_NE(text.out.substr(line, 60).find(" " + rate + " "), std::string::npos) << name;
    }
    EXPECT_EQ(text.out, runCli(words).out);
}

} // namespace
} // namespace flashstep::test
