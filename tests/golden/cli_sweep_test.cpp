// SPDX-License-Identifier: Apache-2.0
// Tables of combinations: the figures of `run`, the same bytes by any number of threads and shards.
#include "core/io/csv_table.h"
#include "core/io/json.h"
#include "core/io/sweep.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <regex>

#include <sys/stat.h>

namespace flashstep::test {
namespace {

// The names of `run --json`, an object's members by name_member.
std::vector<std::string> namesOf(const Json& report)
{
    std::vector<std::string> names;
    for (const auto& [key, value] : report.items()) {
        if (key != "utilisation")
            names.push_back(key);
        else
            for (const auto& [engine, share] : value.items())
                names.push_back(key + "_" + engine);
    }
    return names;
}

class CliSweep : public testing::Test {
protected:
    CommandResult sweep(const std::string& out, const std::vector<std::string>& more) const
    {
        std::vector<std::string> arguments { "sweep", "--out", directory.path(out) };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return runCli(arguments);
    }
    [[nodiscard]] std::string bytes(const std::string& name) const { return bytesOfFile(directory.path(name)); }
    [[nodiscard]] CsvTableText table(const std::string& name) const
    {
        const auto read = parseCsv(bytes(name), name);
        EXPECT_TRUE(read.ok()) << read.error().line();
        return read.ok() ? *read : CsvTableText();
    }
    static std::string cell(const CsvTableText& table, std::size_t row, const char* column)
    {
        const auto k = table.column(column);
        return k && row < table.rows.size() ? table.rows[row].cells[*k] : std::string("no such cell");
    }

    TemporaryDirectory directory;
};

TEST_F(CliSweep, ColumnsAreTheKeysOfRun)
{
    const Json report = Json::parse(runCli({ "run", "--seqlen-q", "64", "--json" }).out);
    std::vector<std::string> expected = namesOf(report);
    std::erase_if(expected, [](const std::string& name) {
        return name == "guess_effects" || name == "wall_seconds" || name == "peak_rss_mib";
    });
    const auto columns = sweepRunColumns();
    EXPECT_EQ(std::vector<std::string>(columns.begin(), columns.end()), expected);
}

TEST_F(CliSweep, ARowSaysWhatRunSays)
{
    ASSERT_EQ(
        sweep("t.csv", { "--vary", "algorithm=fa2,fa3", "--vary", "seqlen-q=64,128", "--mask", "causal" }).status, 0);
    const CsvTableText rows = table("t.csv");
    ASSERT_EQ(rows.rows.size(), 4U);
    EXPECT_EQ(rows.columns[0], "algorithm");
    EXPECT_EQ(rows.columns[1], "seqlen-q");
    for (std::size_t k = 0; k < 4; ++k) {
        const Json report = Json::parse(runCli({ "run", "--json", "--mask", "causal", "--algorithm",
                                                   k < 2 ? "fa2" : "fa3", "--seqlen-q", k % 2 == 0 ? "64" : "128" })
                                            .out);
        EXPECT_EQ(cell(rows, k, "algorithm"), report["algorithm"]);
        EXPECT_EQ(cell(rows, k, "seqlen_q"), report["seqlen_q"].dump());
        EXPECT_EQ(cell(rows, k, "cycles"), report["cycles"].dump());
        EXPECT_EQ(cell(rows, k, "flops"), report["flops"].dump());
        EXPECT_EQ(cell(rows, k, "status"), "ok");
        for (const char* column : { "microseconds", "max_abs_error", "error_bound" }) {
            const std::string text = cell(rows, k, column);
            double value = 0;
            std::from_chars(text.data(), text.data() + text.size(), value);
            EXPECT_EQ(value, report[column].get<double>()) << column;
        }
        EXPECT_EQ(cell(rows, k, "utilisation_hbm"), numberText(report["utilisation"]["hbm"].get<double>()));
    }
}

TEST_F(CliSweep, ThreadsAndShardsChangeNoByte)
{
    const std::vector<std::string> what { "--vary", "algorithm=fa2,fa3,fa4", "--vary", "mask=none,window:40,0",
        "--vary", "seqlen-k=64,128", "--vary", "rescale-threshold=0,8", "--seqlen-q", "64" };
    const auto with = [&](const std::vector<std::string>& more) {
        std::vector<std::string> all = what;
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const CommandResult whole = sweep("whole.csv", with({ "--jobs", "1" }));
    ASSERT_EQ(whole.status, 0) << whole.error;
    EXPECT_EQ(whole.out, "24 combinations: 8 ok, 16 refused\n");
    ASSERT_EQ(sweep("threads.csv", with({ "--jobs", "7" })).status, 0);
    EXPECT_TRUE(bytes("threads.csv") == bytes("whole.csv"));
    for (const int of : { 1, 3, 30 }) {
        std::vector<std::string> merge { "merge", directory.path("merged.csv") };
        for (int k = of; k >= 1; --k) {
            const std::string part = "part" + std::to_string(k) + ".csv";
            ASSERT_EQ(sweep(part, with({ "--shard", std::to_string(k) + "/" + std::to_string(of) })).status, 0);
            merge.push_back(directory.path(part));
        }
        const CommandResult merged = runCli(merge);
        EXPECT_EQ(merged.status, 0) << merged.error;
        EXPECT_TRUE(bytes("merged.csv") == bytes("whole.csv")) << of;
    }
}

TEST_F(CliSweep, AMergeThatLacksRowsSaysWhich)
{
    const std::vector<std::string> what { "--vary", "seqlen-q=64,128,192", "--shard", "1/3" };
    ASSERT_EQ(sweep("a.csv", what).status, 0);
    const CommandResult merged = runCli({ "merge", directory.path("m.csv"), directory.path("a.csv") });
    EXPECT_EQ(merged.status, 1);
    EXPECT_NE(merged.error.find("2 of 3 combinations are in none of the parts: 2, 3"), std::string::npos)
        << merged.error;
    EXPECT_TRUE(bytes("m.csv") == bytes("a.csv")) << "what is there is written";
    EXPECT_EQ(runCli({ "merge", directory.path("n.csv"), directory.path("none.csv") }).status, 2);
    EXPECT_FALSE(std::filesystem::exists(directory.path("n.csv")));
}

TEST_F(CliSweep, ARefusedCombinationKeepsItsRow)
{
    const CommandResult result = sweep("t.csv", { "--vary", "gpu=a100,b200", "--algorithm", "fa4" });
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.error.find("1 of 2 combinations were refused"), std::string::npos) << result.error;
    const CsvTableText rows = table("t.csv");
    EXPECT_EQ(cell(rows, 0, "status"), "refused");
    EXPECT_EQ(cell(rows, 0, "cycles"), "");
    EXPECT_NE(cell(rows, 0, "error").find("this GPU does not have"), std::string::npos);
    EXPECT_EQ(cell(rows, 1, "status"), "ok");
}

TEST_F(CliSweep, WhereAllAreRefusedNothingIsWritten)
{
    const CommandResult result = sweep("t.csv", { "--vary", "gpu=a100,h100", "--algorithm", "fa4" });
    EXPECT_EQ(result.status, 2);
    EXPECT_FALSE(std::filesystem::exists(directory.path("t.csv")));
    // A part of a sweep is written all the same: the others may have run.
    EXPECT_EQ(sweep("p.csv", { "--vary", "gpu=a100,h100", "--algorithm", "fa4", "--shard", "1/2" }).status, 0);
    EXPECT_TRUE(std::filesystem::exists(directory.path("p.csv")));
}

TEST_F(CliSweep, ABrokenProgramIsAFailedCheck)
{
    const CommandResult result = sweep("t.csv",
        { "--vary", "break=rescale:skip,wait:K_visible", "--algorithm", "fa2", "--seqlen-q", "512", "--init",
            "rising-left" });
    EXPECT_EQ(result.status, 1) << result.error;
    const CsvTableText rows = table("t.csv");
    EXPECT_EQ(cell(rows, 0, "status"), "inaccurate");
    EXPECT_EQ(cell(rows, 1, "status"), "hazards");
    EXPECT_NE(cell(rows, 1, "hazards"), "0");
    EXPECT_TRUE(Json::parse(cell(rows, 1, "hazard_list"))[0]["kind"].is_string());

    ASSERT_EQ(
        sweep("d.csv", { "--vary", "break=count:pipeline_k.full=999999", "--algorithm", "fa3", "--seqlen-q", "64" })
            .status,
        1);
    EXPECT_EQ(cell(table("d.csv"), 0, "status"), "deadlock");
    EXPECT_TRUE(Json::parse(cell(table("d.csv"), 0, "deadlock"))[0]["waiting_for"].is_string());
}

TEST_F(CliSweep, InterruptedItWritesNothing)
{
    std::string seeds = "seed=1";
    for (int k = 2; k <= 200; ++k)
        seeds += "," + std::to_string(k);
    const pid_t child = startProgram("flashstep-cli",
        { "sweep", "--vary", seeds, "--seqlen-q", "1024", "--heads", "4", "--out", directory.path("t.csv") },
        directory.path("out"), directory.path("error"));
    // It writes beside its target from the start.
    for (int k = 0; k < 6000 && directory.files() < 3; ++k)
        usleep(10000);
    kill(child, SIGINT);
    EXPECT_EQ(waitFor(child), 130);
    EXPECT_EQ(bytes("error"), "flashstep-cli: interrupted\n");
    EXPECT_EQ(directory.files(), 2U) << "only what was said";
}

TEST_F(CliSweep, BadUsageIsOneLine)
{
    for (const std::vector<std::string>& arguments :
        std::vector<std::vector<std::string>> { {}, { "--vary", "speed=1,2" }, { "--vary", "seqlen-q=0" },
            { "--vary", "seqlen-q=64", "--shard", "0/2" }, { "--vary", "seqlen-q=64", "--scenario", "none.json" },
            { "--vary", "seqlen-q=64", "--jobs", "0" }, { "--vary", "seqlen-q=64", "--mask", "some" } }) {
        const CommandResult result = sweep("t.csv", arguments);
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(std::ranges::count(result.error, '\n'), 1) << result.error;
        EXPECT_EQ(directory.files(), 0U);
    }
}

} // namespace
} // namespace flashstep::test
