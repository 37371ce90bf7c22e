// SPDX-License-Identifier: Apache-2.0
#include "core/io/chrome_json.h"
#include "core/io/csv.h"
#include "core/io/perfetto.h"
#include "core/io/timeline_facts.h"
#include "tests/support/random_problem.h"
#include "tests/support/recording_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep {
namespace {

using Write = Status (*)(const Run&, const Range&, std::ostream&, const Progress&);

std::string exported(const Run& run, Write write)
{
    std::ostringstream out;
    (void)write(run, Range::whole(*run.trace), out, {});
    return out.str();
}

// The spans of the CSV: cta, op, i, j, begin, end.
std::vector<std::string> spansOf(const Run& run)
{
    std::ostringstream out;
    (void)writeCsv(run, CsvTable::Spans, Range::whole(*run.trace), out, {});
    std::istringstream in(out.str());
    std::vector<std::string> lines;
    std::string line;
    std::getline(in, line); // cta, role, engine, op, i, j, begin, end
    while (std::getline(in, line)) {
        while (!line.empty() && line.back() == '\r')
            line.pop_back();
        std::vector<std::string> cells(1);
        for (const char c : line)
            if (c == ',')
                cells.emplace_back();
            else
                cells.back() += c;
        lines.push_back(cells[0] + ' ' + cells[1] + ' ' + cells[3] + ' ' + cells[4] + ' ' + cells[5] + ' ' + cells[6]
            + ' ' + cells[7]);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::vector<std::string> spansOf(const Recording& recording)
{
    std::vector<std::string> lines;
    for (const Recording::Slice& s : recording.slices()) {
        const std::int64_t j = recording.integer(s, "j", -1);
        const std::int64_t i = recording.integer(s, "i", -1);
        const auto cell = [](std::int64_t value) { return value < 0 ? std::string() : std::to_string(value); };
        lines.push_back(cell(recording.integer(s, "cta", -1)) + ' ' + std::string(recording.textOf(s, "role")) + ' '
            + std::string(recording.text(s.category)) + ' ' + cell(i) + ' ' + cell(j) + ' '
            + std::to_string(recording.integer(s, "begin_cycle", -1)) + ' '
            + std::to_string(recording.integer(s, "end_cycle", -1)));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::vector<std::string> sortedSlices(const Recording& recording)
{
    std::vector<std::string> lines;
    for (const Recording::Slice& slice : recording.slices())
        lines.push_back(test::sliceText(recording, slice, false));
    std::sort(lines.begin(), lines.end());
    return lines;
}

// By id: the slices at both ends.
std::vector<std::string> arrowsOf(const Recording& recording)
{
    std::vector<std::string> ends;
    for (const Recording::FlowEnd& end : recording.flowEnds())
        ends.push_back(std::to_string(end.id) + (end.kind == Recording::FlowEnd::Kind::Start ? " from " : " to ")
            + test::sliceText(recording, recording.slices()[end.slice], false));
    std::sort(ends.begin(), ends.end());
    return ends;
}

std::vector<std::string> countersOf(const Recording& recording)
{
    std::vector<std::string> lines;
    for (const Recording::Counter& counter : recording.counters())
        for (const Recording::Sample& sample : recording.samplesOf(counter))
            lines.push_back(std::string(recording.text(counter.name)) + ' ' + std::string(recording.text(counter.unit))
                + ' ' + std::to_string(sample.at) + ' ' + numberText(sample.value));
    std::sort(lines.begin(), lines.end());
    return lines;
}

// The first line that one has and the other has not; empty where they are the same.
std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b)
{
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (x == a.end() && y == b.end())
        return "";
    return (x == a.end() ? "nothing" : *x) + "\n" + (y == b.end() ? "nothing" : *y);
}

void checkImport(const Recording& first)
{
    const std::string text = test::written(first);
    const Recording second = test::recordingOf(text);
    EXPECT_TRUE(sameContent(first, second));
    EXPECT_EQ(text == test::written(second), true);
}

class RecordingOfARun : public testing::TestWithParam<const char*> { };

TEST_P(RecordingOfARun, HoldsEverySpanArrowCounterAndMark)
{
    for (const std::uint64_t seed : test::seeds(6)) {
        const Scenario scenario = test::randomScenario(seed, GetParam(), { 4000, 64 });
        SCOPED_TRACE(test::describe(seed, scenario));
        const flashstep::Run run = test::runOf(scenario);
        const Recording perfetto = test::recordingOf(exported(run, writePerfetto)),
                        chrome = test::recordingOf(exported(run, writeChromeJson));
        const std::vector<std::string> spans = spansOf(run);
        ASSERT_FALSE(spans.empty());
        EXPECT_EQ(difference(spansOf(perfetto), spans), "");
        EXPECT_EQ(difference(spansOf(chrome), spans), "");
        EXPECT_EQ(difference(sortedSlices(perfetto), sortedSlices(chrome)), "");
        const Nanoseconds ns(run.trace->clockMhz());
        for (const Recording::Slice& slice : perfetto.slices()) {
            ASSERT_EQ(slice.begin, ns.of(perfetto.integer(slice, "begin_cycle", -1)));
            ASSERT_EQ(slice.end, ns.of(perfetto.integer(slice, "end_cycle", -1)));
        }
        EXPECT_EQ(difference(countersOf(perfetto), countersOf(chrome)), "");
        EXPECT_EQ(difference(arrowsOf(perfetto), arrowsOf(chrome)), "");
        EXPECT_EQ(perfetto.instants().size(), chrome.instants().size() + 1); // "run", which JSON has as metadata
        EXPECT_TRUE(perfetto.notes().empty());
        EXPECT_TRUE(chrome.notes().empty());
        EXPECT_TRUE(perfetto.modelled());
        EXPECT_TRUE(chrome.modelled());
        checkImport(perfetto);
        checkImport(chrome);
    }
}

INSTANTIATE_TEST_SUITE_P(Versions, RecordingOfARun, testing::Values("standard", "fa1", "fa2", "fa3", "fa4"));

} // namespace
} // namespace flashstep
