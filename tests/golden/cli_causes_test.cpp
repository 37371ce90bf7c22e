// SPDX-License-Identifier: Apache-2.0
// The JSON of why, stalls and critical-path as scripts read it, through the program itself.
#include "tests/support/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace flashstep::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> with(std::vector<std::string> words)
{
    for (const char* word : { "--algorithm", "fa2", "--seqlen-q", "32", "--tile", "16x16", "--quiet" })
        words.emplace_back(word);
    return words;
}

Json jsonOf(std::vector<std::string> words)
{
    words.emplace_back("--json");
    const CommandResult result = runCli(with(std::move(words)));
    EXPECT_EQ(result.status, 0) << result.error;
    return Json::parse(result.out);
}

void expectKeys(const Json& object, const std::vector<std::string>& keys)
{
    for (const std::string& key : keys)
        EXPECT_TRUE(object.contains(key)) << key << " in " << object.dump();
}

TEST(CliCauses, Why)
{
    const Json why = jsonOf({ "why", "--wait", "0" });
    expectKeys(why.at("wait"), { "cta", "role", "barrier", "begin", "end", "reason" });
    expectKeys(why.at("released_by"), { "role", "op", "i", "j", "cycle" });
    EXPECT_LE(why["released_by"]["cycle"], why["wait"]["end"]);
    ASSERT_FALSE(why.at("chain").empty());
    EXPECT_EQ(why["chain"].back().at("kind"), "start");
    const Json at = jsonOf({ "why", "--at", "1000cy", "--cta", "1" });
    EXPECT_FALSE(at.at("waits").empty());
    for (const Json& one : at["waits"])
        EXPECT_EQ(one["wait"]["cta"], 1);
    EXPECT_EQ(at["waits"][0]["wait"], at["wait"]);
    const Json nothing = jsonOf({ "why", "--at", "end" });
    EXPECT_TRUE(nothing.at("wait").is_null());
    EXPECT_TRUE(nothing.at("chain").empty());
    EXPECT_EQ(runCli(with({ "why", "--at", "end" })).out, "nothing waits then\n");
}

TEST(CliCauses, Stalls)
{
    const Json stalls = jsonOf({ "stalls" });
    ASSERT_EQ(stalls.at("roles").size(), 8U); // two CTAs of four warps
    for (const Json& role : stalls["roles"]) {
        std::int64_t sum = role.at("idle");
        for (const auto& [kind, cycles] : role.at("busy").items())
            sum += cycles.get<std::int64_t>();
        for (const auto& [reason, cycles] : role.at("waits").items())
            sum += cycles.get<std::int64_t>();
        EXPECT_EQ(sum, role.at("total"));
    }
    std::vector<std::string> engines;
    for (const Json& engine : stalls.at("engines"))
        engines.push_back(engine.at("engine"));
    EXPECT_EQ(engines,
        (std::vector<std::string> {
            "tensor", "exp", "issue", "alu", "smem", "l2", "hbm", "tma", "registers", "tmem" }));
    EXPECT_EQ(jsonOf({ "stalls", "--cta", "1" }).at("roles").size(), 4U);
}

TEST(CliCauses, CriticalPath)
{
    for (const char* scope : { "grid", "cta:1" }) {
        const Json path = jsonOf({ "critical-path", "--scope", scope });
        std::int64_t sum = 0;
        for (const Json& segment : path.at("segments")) {
            expectKeys(segment, { "role", "op", "i", "j", "begin", "end", "engine" });
            sum += segment["end"].get<std::int64_t>() - segment["begin"].get<std::int64_t>();
        }
        EXPECT_EQ(sum, path.at("cycles"));
    }
    EXPECT_EQ(jsonOf({ "critical-path" }).at("cycles"), jsonOf({ "run" }).at("cycles"));
}

TEST(CliCauses, BadUsage)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> rows {
        { { "why" }, "--at P or --wait N" },
        { { "why", "--at", "end", "--wait", "1" }, "only one" },
        { { "why", "--wait", "99999999" }, "--wait" },
        { { "why", "--wait", "-1" }, "--wait" },
        { { "why", "--at", "never" }, "--at" },
        { { "stalls", "--cta", "99" }, "--cta" },
        { { "critical-path", "--scope", "sm:0" }, "grid or cta:K" },
        { { "critical-path", "--scope", "cta:99" }, "--scope" },
        { { "critical-path", "--scope", "cta:" }, "cta:K" },
    };
    for (const auto& [words, says] : rows) {
        const CommandResult result = runCli(with(words));
        EXPECT_EQ(result.status, 2) << words.front();
        EXPECT_NE(result.error.find(says), std::string::npos) << result.error;
        EXPECT_TRUE(result.out.empty());
    }
}

} // namespace
} // namespace flashstep::test
