// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"
#include "tests/support/random_problem.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// Events of one warp, with their cycles: a change of a cost shows here as what it is.
std::string warpText(const Trace& trace, std::size_t role)
{
    const Program& program = trace.program();
    std::string text = fmt::format("{} cycles, {} events\n", trace.cycles(), trace.end().value);
    const RoleRange& range = program.streamOf(WorkId(0)).roles[role];
    for (std::uint32_t k = range.first; k < range.first + range.count; ++k) {
        const InstanceId instance = trace.instance(WorkId(0), OpId(k));
        text += fmt::format("{:>6} {:>6}  {} {}\n", trace.beginCycle(instance), trace.endCycle(instance),
            name(program.ops[k].kind), labelOf(program, program.ops[k]));
    }
    return text;
}

TEST(TraceGolden, FlashAttention2OfOneTileAtTheCostOfTheKernels)
{
    Scenario s = scenarioOf("fa2", 8, 16, 64, "none", { 8, 8 }, DType::Bf16);
    s.costTile = TileSize { 128, 128 };
    expectGolden("trace_fa2.txt", warpText(*runOf(s).trace, 0));
}

TEST(TraceGolden, StandardScoresOfOneTileAtTheCostOfTheKernels)
{
    Scenario s = scenarioOf("standard", 8, 8, 64, "none", { 8, 8 }, DType::Bf16);
    s.costTile = TileSize { 128, 64 };
    expectGolden("trace_standard.txt", warpText(*runOf(s).trace, 0));
}

} // namespace
