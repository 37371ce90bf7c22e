// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/stalls.h"

#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <map>

namespace flashstep {
namespace {

// What one key block costs each engine, as the papers count it: without what the copies write, without latency.
// [fa4_roofline.csv: MMA = 4 M N d / flops per clock, EXP = M N / 16, SMEM = bytes / 128]
struct Roofline {
    const char* algorithm;
    const char* gpu;
    TileSize tile;
    int headDim;
    double tensor, exp;
    double scoresSmem, outputSmem; // operands of S = Q Kᵀ and of O = P V; negative: not published
    const char* source;
};

const Roofline rooflines[] = {
    { "fa3", "h100", { 128, 128 }, 128, 2048, 1024, 768, 512,
        "H100-SXM5, FA3: (Q 32768 + 2 K 32768) / 128 and 2 V 32768 / 128" },
    { "fa3", "h100", { 128, 128 }, 64, 1024, 1024, -1, -1, "H100-SXM5, any: 4 M N d / 4096" },
    { "fa3", "h100", { 128, 128 }, 256, 4096, 1024, -1, -1, "H100-SXM5, any" },
    { "fa3", "h200", { 128, 128 }, 128, 2048, 1024, -1, -1, "H200-SXM, any" },
    { "fa4", "b200", { 128, 128 }, 128, 1024, 1024, 512, 256, "B200, FA4 128x128: S 65536 / 128, V 32768 / 128" },
    { "fa4", "b200", { 128, 128 }, 64, 512, 1024, -1, -1, "B200, any: 4 M N d / 8192" },
    { "fa4", "gb200", { 128, 128 }, 128, 1024, 1024, 512, 256, "as B200" },
    { "fa4", "b300", { 128, 128 }, 128, 1024, 512, 512, 256, "B300, any: M N / 32" },
    { "fa4", "b300", { 128, 128 }, 64, 512, 512, -1, -1, "B300, any" },
    { "fa2", "a100", { 128, 128 }, 64, 2048, 1024, -1, -1, "A100-SXM4-80GB, any: 4 M N d / 2048" },
    { "fa2", "a100", { 128, 128 }, 128, 4096, 1024, -1, -1, "A100-SXM4-80GB, any" },
    { "fa2", "a100", { 128, 64 }, 128, 2048, 512, 512, 512, "A100-SXM4-80GB, FA2: 4 (K + V) / 128, without Q" },
};

flashstep::Run oneBlock(const Roofline& row)
{
    Scenario s;
    s.algorithm = row.algorithm;
    s.gpu = row.gpu;
    s.problem.headDim = s.problem.headDimV = row.headDim;
    s.tile = TileSize { 16, 16 }; // what is shown does not matter
    s.problem.seqlenQ = s.problem.seqlenK = 16;
    s.costTile = row.tile;
    s.record = { Record::Kind::None };
    if (std::string(row.algorithm) == "fa4")
        s.knobs.emplace_back("exp2-emulation", "off");
    if (std::string(row.algorithm) == "fa3") {
        s.stages = 1; // no more fits with the widest head
        s.knobs.emplace_back("consumer-warpgroups", "2"); // 64 rows each
    }
    return test::runOf(s);
}

double busyOf(const Stalls& stalls, Engine engine, const std::string& component)
{
    for (const EngineTime& time : stalls.engines)
        for (const auto& [name, cycles] : time.busy)
            if (time.engine == engine && name == component)
                return cycles;
    return 0;
}

double totalOf(const Stalls& stalls, Engine engine)
{
    for (const EngineTime& time : stalls.engines)
        if (time.engine == engine)
            return time.total;
    return -1;
}

TEST(Stalls, OneBlockCostsWhatThePapersSay)
{
    for (const Roofline& row : rooflines) {
        SCOPED_TRACE(row.source);
        SCOPED_TRACE(std::string(row.algorithm) + " " + row.tile.text() + " d " + std::to_string(row.headDim));
        const flashstep::Run run = oneBlock(row);
        const Stalls stalls = stallsOf(run, CtaId(0));
        EXPECT_EQ(totalOf(stalls, Engine::Tensor), row.tensor);
        EXPECT_EQ(totalOf(stalls, Engine::Exp), row.exp);
        EXPECT_EQ(busyOf(stalls, Engine::Tensor, "S") + busyOf(stalls, Engine::Tensor, "O"), row.tensor);
        if (row.scoresSmem < 0)
            continue;
        const bool q = std::string(row.algorithm) != "fa2"; // the paper's sum for FA2 leaves Q out
        EXPECT_EQ(
            (q ? busyOf(stalls, Engine::Smem, "read:Q") : 0) + busyOf(stalls, Engine::Smem, "read:K"), row.scoresSmem);
        EXPECT_EQ(busyOf(stalls, Engine::Smem, "read:V"), row.outputSmem);
        EXPECT_GT(busyOf(stalls, Engine::Smem, q ? "tma_write:K" : "copy_write:K"), 0);
    }
}

TEST(Stalls, ARoleIsBusyOrWaitsOrIsIdle)
{
    const flashstep::Run run = test::runOf(test::scenarioOf("fa3", 96, 96, 128, "none", { 32, 32 }, DType::Bf16));
    const Stalls stalls = stallsOf(run, CtaId(0));
    std::map<std::string, const RoleTime*> roles;
    for (const RoleTime& role : stalls.roles)
        roles[run.program->roles[role.role.index()].name] = &role;
    ASSERT_TRUE(roles.contains("producer") && roles.contains("consumer 1"));
    const CtaSpan& span = run.trace->span(CtaId(0));
    const auto waitOf = [&](const std::string& role, const std::string& reason) {
        for (const auto& [name, cycles] : roles[role]->waits)
            if (name == reason)
                return cycles;
        return Cycle { 0 };
    };
    for (const auto& [name, role] : roles) {
        SCOPED_TRACE(name);
        Cycle sum = role->idle;
        for (const auto& [kind, cycles] : role->busy)
            sum += cycles;
        for (const auto& [reason, cycles] : role->waits)
            sum += cycles;
        EXPECT_EQ(sum, role->total);
        EXPECT_EQ(role->total, static_cast<Cycle>(span.end) - span.begin);
    }
    EXPECT_GT(waitOf("consumer 1", "barrier_Q"), 0) << "nothing is there at first";
    EXPECT_GT(waitOf("consumer 2", "S_ready"), 0) << "its warpgroup comes second to the tensor cores";
    EXPECT_GT(waitOf("store warp", "EpilogueBarrier_o_staged"), waitOf("consumer 1", "O_ready_last"));
}

TEST(Stalls, ABusyEngineIsAReasonToWait)
{
    Scenario s = test::scenarioOf("fa4", 256, 512, 64, "none", { 128, 128 }, DType::Bf16);
    s.knobs = { { "mufu-rate", "4" } };
    const flashstep::Run run = test::runOf(s);
    const Stalls stalls = stallsOf(run, CtaId(0));
    bool queued = false;
    for (const RoleTime& role : stalls.roles)
        for (const auto& [reason, cycles] : role.waits)
            queued = queued || reason == "exp busy";
    EXPECT_TRUE(queued) << "two softmax warpgroups, one exponential unit for each quarter";
}

} // namespace
} // namespace flashstep
