// SPDX-License-Identifier: Apache-2.0
// What the command line has the window's program draw.
#include "core/io/json.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <fmt/format.h>

namespace flashstep::test {
namespace {

namespace fs = std::filesystem;

class CliWidgets : public testing::Test {
protected:
    void SetUp() override
    {
        if (!fs::exists(FLASHSTEP_BINARY_DIR "/bin/flashstep"))
            GTEST_SKIP() << "a build without the window";
        setenv("QT_QPA_PLATFORM", "offscreen", 1);
        directory.write(
            "s.json", R"({"flashstep": 1, "problem": {"seqlen_q": 64, "mask": "causal"}, "tile": "16x16"})");
    }
    CommandResult exported(const std::string& out, const std::vector<std::string>& more) const
    {
        std::vector<std::string> arguments { "export", "--scenario", directory.path("s.json"), "--out",
            directory.path(out) };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return runCli(arguments);
    }
    [[nodiscard]] std::string bytes(const std::string& name) const { return bytesOfFile(directory.path(name)); }

    TemporaryDirectory directory;
};

TEST_F(CliWidgets, TheWindowIsItsShot)
{
    const CommandResult result = exported("w.png",
        { "--view", "window", "--format", "png", "--at", "block(i=1, n=1)", "--size", "1024x700", "--theme", "dark" });
    ASSERT_EQ(result.status, 0) << result.error;
    ASSERT_EQ(runProgram("flashstep",
                  { "--scenario", directory.path("s.json"), "--shot", directory.path("shot.png"), "--at",
                      "block(i=1, n=1)", "--size", "1024x700", "--theme", "dark" })
                  .status,
        0);
    EXPECT_TRUE(bytes("w.png") == bytes("shot.png"));
    EXPECT_GT(bytes("w.png").size(), 10000U);
}

TEST_F(CliWidgets, OptionsReachTheWindow)
{
    ASSERT_EQ(exported("a.png", { "--view", "window", "--format", "png", "--what-if", "mufu-rate=8" }).status, 0);
    ASSERT_EQ(exported("b.png", { "--view", "window", "--format", "png" }).status, 0);
    EXPECT_FALSE(bytes("a.png") == bytes("b.png"));
    const CommandResult bad = exported("c.png", { "--view", "window", "--format", "png", "--at", "nowhere" });
    EXPECT_EQ(bad.status, 2);
    EXPECT_EQ(std::ranges::count(bad.error, '\n'), 1) << bad.error;
    EXPECT_NE(bad.error.find("nowhere"), std::string::npos) << bad.error;
    EXPECT_FALSE(fs::exists(directory.path("c.png")));
    EXPECT_EQ(exported("d.svg", { "--view", "window", "--format", "svg" }).status, 2);
}

TEST_F(CliWidgets, ChartsSayWhatRunSays)
{
    const std::vector<std::string> options { "--seqlen-q", "256", "--tile", "128x64" };
    std::vector<std::string> more { "--view", "charts", "--format", "svg" };
    more.insert(more.end(), options.begin(), options.end());
    ASSERT_EQ(exported("c.svg", more).status, 0);
    ASSERT_EQ(exported("again.svg", more).status, 0);
    EXPECT_TRUE(bytes("c.svg") == bytes("again.svg"));
    std::vector<std::string> run { "run", "--json", "--scenario", directory.path("s.json") };
    run.insert(run.end(), options.begin(), options.end());
    const Json report = Json::parse(runCli(run).out);
    const std::string svg = bytes("c.svg");
    for (const auto& [engine, share] : report["utilisation"].items()) {
        const std::string words = fmt::format(
            "{}{}  {:.1f} %", engine, report["binding"] == engine ? ", busiest" : "", 100 * share.get<double>());
        const std::string collapsed = fmt::format(
            "{}{} {:.1f} %", engine, report["binding"] == engine ? ", busiest" : "", 100 * share.get<double>());
        EXPECT_TRUE(svg.find(words) != std::string::npos || svg.find(collapsed) != std::string::npos) << words;
    }
    EXPECT_NE(svg.find(fmt::format("{:.3g} TFLOP/s", report["tflops"].get<double>())), std::string::npos);
    EXPECT_NE(svg.find("All times are modelled"), std::string::npos);
}

TEST_F(CliWidgets, ASweepIsDrawn)
{
    const std::vector<std::string> what { "sweep", "--vary", "seqlen-q=64,128,256", "--vary", "algorithm=fa2,fa3",
        "--record", "none", "--out", directory.path("t.csv"), "--chart", directory.path("t.svg") };
    const CommandResult result = runCli(what);
    ASSERT_EQ(result.status, 0) << result.error;
    const std::string svg = bytes("t.svg");
    for (const char* word : { "TFLOP/s over seqlen-q by algorithm", ">256<", "algorithm fa3", "modelled" })
        EXPECT_NE(svg.find(word), std::string::npos) << word;
    ASSERT_EQ(runProgram("flashstep",
                  { "--charts", directory.path("u.svg"), "--sweep", directory.path("t.csv"), "--theme", "print" })
                  .status,
        0);
    EXPECT_TRUE(bytes("u.svg") == svg);
}

TEST_F(CliWidgets, ABatchHasTheSameBytes)
{
    directory.write("b.json", R"({"flashstep": 1, "exports": [
        {"scenario": "s.json", "format": "png", "view": "window", "out": "b.png", "at": 40},
        {"scenario": "s.json", "format": "svg", "view": "charts", "out": "b.svg", "theme": "dark"},
        {"scenario": "s.json", "format": "csv", "view": "charts", "out": "b.csv"}]})");
    const CommandResult result = runCli({ "batch", directory.path("b.json") });
    ASSERT_EQ(result.status, 0) << result.error;
    ASSERT_EQ(exported("e.png", { "--view", "window", "--format", "png", "--at", "40" }).status, 0);
    ASSERT_EQ(exported("e.svg", { "--view", "charts", "--format", "svg", "--theme", "dark" }).status, 0);
    ASSERT_EQ(exported("e.csv", { "--format", "csv" }).status, 0);
    for (const char* suffix : { ".png", ".svg", ".csv" })
        EXPECT_TRUE(bytes(std::string("b") + suffix) == bytes(std::string("e") + suffix)) << suffix;
}

TEST_F(CliWidgets, WithoutTheWindowsProgramTheStatusIsThree)
{
    fs::create_directory(directory.path("bin"));
    fs::copy_file(FLASHSTEP_BINARY_DIR "/bin/flashstep-cli", directory.path("bin/flashstep-cli"));
    const auto lonely = [&](const std::vector<std::string>& arguments) {
        return waitFor(startProgramAt(
            directory.path("bin/flashstep-cli"), arguments, directory.path("out"), directory.path("error")));
    };
    EXPECT_EQ(lonely({ "export", "--view", "charts", "--format", "svg", "--seqlen-q", "64", "--out",
                  directory.path("c.svg") }),
        3);
    EXPECT_EQ(bytes("error").find("flashstep-cli: flashstep: the view charts needs the window's program"), 0U)
        << bytes("error");
    EXPECT_FALSE(fs::exists(directory.path("c.svg")));
    fs::remove(directory.path("error"));
    EXPECT_EQ(lonely({ "sweep", "--vary", "seqlen-q=64,128", "--out", directory.path("t.csv"), "--chart",
                  directory.path("t.svg") }),
        3);
    EXPECT_TRUE(fs::exists(directory.path("t.csv"))) << "the table needs no window";
}

} // namespace
} // namespace flashstep::test
