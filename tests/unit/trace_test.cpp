// SPDX-License-Identifier: Apache-2.0
#include "core/trace/trace_builder.h"
#include "tests/support/random_problem.h"
#include "tests/support/trace_invariants.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace flashstep;
using namespace flashstep::test;

std::shared_ptr<const Program> small()
{
    return programOf(scenarioOf("fa2", 8, 8, 8, "none", { 8, 8 }));
}

OpId firstOf(const Program& program, OpKind kind)
{
    for (std::size_t k = 0; k < program.ops.size(); ++k)
        if (program.ops[k].kind == kind)
            return OpId(k);
    return OpId::none();
}

TEST(Trace, WithNoEventsIsOnePosition)
{
    TraceBuilder builder(small(), nullptr, {});
    const auto trace = builder.finish(0, 108, 1, 1410);
    EXPECT_EQ(trace->end(), Position { 0 });
    EXPECT_EQ(trace->timeAt(trace->end()), 0);
    EXPECT_EQ(trace->positionAt(1000), Position { 0 });
    for (const Level level : { Level::Event, Level::Operation, Level::InnerTile, Level::OuterTile, Level::Cta }) {
        EXPECT_EQ(trace->next(Position { 0 }, level), Position { 0 });
        EXPECT_EQ(trace->previous(Position { 0 }, level), Position { 0 });
    }
    EXPECT_EQ(trace->counter(Counter::Flops, trace->end()), 0);
    EXPECT_FALSE(trace->block(WorkId(0), 0, 1));
    EXPECT_FALSE(trace->hasValues(CtaId(0)));
    EXPECT_TRUE(trace->hops().empty());
    EXPECT_EQ(stateText(*trace, CtaId(0), trace->end()).find("running"), std::string::npos);
}

TEST(Trace, EventsKeepTheirOrderWithinACycle)
{
    const auto program = small();
    TraceBuilder builder(program, nullptr, {});
    const OpId load = firstOf(*program, OpKind::Load);
    const OpId commit = firstOf(*program, OpKind::Commit);
    builder.ctaBegins(CtaId(0), 0, 3, 1);
    builder.workBegins(WorkId(0), CtaId(0), 0);
    builder.begin(WorkId(0), load, 5);
    builder.begin(WorkId(0), commit, 7);
    builder.end(WorkId(0), commit, 7);
    builder.end(WorkId(0), load, 9);
    builder.hop(WorkId(0), load, Engine::L2, 5, 4);
    builder.ctaEnds(CtaId(0), 9);
    const auto trace = builder.finish(9, 108, 2, 1410);

    EXPECT_EQ(trace->end(), Position { 4 });
    EXPECT_EQ(trace->positionAt(4), Position { 0 });
    EXPECT_EQ(trace->positionAt(5), Position { 1 });
    EXPECT_EQ(trace->positionAt(7), Position { 3 }) << "everything of cycle 7";
    EXPECT_EQ(trace->timeAt(Position { 2 }), 7);
    const InstanceId instance = trace->instance(WorkId(0), load);
    EXPECT_EQ(trace->beginPosition(instance), Position { 1 });
    EXPECT_EQ(trace->endPosition(instance), Position { 4 });
    EXPECT_TRUE(trace->begunAt(instance, Position { 1 }) && !trace->begunAt(instance, Position { 0 }));
    EXPECT_TRUE(trace->endedAt(instance, Position { 4 }) && !trace->endedAt(instance, Position { 3 }));
    EXPECT_EQ(trace->span(CtaId(0)).sm, 3);
    EXPECT_EQ(trace->span(CtaId(0)).slot, 1);
    const std::int64_t bytes = countsOf(*program, program->works[0], program->op(load)).globalRead;
    EXPECT_GT(bytes, 0);
    EXPECT_EQ(trace->counter(Counter::GlobalRead, Position { 3 }), 0) << "counted when it ends";
    EXPECT_EQ(trace->counter(Counter::GlobalRead, Position { 4 }), bytes);
    ASSERT_EQ(trace->hopsOf(CtaId(0)).size(), 1U);
    EXPECT_EQ(trace->hops()[trace->hopsOf(CtaId(0))[0]].end(), 9);
    EXPECT_EQ(trace->hops()[0].engine(), Engine::L2);
}

TEST(Trace, OpsThatNeverEndSaySo)
{
    const auto program = small();
    TraceBuilder builder(program, nullptr, {});
    const OpId wait = firstOf(*program, OpKind::Wait);
    builder.workBegins(WorkId(0), CtaId(0), 0);
    builder.begin(WorkId(0), wait, 3);
    builder.blocked({ CtaId(0), WorkId(0), RoleId(0), wait, "its copies" });
    const auto trace = builder.finish(40, 108, 1, 1410);
    const InstanceId instance = trace->instance(WorkId(0), wait);
    EXPECT_TRUE(trace->began(instance));
    EXPECT_FALSE(trace->ended(instance));
    EXPECT_EQ(trace->endCycle(instance), 40) << "drawn to the end of the run";
    EXPECT_FALSE(trace->began(trace->instance(WorkId(0), firstOf(*program, OpKind::Mma))));
    ASSERT_EQ(trace->deadlock().size(), 1U);
    EXPECT_EQ(trace->deadlock()[0].waitingFor, "its copies");
}

TEST(Trace, ValuesAreNaNUntilWritten)
{
    const auto run = runOf(scenarioOf("fa2", 8, 8, 8, "none", { 8, 8 }));
    for (std::size_t k = 0; k < run.program->buffers.size(); ++k) {
        const TileValues tile = run.trace->value(CtaId(0), BufferId(k), Position { 0 });
        EXPECT_EQ(tile.rows, run.program->buffers[k].rows);
        EXPECT_EQ(tile.cols, run.program->buffers[k].cols);
        for (const float x : tile.data)
            EXPECT_TRUE(std::isnan(x));
        EXPECT_EQ(run.trace->keyBlockIn(CtaId(0), BufferId(k), Position { 0 }), -1);
    }
}

TEST(Trace, ABufferSaysWhichKeyBlockItHolds)
{
    const auto run = runOf(scenarioOf("fa2", 8, 24, 8, "none", { 8, 8 }));
    const BufferId S = run.program->buffer("S", 0);
    const BufferId O = run.program->buffer("O", 0);
    for (int n = 1; n <= 3; ++n) {
        const Position at = run.trace->block(WorkId(0), 0, n).value();
        EXPECT_LE(run.trace->keyBlockIn(CtaId(0), S, at), 3 - n) << "right to left; a faster warp may be ahead";
        EXPECT_EQ(run.trace->keyBlockIn(CtaId(0), O, at), 3 - n);
    }
    EXPECT_EQ(run.trace->keyBlockIn(CtaId(0), O, run.trace->end()), -1) << "O is no longer a block's";
}

// From the window of one counter to all: what levels and counters are called is what the command line takes.
TEST(Trace, NamesReadBack)
{
    for (const Level level : { Level::Event, Level::Operation, Level::InnerTile, Level::OuterTile, Level::Cta })
        EXPECT_EQ(levelFromName(name(level)), level);
    EXPECT_EQ(levelFromName("tile"), std::nullopt);
    EXPECT_EQ(levelFromName(""), std::nullopt);
    EXPECT_EQ(name(Counter::GlobalRead), "global_read_bytes");
    for (std::size_t k = 0; k < opKindCount; ++k)
        EXPECT_EQ(opKindFromName(name(static_cast<OpKind>(k))), static_cast<OpKind>(k));
    EXPECT_EQ(opKindFromName("Mma"), std::nullopt);
}

TEST(Trace, TimingAloneIsSmall)
{
    Scenario s = scenarioOf("fa2", 2048, 2048, 128, "none", { 128, 64 }, DType::Bf16);
    s.record = { Record::Kind::None };
    const auto run = runOf(s);
    EXPECT_EQ(run.trace->bytes(), run.trace->bytesWithoutValues());
    EXPECT_LT(run.trace->bytes(), 2U << 20U) << "architecture.md section 6: around 1 MB a head";
}

} // namespace
