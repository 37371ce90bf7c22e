// SPDX-License-Identifier: Apache-2.0
#include "tests/support/command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace flashstep::test {
namespace {

std::string fixture(const std::string& name)
{
    return std::string(FLASHSTEP_SOURCE_DIR) + "/tests/fixtures/recordings/" + name;
}

TEST(Import, SaysWhatIsInTheFile)
{
    const CommandResult result = runCli({ "import", fixture("own.json") });
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.out,
        "kind      recording\n"
        "standing  measured on Fixture GPU\n"
        "clock     ticks of the device, 1 980 000 000 of them a second (tick_rate_hz of the file)\n"
        "kernel    fa2_forward_d64\n"
        "lanes     4 lanes of 2 processes\n"
        "holds     24 slices, 0 instants, 0 arrows, 0 samples of 0 counters\n"
        "reaches   5 598 ticks = 2.827 \xC2\xB5s\n");
    const auto json = nlohmann::json::parse(runCli({ "import", fixture("proton.json"), "--json" }).out);
    EXPECT_EQ(json.at("writer"), "Proton");
    EXPECT_EQ(json.at("clock").at("known"), false);
    EXPECT_EQ(json.at("clock").at("per_second"), nullptr);
    EXPECT_EQ(json.at("slices"), 32);
}

// An export, read back and written as a recording: the same bytes each time, and all that it held.
TEST(Import, WritesARecordingOfOurOwnExport)
{
    const TemporaryDirectory directory;
    for (const std::string format : { "perfetto", "chrome" }) {
        SCOPED_TRACE(format);
        const std::string trace = directory.path(format);
        ASSERT_EQ(runCli({ "export", "--format", format, "--seqlen-q", "32", "--head-dim", "16", "--tile", "16x16",
                             "--out", trace, "--quiet" })
                      .status,
            0);
        const auto first
            = nlohmann::json::parse(runCli({ "import", trace, "--out", directory.path("g.json"), "--json" }).out);
        const auto second = nlohmann::json::parse(
            runCli({ "import", directory.path("g.json"), "--out", directory.path("h.json"), "--json" }).out);
        EXPECT_EQ(first, second);
        EXPECT_EQ(bytesOfFile(directory.path("g.json")), bytesOfFile(directory.path("h.json")));
        EXPECT_TRUE(first.at("modelled"));
        EXPECT_GT(first.at("slices"), 50);
    }
}

TEST(Import, DrawsTheSamePictureEveryTime)
{
    const TemporaryDirectory directory;
    for (const char* name : { "a.svg", "b.svg" })
        EXPECT_EQ(runCli({ "import", fixture("flashinfer.pftrace"), "--picture", directory.path(name) }).status, 0);
    const std::string picture = bytesOfFile(directory.path("a.svg"));
    EXPECT_EQ(picture, bytesOfFile(directory.path("b.svg")));
    for (const char* words : { ">flashinfer.pftrace<", ">blk1_g0<", ">softmax<", "it does not say of which device" })
        EXPECT_NE(picture.find(words), std::string::npos) << words;
}

std::string fileWith(const TemporaryDirectory& directory, const std::string& events)
{
    const std::string path = directory.path("timeline.json");
    std::ofstream(path) << "[" << events << "]";
    return path;
}

std::size_t countOf(const std::string& text, const std::string& part)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// What takes no time has a place all the same: a tick where it lies, as high as its lane.
TEST(Import, DrawsMomentsWhereTheyLie)
{
    const TemporaryDirectory directory;
    const std::string slice = R"({"ph":"X","name":"long","pid":1,"tid":1,"ts":0,"dur":9})";
    const std::string moment = R"({"ph":"X","name":"moment","pid":1,"tid":1,"ts":18,"dur":0})";
    const auto pictureOf = [&](const std::string& events) {
        EXPECT_EQ(runCli({ "import", fileWith(directory, events), "--picture", directory.path("m.svg") }).status, 0);
        return bytesOfFile(directory.path("m.svg"));
    };
    const std::string picture = pictureOf(slice + "," + moment);
    EXPECT_EQ(countOf(picture, "d=\"M0"), 0U);
    const std::string last = R"({"ph":"X","name":"last","pid":1,"tid":1,"ts":18,"dur":0.001})";
    EXPECT_EQ(countOf(picture, "<rect"), countOf(pictureOf(slice + "," + last), "<rect"));
    EXPECT_GT(countOf(picture, "<rect"), countOf(pictureOf(slice), "<rect"));
}

// Whatever the size: the lanes that are drawn and those that are said not to be are all there are.
TEST(Import, CountsTheLanesThatAreNotOnTheSheet)
{
    const TemporaryDirectory directory;
    std::string events;
    for (int lane = 100; lane < 200; ++lane)
        events += (events.empty() ? "" : ",")
            + fmt::format(R"({{"ph":"X","name":"s","pid":1,"tid":"lane{}","ts":{},"dur":4}})", lane, lane);
    const std::string timeline = fileWith(directory, events);
    for (const auto* size : { "400x200", "800x400", "1000x700", "1440x1200" }) {
        SCOPED_TRACE(size);
        const std::string path = directory.path("lanes.svg");
        EXPECT_EQ(runCli({ "import", timeline, "--picture", path, "--size", size }).status, 0);
        const std::string picture = bytesOfFile(path);
        const std::size_t drawn = countOf(picture, ">lane1");
        EXPECT_GT(drawn, 5U);
        EXPECT_NE(picture.find(fmt::format(">{} further lanes are not on this sheet<", 100 - drawn)), std::string::npos)
            << drawn;
    }
}

// Both formats keep the scenario, with no more of the machine's folders than the files' names.
TEST(Import, FindsTheScenarioOfAnExport)
{
    const TemporaryDirectory directory;
    const std::string scenario = std::string(FLASHSTEP_SOURCE_DIR) + "/resources/samples/licence-causal.json";
    std::vector<nlohmann::json> kept;
    for (const std::string format : { "perfetto", "chrome" }) {
        SCOPED_TRACE(format);
        const std::string trace = directory.path(format);
        ASSERT_EQ(
            runCli({ "export", "--scenario", scenario, "--format", format, "--out", trace, "--quiet" }).status, 0);
        EXPECT_EQ(bytesOfFile(trace).find(FLASHSTEP_SOURCE_DIR), std::string::npos);
        ASSERT_EQ(runCli({ "import", trace, "--out", directory.path("g.json") }).status, 0);
        const auto metadata = nlohmann::json::parse(bytesOfFile(directory.path("g.json"))).at("metadata");
        kept.push_back(metadata.at("scenario"));
    }
    EXPECT_EQ(kept[0], kept[1]);
    EXPECT_EQ(kept[0].at("algorithm"), "fa2");
    EXPECT_EQ(kept[0].at("problem").at("mask"), "causal");
    EXPECT_EQ(kept[0].at("problem").at("q").get<std::string>().find('/'), std::string::npos);
}

} // namespace
} // namespace flashstep::test
