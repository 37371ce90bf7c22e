// SPDX-License-Identifier: Apache-2.0
// `flashstep-cli ptx --shipped` and `list kernels`.
#include "core/io/npy.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace flashstep::test {
namespace {

using Words = std::vector<std::string>;
using nlohmann::json;

Words shipped(const std::string& name, const Words& more)
{
    Words words { "ptx", "--shipped", name, "--json" };
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST(ListKernels, NamesEachWithItsFileTargetAndHeadDim)
{
    const CommandResult result = runCli({ "list", "kernels", "--json" });
    ASSERT_EQ(result.status, 0) << result.error;
    const json kernels = json::parse(result.out).at("kernels");
    ASSERT_GE(kernels.size(), 12U);
    for (const json& kernel : kernels) {
        const std::string name = kernel.at("name");
        const std::string file = kernel.at("file");
        EXPECT_EQ(file.rfind("core/cuda/", 0), 0U);
        const std::string stem = file.substr(10, file.rfind('.') - 10);
        EXPECT_EQ(name.rfind(stem, 0), 0U) << name << " begins with its file's name";
        EXPECT_EQ(kernel.at("target"), "sm_80");
        EXPECT_TRUE(kernel.at("head_dim") == 64 || kernel.at("head_dim") == 128);
        EXPECT_TRUE(kernel.at("dtype") == "bf16" || kernel.at("dtype") == "fp16");
        EXPECT_EQ(name.find("traced"), std::string::npos);
        EXPECT_EQ(kernel.at("entries").size(), stem == "standard" ? 3U : 1U);
    }
    const CommandResult text = runCli({ "list", "kernels" });
    EXPECT_NE(text.out.find("fa2_forward_d128_fp16"), std::string::npos) << text.out;
}

class ShippedKernel : public testing::TestWithParam<const char*> { };

TEST_P(ShippedKernel, GivesTheRightNumbersCleanlyInAnyOrder)
{
    for (const Words& more :
        { Words { "--seqlen-q", "70", "--seqlen-k", "130", "--mask", "causal" }, Words { "--seqlen-q", "1" },
            Words { "--seqlen-q", "65", "--heads", "2", "--kv-heads", "1", "--order-seed", "5" } }) {
        Words words = shipped(GetParam(), more);
        words.push_back("--check");
        const CommandResult result = runCli(words);
        ASSERT_EQ(result.status, 0) << result.error << result.out;
        const json report = json::parse(result.out);
        EXPECT_LT(report.at("max_abs_error").get<double>(), 0.02);
        EXPECT_EQ(report.at("hazards"), 0);
        EXPECT_GT(report.at("instructions").get<std::int64_t>(), 0);
        EXPECT_GT(report.at("cycles").get<std::int64_t>(), 0);
        EXPECT_EQ(report.at("gpu"), "a100");
    }
}

INSTANTIATE_TEST_SUITE_P(All, ShippedKernel,
    testing::Values("standard_d64", "standard_d128_fp16", "fa1_forward_d64_fp16", "fa1_forward_d128", "fa2_forward_d64",
        "fa2_forward_d128", "fa2_forward_d64_fp16"),
    [](const auto& kernel) { return std::string(kernel.param); });

TEST(PtxShipped, WritesItsTensorsWhoseErrorIsTheOneReported)
{
    const TemporaryDirectory directory;
    const CommandResult result = runCli(
        shipped("fa2_forward_d64", { "--seqlen-q", "40", "--seqlen-k", "100", "--out-npy", directory.path("out") }));
    ASSERT_EQ(result.status, 0) << result.error;
    const auto read = [&](const char* name) { return readNpy(directory.path(std::string("out/") + name)); };
    const auto q = read("q.npy"), k = read("k.npy"), v = read("v.npy"), o = read("o.npy");
    ASSERT_TRUE(q.ok() && k.ok() && v.ok() && o.ok());
    ASSERT_TRUE(std::filesystem::exists(directory.path("out/lse.npy")));
    double worst = 0;
    for (int row = 0; row < 40; ++row) {
        std::vector<double> weights(100);
        double most = -INFINITY;
        for (int key = 0; key < 100; ++key) {
            double score = 0;
            for (int d = 0; d < 64; ++d)
                score += static_cast<double>(q->tensor.row(0, 0, row)[static_cast<std::size_t>(d)])
                    * static_cast<double>(k->tensor.row(0, 0, key)[static_cast<std::size_t>(d)]);
            weights[static_cast<std::size_t>(key)] = score / 8;
            most = std::max(most, score / 8);
        }
        double sum = 0;
        for (double& weight : weights) {
            weight = std::exp(weight - most);
            sum += weight;
        }
        for (std::size_t d = 0; d < 64; ++d) {
            double exact = 0;
            for (int key = 0; key < 100; ++key)
                exact
                    += weights[static_cast<std::size_t>(key)] / sum * static_cast<double>(v->tensor.row(0, 0, key)[d]);
            worst = std::max(worst, std::fabs(exact - static_cast<double>(o->tensor.row(0, 0, row)[d])));
        }
    }
    EXPECT_NEAR(worst, json::parse(result.out).at("max_abs_error").get<double>(), 1e-9);
}

TEST(PtxShipped, TakesTensorsAndSaysTheSameAgain)
{
    const TemporaryDirectory directory;
    ASSERT_EQ(runCli(shipped("fa2_forward_d64", { "--seqlen-q", "30", "--out-npy", directory.path("a") })).status, 0);
    const Words again = shipped("fa2_forward_d64",
        { "--q", directory.path("a/q.npy"), "--k", directory.path("a/k.npy"), "--v", directory.path("a/v.npy"),
            "--out-npy", directory.path("b") });
    const CommandResult first = runCli(again);
    ASSERT_EQ(first.status, 0) << first.error;
    EXPECT_EQ(json::parse(first.out).at("seqlen_q"), 30);
    EXPECT_EQ(bytesOfFile(directory.path("a/o.npy")), bytesOfFile(directory.path("b/o.npy")));
    EXPECT_EQ(bytesOfFile(directory.path("a/lse.npy")), bytesOfFile(directory.path("b/lse.npy")));
    EXPECT_EQ(first.out, runCli(again).out);
}

TEST(PtxShipped, TheMachinesKnobsAndTheGpuChangeTheTimeAndNoNumber)
{
    const auto report = [](const Words& more) {
        Words words { "--seqlen-q", "128" };
        words.insert(words.end(), more.begin(), more.end());
        return json::parse(runCli(shipped("fa2_forward_d64", words)).out);
    };
    const json plain = report({});
    const json slower = report({ "--what-if", "tensor-rate=256" });
    const json later = report({ "--gpu", "h100" });
    EXPECT_GT(slower.at("cycles").get<std::int64_t>(), plain.at("cycles").get<std::int64_t>());
    EXPECT_NE(later.at("cycles"), plain.at("cycles"));
    for (const json& other : { slower, later }) {
        EXPECT_EQ(other.at("max_abs_error"), plain.at("max_abs_error"));
        EXPECT_EQ(other.at("instructions"), plain.at("instructions"));
    }
}

TEST(PtxShipped, TracesItsOpsOrWhereItHasNoStampsItsInstructions)
{
    const TemporaryDirectory directory;
    for (const auto& [kernel, key] :
        { std::pair("fa2_forward_d64", "op"), std::pair("fa2_forward_d64_fp16", "ptx_line") }) {
        const CommandResult result
            = runCli(shipped(kernel, { "--seqlen-q", "64", "--trace", directory.path("t.json") }));
        ASSERT_EQ(result.status, 0) << result.error;
        const json trace = json::parse(bytesOfFile(directory.path("t.json")), nullptr, false);
        EXPECT_EQ(trace.at("metadata").at("time"), "modelled");
        int slices = 0;
        for (const json& event : trace.at("traceEvents"))
            if (event.at("ph") == "X") {
                EXPECT_TRUE(event.at("args").contains(key)) << event;
                ++slices;
            }
        EXPECT_GT(slices, 10);
    }
}

TEST(PtxShipped, TheLimitEndsItWithStatusOne)
{
    const CommandResult result
        = runCli(shipped("fa2_forward_d64", { "--seqlen-q", "64", "--max-instructions", "1000" }));
    EXPECT_EQ(result.status, 1);
    const json report = json::parse(result.out);
    EXPECT_EQ(report.at("hazard_list").at(0).at("kind"), "limit");
    EXPECT_TRUE(report.contains("max_abs_error"));
}

} // namespace
} // namespace flashstep::test
