// SPDX-License-Identifier: Apache-2.0
#include "core/trace/query.h"
#include "tests/support/golden.h"
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace {

using namespace flashstep;
using namespace flashstep::test;

std::string tileText(const TileValues& tile)
{
    std::string text;
    for (int r = 0; r < tile.rows; ++r)
        for (int c = 0; c < tile.cols; ++c)
            text += fmt::format("{}{}", tile.at(r, c), c + 1 == tile.cols ? "\n" : " ");
    return text;
}

// What the window shows when the second of three blocks has been added, and the bits of the tiles it shows them with.
TEST(StateGolden, OfASecondBlock)
{
    const auto run = runOf(scenarioOf("fa2", 8, 24, 8, "causal", { 8, 8 }, DType::Bf16));
    const Result<Moment> moment = findMoment(*run.trace, "block(i=0, n=2)");
    ASSERT_TRUE(moment);
    std::string text = stateText(*run.trace, moment->cta, moment->position);
    for (const char* tile : { "S", "P", "O", "m", "l", "scale" })
        text += std::string(tile) + "\n"
            + tileText(run.trace->value(moment->cta, run.program->buffer(tile, 0), moment->position));
    expectGolden("state_fa2_block.txt", text);
}

// Where it stands for ever when a barrier expects one warp too many.
TEST(StateGolden, OfADeadlock)
{
    Scenario s = scenarioOf("fa2", 8, 16, 8, "none", { 8, 8 });
    s.breaks = { "count:syncthreads=160" };
    s.record = { Record::Kind::None };
    const auto run = runOf(s);
    expectGolden("state_fa2_deadlock.txt", stateText(*run.trace, CtaId(0), run.trace->end()));
}

} // namespace
