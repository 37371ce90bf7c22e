// SPDX-License-Identifier: Apache-2.0
#include "core/trace/barrier_card.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep;
using namespace flashstep::test;

std::shared_ptr<const Trace> traceOf(
    const std::string& algorithm, const std::vector<std::pair<std::string, std::string>>& knobs = {})
{
    Scenario s = with(scenarioOf(algorithm, 256, 256, 64, "none", { 64, 64 }), knobs);
    s.record = { Record::Kind::None };
    return runOf(s).trace;
}

// What everybody brings within a work tile, a turn's worth at a time, is what the turns of that work tile took.
void expectFull(const Trace& trace, const std::string& what)
{
    const Program& program = trace.program();
    for (std::size_t c = 0; c < program.ctaCount(); ++c) {
        const CtaId cta(c);
        if (trace.worksOf(cta).size() != 1)
            continue;
        for (const BarrierState& state : barriersAt(trace, cta, trace.end())) {
            const BarrierDecl& decl = program.barriers[state.barrier.index()];
            std::int64_t brought = 0;
            bool waited = false;
            for (const BarrierParty& party : partiesOf(trace, cta, state.barrier, trace.end())) {
                waited = waited || party.kind == BarrierParty::Kind::Waits || party.kind == BarrierParty::Kind::Meets;
                const bool counts = !decl.countsBytes() || party.kind == BarrierParty::Kind::Lands;
                brought += counts ? party.worth * party.times : 0;
            }
            if (state.phase == 0)
                continue;
            EXPECT_TRUE(waited) << what << " " << decl.name;
            EXPECT_EQ(brought, static_cast<std::int64_t>(decl.count) * state.phase + state.arrived)
                << what << " " << decl.name << " of CTA " << c;
        }
    }
}

TEST(BarrierCard, WhatThePartiesBringFillsTheTurns)
{
    expectFull(*traceOf("fa2"), "fa2");
    expectFull(*traceOf("fa1"), "fa1");
    expectFull(*traceOf("fa3", { { "scheduler", "single-tile" } }), "fa3");
    expectFull(*traceOf("fa4", { { "two-cta", "off" } }), "fa4");
    expectFull(*traceOf("fa4", { { "two-cta", "on" } }), "fa4 pair");
}

TEST(BarrierCard, NamesWhoAnnouncesAndWhatLands)
{
    const auto trace = traceOf("fa3");
    const Program& program = trace->program();
    bool announced = false;
    for (std::size_t b = 0; b < program.barriers.size(); ++b) {
        if (!program.barriers[b].countsBytes())
            continue;
        for (const BarrierParty& party : partiesOf(*trace, CtaId(0), BarrierId(b), trace->end())) {
            if (party.kind == BarrierParty::Kind::Announces) {
                announced = true;
                EXPECT_EQ(party.worth, program.barriers[b].count);
                EXPECT_GT(party.line, 0U);
            }
        }
    }
    EXPECT_TRUE(announced);
}

} // namespace
