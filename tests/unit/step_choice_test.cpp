// SPDX-License-Identifier: Apache-2.0
#include "core/io/bold_runs.h"
#include "core/io/export_request.h"
#include "core/io/step_choice.h"
#include "tests/support/random_problem.h"

#include <gtest/gtest.h>

#include <set>

namespace flashstep::test {
namespace {

// By looking at every position.
std::vector<std::uint32_t> completedIn(const Trace& trace, const Range& range, Level level)
{
    std::vector<std::uint32_t> positions;
    for (std::uint32_t p = range.from.value + 1; p <= range.to.value; ++p)
        if (completesStep(trace, Position { p }, level))
            positions.push_back(p);
    return positions;
}

TEST(StepChoice, FindsEveryStepOfTheStretchAndNoOther)
{
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" }) {
        const bool wide = std::string(algorithm) > "fa2";
        const flashstep::Run run = runOf(
            scenarioOf(algorithm, 64, 96, wide ? 64 : 16, "causal", wide ? TileSize { 64, 32 } : TileSize { 16, 16 }));
        const Trace& trace = *run.trace;
        const std::uint32_t end = trace.end().value;
        for (const Range range : { Range::whole(trace), Range { Position { end / 3 }, Position { 2 * end / 3 } } })
            for (const Level level :
                { Level::Event, Level::Operation, Level::InnerTile, Level::OuterTile, Level::Cta }) {
                std::vector<std::uint32_t> found;
                forEachStep(trace, range, level, CtaId::none(), [&](const Step& step) {
                    found.push_back(step.at.value);
                    EXPECT_TRUE(step.cta.valid());
                    return true;
                });
                EXPECT_EQ(found, completedIn(trace, range, level)) << algorithm << " " << name(level);
            }
    }
}

// The stated CTA's steps are its own, whoever works at the end of the run: together they are those of all CTAs.
void expectStepsOfEachCta(const flashstep::Run& run, const std::string& what)
{
    const Trace& trace = *run.trace;
    const Program& program = trace.program();
    ASSERT_GT(program.ctaCount(), 1U) << what;
    const Range whole = Range::whole(trace);
    for (const Level level : { Level::Event, Level::Operation, Level::InnerTile, Level::OuterTile, Level::Cta }) {
        std::set<std::uint32_t> together;
        for (std::size_t c = 0; c < program.ctaCount(); ++c) {
            const CtaId cta(c);
            std::size_t count = 0;
            forEachStep(trace, whole, level, cta, [&](const Step& step) {
                const CtaId at = trace.ctaOf(trace.eventAt(step.at.value - 1).instance);
                EXPECT_TRUE(at == cta || at == program.peerOf(cta))
                    << what << ": " << name(level) << " of CTA " << c << " at " << step.at.value;
                together.insert(step.at.value);
                return ++count > 0;
            });
            if (level == Level::Cta) {
                EXPECT_EQ(count, 1U) << what << ": CTA " << c;
            }
        }
        const std::vector<std::uint32_t> all = completedIn(trace, whole, level);
        EXPECT_EQ(together, std::set(all.begin(), all.end())) << what << ": " << name(level);
    }
}

TEST(StepChoice, StepsOfOneCtaAreItsOwn)
{
    for (const char* algorithm : { "standard", "fa1", "fa2" })
        expectStepsOfEachCta(runOf(scenarioOf(algorithm, 64, 96, 16, "causal", { 16, 16 })), algorithm);
    for (const char* algorithm : { "fa3", "fa4" })
        expectStepsOfEachCta(runOf(scenarioOf(algorithm, 512, 512, 64, "causal", { 64, 32 })), algorithm);
    Scenario pairs = scenarioOf("fa4", 1024, 256, 64, "none", { 64, 32 });
    expectStepsOfEachCta(runOf(with(pairs, { { "two-cta", "on" } })), "fa4 in pairs");
    auto persistent = runOfManyTiles(RunOptions::Grid::Whole);
    ASSERT_TRUE(persistent.ok());
    expectStepsOfEachCta(*persistent, "fa3, persistent");
}

TEST(StepChoice, StopsWhenAsked)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }));
    int seen = 0;
    forEachStep(
        *run.trace, Range::whole(*run.trace), Level::Event, CtaId::none(), [&](const Step&) { return ++seen < 3; });
    EXPECT_EQ(seen, 3);
}

TEST(StepChoice, ThinsEvenlyAndKeepsTheLast)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 32, 64, 16, "none", { 16, 16 }));
    const Range whole = Range::whole(*run.trace);
    const std::vector<std::uint32_t> all = completedIn(*run.trace, whole, Level::Operation);
    ASSERT_GT(all.size(), 20U);
    for (const std::size_t most :
        { all.size() + 1, all.size(), all.size() - 1, std::size_t { 7 }, std::size_t { 1 } }) {
        const auto chosen = chooseSteps(*run.trace, whole, Level::Operation, CtaId::none(), most);
        ASSERT_TRUE(chosen.ok());
        EXPECT_EQ(chosen->total, all.size());
        ASSERT_LE(chosen->shown.size(), most);
        EXPECT_GT(chosen->shown.size(), most / 2 == all.size() ? 0 : std::min(most, all.size()) / 2);
        EXPECT_EQ(chosen->note().empty(), most >= all.size());
        EXPECT_EQ(chosen->number(chosen->shown.size() - 1), all.size());
        for (std::size_t k = 0; k < chosen->shown.size(); ++k)
            EXPECT_EQ(chosen->shown[k].at.value, all[chosen->number(k) - 1]);
    }
}

TEST(StepChoice, SaysWhatIsLeftOut)
{
    const auto note = [](std::size_t every) { return ChosenSteps { Level::InnerTile, {}, 5000, every }.note(); };
    EXPECT_EQ(note(1), "");
    EXPECT_EQ(note(2), "5000 inner-tile steps: every 2nd is shown");
    EXPECT_EQ(note(3), "5000 inner-tile steps: every 3rd is shown");
    EXPECT_EQ(note(11), "5000 inner-tile steps: every 11th is shown");
    EXPECT_EQ(note(12), "5000 inner-tile steps: every 12th is shown");
    EXPECT_EQ(note(21), "5000 inner-tile steps: every 21st is shown");
    EXPECT_EQ(note(113), "5000 inner-tile steps: every 113th is shown");
}

TEST(StepChoice, AnEmptyStretchIsAnError)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 32, 32, 16, "none", { 16, 16 }));
    const auto chosen = chooseSteps(*run.trace, { Position { 1 }, Position { 2 } }, Level::Cta, CtaId::none());
    ASSERT_FALSE(chosen.ok());
    EXPECT_NE(chosen.error().line().find("no step of the level cta"), std::string::npos) << chosen.error().line();
}

TEST(BoldRuns, AreTheTextWithoutItsMarks)
{
    const auto written = [](std::string_view text) {
        std::string all;
        for (const TextRun& run : boldRuns(text))
            all += (run.bold ? "<" : "[") + run.text + (run.bold ? ">" : "]");
        return all;
    };
    EXPECT_EQ(written("**Row 3**: 2 of **16**."), "<Row 3>[: 2 of ]<16>[.]");
    EXPECT_EQ(written("plain"), "[plain]");
    EXPECT_EQ(written(""), "");
    EXPECT_EQ(written("an **open one"), "[an ]<open one>");
    EXPECT_EQ(written("****"), "");
    EXPECT_EQ(written("a * b ** c"), "[a * b ]< c>");
}

TEST(ExportRequest, AMomentOfATileChoosesItsCta)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 64, 64, 16, "none", { 16, 16 }));
    ExportOptions o;
    o.format = "html";
    o.out = "x";
    EXPECT_FALSE(understandExport(o, *run.trace)->cta.valid());
    EXPECT_EQ(understandExport(o, *run.trace)->view, "tiles");
    o.from = "block(i=2, n=1)";
    EXPECT_EQ(understandExport(o, *run.trace)->cta, run.trace->ctaOfTile(0, 0, 2));
    o.at = "5"; // a plain position is no tile's
    EXPECT_EQ(understandExport(o, *run.trace)->cta, run.trace->ctaOfTile(0, 0, 2));
    o.cta = "3";
    EXPECT_EQ(understandExport(o, *run.trace)->cta, CtaId(3));
}

} // namespace
} // namespace flashstep::test
