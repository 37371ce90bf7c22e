// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_problem.h"
#include "tests/support/replay.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace flashstep;
using namespace flashstep::test;

const std::vector<const char*> algorithms { "standard", "fa1", "fa2", "fa3", "fa4" };

Limits small()
{
    Limits limits;
    limits.scores = 3000;
    limits.widestHead = 64;
    limits.heads = 2;
    return limits;
}

// The number of the work that the CTA does after this one.
int nextOf(const Trace& trace, WorkId work)
{
    const auto works = trace.worksOf(trace.ctaOf(work));
    const auto at = std::find(works.begin(), works.end(), work);
    const auto first = static_cast<int>(trace.program().launchOf(trace.ctaOf(work)).firstWork);
    return at + 1 == works.end() ? -1 : static_cast<int>((at + 1)->index()) - first;
}

// From position 0 to the end, event by event; after each, what every buffer of the CTA concerned (and of the other one
// of its cluster) holds. Broken programs too: what a missing wait does to the numbers is no accident of how they are
// kept.
void expectValuesOfAReplay(const Run& run)
{
    const Trace& trace = *run.trace;
    const Program& program = *run.program;
    Replay replay(program, *run.inputs);
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const WorkId work = trace.workOf(event.instance);
        const OpId op = trace.opOf(event.instance);
        if (event.ends) {
            replay.apply(trace.ctaOf(work), work, op, nextOf(trace, work));
        } else if (program.op(op).kind == OpKind::Rescale && program.op(op).conditional) {
            ASSERT_EQ(trace.voteOf(event.instance), replay.vote(trace.ctaOf(work), work, op)) << "vote at " << p;
        }
        for (const CtaId cta : std::set { trace.ctaOf(work), program.peerOf(trace.ctaOf(work)) })
            for (std::size_t k = 0; k < program.buffers.size(); ++k) {
                if (program.buffers[k].launch != program.works[work.index()].launch)
                    continue;
                ASSERT_TRUE(
                    sameBits(trace.value(cta, BufferId(k), Position { p }).data, replay.buffer(cta, BufferId(k))))
                    << program.buffers[k].name << " of CTA " << cta.index() << " at " << p;
            }
    }
}

TEST(Replay, FromTheStartGivesTheValuesAtEveryPosition)
{
    for (const char* algorithm : algorithms) {
        for (const std::uint64_t seed : seeds(40)) {
            const Scenario s = randomScenario(seed, algorithm, small());
            SCOPED_TRACE(describe(seed, s));
            ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(s)));
        }
    }
}

// More than 64 writes of one buffer, so that keyframes are read.
TEST(Replay, GivesTheValuesOfLongRunsToo)
{
    const auto run = runOf(scenarioOf("fa2", 8, 8 * 40, 16, "none", { 8, 8 }));
    EXPECT_GE(run.trace->versionCount(CtaId(0), run.program->buffer("P", 0)), 200U);
    ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(run));
}

TEST(Replay, GivesTheValuesOfBrokenProgramsToo)
{
    for (const char* spec : { "wait:K_landed", "wait:V_visible", "count:syncthreads=64", "rescale:skip" }) {
        Scenario s = scenarioOf("fa2", 16, 40, 16, "causal", { 8, 8 });
        s.breaks = { spec };
        SCOPED_TRACE(describe(s));
        ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(s)));
    }
}

// Several works one after the other, in a cluster and alone, through rings that do not begin where they began.
TEST(Replay, GivesTheValuesOfPersistentCtasToo)
{
    for (const Scenario& s : { scenarioOf("fa3", 64, 40, 128, "none", { 8, 8 }),
             scenarioOf("fa3", 40, 40, 16, "causal", { 8, 8 }), scenarioOf("fa3", 42, 40, 16, "window:9,3", { 6, 8 }) })
        for (const char* sms : { "1", "2", "3" }) {
            const Scenario few = with(s, { { "sms", sms }, { "stages", "3" } });
            SCOPED_TRACE(describe(few));
            ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(few)));
        }
}

// Two query tiles at a time, lazy references, a polynomial; in pairs of CTAs, and one work after the other.
TEST(Replay, GivesTheValuesOfFlashAttention4WithItsKnobsToo)
{
    Scenario packed = scenarioOf("fa4", 20, 40, 16, "causal", { 8, 16 });
    packed.problem.heads = 4;
    packed.problem.kvHeads = 2;
    packed.problem.dtype = DType::Bf16;
    const Scenario pairs = with(scenarioOf("fa4", 60, 64, 16, "none", { 8, 16 }), { { "two-cta", "on" } });
    EXPECT_TRUE(runOf(pairs).program->launches.back().pairs);
    for (const Scenario& s : { packed, pairs, scenarioOf("fa4", 60, 64, 128, "none", { 8, 16 }),
             with(pairs, { { "exp2-emulation", "1" }, { "exp2-degree", "5" } }),
             scenarioOf("fa4", 60, 60, 16, "window:9,3", { 8, 16 }) })
        for (const char* sms : { "2", "3" })
            for (const char* threshold : { "0", "1", "8" }) {
                const Scenario few = with(s, { { "sms", sms }, { "rescale-threshold", threshold } });
                SCOPED_TRACE(describe(few));
                ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(runOf(few)));
            }
}

// Every wait of FlashAttention-4 dropped in turn, a barrier that opens too early, and rescales that are wrong.
TEST(Replay, GivesTheValuesOfBrokenFlashAttention4Too)
{
    Scenario rising = with(scenarioOf("fa4", 20, 64, 16, "none", { 8, 16 }), { { "sms", "2" } });
    rising.problem.init = Init::RisingLeft;
    int changed = 0;
    for (Scenario s : { rising, with(rising, { { "two-cta", "on" }, { "rescale-threshold", "1" } }),
             with(scenarioOf("fa4", 40, 64, 16, "causal", { 8, 16 }), { { "sms", "1" } }) }) {
        std::vector<std::string> specs { "rescale:skip", "rescale:mix-frames", "count:pipeline_p_lastsplit.full=1",
            "count:pipeline_s_p_o.empty=128", "count:pipeline_sm_stats.empty=32" };
        const auto program = programOf(s);
        for (const WaitDecl& wait : program->waits)
            specs.push_back("wait:" + wait.name);
        const Tensor right = runOf(s).o;
        for (const std::string& spec : specs) {
            s.breaks = { spec };
            SCOPED_TRACE(describe(s));
            const auto run = runOf(s);
            ASSERT_NO_FATAL_FAILURE(expectValuesOfAReplay(run));
            changed += sameBits(run.o.data, right.data) ? 0 : 1;
        }
    }
    EXPECT_GE(changed, 20) << "most of what is broken shows";
}

// Values are kept by CTA: an event of another CTA changes nothing.
TEST(Replay, AnEventOfAnotherCtaChangesNothing)
{
    const auto run = runOf(scenarioOf("fa2", 16, 16, 8, "causal", { 8, 8 }));
    const Trace& trace = *run.trace;
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const CtaId other(1 - trace.ctaOf(trace.eventAt(p - 1).instance).index());
        for (std::size_t k = 0; k < run.program->buffers.size(); ++k)
            ASSERT_TRUE(sameBits(trace.value(other, BufferId(k), Position { p }).data,
                trace.value(other, BufferId(k), Position { p - 1 }).data));
    }
}

} // namespace
