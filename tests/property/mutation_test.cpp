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
std::vector<Scenario> plainScenarios(const std::string& algorithm)
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

// Sweeps over row tiles by one CTA and by several, with several visits of each; and the other forms.
std::vector<Scenario> fa1Scenarios()
{
    const Scenario dense = scenarioOf("fa1", 64, 48, 16, "none", { 16, 16 });
    const Scenario causal = scenarioOf("fa1", 40, 56, 32, "causal", { 8, 16 });
    Scenario shared = with(dense, { { "sms", "1" } });
    shared.problem.heads = shared.problem.kvHeads = 2;
    std::vector<Scenario> all { dense, shared, causal, scenarioOf("fa1", 48, 64, 64, "window:20,4", { 16, 16 }),
        scenarioOf("fa1", 64, 256, 64, "none", { 16, 128 }, DType::Bf16) };
    for (const char* key : { "fa1-form=paper", "loop-order=q-outer", "divide=end" }) {
        const std::string text = key;
        const std::size_t equals = text.find('=');
        for (const Scenario& s : { dense, causal })
            all.push_back(with(s, { { text.substr(0, equals), text.substr(equals + 1) } }));
    }
    return all;
}

// 8-bit operands, V transposed by the producer: with and without turns, in clusters, and on their own.
std::vector<Scenario> fa3Fp8Scenarios()
{
    const auto of = [](int queries, int dim, const char* mask, TileSize tile) {
        return scenarioOf("fa3", queries, 96, dim, mask, tile, DType::E4m3);
    };
    std::vector<Scenario> all;
    for (const char* sms : { "1", "3" })
        for (const Scenario& s :
            { of(64, 32, "none", { 16, 16 }), of(64, 128, "causal", { 16, 16 }), of(96, 64, "none", { 24, 16 }) })
            all.push_back(with(s, { { "sms", sms } }));
    all.push_back(with(of(192, 192, "none", { 16, 16 }), { { "sms", "4" } })); // clusters, three works each
    const Scenario turns = of(64, 128, "causal", { 16, 16 });
    for (const char* scheduler : { "linear", "persistent", "single-tile" })
        all.push_back(with(turns, { { "sms", "2" }, { "intra-overlap", "off" }, { "scheduler", scheduler } }));
    all.push_back(with(turns, { { "sms", "2" }, { "stages", "3" } }));
    all.push_back(with(turns, { { "sms", "2" }, { "ping-pong", "off" }, { "fp8-scale", "block" } }));
    return all;
}

// Persistent CTAs with a fixed share, with whatever comes next, in clusters, and with a CTA for each tile; the turns of
// two and of three warpgroups, copies by TMA and by the warpgroup itself, rings of one to three stages.
std::vector<Scenario> fa3Scenarios()
{
    using Knobs = std::vector<std::pair<std::string, std::string>>;
    const Scenario dense = scenarioOf("fa3", 64, 80, 32, "none", { 16, 16 });
    const Scenario causal = scenarioOf("fa3", 64, 80, 32, "causal", { 16, 16 });
    const Scenario three = scenarioOf("fa3", 96, 80, 64, "none", { 24, 16 });
    const Scenario wide = scenarioOf("fa3", 64, 80, 192, "causal", { 16, 16 });
    std::vector<Scenario> all;
    const auto add = [&](const Scenario& s, const Knobs& knobs) { all.push_back(with(s, knobs)); };
    for (const char* sms : { "1", "3" })
        for (const Scenario& s : { dense, causal, three })
            add(s, { { "sms", sms } });
    add(wide, { { "sms", "2" } });
    add(scenarioOf("fa3", 64, 96, 32, "window:40,8", { 16, 16 }), { { "sms", "2" } });
    add(scenarioOf("fa3", 128, 96, 128, "none", { 16, 16 }), { { "sms", "4" } }); // clusters, two works each
    for (const char* copy : { "tma", "cp-async" })
        for (const char* overlap : { "on", "off" })
            for (const char* scheduler : { "linear", "persistent", "single-tile" })
                add(causal,
                    { { "sms", "2" }, { "copy", copy }, { "intra-overlap", overlap }, { "scheduler", scheduler } });
    for (const char* stages : { "1", "3" })
        add(three, { { "sms", "2" }, { "stages", stages } });
    add(causal, { { "sms", "2" }, { "ping-pong", "off" } });
    add(causal, { { "sms", "2" }, { "consumer-warpgroups", "1" } });
    add(causal, { { "warp-specialisation", "off" } });
    add(three, { { "warp-specialisation", "off" }, { "intra-overlap", "off" } });
    for (const Scenario& s : fa3Fp8Scenarios())
        all.push_back(s);
    return all;
}

// One and two query tiles, pairs of CTAs, rings that wrap around, slots of two sizes, O in the memory of Q, packed
// heads whose rows a tile's do not divide; persistent and not.
std::vector<Scenario> fa4Scenarios()
{
    using Knobs = std::vector<std::pair<std::string, std::string>>;
    std::vector<Scenario> all;
    const auto add = [&](Scenario s, const Knobs& knobs) { all.push_back(with(std::move(s), knobs)); };
    const Scenario dense = scenarioOf("fa4", 96, 160, 32, "none", { 16, 16 });
    const Scenario causal = scenarioOf("fa4", 96, 160, 32, "causal", { 16, 16 });
    add(dense, { { "sms", "1" }, { "stages", "3" } });
    add(causal, { { "stages", "2" } });
    add(causal, { { "scheduler", "persistent" }, { "sms", "1" }, { "stages", "4" } });
    add(dense, { { "q-stage", "1" }, { "sms", "1" }, { "stages", "3" } });
    add(scenarioOf("fa4", 256, 160, 128, "none", { 16, 16 }), { { "sms", "2" }, { "stages", "3" } });
    add(scenarioOf("fa4", 128, 96, 64, "window:40,8", { 16, 16 }), { { "q-stage", "1" }, { "stages", "3" } });
    Scenario wide = scenarioOf("fa4", 96, 160, 192, "none", { 16, 16 });
    wide.problem.headDimV = 128;
    add(wide, { { "two-cta", "off" }, { "sms", "1" } });
    wide.problem.seqlenQ = 192;
    add(wide, { { "sms", "2" }, { "stages", "3" } });
    // The kernel of head dimension 256.
    const Knobs wideKnobs { { "sms", "2" }, { "exp2-emulation", "off" } };
    add(scenarioOf("fa4", 128, 48, 256, "none", { 16, 16 }), wideKnobs);
    add(scenarioOf("fa4", 128, 160, 256, "none", { 16, 16 }), wideKnobs);
    add(scenarioOf("fa4", 96, 160, 256, "causal", { 16, 16 }), wideKnobs);
    Scenario packed = scenarioOf("fa4", 48, 160, 64, "none", { 16, 16 });
    packed.problem.heads = 6;
    packed.problem.kvHeads = 2;
    add(packed, { { "sms", "1" }, { "stages", "3" } });
    Scenario rescaled = dense;
    rescaled.problem.init = Init::RisingLeft;
    add(rescaled, { { "sms", "1" }, { "stages", "3" }, { "rescale-threshold", "0" } });
    return all;
}

std::vector<Scenario> scenariosOf(const std::string& algorithm)
{
    if (algorithm == "fa4")
        return fa4Scenarios();
    return algorithm == "fa1" ? fa1Scenarios() : algorithm == "fa3" ? fa3Scenarios() : plainScenarios(algorithm);
}

bool performs(const Program& program, WaitId wait)
{
    return std::ranges::any_of(program.ops, [&](const Op& op) { return op.wait == wait; });
}

// Waits that make those at a barrier redundant: without them a wrong count is what counts.
std::vector<std::string> impliersOf(const Program& program, const BarrierDecl& barrier)
{
    std::vector<std::string> specs;
    for (const WaitDecl& wait : program.waits)
        if (wait.barrier == barrier.family)
            for (const std::string& other : wait.impliedBy)
                specs.push_back("wait:" + other);
    return specs;
}

bool arrivesAt(const Program& program, const BarrierDecl& barrier)
{
    return std::ranges::any_of(program.ops, [&](const Op& op) {
        return op.barrier.valid() && program.barriers[op.barrier.index()].family == barrier.family;
    });
}

class MutationOf : public testing::TestWithParam<const char*> { };
INSTANTIATE_TEST_SUITE_P(Algorithms, MutationOf, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

TEST_P(MutationOf, WholeProgramsAreClean)
{
    for (const Scenario& s : scenariosOf(GetParam()))
        EXPECT_FALSE(verdictOf(s).caught()) << describe(s);
}

// Each wait alone; one that others make redundant is declared so with its reason, and caught together with those. Alone
// it goes by uncaught somewhere, or it would not be redundant.
TEST_P(MutationOf, EveryDroppedWaitIsCaught)
{
    std::set<std::string> named, tried, redundant, uncaught;
    for (const Scenario& s : scenariosOf(GetParam())) {
        const std::shared_ptr<const Program> whole = programOf(s);
        for (std::size_t k = 0; k < whole->waits.size(); ++k) {
            const WaitDecl& wait = whole->waits[k];
            EXPECT_FALSE(wait.reason.empty()) << wait.name;
            named.insert(wait.name);
            if (!performs(*whole, WaitId(k)))
                continue; // one key block only: nothing is overwritten
            EXPECT_GT(wait.line, 0U) << wait.name;
            tried.insert(wait.name);
            const bool alone = verdictOf(broken(s, { "wait:" + wait.name })).caught();
            if (wait.impliedBy.empty()) {
                EXPECT_TRUE(alone) << wait.name << ", " << describe(s);
                continue;
            }
            redundant.insert(wait.name);
            if (!alone)
                uncaught.insert(wait.name);
            std::vector<std::string> specs { "wait:" + wait.name };
            for (const std::string& other : wait.impliedBy)
                specs.push_back("wait:" + other);
            const Scenario mutant = broken(s, specs);
            EXPECT_TRUE(verdictOf(mutant).caught()) << describe(mutant);
        }
    }
    EXPECT_EQ(tried, named) << "every wait has been tried";
    EXPECT_EQ(uncaught, redundant);
}

// Every count but its own: one more, one less, half of it, twice as many.
TEST_P(MutationOf, EveryWrongBarrierCountIsCaught)
{
    for (const Scenario& s : scenariosOf(GetParam())) {
        const std::shared_ptr<const Program> whole = programOf(s);
        std::set<std::string> families;
        for (const BarrierDecl& barrier : whole->barriers) {
            if (!families.insert(barrier.family).second || !arrivesAt(*whole, barrier))
                continue;
            for (const int count : std::set { barrier.count - 1, barrier.count + 1, barrier.count / 2,
                     barrier.count * 2, barrier.count - 32, 32 }) {
                if (count < 1 || count == barrier.count)
                    continue;
                std::vector<std::string> specs = impliersOf(*whole, barrier);
                specs.push_back("count:" + barrier.family + "=" + std::to_string(count));
                const Scenario mutant = broken(s, specs);
                const Verdict verdict = verdictOf(mutant);
                EXPECT_TRUE(verdict.caught()) << describe(mutant);
                if (count > barrier.count && !barrier.countsBytes() && GetParam() != std::string("fa3")
                    && GetParam() != std::string("fa4")) {
                    EXPECT_TRUE(verdict.deadlock && verdict.check) << describe(mutant);
                }
            }
        }
    }
}

// Clean programs stay clean whatever the problem, the machine and the knobs.
TEST_P(MutationOf, NoRandomProgramHasAHazard)
{
    Limits limits;
    limits.scores = 6000;
    limits.widestHead = 192;
    for (const std::uint64_t seed : seeds(100)) {
        Scenario s = randomScenario(seed, GetParam(), limits);
        s.record = { Record::Kind::None };
        SCOPED_TRACE(describe(seed, s));
        const auto run = runOf(s);
        ASSERT_EQ(run.report.hazards, 0U);
        ASSERT_TRUE(run.trace->deadlock().empty());
        ASSERT_TRUE(checkProgram(*run.program).empty());
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
    const bool fa1 = GetParam() == std::string("fa1");
    const bool fa3 = GetParam() == std::string("fa3") || GetParam() == std::string("fa4"); // mbarriers and rings
    for (Scenario s : { scenarioOf(GetParam(), 16, 40, 16, fa3 ? "none" : "causal", { 8, 8 }),
             scenarioOf(GetParam(), 32, 48, 32, "none", { 16, 16 }),
             scenarioOf(GetParam(), 64, 192, 64, "none", { 64, 32 }) }) {
        if (fa3) // several works one after the other, by a fixed share: by whom is no matter of time
            s.knobs.emplace_back("sms", "1");
        const auto own = s.knobs;
        const std::shared_ptr<const Program> whole = programOf(s);
        std::vector<std::vector<std::string>> broken; // each wait, and all but one
        for (std::size_t k = 0; k < whole->waits.size(); ++k) {
            const WaitDecl& wait = whole->waits[k];
            if (!performs(*whole, WaitId(k)) || !wait.impliedBy.empty())
                continue;
            broken.push_back({ "wait:" + wait.name });
            if (fa1 || fa3)
                continue; // arrivals of several turns would mix, and which of them complete one is a matter of time
            std::vector<std::string>& others = broken.emplace_back();
            for (const WaitDecl& other : whole->waits)
                if (other.name != wait.name)
                    others.push_back("wait:" + other.name);
        }
        for (const std::vector<std::string>& specs : broken) {
            s.breaks = specs;
            s.knobs = own;
            const auto usual = runOf(s);
            const std::set<Pair> expected = hazardPairs(usual);
            if ((fa1 || fa3) && expected.empty())
                continue; // one work for the CTA, or one visit: it protects nothing here
            ASSERT_FALSE(expected.empty()) << describe(s);
            for (const auto& knobs : machines) {
                if (knobs.front().first == "sms" && (fa1 || fa3))
                    continue; // shares the work out otherwise
                if (knobs.front().first == "register-contention" && s.algorithm == "fa4")
                    continue; // its accumulators are not in registers
                s.knobs = own;
                s.knobs.insert(s.knobs.end(), knobs.begin(), knobs.end());
                const auto other = runOf(s);
                if (fa1
                    || fa3) { // turns that are not waited for may mix, and then who knows of whom is a matter of time
                    EXPECT_GT(other.report.hazards, 0U) << describe(s);
                    continue;
                }
                EXPECT_TRUE(hazardPairs(other) == expected)
                    << describe(s) << ", " << knobs.front().first << "=" << knobs.front().second;
                EXPECT_EQ(other.report.hazards, usual.report.hazards) << describe(s) << ", " << knobs.front().first;
            }
        }
    }
}

} // namespace
