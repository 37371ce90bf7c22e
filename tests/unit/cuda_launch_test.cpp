// SPDX-License-Identifier: Apache-2.0
#include "core/cuda/launch.h"
#include "core/cuda/profile.h"
#include "resources/embedded/resources.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <regex>

// What launch.cpp says of the kernels against their PTX, and what profile.h says of stamps.

namespace flashstep::cuda {
namespace {

LaunchProblem problemFor(const KernelPlan& kernel, int seqlenQ = 200, int seqlenK = 300)
{
    LaunchProblem problem;
    problem.dtype = kernel.dtype;
    problem.headDim = problem.headDimV = kernel.headDim;
    problem.batch = 2;
    problem.heads = 4;
    problem.kvHeads = 2;
    problem.seqlenQ = seqlenQ;
    problem.seqlenK = seqlenK;
    problem.mask = LaunchMask::Causal;
    return problem;
}

std::string ptxOf(const KernelPlan& kernel)
{
    const std::string name = "ptx/" + std::filesystem::path(kernel.file).stem().string() + ".ptx";
    const auto text = resource(name);
    EXPECT_TRUE(text.has_value()) << name;
    return text ? std::string(*text) : std::string();
}

// The types of an entry's parameters, in order: "u64", "u32", "f32".
std::vector<std::string> parametersOf(const std::string& ptx, const std::string& entry)
{
    const std::size_t begin = ptx.find(".visible .entry " + entry + "(");
    if (begin == std::string::npos)
        return {};
    const std::string list = ptx.substr(begin, ptx.find(')', begin) - begin);
    std::vector<std::string> types;
    const std::regex parameter(R"(\.param \.(\w+) )");
    for (std::sregex_iterator it(list.begin(), list.end(), parameter), end; it != end; ++it)
        types.push_back((*it)[1]);
    return types;
}

TEST(CudaLaunch, EveryLaunchHasItsEntryWithTheParametersItIsGiven)
{
    ASSERT_EQ(kernelPlans().size(), 18U);
    for (const KernelPlan& kernel : kernelPlans()) {
        const std::string stem = std::filesystem::path(kernel.file).stem().string();
        EXPECT_EQ(std::string(kernel.name).rfind(stem, 0), 0U) << kernel.name;
        const std::string ptx = ptxOf(kernel);
        const LaunchPlan plan = planLaunches(kernel, problemFor(kernel));
        ASSERT_TRUE(plan.ok()) << plan.refusal;
        for (const Launch& launch : plan.launches) {
            const std::vector<std::string> types = parametersOf(ptx, launch.entry);
            ASSERT_EQ(types.size(), launch.arguments.size()) << launch.entry;
            for (std::size_t k = 0; k < types.size(); ++k) {
                const LaunchArgument& argument = launch.arguments[k];
                const bool buffer = argument.kind == LaunchArgument::Kind::Buffer;
                EXPECT_EQ(types[k],
                    buffer                                           ? "u64"
                        : argument.kind == LaunchArgument::Kind::F32 ? "f32"
                                                                     : "u32")
                    << launch.entry << " " << argument.name;
                EXPECT_TRUE(
                    !buffer || (argument.buffer >= 0 && argument.buffer < static_cast<int>(plan.buffers.size())));
            }
            EXPECT_EQ(launch.profile >= 0, kernel.traced) << launch.entry;
        }
    }
}

TEST(CudaLaunch, EveryEntryOfThePtxIsLaunchedBySomePlan)
{
    std::set<std::string> launched;
    for (const KernelPlan& kernel : kernelPlans())
        for (const Launch& launch : planLaunches(kernel, problemFor(kernel)).launches)
            launched.insert(launch.entry);
    const std::regex entry(R"(\.visible \.entry (\w+)\()");
    for (const char* file : { "ptx/standard.ptx", "ptx/fa1_forward.ptx", "ptx/fa2_forward.ptx" }) {
        const std::string text(resource(file).value_or(""));
        for (std::sregex_iterator it(text.begin(), text.end(), entry), end; it != end; ++it)
            EXPECT_TRUE(launched.count((*it)[1]) == 1) << (*it)[1];
    }
}

TEST(CudaLaunch, GridsCoverTheProblemAndSharedMemoryHoldsTheTiles)
{
    const KernelPlan& fa2 = *findKernelPlan("fa2_forward_d128");
    const LaunchPlan plan = planLaunches(fa2, problemFor(fa2, 65, 1));
    ASSERT_EQ(plan.launches.size(), 1U);
    EXPECT_EQ(plan.launches[0].grid, (std::array<std::uint32_t, 3> { 2, 2, 4 }));
    EXPECT_EQ(plan.launches[0].sharedBytes, 3U * 64 * 128 * 2);

    const KernelPlan& standard = *findKernelPlan("standard_d64");
    const LaunchPlan three = planLaunches(standard, problemFor(standard, 65, 130));
    ASSERT_EQ(three.launches.size(), 3U);
    EXPECT_EQ(three.launches[0].grid[0], 2U * 3);
    EXPECT_EQ(three.launches[1].grid[0], 17U); // four rows a CTA
    EXPECT_EQ(three.launches[1].sharedBytes, 4U * 192 * 4);
    EXPECT_EQ(three.buffers[static_cast<std::size_t>(three.indexOf(BufferRole::S))].shape[3], 192) << "whole blocks";

    // A long row of scores: fewer warps, then none at all.
    const LaunchPlan longer = planLaunches(standard, problemFor(standard, 1, 10000));
    EXPECT_EQ(longer.launches[1].block[0], 32U);
    EXPECT_NE(planLaunches(standard, problemFor(standard, 1, 50000)).refusal.find("41728"), std::string::npos);

    // FA1 shares out query tiles, never more shares than tiles.
    const KernelPlan& fa1 = *findKernelPlan("fa1_forward_d64");
    LaunchProblem problem = problemFor(fa1, 130, 64);
    problem.shares = 2;
    EXPECT_EQ(planLaunches(fa1, problem).launches[0].grid, (std::array<std::uint32_t, 3> { 2, 4, 2 }));
    problem.shares = 9;
    EXPECT_EQ(planLaunches(fa1, problem).launches[0].grid[2], 3U);
}

TEST(CudaLaunch, WhatAKernelCannotDoIsSaidInALine)
{
    const KernelPlan& kernel = *findKernelPlan("fa2_forward_d64");
    const auto refused = [&](auto change, const char* word) {
        LaunchProblem problem = problemFor(kernel);
        change(problem);
        const LaunchPlan plan = planLaunches(kernel, problem);
        EXPECT_NE(plan.refusal.find(word), std::string::npos) << plan.refusal;
        EXPECT_TRUE(plan.launches.empty());
    };
    refused([](LaunchProblem& p) { p.headDim = p.headDimV = 80; }, "head_dim 64, not 80");
    refused([](LaunchProblem& p) { p.headDimV = 32; }, "head_dim_v");
    refused([](LaunchProblem& p) { p.dtype = ElementType::Fp16; }, "bf16, not fp16");
    refused([](LaunchProblem& p) { p.mask = LaunchMask::Window; }, "window");
    refused([](LaunchProblem& p) { p.kvHeads = 3; }, "multiple");
    refused([](LaunchProblem& p) { p.seqlenK = 0; }, "seqlen_k");
    refused([](LaunchProblem& p) { p.batch = p.heads = 65535, p.kvHeads = 1, p.seqlenQ = 1 << 24; }, "2^40");
    EXPECT_EQ(findKernelPlan("fa2_forward_d65"), nullptr);
}

std::vector<unsigned char> bufferOf(const WarpHeader& header, const std::vector<WarpStamp>& stamps, int capacity)
{
    std::vector<unsigned char> bytes(profileBytesOfWarp(capacity), 0xff);
    std::memcpy(bytes.data(), &header, sizeof header);
    if (!stamps.empty())
        std::memcpy(bytes.data() + sizeof header, stamps.data(), stamps.size() * sizeof(WarpStamp));
    return bytes;
}

WarpHeader headerOf(std::uint32_t stamps, std::uint32_t dropped)
{
    return { 100, 180, 200, 5000, 5050, warpHeaderMagic, 7, 3, 2, stamps, dropped };
}

TEST(CudaProfile, StampsBecomeOpsThatFollowEachOther)
{
    const auto word
        = [](Span span, int j) { return static_cast<std::uint32_t>(span) | static_cast<std::uint32_t>(j + 1) << 8; };
    const auto bytes = bufferOf(
        headerOf(2, 1), { { 110, 0, 4, word(Span::MmaS, 9) }, { 150, 0, 4, word(Span::StoreO, noBlock) } }, 2);
    const Profile profile = decodeProfile(bytes.data(), bytes.size(), 2);
    ASSERT_EQ(profile.warps.size(), 1U);
    const ProfiledWarp& warp = profile.warps[0];
    EXPECT_EQ(warp.sm, 7);
    EXPECT_EQ(warp.cta, 3);
    EXPECT_EQ(warp.warp, 2);
    ASSERT_EQ(warp.ops.size(), 2U);
    EXPECT_EQ(warp.ops[0].j, 9);
    EXPECT_EQ(warp.ops[0].end, 150U);
    EXPECT_EQ(warp.ops[1].j, noBlock);
    EXPECT_EQ(warp.ops[1].end, 180U) << "where the first dropped one began";
    EXPECT_EQ(profile.dropped, 1U);
    EXPECT_DOUBLE_EQ(profile.tickRateHz, 2e9);
    EXPECT_STREQ(spanOf(warp.ops[0].span).label, "mma out=S");
}

TEST(CudaProfile, AnUnfinishedOrDamagedWarpIsLeftOutAndSaid)
{
    const std::vector<unsigned char> poisoned(3 * profileBytesOfWarp(4), 0xff);
    EXPECT_EQ(decodeProfile(poisoned.data(), poisoned.size(), 4).unfinished, 3U);

    std::string damage;
    const auto tooMany = bufferOf(headerOf(5, 0), {}, 4);
    EXPECT_TRUE(decodeProfile(tooMany.data(), tooMany.size(), 4, &damage).warps.empty());
    EXPECT_FALSE(damage.empty());

    damage.clear();
    const auto backwards = bufferOf(headerOf(2, 0), { { 150, 0, 0, 0 }, { 110, 0, 0, 0 } }, 4);
    EXPECT_TRUE(decodeProfile(backwards.data(), backwards.size(), 4, &damage).warps.empty());
    EXPECT_FALSE(damage.empty());

    damage.clear();
    const auto unknown = bufferOf(headerOf(1, 0), { { 150, 0, 0, 0xee } }, 4);
    EXPECT_TRUE(decodeProfile(unknown.data(), unknown.size(), 4, &damage).warps.empty());
    EXPECT_FALSE(damage.empty());
}

} // namespace
} // namespace flashstep::cuda
