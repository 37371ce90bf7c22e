// SPDX-License-Identifier: Apache-2.0
#include "core/program/breaks.h"
#include "core/program/check.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace {

using namespace flashstep;
using namespace flashstep::test;

// How a broken program gives itself away; empty: not at all.
struct Verdict {
    bool check = false, hazard = false, deadlock = false, number = false;
    [[nodiscard]] bool caught() const { return check || hazard || deadlock || number; }
};

Verdict verdictOf(const Scenario& s)
{
    const auto run = runOf(s);
    Verdict verdict;
    verdict.check = !checkProgram(*run.program).empty();
    verdict.hazard = run.report.hazards > 0;
    verdict.deadlock = !run.trace->deadlock().empty();
    verdict.number = !(run.report.maxAbsError && *run.report.maxAbsError <= *run.report.errorBound);
    return verdict;
}

Scenario broken(Scenario s, const std::vector<std::string>& specs)
{
    s.breaks = specs;
    return s;
}

// Several shapes and tiles: one block and many, small tiles and real ones, costed as shown and as the kernel's.
std::vector<Scenario> scenariosOf(const std::string& algorithm)
{
    std::vector<Scenario> all { scenarioOf(algorithm, 16, 16, 16, "none", { 8, 8 }),
        scenarioOf(algorithm, 16, 40, 16, "causal", { 8, 8 }), scenarioOf(algorithm, 4, 12, 8, "none", { 4, 4 }),
        scenarioOf(algorithm, 32, 64, 32, "window:20,0", { 16, 16 }, DType::Bf16),
        scenarioOf(algorithm, 128, 256, 64, "causal", { 128, 128 }, DType::Bf16),
        scenarioOf(algorithm, 64, 128, 128, "none", { 64, 64 }, DType::Fp16),
        scenarioOf(algorithm, 24, 24, 192, "none", { 8, 8 }) };
    Scenario costed = scenarioOf(algorithm, 24, 24, 64, "causal", { 8, 8 });
    costed.costTile = TileSize { 128, 128 };
    costed.gpu = "h100";
    all.push_back(costed);
    return all;
}

bool performs(const Program& program, WaitId wait)
{
    return std::ranges::any_of(program.ops, [&](const Op& op) { return op.wait == wait; });
}

class MutationOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, MutationOf, testing::Values("standard", "fa2"));

TEST_P(MutationOf, WholeProgramsAreClean)
{
    for (const Scenario& s : scenariosOf(GetParam()))
        EXPECT_FALSE(verdictOf(s).caught()) << describe(s);
}

// Each wait alone; one that others make redundant is declared so with its reason, and caught together with those.
TEST_P(MutationOf, EveryDroppedWaitIsCaught)
{
    std::set<std::string> tried;
    for (const Scenario& s : scenariosOf(GetParam())) {
        const std::shared_ptr<const Program> whole = programOf(s);
        for (std::size_t k = 0; k < whole->waits.size(); ++k) {
            const WaitDecl& wait = whole->waits[k];
            EXPECT_FALSE(wait.reason.empty()) << wait.name;
            EXPECT_GT(wait.line, 0U) << wait.name;
            if (!performs(*whole, WaitId(k)))
                continue; // one key block only: nothing is overwritten
            tried.insert(wait.name);
            std::vector<std::string> specs { "wait:" + wait.name };
            for (const std::string& other : wait.impliedBy)
                specs.push_back("wait:" + other);
            const Scenario mutant = broken(s, specs);
            EXPECT_TRUE(verdictOf(mutant).caught()) << describe(mutant);
            EXPECT_EQ(verdictOf(broken(s, { "wait:" + wait.name })).caught(), wait.impliedBy.empty())
                << wait.name << " alone, " << describe(s);
        }
    }
    EXPECT_EQ(tried.size(), programOf(scenariosOf(GetParam()).front())->waits.size()) << "every wait has been tried";
}

TEST_P(MutationOf, EveryWrongBarrierCountIsCaught)
{
    for (const Scenario& s : scenariosOf(GetParam())) {
        const std::shared_ptr<const Program> whole = programOf(s);
        for (const BarrierDecl& barrier : whole->barriers) {
            for (const int count :
                { 32, barrier.count / 2, barrier.count - 32, barrier.count + 32, 2 * barrier.count }) {
                const Scenario mutant = broken(s, { "count:" + barrier.name + "=" + std::to_string(count) });
                const Verdict verdict = verdictOf(mutant);
                EXPECT_TRUE(verdict.caught()) << describe(mutant);
                if (count > barrier.count) {
                    EXPECT_TRUE(verdict.deadlock && verdict.check) << describe(mutant);
                }
            }
        }
    }
}

// Hazards are what is not ordered, wherever the copies happened to land. Here they come so late that the numbers show
// it.
TEST(Mutation, AMissingWaitGivesWrongNumbersNotOnlyAHazard)
{
    for (const char* wait : { "K_landed", "V_landed" }) {
        Scenario s = scenarioOf("fa2", 32, 64, 32, "none", { 16, 16 });
        s.breaks = { std::string("wait:") + wait };
        s.knobs = { { "hbm-gbps", "10" } };
        const Verdict verdict = verdictOf(s);
        EXPECT_TRUE(verdict.number) << wait;
        EXPECT_TRUE(verdict.hazard) << wait;
    }
}

TEST(Mutation, SkippedRescalesGiveWrongNumbersWhereScoresRiseToTheLeft)
{
    for (const DType dtype : { DType::Fp32, DType::Fp16, DType::Bf16 }) {
        Scenario s = scenarioOf("fa2", 64, 128, 64, "none", { 32, 32 }, dtype);
        s.problem.init = Init::RisingLeft;
        EXPECT_FALSE(verdictOf(s).caught()) << name(dtype);
        s.breaks = { "rescale:skip" };
        const Verdict verdict = verdictOf(s);
        EXPECT_TRUE(verdict.number) << name(dtype);
        EXPECT_FALSE(verdict.hazard || verdict.deadlock) << "it is in order, but wrong: " << name(dtype);
        EXPECT_EQ(runOf(s).report.rescalesDone, 0);
    }
}

using Pair = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>; // CTA, the two ops, buffer

std::set<Pair> hazardPairs(const Run& run)
{
    std::set<Pair> pairs; // all of them; a report lists the first thousand
    for (const Hazard& hazard : findHazards(*run.trace, 1'000'000).list)
        pairs.insert({ hazard.cta.index(), std::min(hazard.op.index(), hazard.other.index()),
            std::max(hazard.op.index(), hazard.other.index()), hazard.buffer.index() });
    return pairs;
}

// The same pairs whether memory, tensor cores or exponentials are slow, on one SM or on many.
TEST_P(MutationOf, HazardsDoNotDependOnTime)
{
    const std::vector<std::vector<std::pair<std::string, std::string>>> machines { { { "hbm-gbps", "10" } },
        { { "hbm-gbps", "100000" } }, { { "tensor-rate", "64" } }, { { "tensor-rate", "65536" }, { "mufu-rate", "1" } },
        { { "sms", "1" } }, { { "clock-mhz", "100" } }, { { "smem-bytes-per-clk", "8" } },
        { { "register-contention", "8" } } };
    for (Scenario s : { scenarioOf(GetParam(), 16, 40, 16, "causal", { 8, 8 }),
             scenarioOf(GetParam(), 32, 48, 32, "none", { 16, 16 }),
             scenarioOf(GetParam(), 64, 192, 64, "none", { 64, 32 }) }) {
        const std::shared_ptr<const Program> whole = programOf(s);
        std::vector<std::vector<std::string>> broken; // each wait, and all but one
        for (const WaitDecl& wait : whole->waits) {
            broken.push_back({ "wait:" + wait.name });
            std::vector<std::string>& others = broken.emplace_back();
            for (const WaitDecl& other : whole->waits)
                if (other.name != wait.name)
                    others.push_back("wait:" + other.name);
        }
        for (const std::vector<std::string>& specs : broken) {
            s.breaks = specs;
            s.knobs.clear();
            const auto usual = runOf(s);
            const std::set<Pair> expected = hazardPairs(usual);
            ASSERT_FALSE(expected.empty()) << describe(s);
            for (const auto& knobs : machines) {
                s.knobs = knobs;
                const auto other = runOf(s);
                EXPECT_TRUE(hazardPairs(other) == expected)
                    << describe(s) << ", " << knobs.front().first << "=" << knobs.front().second;
                EXPECT_EQ(other.report.hazards, usual.report.hazards) << describe(s) << ", " << knobs.front().first;
            }
        }
    }
}

} // namespace
