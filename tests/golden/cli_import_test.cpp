// SPDX-License-Identifier: Apache-2.0
#include "tests/support/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

} // namespace
} // namespace flashstep::test
