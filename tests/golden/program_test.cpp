// SPDX-License-Identifier: Apache-2.0
#include "core/program/dump.h"
#include "tests/support/golden.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// One query tile under the diagonal's end, three key blocks: prologue, masked and unmasked iterations, epilogue.
TEST(ProgramGolden, FlashAttention2OverThreeCausalBlocks)
{
    Scenario s = scenarioOf("fa2", 8, 24, 64, "causal", { 8, 8 }, DType::Bf16);
    s.costTile = TileSize { 128, 128 };
    expectGolden("program_fa2.txt", dumpProgram(*programOf(s)));
}

// The first of two tiles sees nothing: it has a stream of its own.
TEST(ProgramGolden, FlashAttention2WhereATileSeesNothing)
{
    expectGolden("program_fa2_blind.txt", dumpProgram(*programOf(scenarioOf("fa2", 8, 4, 8, "causal", { 4, 4 }))));
}

TEST(ProgramGolden, StandardOfOneTile)
{
    expectGolden("program_standard.txt",
        dumpProgram(*programOf(scenarioOf("standard", 8, 8, 8, "causal", { 8, 8 }, DType::Bf16))));
}

TEST(ProgramGolden, BrokenProgramsSayWhatIsDropped)
{
    Scenario s = scenarioOf("fa2", 4, 4, 8, "none", { 4, 4 });
    s.breaks = { "wait:V_visible", "count:syncthreads=96" };
    expectGolden("program_fa2_broken.txt", dumpProgram(*programOf(s)));
}

} // namespace
