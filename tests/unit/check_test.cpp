// SPDX-License-Identifier: Apache-2.0
#include "core/program/breaks.h"
#include "core/program/check.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace flashstep;
using namespace flashstep::test;

Program small(const char* algorithm = "fa2")
{
    return *programOf(scenarioOf(algorithm, 8, 16, 8, "causal", { 8, 8 }));
}

TEST(Check, HasNothingToSayOfWholePrograms)
{
    for (const std::uint64_t seed : seeds(60))
        for (const char* algorithm : { "standard", "fa2" }) {
            Scenario s = randomScenario(seed, algorithm);
            s.record = { Record::Kind::None };
            EXPECT_TRUE(checkProgram(*programOf(s)).empty()) << describe(seed, s);
        }
}

TEST(Check, FindsAWaitThatIsNeverMet)
{
    Program program = small();
    ASSERT_TRUE(breakProgram(program, "count:syncthreads=160"));
    const std::vector<Offence> offences = checkProgram(program);
    ASSERT_EQ(offences.size(), 4U) << "each warp";
    EXPECT_EQ(offences[0].what, "waits for ever at K_visible");
    EXPECT_EQ(offences[0].role, "warp 0");
    const std::uint32_t line = std::ranges::find(program.waits, std::string("K_visible"), &WaitDecl::name)->line;
    EXPECT_EQ(offences[0].source, "core/algorithms/fa2_forward.cpp:" + std::to_string(line));
}

TEST(Check, FindsARoleThatLeavesTheOthersAtABarrier)
{
    Program program = small();
    program.streams[0].roles[3].count = 5; // warp 3 ends before its second barrier
    const std::vector<Offence> offences = checkProgram(program);
    ASSERT_EQ(offences.size(), 3U);
    EXPECT_EQ(offences[0].what, "waits for ever at V_visible");
}

TEST(Check, FindsABufferReadBeforeItIsWritten)
{
    for (const OpKind removed : { OpKind::Load, OpKind::Exp2, OpKind::RowMax, OpKind::Mma }) {
        Program program = small();
        for (Op& op : program.ops)
            if (op.kind == removed)
                op.out = op.out2 = BufferId::none();
        const std::vector<Offence> offences = checkProgram(program);
        ASSERT_FALSE(offences.empty()) << name(removed);
        EXPECT_TRUE(std::ranges::any_of(offences, [](const Offence& o) {
            return o.what.find("before it is written") != std::string::npos;
        })) << name(removed);
    }
}

// One row of K that no warp copies: S of every warp reads it.
TEST(Check, LooksAtEachRow)
{
    Program program = small();
    const auto load = std::ranges::find_if(program.ops, [](const Op& op) { return op.tensor == TensorId::K; });
    program.rowSets.push_back({ 1, 1, 0, 1 });
    load->rows = RowSetId(program.rowSets.size() - 1);
    const std::vector<Offence> offences = checkProgram(program);
    ASSERT_EQ(offences.size(), 4U);
    EXPECT_EQ(offences[0].what, "S = Q Kᵀ reads K before it is written");
}

} // namespace
