// SPDX-License-Identifier: Apache-2.0
// Timelines of others and ours: Chrome-trace JSON, Perfetto protobuf, recordings.
#include "core/io/chrome_json.h"
#include "core/io/perfetto.h"
#include "core/io/recording_read.h"
#include "core/io/recording_write.h"
#include "tests/fuzz/fuzz.h"

#include <sstream>

namespace flashstep::fuzz {

Target target()
{
    Scenario scenario;
    scenario.problem.seqlenQ = scenario.problem.seqlenK = 16;
    scenario.problem.headDim = scenario.problem.headDimV = 16;
    scenario.tile = TileSize { 16, 16 };
    scenario.record = { Record::Kind::None, 0 };
    const auto run = runScenario(scenario, std::nullopt, {}).value();
    const Range whole = Range::whole(*run.trace);
    std::ostringstream perfetto, chrome;
    require(writePerfetto(run, whole, perfetto, {}).ok() && writeChromeJson(run, whole, chrome, {}).ok(),
        "a small run can be exported");
    return { "recording",
        { perfetto.str(), chrome.str(),
            R"([{"ph":"B","name":"a","ts":1.5,"pid":1,"tid":"x"},{"ph":"E","ts":2,"pid":1,"tid":"x"},)",
            R"({"traceEvents":[{"ph":"b","cat":"c","id":"0x1","name":"n","ts":0,"pid":0,"tid":0,"args":{"k":[1,{"a":2}]}},
 {"ph":"e","cat":"c","id":"0x1","ts":3,"pid":0,"tid":0},{"ph":"s","id":7,"ts":1,"pid":0,"tid":0,"name":"f","cat":"f"},
 {"ph":"f","bp":"e","id":7,"ts":2,"pid":0,"tid":0,"name":"f","cat":"f"},{"ph":"C","name":"c","ts":1,"args":{"v":1}}],
 "metadata":{"device":"d","driver":"1","cuda":"13","kernel":{"name":"k","hash":"h"},"tick_rate_hz":1e9,"repeats":3}})" },
        { R"("ph":"X")", R"("dur":-1)", R"("ts":1e308)", R"("ts":"12")", "[[[[[[[[", R"({"args":)",
            "99999999999999999999", R"("id2":{"local":"0x1"})", R"("ph":"M","name":"thread_name","args":{"name":)",
            "\x0a\xff\xff\xff\xff\x0f", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "\x5a\x00",
            "\xe2\x03\x02\x08\x01" },
        4U << 20U, 512, 3000 };
}

} // namespace flashstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace flashstep;
    const auto recording = readRecording(fuzz::textOf(data, size), "input");
    if (!recording) {
        fuzz::requireClear(recording.error());
        return 0;
    }
    // What was understood is written as a recording that can be read.
    std::ostringstream written;
    fuzz::require(writeRecording(*recording, written, {}).ok(), "a recording can be written");
    const auto again = readRecording(written.str(), "written");
    fuzz::require(again.ok(), "a recording that was written can be read");
    fuzz::require(again->slices().size() == recording->slices().size(), "no slice is lost");
    return 0;
}
