// SPDX-License-Identifier: Apache-2.0
// Reads the exported timelines back with a decoder of its own, and holds them against the trace and against each other.
#include "core/io/chrome_json.h"
#include "core/io/csv.h"
#include "core/io/perfetto.h"
#include "tests/support/random_problem.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

namespace flashstep::test {
namespace {

// ---- protobuf, as little of it as a trace needs ----

struct Value {
    std::uint64_t number = 0;
    std::string_view bytes;
};
using Fields = std::multimap<int, Value>;

std::uint64_t varint(std::string_view& bytes)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

Fields fieldsOf(std::string_view bytes)
{
    Fields fields;
    while (!bytes.empty()) {
        const std::uint64_t tag = varint(bytes);
        Value value;
        switch (tag & 7U) {
        case 0:
            value.number = varint(bytes);
            break;
        case 1:
            std::memcpy(&value.number, bytes.data(), 8);
            bytes.remove_prefix(8);
            break;
        case 2: {
            const std::uint64_t size = varint(bytes);
            EXPECT_LE(size, bytes.size());
            value.bytes = bytes.substr(0, size);
            bytes.remove_prefix(std::min<std::size_t>(size, bytes.size()));
            break;
        }
        default:
            ADD_FAILURE() << "wire type " << (tag & 7U);
            return fields;
        }
        fields.emplace(static_cast<int>(tag >> 3U), value);
    }
    return fields;
}

std::uint64_t number(const Fields& fields, int field)
{
    const auto found = fields.find(field);
    return found == fields.end() ? 0 : found->second.number;
}

std::string text(const Fields& fields, int field)
{
    const auto found = fields.find(field);
    return found == fields.end() ? "" : std::string(found->second.bytes);
}

// ---- what both formats come down to ----

struct Slice {
    std::string process, track, name;
    std::int64_t begin = 0, end = 0;
    std::map<std::string, std::string> arguments;
    auto key() const { return std::tie(process, track, name, begin, end); }
    bool operator<(const Slice& other) const { return key() < other.key(); }
};

struct Timeline {
    std::vector<Slice> slices;
    std::map<std::uint64_t, int> flowStarts, flowEnds;
    std::set<std::string> counters;
    std::map<std::string, int> marks; // per track
};

struct PerfettoTrack {
    std::string name;
    std::uint64_t parent = 0;
    bool isCounter = false, isProcess = false;
};

std::string numberText(double value)
{
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
}

class PerfettoReader {
public:
    Timeline read(const std::string& bytes)
    {
        for (const auto& [field, packet] : fieldsOf(bytes)) {
            EXPECT_EQ(field, 1);
            readPacket(fieldsOf(packet.bytes));
        }
        for (const auto& [uuid, open] : m_open)
            EXPECT_TRUE(open.empty()) << "a slice that never ends on " << m_tracks[uuid].name;
        return m_out;
    }

private:
    void readPacket(const Fields& packet)
    {
        EXPECT_NE(number(packet, 10), 0U);
        if (packet.count(12) != 0)
            for (const auto& [field, name] : fieldsOf(packet.find(12)->second.bytes)) {
                EXPECT_EQ(field, 3);
                const Fields interned = fieldsOf(name.bytes);
                m_names[number(interned, 1)] = text(interned, 2);
            }
        if (packet.count(60) != 0)
            readTrack(fieldsOf(packet.find(60)->second.bytes));
        if (packet.count(11) != 0)
            readEvent(number(packet, 8), fieldsOf(packet.find(11)->second.bytes));
    }

    void readTrack(const Fields& descriptor)
    {
        const std::uint64_t uuid = number(descriptor, 1);
        EXPECT_EQ(m_tracks.count(uuid), 0U) << "described twice: " << uuid;
        m_tracks[uuid]
            = { text(descriptor, 2), number(descriptor, 5), descriptor.count(8) != 0, descriptor.count(3) != 0 };
        EXPECT_FALSE(m_tracks[uuid].name.empty());
        if (m_tracks[uuid].isCounter)
            m_out.counters.insert(m_tracks[uuid].name);
    }

    void readEvent(std::uint64_t time, const Fields& event)
    {
        const std::uint64_t uuid = number(event, 11);
        ASSERT_EQ(m_tracks.count(uuid), 1U) << "an event before its track";
        EXPECT_GE(time, m_newest[uuid]) << "back in time on " << m_tracks[uuid].name;
        m_newest[uuid] = time;
        switch (number(event, 9)) {
        case 1:
            begin(uuid, time, event);
            break;
        case 2:
            ASSERT_FALSE(m_open[uuid].empty()) << "an end without a beginning";
            m_open[uuid].back().end = static_cast<std::int64_t>(time);
            m_out.slices.push_back(m_open[uuid].back());
            m_open[uuid].pop_back();
            break;
        case 3:
            ++m_out.marks[m_tracks[uuid].name];
            break;
        default:
            EXPECT_EQ(number(event, 9), 4U);
            EXPECT_TRUE(m_tracks[uuid].isCounter);
        }
    }

    void begin(std::uint64_t uuid, std::uint64_t time, const Fields& event)
    {
        Slice slice { m_tracks[m_tracks[uuid].parent].name, m_tracks[uuid].name, text(event, 23),
            static_cast<std::int64_t>(time), 0, {} };
        EXPECT_TRUE(m_tracks[m_tracks[uuid].parent].isProcess);
        EXPECT_TRUE(m_open[uuid].empty()) << "slices of a line do not overlap";
        for (auto [at, end] = event.equal_range(4); at != end; ++at) {
            const Fields argument = fieldsOf(at->second.bytes);
            double real = 0;
            const std::uint64_t bits = number(argument, 5);
            std::memcpy(&real, &bits, 8);
            slice.arguments[m_names.at(number(argument, 1))] = argument.count(6) != 0 ? text(argument, 6)
                : argument.count(5) != 0                                              ? numberText(real)
                                         : std::to_string(static_cast<std::int64_t>(number(argument, 4)));
        }
        for (auto [at, end] = event.equal_range(47); at != end; ++at)
            ++m_out.flowStarts[at->second.number];
        for (auto [at, end] = event.equal_range(48); at != end; ++at)
            ++m_out.flowEnds[at->second.number];
        m_open[uuid].push_back(slice);
    }

    Timeline m_out;
    std::map<std::uint64_t, PerfettoTrack> m_tracks;
    std::map<std::uint64_t, std::string> m_names;
    std::map<std::uint64_t, std::uint64_t> m_newest;
    std::map<std::uint64_t, std::vector<Slice>> m_open;
};

std::int64_t nanoseconds(const nlohmann::json& microseconds)
{
    return std::llround(microseconds.get<double>() * 1000);
}

Timeline readChrome(const std::string& text)
{
    const nlohmann::json document = nlohmann::json::parse(text);
    EXPECT_EQ(document["metadata"]["time"], "modelled");
    std::map<int, std::string> processes;
    std::map<std::pair<int, int>, std::string> threads;
    for (const auto& event : document["traceEvents"])
        if (event["ph"] == "M" && event["name"] == "process_name")
            processes[event["pid"]] = event["args"]["name"];
        else if (event["ph"] == "M" && event["name"] == "thread_name")
            threads[{ event["pid"], event["tid"] }] = event["args"]["name"];
    Timeline out;
    std::map<std::pair<int, int>, std::vector<std::pair<std::int64_t, std::int64_t>>> busy;
    for (const auto& event : document["traceEvents"]) {
        const std::string phase = event["ph"];
        const std::pair<int, int> thread { event["pid"], event["tid"] };
        if (phase == "X") {
            const std::int64_t begin = nanoseconds(event["ts"]);
            out.slices.push_back({ processes.at(thread.first), threads.at(thread), event["name"], begin,
                begin + nanoseconds(event["dur"]), {} });
            EXPECT_TRUE(busy[thread].empty() || begin >= busy[thread].back().second)
                << "slices of a line do not overlap";
            busy[thread].emplace_back(begin, out.slices.back().end);
        } else if (phase == "C") {
            out.counters.insert(event["name"].get<std::string>());
        } else if (phase == "i") {
            ++out.marks[threads.at(thread)];
        }
    }
    for (const auto& event : document["traceEvents"]) {
        const std::string phase = event["ph"];
        if (phase != "s" && phase != "f")
            continue;
        EXPECT_EQ(event["bp"], "e");
        ++(phase == "s" ? out.flowStarts : out.flowEnds)[std::stoull(event["id"].get<std::string>(), nullptr, 16)];
        const std::int64_t at = nanoseconds(event["ts"]);
        const auto& slices = busy[{ event["pid"], event["tid"] }];
        EXPECT_TRUE(std::any_of(slices.begin(), slices.end(), [&](const auto& slice) {
            return slice.first <= at && at <= slice.second;
        })) << "a flow end outside of any slice";
    }
    return out;
}

// ---- runs ----

template <typename Write> std::string written(const Run& run, const Range& range, Write write)
{
    std::ostringstream out;
    EXPECT_TRUE(write(run, range, out, Progress {}).ok());
    return out.str();
}

std::vector<std::vector<std::string>> csvRows(const Run& run, CsvTable table, const Range& range)
{
    std::ostringstream out;
    EXPECT_TRUE(writeCsv(run, table, range, out, {}).ok());
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        std::istringstream cells(line + ",");
        rows.emplace_back();
        for (std::string cell; std::getline(cells, cell, ',');)
            rows.back().push_back(cell);
    }
    return rows;
}

std::int64_t expectedNs(const Run& run, const std::string& cycle)
{
    return std::llround(std::stod(cycle) * 1000 / run.trace->clockMhz());
}

std::string withoutLane(const std::string& track)
{
    return track.substr(0, track.find(" (lane "));
}

class TimelineFiles : public testing::TestWithParam<Scenario> {
protected:
    flashstep::Run run = runOf(GetParam());
    Range whole = Range::whole(*run.trace);

    void holdsWhatTheTableHolds(const Timeline& timeline, const Range& range) const
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
        for (const Slice& slice : timeline.slices)
            found.emplace(slice.process, withoutLane(slice.track), slice.begin, slice.end);
        EXPECT_EQ(found, expected);
    }
    static void flowsMatch(const Timeline& timeline)
    {
        EXPECT_EQ(timeline.flowStarts, timeline.flowEnds);
        for (const auto& [id, count] : timeline.flowStarts)
            EXPECT_EQ(count, 1) << id;
    }
};

TEST_P(TimelineFiles, TableHoldsEveryExecutionOnce)
{
    const auto rows = csvRows(run, CsvTable::Spans, whole);
    EXPECT_EQ(rows[0], (std::vector<std::string> { "cta", "role", "engine", "op", "i", "j", "begin", "end" }));
    std::size_t executed = 0;
    for (std::size_t k = 0; k < run.trace->instanceCount(); ++k)
        executed += run.trace->began(InstanceId(k)) ? 1 : 0;
    EXPECT_EQ(rows.size() - 1, executed);
    EXPECT_EQ(csvRows(run, CsvTable::Events, whole).size() - 1, run.report.events);
    for (std::size_t k = 1; k < rows.size(); ++k)
        EXPECT_EQ(rows[k][2].empty(), rows[k][3] == "wait" || rows[k][3] == "sync");
}

TEST_P(TimelineFiles, PerfettoHoldsEverySpanOnce)
{
    const Timeline timeline = PerfettoReader().read(written(run, whole, writePerfetto));
    holdsWhatTheTableHolds(timeline, whole);
    flowsMatch(timeline);
    EXPECT_FALSE(timeline.flowStarts.empty());
    EXPECT_EQ(timeline.counters.size(), 5U);
}

TEST_P(TimelineFiles, PerfettoArgumentsAreTheTraces)
{
    const Timeline timeline = PerfettoReader().read(written(run, whole, writePerfetto));
    double read = 0;
    for (const Slice& slice : timeline.slices) {
        EXPECT_EQ(slice.begin, expectedNs(run, slice.arguments.at("begin_cycle")));
        EXPECT_EQ(slice.end, expectedNs(run, slice.arguments.at("end_cycle")));
        EXPECT_EQ(slice.arguments.at("source").rfind("core/algorithms/", 0), 0U);
        EXPECT_FALSE(slice.name.empty());
        if (slice.arguments.count("global_read_bytes") != 0)
            read += std::stod(slice.arguments.at("global_read_bytes"));
    }
    EXPECT_EQ(read, run.report.globalReadBytes);
}

TEST_P(TimelineFiles, ChromeHoldsTheSameSlices)
{
    Timeline chrome = readChrome(written(run, whole, writeChromeJson));
    Timeline perfetto = PerfettoReader().read(written(run, whole, writePerfetto));
    std::sort(chrome.slices.begin(), chrome.slices.end());
    std::sort(perfetto.slices.begin(), perfetto.slices.end());
    ASSERT_EQ(chrome.slices.size(), perfetto.slices.size());
    for (std::size_t k = 0; k < chrome.slices.size(); ++k)
        EXPECT_EQ(chrome.slices[k].key(), perfetto.slices[k].key());
    flowsMatch(chrome);
    EXPECT_EQ(chrome.flowStarts, perfetto.flowStarts);
    EXPECT_EQ(chrome.counters, perfetto.counters);
    perfetto.marks.erase("run");
    EXPECT_EQ(chrome.marks, perfetto.marks);
}

TEST_P(TimelineFiles, StretchHoldsWhatOverlapsIt)
{
    const Range middle { Position { run.trace->end().value / 3 }, Position { run.trace->end().value / 2 } };
    const Timeline timeline = PerfettoReader().read(written(run, middle, writePerfetto));
    EXPECT_LT(timeline.slices.size(), run.trace->instanceCount());
    holdsWhatTheTableHolds(timeline, middle);
    flowsMatch(timeline);
    flowsMatch(readChrome(written(run, middle, writeChromeJson)));
}

TEST_P(TimelineFiles, AreTheSameBytesEachTime)
{
    const flashstep::Run again = runOf(GetParam());
    EXPECT_EQ(written(run, whole, writePerfetto), written(again, whole, writePerfetto));
    EXPECT_EQ(written(run, whole, writeChromeJson), written(again, whole, writeChromeJson));
}

TEST_P(TimelineFiles, StopWhenAskedTo)
{
    std::stop_source source;
    source.request_stop();
    Progress progress;
    progress.stop = source.get_token();
    std::ostringstream out;
    EXPECT_TRUE(run.trace->instanceCount() < 2048 || !writePerfetto(run, whole, out, progress).ok());
}

TEST_P(TimelineFiles, CountersEndAtTheTotals)
{
    const auto rows = csvRows(run, CsvTable::Counters, whole);
    ASSERT_GT(rows.size(), 1U);
    EXPECT_EQ(std::stod(rows.back()[2]), run.report.globalReadBytes);
    EXPECT_EQ(std::stod(rows.back()[3]), run.report.globalWriteBytes);
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

std::string nameOfRun(const testing::TestParamInfo<Scenario>& scenario)
{
    constexpr std::array names { "Causal", "Ragged", "TimingOnly", "Standard", "Deadlock", "DroppedWait" };
    return names.at(scenario.index);
}

INSTANTIATE_TEST_SUITE_P(Runs, TimelineFiles,
    testing::Values(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }),
        scenarioOf("fa2", 50, 70, 16, "none", { 16, 8 }, DType::Bf16),
        withoutValues(scenarioOf("fa2", 512, 512, 64, "none", { 32, 32 })),
        scenarioOf("standard", 48, 48, 16, "none", { 16, 16 }),
        broken(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }), "count:syncthreads=160"),
        broken(scenarioOf("fa2", 64, 64, 32, "causal", { 16, 16 }), "wait:K_visible")),
    nameOfRun);

TEST(Ledger, EndsAtTheLseOfEachRow)
{
    const flashstep::Run run = runOf(scenarioOf("fa2", 40, 40, 32, "causal", { 16, 16 }));
    const auto rows = csvRows(run, CsvTable::Ledger, Range::whole(*run.trace));
    ASSERT_GT(rows.size(), 40U);
    std::map<std::string, double> newest;
    for (std::size_t k = 1; k < rows.size(); ++k)
        newest[rows[k][3]] = std::stod(rows[k][7]) + std::log(std::stod(rows[k][8]));
    ASSERT_EQ(newest.size(), 40U);
    for (const auto& [row, lse] : newest)
        EXPECT_NEAR(lse, static_cast<double>(run.lse.row(0, 0, std::stoi(row))[0]), 1e-5);
}

// Of the other CTAs it is known when and where they ran, and nothing of their ops.
TEST(Timeline, OfAGridInTwoStepsHoldsTheEventsThatAreKept)
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
    for (const auto write : { writePerfetto, writeChromeJson }) {
        std::ostringstream out;
        EXPECT_TRUE(write(*run, Range::whole(trace), out, Progress {}));
        EXPECT_FALSE(out.str().empty());
    }
}

} // namespace
} // namespace flashstep::test
