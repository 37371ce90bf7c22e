// SPDX-License-Identifier: Apache-2.0
#include "core/io/narrate.h"
#include "core/io/narrate_numbers.h"
#include "core/io/spans.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <array>
#include <sstream>

namespace flashstep::test {
namespace {

Words english()
{
    return *Words::load("en");
}

void expectWhole(const std::string& text)
{
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
    EXPECT_EQ(text.find("-1,"), std::string::npos) << text;
}

class EveryStep : public testing::TestWithParam<Scenario> { };

TEST_P(EveryStep, HasWordsWithoutGaps)
{
    const flashstep::Run run = runOf(GetParam());
    const Narrator narrator(run, Labels {}, english());
    for (std::uint32_t p = 0; p <= run.trace->end().value; ++p) {
        const CtaId cta = p == 0 ? CtaId(0) : run.trace->ctaOf(run.trace->eventAt(p - 1).instance);
        expectWhole(narrator.title(Position { p }, cta));
        expectWhole(narrator.explain(Position { p }, cta));
        for (const Level level : { Level::InnerTile, Level::OuterTile, Level::Cta })
            expectWhole(narrator.summary(Position { p }, cta, level));
        if (testing::Test::HasFailure())
            return;
    }
}

Scenario broken(Scenario scenario, const std::string& spec)
{
    scenario.breaks.push_back(spec);
    return scenario;
}

Scenario withoutValues(Scenario scenario)
{
    scenario.record = { Record::Kind::None, 0 };
    return scenario;
}

Scenario packedHeads(Scenario scenario)
{
    scenario.problem.heads = 4;
    scenario.problem.kvHeads = 2;
    return scenario;
}

// Each block further left raises the maximum.
Scenario rising(Scenario scenario)
{
    scenario.problem.init = Init::RisingLeft;
    return scenario;
}

std::string nameOfRun(const testing::TestParamInfo<Scenario>& scenario)
{
    constexpr std::array names { "Causal", "RowsThatSeeNothing", "TimingOnly", "Standard", "DroppedWait",
        "DroppedBarrier", "SkippedRescale", "Deadlock", "Fa1", "Fa1SkippedRescale", "Fa1Paper", "Fa1PaperTimingOnly",
        "Fa2SplitKeys", "Fa3", "Fa4Causal", "Fa4Pair", "Fa4PackedHeads", "Fa4OneTile", "Fa4TimingOnly",
        "Fa4SkippedRescale", "Fa4FramesMixed" };
    return names.at(scenario.index);
}

INSTANTIATE_TEST_SUITE_P(Runs, EveryStep,
    testing::Values(scenarioOf("fa2", 48, 48, 16, "causal", { 16, 16 }, DType::Bf16),
        scenarioOf("fa2", 40, 20, 16, "causal", { 16, 8 }),
        withoutValues(scenarioOf("fa2", 32, 32, 16, "window:4,4", { 8, 8 })),
        scenarioOf("standard", 24, 24, 16, "causal", { 8, 8 }),
        broken(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "wait:K_landed"),
        broken(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "wait:V_visible"),
        broken(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "rescale:skip"),
        broken(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "count:syncthreads=160"),
        scenarioOf("fa1", 24, 40, 16, "causal", { 16, 16 }),
        broken(scenarioOf("fa1", 24, 40, 16, "none", { 16, 16 }), "rescale:skip"),
        with(scenarioOf("fa1", 24, 40, 16, "causal", { 16, 16 }), { { "fa1-form", "paper" } }),
        withoutValues(with(scenarioOf("fa1", 24, 40, 16, "none", { 16, 16 }), { { "fa1-form", "paper" } })),
        with(scenarioOf("fa2", 32, 48, 16, "none", { 16, 16 }), { { "warp-split", "k" } }),
        scenarioOf("fa3", 50, 96, 64, "causal", { 64, 32 }), scenarioOf("fa4", 60, 64, 32, "causal", { 16, 16 }),
        scenarioOf("fa4", 96, 48, 128, "none", { 16, 16 }),
        packedHeads(scenarioOf("fa4", 24, 32, 32, "causal", { 16, 16 })),
        scenarioOf("fa4", 16, 48, 32, "none", { 16, 16 }),
        withoutValues(scenarioOf("fa4", 64, 64, 32, "none", { 16, 16 })),
        broken(rising(scenarioOf("fa4", 32, 64, 32, "none", { 16, 16 })), "rescale:skip"),
        broken(rising(scenarioOf("fa4", 32, 64, 32, "none", { 16, 16 })), "rescale:mix-frames")),
    nameOfRun);

TEST(Narrator, RescaleSaysTheFactorOfTheTrace)
{
    Scenario scenario = scenarioOf("fa2", 16, 32, 16, "none", { 16, 16 });
    scenario.problem.init = Init::RisingLeft; // each block further left raises the maximum
    const flashstep::Run run = runOf(scenario);
    Labels labels;
    for (int k = 0; k < 16; ++k)
        labels.tokens.push_back("word" + std::to_string(k));
    const Narrator narrator(run, labels, english());
    const Trace& trace = *run.trace;
    bool told = false;
    for (std::uint32_t p = 1; p <= trace.end().value; ++p) {
        const Event event = trace.eventAt(p - 1);
        const Op& op = run.program->op(trace.opOf(event.instance));
        if (!event.ends || op.kind != OpKind::RowMax || !op.accumulate)
            continue;
        const std::string text = narrator.explain(Position { p }, CtaId(0));
        EXPECT_NE(text.find("exceeds the one in use"), std::string::npos) << text;
        EXPECT_NE(text.find("\"word"), std::string::npos) << text;
        told = true;
    }
    EXPECT_TRUE(told);
}

// Calls visit(op, the step's end, what is said of it) for the ended steps of CTA 0.
template <typename Visit> void forEachEnd(const flashstep::Run& run, Visit visit)
{
    const Narrator narrator(run, Labels {}, english());
    for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
        const Event event = run.trace->eventAt(p - 1);
        if (event.ends && run.trace->ctaOf(event.instance) == CtaId(0))
            visit(run.trace->op(event.instance), Position { p }, narrator.explain(Position { p }, CtaId(0)));
    }
}

// Of the op's rows inside the sequence the smallest factor above 0, as it is written.
std::string leastFactor(const flashstep::Run& run, const Op& op, BufferId buffer, Position p, int rowsInside)
{
    const TileValues values = run.trace->value(CtaId(0), buffer, p);
    const int offset = run.program->rowOffset(run.program->buffers[buffer.index()], op);
    float least = 2;
    run.program->rows(op).forEach([&](int r) {
        const float value = values.at(r + offset, 0);
        if (r < rowsInside && value > 0 && value < least)
            least = value;
    });
    return "**" + narration::factor(static_cast<double>(least)) + "**";
}

TEST(Narrator, Fa1SaysItsTwoFactorsAsInTheTrace)
{
    Scenario scenario = scenarioOf("fa1", 16, 64, 16, "none", { 16, 16 });
    scenario.problem.init = Init::RisingRight; // every visit finds a larger maximum
    const flashstep::Run run = runOf(scenario);
    int maxima = 0;
    int sums = 0;
    int outputs = 0;
    int divisions = 0;
    forEachEnd(run, [&](const Op& op, Position p, const std::string& text) {
        const Position before { p.value - 1 };
        if (op.kind == OpKind::Normalise) {
            const TileValues l = run.trace->value(CtaId(0), op.in[1], before);
            const double first = static_cast<double>(l.at(run.program->rows(op).start, 0));
            EXPECT_NE(text.find("1/l = **" + narration::factor(1 / first) + "**"), std::string::npos) << text;
            ++divisions;
        }
        if (op.kind != OpKind::Reduce || op.n < 2)
            return;
        const bool rows = run.program->buffers[op.out.index()].cols > 1;
        const BufferId factor = op.maximum ? op.out2 : rows ? op.in[2] : op.in[1];
        const std::string least = leastFactor(run, op, factor, op.maximum ? p : before, 16);
        EXPECT_NE(text.find(least), std::string::npos) << text << " " << least;
        EXPECT_NE(text.find("prev"), std::string::npos) << text;
        EXPECT_EQ(text.find("LSE = ") != std::string::npos, op.maximum) << text;
        ++(op.maximum ? maxima : rows ? outputs : sums);
    });
    EXPECT_EQ(maxima, 3 * 4); // the visits after the first, of four warps
    EXPECT_EQ(sums, 3 * 4);
    EXPECT_EQ(outputs, 3 * 4);
    EXPECT_EQ(divisions, 4 * 4);
}

class Fa1ByThePaper : public testing::TestWithParam<Init> { };

TEST_P(Fa1ByThePaper, SaysBothFactorsAsInTheTrace)
{
    Scenario scenario = with(scenarioOf("fa1", 16, 48, 16, "none", { 16, 16 }),
        { { "fa1-form", "paper" }, { "loop-order", "q-outer" }, { "divide", "end" } });
    scenario.problem.init = GetParam();
    const flashstep::Run run = runOf(scenario);
    int factors = 0;
    int rescaled = 0;
    forEachEnd(run, [&](const Op& op, Position p, const std::string& text) {
        EXPECT_EQ(text.find("1 warp"), std::string::npos) << text;
        EXPECT_EQ(text.find("becomes the reference"), std::string::npos) << text;
        EXPECT_EQ(text.find("O and l"), std::string::npos) << text;
        const auto nameOf = [&](BufferId id) { return run.program->buffers[id.index()].name; };
        if (op.kind == OpKind::Rescale) {
            EXPECT_NE(text.find(nameOf(op.out)), std::string::npos) << text;
            EXPECT_NE(text.find(nameOf(op.in[2]) + " = e^("), std::string::npos) << text;
            ++rescaled;
        }
        if (op.kind != OpKind::Reduce || !op.maximum || op.n < 2)
            return;
        const std::string least = leastFactor(run, op, op.out2, p, 16);
        const std::string formula
            = nameOf(op.out2) == "beta" ? "beta = e^(m~ - m) = 2^(" : "scale = e^(m_old - m) = 2^(";
        EXPECT_NE(text.find(formula), std::string::npos) << text;
        EXPECT_NE(text.find(") = " + least), std::string::npos) << text << " " << least;
        ++factors;
    });
    EXPECT_EQ(factors, 2 * 2 * 4);
    EXPECT_GT(rescaled, 0);
}

INSTANTIATE_TEST_SUITE_P(Maxima, Fa1ByThePaper, testing::Values(Init::RisingLeft, Init::RisingRight, Init::Normal));

TEST(Narrator, SoftmaxBesideAProductSaysSo)
{
    for (const bool overlap : { true, false }) {
        const Scenario scenario
            = with(scenarioOf("fa3", 64, 512, 64, "none", { 64, 64 }), { { "intra-overlap", overlap ? "on" : "off" } });
        int told = 0;
        forEachEnd(runOf(scenario), [&](const Op& op, Position, const std::string& text) {
            const bool beside = text.find("P V of block") != std::string::npos;
            EXPECT_TRUE(!beside || ((op.kind == OpKind::Exp2 || op.kind == OpKind::RowMax) && op.n > 1)) << text;
            told += beside ? 1 : 0;
        });
        EXPECT_EQ(told > 0, overlap);
    }
}

TEST(Narrator, RowsBeyondTheLastQueryAreNotCounted)
{
    int beyond = 0;
    forEachEnd(
        runOf(scenarioOf("fa3", 70, 256, 64, "none", { 128, 64 })), [&](const Op&, Position, const std::string& text) {
            EXPECT_EQ(text.find(" 0 rows"), std::string::npos) << text;
            EXPECT_EQ(text.find("not recorded"), std::string::npos) << text;
            beyond += text.find("beyond the last query") != std::string::npos ? 1 : 0;
        });
    EXPECT_EQ(beyond, 0); // each warpgroup has some
    forEachEnd(runOf(scenarioOf("fa3", 50, 256, 64, "none", { 128, 64 })),
        [&](const Op& op, Position, const std::string& text) {
            EXPECT_EQ(text.find(" 0 rows"), std::string::npos) << text;
            const bool told = text.find("beyond the last query") != std::string::npos;
            beyond += told && op.kind == OpKind::Rescale ? 1 : 0;
        });
    EXPECT_GT(beyond, 0);
}

TEST(Narrator, MarkdownHasALinePerStep)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }));
    std::ostringstream out;
    ASSERT_TRUE(narrateMarkdown(run, {}, Range::whole(*run.trace), Level::InnerTile, CtaId::none(), "en", out).ok());
    const std::string text = out.str();
    EXPECT_EQ(text.rfind("# fa2, forward", 0), 0U);
    std::size_t lines = 0;
    for (std::size_t at = text.find("\n- "); at != std::string::npos; at = text.find("\n- ", at + 1))
        ++lines;
    EXPECT_EQ(lines, 4U);
}

TEST(Narrator, KnowsNoLanguageThatIsNotThere)
{
    EXPECT_FALSE(Words::load("zh").ok());
    EXPECT_FALSE(Words::load("../text/en").ok());
}

TEST(Spans, OnlyWaitsBookNoEngine)
{
    for (std::size_t k = 0; k < opKindCount; ++k)
        EXPECT_EQ(engineOf(static_cast<OpKind>(k)).has_value(), !isWait(static_cast<OpKind>(k)));
}

TEST(Spans, NanosecondsAreRounded)
{
    EXPECT_EQ(Nanoseconds(1000).of(1234), 1234);
    EXPECT_EQ(Nanoseconds(1410).of(1410), 1000);
    EXPECT_EQ(Nanoseconds(1830).of(1), 1);
    EXPECT_EQ(Nanoseconds(3000).of(1), 0);
    EXPECT_EQ(Nanoseconds(2000).of(4000000001), 2000000001);
}

TEST(Narrator, CountsTheRowsThatExist)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 1, 1, 16, "none", { 16, 16 }));
    const Narrator narrator(run, Labels {}, english());
    bool one = false, outside = false;
    for (std::uint32_t p = 1; p <= run.trace->end().value; ++p) {
        const Event event = run.trace->eventAt(p - 1);
        const std::string text = narrator.explain(Position { p }, run.trace->ctaOf(event.instance));
        const Op& op = run.trace->op(event.instance);
        EXPECT_EQ(text.find(" 1 rows"), std::string::npos) << text;
        EXPECT_EQ(text.find("{"), std::string::npos) << text;
        if (op.kind == OpKind::Load && op.tensor == TensorId::K)
            one |= text.find("1 row of K of key block 0") != std::string::npos;
        if (op.kind == OpKind::Store)
            outside |= text.find("none of its rows exists") != std::string::npos;
        EXPECT_EQ(text.find("**0** bytes"), std::string::npos) << text;
    }
    EXPECT_TRUE(one);
    EXPECT_TRUE(outside);
}

TEST(Words, PutsOneThingInTheSingular)
{
    const Words words = english();
    const Words::Values one { { "queries", "1" }, { "keys", "2" } };
    const std::string head = words.say("markdown.head", one);
    EXPECT_NE(head.find("1 query, 2 keys"), std::string::npos) << head;
}

} // namespace
} // namespace flashstep::test
