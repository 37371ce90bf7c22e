// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recording_text.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

using test::fixture;
using test::recordingOf;

std::string withEvents(const std::string& events)
{
    return R"({"traceEvents":[)" + events + "]}";
}

const Recording::Slice& named(const Recording& recording, std::string_view name)
{
    for (const Recording::Slice& slice : recording.slices())
        if (recording.text(slice.name) == name)
            return slice;
    throw std::runtime_error("no slice " + std::string(name));
}

TEST(ChromeRecording, ReadsEveryPhaseOfAnUnclosedList)
{
    const Recording r = fixture("chrome_tracing.json");
    EXPECT_EQ(r.source(), RecordingFormat::ChromeJson);
    EXPECT_EQ(test::laneNames(r), (std::vector<std::string> { "renderer / main", "renderer / main (async)" }));
    EXPECT_EQ(r.tracks()[0].slices, 4U);
    EXPECT_EQ(r.tracks()[1].slices, 2U);
    EXPECT_TRUE(r.tracks()[1].async);
    EXPECT_EQ(r.tracks()[1].rows, 2U); // they overlap
    const Recording::Slice& layout = named(r, "layout");
    EXPECT_EQ(layout.begin, 1'200'500);
    EXPECT_EQ(layout.end, 1'800'250);
    EXPECT_EQ(layout.row, 1);
    EXPECT_EQ(test::argumentText(r, layout), "nodes=12;");
    EXPECT_EQ(test::argumentText(r, named(r, "paint")), "area=[64,32];dirty=true;");
    EXPECT_TRUE(named(r, "late").open);
    EXPECT_EQ(named(r, "late").end, r.end());
    ASSERT_EQ(r.counters().size(), 2U);
    EXPECT_EQ(r.text(r.counters()[0].name), "memory");
    EXPECT_EQ(r.text(r.counters()[0].unit), "heap");
    EXPECT_EQ(r.samplesOf(r.counters()[0])[1].value, 8192);
    ASSERT_EQ(r.instants().size(), 1U);
    EXPECT_EQ(r.instants()[0].begin, 1'016'667);
    ASSERT_EQ(r.flowEnds().size(), 2U);
    EXPECT_EQ(r.text(r.slices()[r.flowEnds()[0].slice].name), "layout"); // the innermost at 1300 us
    EXPECT_EQ(r.text(r.slices()[r.flowEnds()[1].slice].name), "paint");
    EXPECT_EQ(r.notes().size(), 2U); // not closed; one slice never ended
    EXPECT_TRUE(r.clock().known);
    EXPECT_FALSE(r.measured());
    EXPECT_EQ(r.standing(), "not shown as measured: no device, no driver, no kernel hash in the file");
}

TEST(ChromeRecording, TakesTicksOfAnOwnRecordingFromItsArguments)
{
    const Recording r = fixture("own.json");
    EXPECT_EQ(r.source(), RecordingFormat::OwnRecording);
    EXPECT_EQ(r.clock().unit, RecordingClock::Unit::Ticks);
    EXPECT_EQ(r.clock().perSecond(), 1.98e9);
    EXPECT_EQ(r.begin(), 100'123);
    EXPECT_EQ(r.slices()[0].end - r.slices()[0].begin, 610);
    EXPECT_TRUE(r.measured());
    EXPECT_EQ(r.standing(), "measured on Fixture GPU");
    EXPECT_EQ(r.metadataText("kernel", "hash"), "9f2c51e0");
    EXPECT_TRUE(r.notes().empty());
}

TEST(ChromeRecording, IsNotMeasuredWithoutDeviceDriverAndHash)
{
    for (const std::string lacking : { "device", "driver", "kernel" }) {
        Json metadata { { "device", "D" }, { "driver", "1" }, { "kernel", { { "name", "k" }, { "hash", "h" } } },
            { "tick_rate_hz", 1000 } };
        EXPECT_TRUE(recordingOf(Json { { "traceEvents", Json::array() }, { "metadata", metadata } }.dump()).measured());
        metadata.erase(lacking);
        EXPECT_FALSE(
            recordingOf(Json { { "traceEvents", Json::array() }, { "metadata", metadata } }.dump()).measured());
    }
}

TEST(ChromeRecording, DoesNotAssumeAClockThatTheFileDoesNotState)
{
    const Recording proton = fixture("proton.json");
    EXPECT_EQ(proton.writer(), "Proton");
    EXPECT_FALSE(proton.clock().known);
    EXPECT_EQ(proton.clock().perSecond(), 0);
    EXPECT_EQ(recordingTime(proton.clock(), 5).find("s ="), std::string::npos);
    EXPECT_EQ(proton.tracks().size(), 4U);
    EXPECT_EQ(proton.laneName(proton.tracks()[0]), "attn_fwd Core0 CTA0 / warp 0 (line 0)");
    const Recording own = recordingOf(
        R"({"traceEvents":[{"ph":"X","ts":1,"dur":2}],"metadata":{"device":"D","driver":"1","kernel":{"hash":"h"}}})");
    EXPECT_FALSE(own.clock().known);
}

TEST(ChromeRecording, KeepsDecimalsAsTheyAreWritten)
{
    const auto first = [](const std::string& ts) {
        const Recording r = recordingOf(withEvents(R"({"ph":"X","ts":)" + ts + R"(,"dur":0})"));
        return std::pair(r.slices()[0].begin, r.clock().decimals);
    };
    EXPECT_EQ(first("12.345"), std::pair(std::int64_t { 12345 }, 3));
    EXPECT_EQ(first("0.1"), std::pair(std::int64_t { 100 }, 3));
    EXPECT_EQ(first("-3"), std::pair(std::int64_t { -3000 }, 3));
    EXPECT_EQ(first("12.3456"), std::pair(std::int64_t { 12'345'600 }, 6));
    EXPECT_EQ(first("1.5e-7"), std::pair(std::int64_t { 150 }, 9));
    EXPECT_EQ(first("1.5E3"), std::pair(std::int64_t { 1'500'000 }, 3));
    EXPECT_EQ(first("1712345678901234.567"), std::pair(std::int64_t { 1'712'345'678'901'234'567 }, 3));
    EXPECT_EQ(first("12.34500026702881"), std::pair(std::int64_t { 12'345'000'267 }, 9)); // a float's noise
    EXPECT_EQ(first("\"7.25\""), std::pair(std::int64_t { 7250 }, 3));
    const Recording late = recordingOf(withEvents(R"({"ph":"X","ts":1,"dur":1},{"ph":"X","ts":2,"dur":0.0001})"));
    EXPECT_EQ(late.slices()[0].end, 2'000'000);
    EXPECT_EQ(late.slices()[1].end, 2'000'100);
}

TEST(ChromeRecording, MatchesAsyncEventsByCategoryIdAndScope)
{
    const Recording r = recordingOf(withEvents(R"(
        {"ph":"b","cat":"a","id":1,"pid":1,"tid":1,"ts":1,"name":"a1"},
        {"ph":"b","cat":"b","id":1,"pid":1,"tid":1,"ts":2,"name":"b1"},
        {"ph":"b","cat":"a","id2":{"local":"0x1"},"pid":1,"tid":1,"ts":3,"name":"local"},
        {"ph":"b","cat":"a","id":1,"scope":"s","pid":1,"tid":1,"ts":4,"name":"scoped"},
        {"ph":"e","cat":"a","id":1,"pid":1,"tid":1,"ts":10},
        {"ph":"e","cat":"b","id":"0x1","pid":1,"tid":1,"ts":11},
        {"ph":"e","cat":"a","id2":{"local":1},"pid":1,"tid":1,"ts":12},
        {"ph":"e","cat":"a","id":1,"scope":"s","pid":1,"tid":1,"ts":13},
        {"ph":"e","cat":"a","id":2,"pid":1,"tid":1,"ts":14})"));
    EXPECT_EQ(named(r, "a1").end, 10'000);
    EXPECT_EQ(named(r, "b1").end, 11'000);
    EXPECT_EQ(named(r, "local").end, 12'000);
    EXPECT_EQ(named(r, "scoped").end, 13'000);
    EXPECT_EQ(r.notes(), (std::vector<std::string> { "1 ends without a begin were left out" }));
    // Where a thread has nothing but them, they are its lane.
    EXPECT_EQ(r.tracks().size(), 1U);
    EXPECT_TRUE(r.tracks()[0].async);
}

TEST(ChromeRecording, KeepsWhatIsOddAndSaysSo)
{
    const Recording r = recordingOf(withEvents(R"(
        {"ph":"X","ts":5,"dur":-3,"name":"negative"},{"ph":"X","ts":6,"name":"none"},
        {"ph":"E","ts":7},{"ph":"Q","ts":8},{"ph":"s","id":1,"ts":5},{"ph":"f","id":2,"ts":100},
        {"ph":"B","ts":9,"name":"back"},{"ph":"E","ts":8})"));
    EXPECT_EQ(r.slices().size(), 3U);
    EXPECT_EQ(named(r, "negative").end, 5000);
    EXPECT_EQ(r.notes(),
        (std::vector<std::string> { "1 events of other phases were not read", "1 ends without a begin were left out",
            "1 slices ended before they began: they are shown with no length", "1 negative durations are shown as none",
            "1 complete events without a duration are shown with no length",
            "1 ends of arrows lie in no slice and were left out", "1 arrows have one end only" }));
}

TEST(ChromeRecording, SaysInOneLineWhatIsWrong)
{
    EXPECT_EQ(test::errorOf(""), "test: the file is empty (Chrome-trace JSON or a Perfetto protobuf)");
    EXPECT_EQ(test::errorOf("hello"), "test: no timeline that is known (Chrome-trace JSON or a Perfetto protobuf)");
    EXPECT_EQ(test::errorOf("\x1F\x8B...."),
        "test: the file is compressed (unpack it first; then Chrome-trace JSON or a Perfetto protobuf)");
    EXPECT_EQ(test::errorOf("{}"),
        "test: no timeline: there is no \"traceEvents\" (Chrome-trace JSON or a Perfetto protobuf)");
    EXPECT_EQ(
        test::errorOf(withEvents(R"({"ph":"X","dur":1})")), "test, event 1: ts is missing or no number (microseconds)");
    EXPECT_EQ(test::errorOf(withEvents(R"({"ph":"X","ts":1e300,"dur":1})")),
        "test, event 1: ts does not fit (less than 9.2e15 microseconds)");
    EXPECT_EQ(test::errorOf(withEvents(R"({"ph":"i","ts":1},{"ts":1})")),
        "test, event 2: ph is missing (one of X B E b e n i C s t f M)");
    EXPECT_EQ(test::errorOf(withEvents("7")), "test, event 1: an event is no object");
    EXPECT_EQ(test::errorOf(R"({"traceEvents":{}})"), "test, event 1: traceEvents is no list");
    EXPECT_EQ(test::errorOf(R"([{"ph":"i","ts":1},{"ph":"i")"), "test: the file ends in the middle of event 2");
    EXPECT_NE(test::errorOf(R"([{"ph":"X","ts":NaN}])").find("byte 1"), std::string::npos);
    EXPECT_NE(test::errorOf(R"([{"ph":"X","ts":1e999,"dur":1}])"), "");
}

TEST(ChromeRecording, RefusesWhatANewerVersionWrote)
{
    EXPECT_EQ(test::errorOf(R"({"metadata":{"flashstep_import":{"version":2}},"traceEvents":[]})"),
        "test: it was written by a newer version of 'flashstep-cli import' (2) (versions up to 1)");
    EXPECT_EQ(test::errorOf(R"({"metadata":{"flashstep":2,"tick_rate_hz":1},"traceEvents":[]})"),
        "test: the recording is of a newer version (flashstep 2) (version 1)");
}

TEST(ChromeRecording, IsToldFromAScenarioByItsContent)
{
    EXPECT_EQ(kindOf(R"({"flashstep": 1, "problem": {}})"), FileKind::Scenario);
    EXPECT_EQ(kindOf("\n{\n \"problem\": {\"traceEvents\": 1}}"), FileKind::Scenario);
    EXPECT_EQ(kindOf(R"({"displayTimeUnit":"ns","metadata":{"a":[1,{}]},"traceEvents":[]})"), FileKind::Recording);
    EXPECT_EQ(kindOf("\n[]"), FileKind::Recording);
    EXPECT_EQ(kindOf("not a file of ours"), FileKind::Scenario);
    EXPECT_EQ(kindOf(std::string_view("\x0A\x02\x08\x01", 4)), FileKind::Recording);
}

// Written as a recording and read back, each is what it was; and written again, the same bytes.
TEST(ChromeRecording, RoundTripsThroughImport)
{
    for (const char* name : { "own.json", "proton.json", "chrome_tracing.json", "flashinfer.pftrace" }) {
        SCOPED_TRACE(name);
        const Recording first = fixture(name);
        const std::string text = test::written(first);
        const Recording second = recordingOf(text);
        EXPECT_TRUE(sameContent(first, second));
        EXPECT_EQ(text, test::written(second));
        EXPECT_FALSE(Json::parse(text).at("traceEvents").empty());
    }
}

} // namespace
} // namespace flashstep
