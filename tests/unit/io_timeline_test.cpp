// SPDX-License-Identifier: Apache-2.0
// Reads the exported timelines back with decoders of the tests' own, and holds them against the trace, against the
// table of spans, and against each other.
#include "core/io/chrome_json.h"
#include "core/io/perfetto.h"
#include "tests/support/csv_rows.h"
#include "tests/support/random_problem.h"
#include "tests/support/timeline_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <sstream>

namespace flashstep::test {
namespace {

template <typename Write> std::string written(const Run& run, const Range& range, Write write)
{
    std::ostringstream out;
    EXPECT_TRUE(write(run, range, out, Progress {}).ok());
    return out.str();
}

ReadTimeline perfettoOf(const Run& run, const Range& range)
{
    return readPerfettoBytes(written(run, range, writePerfetto));
}

ReadTimeline chromeOf(const Run& run, const Range& range)
{
    return readChromeText(written(run, range, writeChromeJson));
}

std::int64_t expectedNs(const Run& run, const std::string& cycle)
{
    return std::llround(std::stod(cycle) * 1000 / run.trace->clockMhz());
}

std::string withoutLane(const std::string& track)
{
    return track.substr(0, track.find(" (lane "));
}

void expectSpansOfTable(const Run& run, const ReadTimeline& timeline, const Range& range)
{
    using Key = std::tuple<std::string, std::string, std::int64_t, std::int64_t>;
    std::multiset<Key> expected;
    const auto rows = csvRows(run, CsvTable::Spans, range);
    for (std::size_t k = 1; k < rows.size(); ++k) {
        const auto& row = rows[k];
        const std::string sm = std::to_string(run.trace->span(CtaId(std::stoul(row[0]))).sm);
        expected.emplace("CTA " + row[0] + " · SM " + sm, row[2].empty() ? row[1] : row[2], expectedNs(run, row[6]),
            expectedNs(run, row[7]));
    }
    std::multiset<Key> found;
    for (const ReadSlice& slice : timeline.slices)
        found.emplace(slice.process, withoutLane(slice.track), slice.begin, slice.end);
    EXPECT_EQ(found, expected);
}

// Slices with their arguments, arrows' moments, counters and marks.
void expectSameContent(ReadTimeline perfetto, ReadTimeline chrome)
{
    std::sort(chrome.slices.begin(), chrome.slices.end());
    std::sort(perfetto.slices.begin(), perfetto.slices.end());
    ASSERT_EQ(chrome.slices.size(), perfetto.slices.size());
    for (std::size_t k = 0; k < chrome.slices.size(); ++k) {
        ASSERT_EQ(chrome.slices[k].key(), perfetto.slices[k].key());
        ASSERT_EQ(chrome.slices[k].arguments, perfetto.slices[k].arguments) << chrome.slices[k].name;
    }
    const auto moments = [](const std::multimap<std::uint64_t, ReadFlowEnd>& ends) {
        std::map<std::uint64_t, std::int64_t> all;
        for (const auto& [id, end] : ends)
            all[id] = end.at;
        return all;
    };
    EXPECT_EQ(moments(chrome.flowStarts), moments(perfetto.flowStarts));
    EXPECT_EQ(chrome.flowEnds.size(), perfetto.flowEnds.size());
    EXPECT_EQ(chrome.counters, perfetto.counters);
    std::erase_if(perfetto.marks, [](const auto& line) { return line.first.ends_with("/run"); });
    EXPECT_EQ(chrome.marks, perfetto.marks);
}

class TimelineFiles : public testing::TestWithParam<Scenario> {
protected:
    flashstep::Run run = runOf(GetParam());
    Range whole = Range::whole(*run.trace);
};

TEST_P(TimelineFiles, PerfettoHoldsEverySpanOnce)
{
    const ReadTimeline timeline = perfettoOf(run, whole);
    expectSpansOfTable(run, timeline, whole);
    expectFlowsMatch(timeline);
    EXPECT_FALSE(timeline.flowStarts.empty());
}

TEST_P(TimelineFiles, ArgumentsAreTheTraces)
{
    const ReadTimeline timeline = perfettoOf(run, whole);
    double read = 0, written = 0, flops = 0;
    const auto number = [](const ReadSlice& slice, const char* key) {
        const auto found = slice.arguments.find(key);
        return found == slice.arguments.end() ? 0 : std::stod(found->second);
    };
    for (const ReadSlice& slice : timeline.slices) {
        EXPECT_EQ(slice.begin, expectedNs(run, slice.arguments.at("begin_cycle")));
        EXPECT_EQ(slice.end, expectedNs(run, slice.arguments.at("end_cycle")));
        EXPECT_EQ(slice.arguments.at("source").rfind("core/algorithms/", 0), 0U);
        EXPECT_EQ(slice.arguments.count("note"), 0U) << "an argument whose name nobody sent";
        EXPECT_FALSE(slice.name.empty());
        read += number(slice, "global_read_bytes");
        written += number(slice, "global_write_bytes");
        flops += number(slice, "flops");
    }
    if (!run.trace->deadlock().empty())
        return; // what never ended is not in the totals
    EXPECT_EQ(read, run.report.globalReadBytes);
    EXPECT_EQ(written, run.report.globalWriteBytes);
    EXPECT_EQ(flops, run.report.flopsExecuted);
}

TEST_P(TimelineFiles, ChromeHoldsTheSame)
{
    const ReadTimeline chrome = chromeOf(run, whole);
    expectSameContent(perfettoOf(run, whole), chrome);
    expectFlowsMatch(chrome);
}

TEST_P(TimelineFiles, WhatRunsOnIsAsynchronousInChrome)
{
    std::size_t expected = 0;
    for (std::size_t k = 0; k < run.trace->instanceCount(); ++k)
        expected += run.trace->began(InstanceId(k)) && run.trace->op(InstanceId(k)).async ? 1 : 0;
    EXPECT_EQ(chromeOf(run, whole).asynchronous, expected);
}

TEST_P(TimelineFiles, StretchHoldsWhatOverlapsIt)
{
    const Range middle { Position { run.trace->end().value / 3 }, Position { run.trace->end().value / 2 } };
    const ReadTimeline timeline = perfettoOf(run, middle);
    EXPECT_LT(timeline.slices.size(), run.trace->instanceCount());
    expectSpansOfTable(run, timeline, middle);
    expectFlowsMatch(timeline);
    const ReadTimeline chrome = chromeOf(run, middle);
    expectFlowsMatch(chrome);
    expectSameContent(timeline, chrome);
}

TEST_P(TimelineFiles, AreTheSameBytesEachTime)
{
    const flashstep::Run again = runOf(GetParam());
    EXPECT_EQ(written(run, whole, writePerfetto), written(again, whole, writePerfetto));
    EXPECT_EQ(written(run, whole, writeChromeJson), written(again, whole, writeChromeJson));
}

TEST_P(TimelineFiles, MarksAreInOrderOfTime)
{
    for (const auto& [line, marks] : perfettoOf(run, whole).marks)
        EXPECT_TRUE(std::is_sorted(marks.begin(), marks.end(), [](const auto& a, const auto& b) {
            return a.first < b.first;
        })) << line;
}

TEST_P(TimelineFiles, CountersEndWhereTheRunDoes)
{
    const ReadTimeline timeline = perfettoOf(run, whole);
    const auto& counters = timeline.counters;
    EXPECT_EQ(counters.at("global_read_bytes").back().second, run.report.globalReadBytes);
    EXPECT_EQ(counters.at("global_write_bytes").back().second, run.report.globalWriteBytes);
    EXPECT_NEAR(counters.at("hbm_bytes").back().second, run.report.hbmReadBytes + run.report.hbmWriteBytes, 1);
    for (const char* held : { "smem_bytes_of_resident_ctas", "tmem_bytes_allocated" })
        if (counters.contains(held) && run.trace->deadlock().empty()) {
            EXPECT_EQ(counters.at(held).back().second, 0) << held;
        }
    EXPECT_EQ(counters.contains("tmem_bytes_allocated"), run.program->launches.front().tmemColumns > 0);
}

// The mean over time of a use is what the run reports; windows may be cut at whole nanoseconds.
TEST_P(TimelineFiles, UseOfEnginesIsTheReported)
{
    const ReadTimeline timeline = perfettoOf(run, whole);
    const Utilisation& u = run.report.utilisation;
    for (const auto& [name, reported] :
        std::map<std::string, double> { { "tensor", u.tensor }, { "exp", u.exp }, { "l2", u.l2 }, { "hbm", u.hbm } }) {
        const auto& samples = timeline.counters.at(name + "_utilisation");
        for (const auto& [time, percent] : samples)
            EXPECT_LE(percent, 100) << name;
        double area = 0;
        for (std::size_t k = 0; k + 1 < samples.size(); ++k)
            area += samples[k].second * static_cast<double>(samples[k + 1].first - samples[k].first);
        const auto length = static_cast<double>(samples.back().first - samples.front().first);
        EXPECT_NEAR(area / length / 100, reported, 0.05 * reported + 0.02) << name;
    }
}

// Also of a run that stands still: its CTAs never end.
TEST_P(TimelineFiles, MemoryIsHeldWhileCtasLive)
{
    const ReadTimeline timeline = perfettoOf(run, whole);
    for (const char* name : { "smem_bytes_of_resident_ctas", "tmem_bytes_allocated" }) {
        const auto found = timeline.counters.find(name);
        if (found == timeline.counters.end())
            continue;
        double most = 0;
        for (const auto& [time, bytes] : found->second) {
            EXPECT_GE(bytes, 0) << name;
            most = std::max(most, bytes);
        }
        EXPECT_GT(most, 0) << name;
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

Scenario persistent(const std::string& algorithm)
{
    Scenario s
        = scenarioOf(algorithm, 200, 256, 64, "causal", algorithm == "fa3" ? TileSize { 48, 32 } : TileSize { 32, 32 });
    s.problem.heads = s.problem.kvHeads = 3;
    return with(s, { { "sms", "2" }, { "scheduler", "persistent" } });
}

std::string nameOfRun(const testing::TestParamInfo<Scenario>& scenario)
{
    constexpr std::array names { "Causal", "Ragged", "TimingOnly", "Standard", "Deadlock", "DroppedWait", "Fa1", "Fa3",
        "Fa3Persistent", "Fa4", "Fa4Pair", "Fa4Persistent" };
    return names.at(scenario.index);
}

INSTANTIATE_TEST_SUITE_P(Runs, TimelineFiles,
    testing::Values(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }),
        scenarioOf("fa2", 50, 70, 16, "none", { 16, 8 }, DType::Bf16),
        withoutValues(scenarioOf("fa2", 512, 512, 64, "none", { 32, 32 })),
        scenarioOf("standard", 48, 48, 16, "none", { 16, 16 }),
        broken(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }), "count:syncthreads=160"),
        broken(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }), "wait:K_visible"),
        scenarioOf("fa1", 64, 128, 32, "causal", { 16, 64 }),
        scenarioOf("fa3", 96, 128, 64, "causal", { 48, 32 }, DType::Bf16), persistent("fa3"),
        scenarioOf("fa4", 128, 128, 64, "causal", { 32, 32 }, DType::Bf16),
        with(scenarioOf("fa4", 256, 256, 128, "none", { 32, 32 }, DType::Bf16), { { "two-cta", "on" } }),
        persistent("fa4")),
    nameOfRun);

TEST(Timelines, OfAnyRunHoldTheTableOfSpans)
{
    Limits limits;
    limits.scores = 4000;
    limits.widestHead = 128;
    for (const char* algorithm : { "standard", "fa1", "fa2", "fa3", "fa4" })
        for (const std::uint64_t seed : seeds(8)) {
            Scenario s = randomScenario(seed, algorithm, limits);
            s.record = { Record::Kind::OneCta, 0 };
            SCOPED_TRACE(describe(seed, s));
            const flashstep::Run run = runOf(s);
            const Range whole = Range::whole(*run.trace);
            const ReadTimeline perfetto = perfettoOf(run, whole);
            expectSpansOfTable(run, perfetto, whole);
            expectFlowsMatch(perfetto);
            const ReadTimeline chrome = chromeOf(run, whole);
            expectFlowsMatch(chrome);
            expectSameContent(perfetto, chrome);
        }
}

TEST(Timelines, SayWhichPhaseABarrierTurnsTo)
{
    const flashstep::Run run = runOf(scenarioOf("fa3", 96, 256, 64, "none", { 48, 32 }, DType::Bf16));
    bool mbarrier = false;
    for (const auto& [line, marks] : perfettoOf(run, Range::whole(*run.trace)).marks)
        for (std::size_t k = 0; k < marks.size(); ++k) {
            const std::string& text = marks[k].second;
            if (text.find("phase") == std::string::npos)
                continue;
            mbarrier = true;
            EXPECT_EQ(text, "turn " + std::to_string(k) + " completed, phase " + (k % 2 == 0 ? "0 to 1" : "1 to 0"))
                << line;
        }
    EXPECT_TRUE(mbarrier);
}

TEST(Timelines, NameTheVotesOfConditionalRescales)
{
    const flashstep::Run run = runOf(scenarioOf("fa4", 64, 256, 64, "none", { 32, 32 }, DType::Bf16));
    double rescaled = 0, skipped = 0;
    for (const ReadSlice& slice : perfettoOf(run, Range::whole(*run.trace)).slices) {
        const auto value
            = [&](const char* key) { return slice.arguments.contains(key) ? std::stod(slice.arguments.at(key)) : 0; };
        rescaled += value("rows_rescaled");
        skipped += value("rows_skipped");
    }
    EXPECT_EQ(rescaled, run.report.rescalesDone);
    EXPECT_EQ(skipped, run.report.rescalesSkipped);
    EXPECT_GT(skipped, 0);
}

// Of the other CTAs it is known when and where they ran, and nothing of their ops.
TEST(Timelines, OfAGridInTwoStepsHoldTheEventsThatAreKept)
{
    const auto run = runOfManyTiles(RunOptions::Grid::TwoSteps);
    ASSERT_TRUE(run.ok());
    const Trace& trace = *run->trace;
    ASSERT_FALSE(trace.wholeGrid());
    std::set<std::size_t> seen;
    std::size_t spans = 0;
    SpanVisitor visitor;
    visitor.cta = [&](CtaId cta) {
        EXPECT_TRUE(trace.hasEvents(cta));
        return seen.insert(cta.index()).second;
    };
    visitor.span = [&](const Span& span) {
        EXPECT_TRUE(trace.hasEvents(span.work));
        ++spans;
        return true;
    };
    forEachSpan(trace, Range::whole(trace), visitor);
    EXPECT_TRUE(seen.contains(1));
    EXPECT_LT(seen.size(), run->program->ctaCount());
    EXPECT_GT(spans, 0U);
    EXPECT_EQ(perfettoOf(*run, Range::whole(trace)).slices.size(), spans);
    EXPECT_EQ(chromeOf(*run, Range::whole(trace)).slices.size(), spans);
}

} // namespace
} // namespace flashstep::test
