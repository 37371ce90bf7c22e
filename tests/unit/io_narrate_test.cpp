// SPDX-License-Identifier: Apache-2.0
#include "core/io/narrate.h"
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
    EXPECT_EQ(text.find_first_of("{}[]"), std::string::npos) << text;
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

Scenario with(Scenario scenario, const std::string& spec)
{
    scenario.breaks.push_back(spec);
    return scenario;
}

Scenario withoutValues(Scenario scenario)
{
    scenario.record = { Record::Kind::None, 0 };
    return scenario;
}

std::string nameOfRun(const testing::TestParamInfo<Scenario>& scenario)
{
    constexpr std::array names { "Causal", "RowsThatSeeNothing", "TimingOnly", "Standard", "DroppedWait",
        "DroppedBarrier", "SkippedRescale", "Deadlock" };
    return names.at(scenario.index);
}

INSTANTIATE_TEST_SUITE_P(Runs, EveryStep,
    testing::Values(scenarioOf("fa2", 48, 48, 16, "causal", { 16, 16 }, DType::Bf16),
        scenarioOf("fa2", 40, 20, 16, "causal", { 16, 8 }),
        withoutValues(scenarioOf("fa2", 32, 32, 16, "window:4,4", { 8, 8 })),
        scenarioOf("standard", 24, 24, 16, "causal", { 8, 8 }),
        with(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "wait:K_landed"),
        with(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "wait:V_visible"),
        with(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "rescale:skip"),
        with(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }), "count:syncthreads=160")),
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

TEST(Glossary, HasACardForEachTermWithItsSource)
{
    const Result<std::vector<GlossaryCard>> cards = glossary("en");
    ASSERT_TRUE(cards.ok());
    for (const char* term : { "CTA", "warp", "SMEM", "HBM", "L2", "cp.async", "commit group", "wait group",
             "__syncthreads", "mma.sync", "MUFU", "exp2", "rowmax", "rowsum", "LSE", "rescale", "mask", "tile", "wave",
             "GQA", "issue, execute, complete" })
        EXPECT_TRUE(std::any_of(cards->begin(), cards->end(), [&](const GlossaryCard& card) {
            return card.term == term;
        })) << term;
    for (const GlossaryCard& card : *cards) {
        EXPECT_FALSE(card.title.empty()) << card.term;
        EXPECT_GT(card.text.size(), 40U) << card.term;
        EXPECT_FALSE(card.source.empty()) << card.term;
    }
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

} // namespace
} // namespace flashstep::test
