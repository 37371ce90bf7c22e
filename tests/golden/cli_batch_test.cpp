// SPDX-License-Identifier: Apache-2.0
// Many exports by one command: the bytes of `export`, what is finished left alone, nothing half-written.
#include "core/io/batch.h"
#include "core/io/json.h"
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <regex>
#include <thread>

namespace flashstep::test {
namespace {

namespace fs = std::filesystem;

Json entry(const std::string& format, const std::string& out)
{
    return { { "scenario", "s.json" }, { "format", format }, { "out", out } };
}

class CliBatch : public testing::Test {
protected:
    void SetUp() override
    {
        directory.write("s.json",
            R"({"flashstep": 1, "problem": {"seqlen_q": 64, "mask": "causal"}, "tile": "16x16", "record": "all"})");
    }
    CommandResult batch(const Json& exports, const std::vector<std::string>& more = {}) const
    {
        directory.write("b.json", Json { { "flashstep", 1 }, { "exports", exports } }.dump());
        std::vector<std::string> arguments { "batch", directory.path("b.json") };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return runCli(arguments);
    }
    [[nodiscard]] std::string bytes(const std::string& name) const { return bytesOfFile(directory.path(name)); }
    [[nodiscard]] fs::file_time_type time(const std::string& name) const
    {
        return fs::last_write_time(directory.path(name));
    }
    void age(const std::string& name) const
    {
        fs::last_write_time(directory.path(name), fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
    // Files that are none of those expected: what a stopped program left behind.
    [[nodiscard]] std::vector<std::string> strangers(const std::regex& expected) const
    {
        std::vector<std::string> found;
        for (const auto& one : fs::directory_iterator(directory.path()))
            if (!std::regex_match(one.path().filename().string(), expected))
                found.push_back(one.path().filename().string());
        return found;
    }
    // Exports that take a while, each of a run of its own.
    static Json slow(int count)
    {
        Json exports = Json::array();
        for (int k = 0; k < count; ++k)
            exports.push_back({ { "seqlen_q", 2048 }, { "heads", 4 }, { "seed", k }, { "record", "none" },
                { "format", "csv" }, { "out", "slow" + std::to_string(k) + ".csv" } });
        return exports;
    }
    [[nodiscard]] pid_t startSlow(int count) const
    {
        directory.write("b.json", Json { { "flashstep", 1 }, { "exports", slow(count) } }.dump());
        return startProgram("flashstep-cli", { "batch", directory.path("b.json"), "--jobs", "1" },
            directory.path("out"), directory.path("error"));
    }
    // Until the record has so many lines.
    [[nodiscard]] bool waitForFinished(std::ptrdiff_t lines) const
    {
        for (int k = 0; k < 6000; ++k) {
            const std::string record = bytes("b.json.done");
            if (std::count(record.begin(), record.end(), '\n') >= lines)
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    TemporaryDirectory directory;
};

TEST_F(CliBatch, EachFormatHasTheBytesOfExport)
{
    const Json formats = Json::parse(runCli({ "list", "formats", "--json" }).out)["formats"];
    Json exports = Json::array();
    std::vector<int> statuses;
    int worst = 0;
    for (const Json& format : formats) {
        const std::string name = format["name"];
        std::vector<Json> variants { entry(name, "batch." + name) };
        variants[0].update({ { "to", "block(i=0, n=1)" }, { "level", "operation" } });
        if (format["views"] && format["available"]) {
            variants.push_back(entry(name, "batch.tiles." + name));
            variants[1].update({ { "view", "tiles" }, { "at", "block(i=1, n=1)" }, { "size", "800x600" },
                { "to", "block(i=0, n=1)" }, { "level", "operation" }, { "theme", "dark" } });
        }
        for (Json& one : variants) {
            std::vector<std::string> arguments { "export" };
            for (const auto& [key, value] : one.items())
                arguments.insert(arguments.end(),
                    { "--" + key,
                        key == "scenario"  ? directory.path("s.json")
                            : key == "out" ? directory.path("plain" + value.get<std::string>().substr(5))
                                           : value.get<std::string>() });
            statuses.push_back(runCli(arguments).status);
            worst = std::max(worst, statuses.back());
            exports.push_back(one);
        }
    }
    ASSERT_GE(exports.size(), 5U);
    const CommandResult result = batch(exports, { "--json" });
    EXPECT_EQ(result.status, worst) << result.error;
    const Json said = Json::parse(result.out);
    for (std::size_t k = 0; k < exports.size(); ++k) {
        const std::string out = exports[k]["out"];
        EXPECT_EQ(said["exports"][k]["outcome"], statuses[k] == 0 ? "made" : "failed") << out;
        EXPECT_EQ(fs::exists(directory.path(out)), statuses[k] == 0) << out;
        if (statuses[k] == 0) {
            EXPECT_TRUE(bytes(out) == bytes("plain" + out.substr(5))) << out;
            EXPECT_FALSE(bytes(out).empty()) << out;
        }
    }
}

TEST_F(CliBatch, EveryOptionOfExportIsAKey)
{
    const std::string help = runCli({ "export", "--help" }).out;
    const std::regex option("(?:^|\\n) +(?:-[a-z],)?--([a-z0-9-]+)");
    int count = 0;
    for (std::sregex_iterator found(help.begin(), help.end(), option), end; found != end; ++found) {
        std::string key = (*found)[1];
        std::ranges::replace(key, '-', '_');
        if (key == "help" || key == "quiet")
            continue;
        ++count;
        // A key that is known is refused for its value, if at all.
        const auto batch = parseBatch(R"({"flashstep": 1, "exports": [{")" + key + R"(": {}}]})", "", "b.json");
        ASSERT_FALSE(batch.ok());
        EXPECT_EQ(batch.error().line().find("unknown key"), std::string::npos) << batch.error().line();
    }
    EXPECT_GE(count, 30) << help;
}

TEST_F(CliBatch, WhatIsFinishedIsLeftAlone)
{
    Json exports { entry("csv", "a.csv"), entry("chrome", "b.json.txt"), entry("perfetto", "c.pftrace") };
    ASSERT_EQ(batch(exports).status, 0);
    for (const char* name : { "a.csv", "b.json.txt", "c.pftrace" })
        age(name);
    const auto a = time("a.csv"), c = time("c.pftrace");
    const std::string b = bytes("b.json.txt");
    fs::remove(directory.path("b.json.txt"));
    EXPECT_EQ(batch(exports).out, "3 exports: 1 made, 2 left alone\n");
    EXPECT_TRUE(bytes("b.json.txt") == b);
    EXPECT_EQ(time("a.csv"), a);
    EXPECT_EQ(time("c.pftrace"), c);
    EXPECT_EQ(batch(exports).out, "3 exports: 0 made, 3 left alone\n");

    exports[0]["table"] = "spans";
    EXPECT_EQ(batch(exports).out, "3 exports: 1 made, 2 left alone\n");
    EXPECT_EQ(bytes("a.csv").substr(0, 8), "cta,role");
    EXPECT_EQ(time("c.pftrace"), c);

    directory.write("s.json", R"({"flashstep": 1, "problem": {"seqlen_q": 32}, "tile": "16x16"})");
    EXPECT_EQ(batch(exports).out, "3 exports: 3 made, 0 left alone\n");
}

TEST_F(CliBatch, OneFailureStopsNoOther)
{
    Json exports { entry("csv", "a.csv"), entry("csv", "no/such/folder.csv"), entry("csv", "c.csv"),
        entry("csv", "d.csv"), entry("csv", "e.csv") };
    exports[2]["scenario"] = "missing.json";
    exports[3]["at"] = "nowhere";
    const CommandResult result = batch(exports, { "--jobs", "2" });
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "5 exports: 2 made, 0 left alone, 3 failed\n");
    EXPECT_EQ(std::ranges::count(result.error, '\n'), 3) << result.error;
    for (const char* says : { "exports[1] (no/such/folder.csv): ", "exports[2] (c.csv): ", "exports[3] (d.csv): " })
        EXPECT_NE(result.error.find(says), std::string::npos) << result.error;
    EXPECT_FALSE(bytes("a.csv").empty());
    EXPECT_TRUE(bytes("e.csv") == bytes("a.csv"));
    EXPECT_TRUE(strangers(std::regex("s\\.json|b\\.json(\\.done)?|[ae]\\.csv")).empty());
}

TEST_F(CliBatch, ABadEntryStopsBeforeAnythingRuns)
{
    const CommandResult result = batch({ entry("csv", "a.csv"), entry("doc", "b.doc") });
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.error.find("exports[1]: key \"format\""), std::string::npos) << result.error;
    EXPECT_TRUE(strangers(std::regex("[sb]\\.json")).empty());
}

TEST_F(CliBatch, ProcessesChangeNoByte)
{
    Json exports = Json::array();
    for (int k = 0; k < 7; ++k) {
        exports.push_back(entry(k % 2 == 0 ? "csv" : "chrome", "f" + std::to_string(k)));
        exports.back()["seed"] = k / 3;
    }
    ASSERT_EQ(batch(exports, { "--jobs", "1" }).status, 0);
    std::vector<std::string> alone;
    for (int k = 0; k < 7; ++k) {
        alone.push_back(bytes("f" + std::to_string(k)));
        fs::remove(directory.path("f" + std::to_string(k)));
    }
    ASSERT_EQ(batch(exports, { "--jobs", "5" }).out, "7 exports: 7 made, 0 left alone\n");
    for (std::size_t k = 0; k < 7; ++k)
        EXPECT_TRUE(bytes("f" + std::to_string(k)) == alone[k]) << k;
}

TEST_F(CliBatch, KilledItGoesOnWhereItWas)
{
    const pid_t child = startSlow(6);
    ASSERT_TRUE(waitForFinished(2));
    kill(child, SIGKILL);
    EXPECT_EQ(waitFor(child), 128 + SIGKILL);
    const auto first = time("slow0.csv"), second = time("slow1.csv");
    const CommandResult result = runCli({ "batch", directory.path("b.json"), "--json" });
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_GE(Json::parse(result.out)["left_alone"].get<int>(), 2);
    EXPECT_EQ(time("slow0.csv"), first);
    EXPECT_EQ(time("slow1.csv"), second);
    for (int k = 0; k < 6; ++k)
        EXPECT_FALSE(bytes("slow" + std::to_string(k) + ".csv").empty()) << k;
    // The process that was at work when the first program was killed is stopped, and takes away what it had begun.
    const std::regex expected("s\\.json|b\\.json(\\.done)?|out|error|slow[0-5]\\.csv");
    for (int k = 0; k < 1000 && !strangers(expected).empty(); ++k)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(strangers(expected), std::vector<std::string>());
}

TEST_F(CliBatch, InterruptedItLeavesNothingHalfWritten)
{
    const pid_t child = startSlow(6);
    ASSERT_TRUE(waitForFinished(1));
    kill(child, SIGINT);
    EXPECT_EQ(waitFor(child), 130);
    EXPECT_EQ(bytes("error"), "flashstep-cli: interrupted\n");
    EXPECT_NE(bytes("out").find(" not begun"), std::string::npos) << bytes("out");
    EXPECT_EQ(
        strangers(std::regex("s\\.json|b\\.json(\\.done)?|out|error|slow[0-5]\\.csv")), std::vector<std::string>());
    const CommandResult rest = runCli({ "batch", directory.path("b.json") });
    EXPECT_EQ(rest.status, 0) << rest.error;
    EXPECT_NE(rest.out.find("6 exports: "), std::string::npos);
}

} // namespace
} // namespace flashstep::test
