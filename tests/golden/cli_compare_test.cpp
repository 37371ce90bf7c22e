// SPDX-License-Identifier: Apache-2.0
// `compare` as scripts read it, and its text for a scene small enough to review.
#include "tests/support/command.h"
#include "tests/support/golden.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace flashstep::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

const char* const fa2 = R"({"flashstep": 1, "algorithm": "fa2", "tile": "8x16", "cost_tile": "128x128",
    "problem": {"seqlen_q": 32, "seqlen_k": 48, "head_dim": 16, "heads": 2, "mask": "causal"},
    "compare": {"algorithm": "fa3", "tile": "12x24"}})";
const char* const fa3 = R"({"flashstep": 1, "algorithm": "fa3", "tile": "12x24", "cost_tile": "128x128",
    "problem": {"seqlen_q": 32, "seqlen_k": 48, "head_dim": 16, "heads": 2, "mask": "causal"}})";

class CliCompare : public testing::Test {
protected:
    [[nodiscard]] static Json jsonOf(Words words, int status = 0)
    {
        words.insert(words.end(), { "--json", "--quiet" });
        const CommandResult result = runCli(words);
        EXPECT_EQ(result.status, status) << result.error;
        EXPECT_EQ(result.error, "");
        return Json::parse(result.out);
    }

    TemporaryDirectory directory;
    std::string a = directory.write("a.json", fa2);
    std::string b = directory.write("b.json", fa3);
};

bool isMeasured(const std::string& key)
{
    return key == "wall_seconds" || key == "peak_rss_mib";
}

Json withoutMeasured(Json run)
{
    run.erase("wall_seconds");
    run.erase("peak_rss_mib");
    return run;
}

void expectDifference(const Json& delta, const Json& a, const Json& b)
{
    for (const auto& [key, value] : a.items()) {
        const Json& other = b.at(key);
        if (value.is_object() && delta.contains(key))
            expectDifference(delta.at(key), value, other);
        else if (value.is_number() && other.is_number())
            EXPECT_EQ(delta.at(key).get<double>(), other.get<double>() - value.get<double>()) << key;
        else if (value.is_number() || other.is_number())
            EXPECT_TRUE(delta.at(key).is_null()) << key;
        else
            EXPECT_FALSE(delta.contains(key)) << key;
    }
}

TEST_F(CliCompare, HoldsBothReportsAndWhatLiesBetween)
{
    const Json compare = jsonOf({ "compare", a, b });
    EXPECT_EQ(withoutMeasured(compare.at("a")), withoutMeasured(jsonOf({ "run", "--scenario", a })));
    EXPECT_EQ(withoutMeasured(compare.at("b")), withoutMeasured(jsonOf({ "run", "--scenario", b })));
    EXPECT_TRUE(compare["a"].contains("wall_seconds") && compare["b"].contains("peak_rss_mib"));
    expectDifference(compare.at("delta"), compare["a"], compare["b"]);
    EXPECT_NE(compare["delta"].at("cycles"), 0);
    EXPECT_TRUE(compare["delta"].at("utilisation").contains("tensor"));
    EXPECT_FALSE(compare["delta"].contains("algorithm"));
    EXPECT_TRUE(compare.at("only_in_b").contains("setmaxnreg"));
    EXPECT_FALSE(compare.at("only_in_a").contains("setmaxnreg"));
}

TEST_F(CliCompare, TilesMeetWhereBothHaveEdges)
{
    const Json compare = jsonOf({ "compare", a, b });
    // Rows of 8 and of 12 meet at 24; keys of 16 and of 24 at the end, 48.
    std::vector<std::vector<int>> places;
    for (const Json& tile : compare.at("tiles")) {
        places.push_back({ tile.at("b"), tile.at("h"), tile.at("rows").at(0), tile.at("rows").at(1),
            tile.at("keys").at(0), tile.at("keys").at(1) });
        for (const char* whose : { "a", "b" }) {
            const Json& cycles = tile.at(std::string(whose) + "_cycles");
            EXPECT_LT(cycles.at(0), cycles.at(1));
            EXPECT_LE(cycles.at(1), compare.at(whose).at("cycles"));
        }
    }
    EXPECT_EQ(places,
        (std::vector<std::vector<int>> {
            { 0, 0, 0, 24, 0, 48 }, { 0, 0, 24, 32, 0, 48 }, { 0, 1, 0, 24, 0, 48 }, { 0, 1, 24, 32, 0, 48 } }));
    EXPECT_EQ(compare.at("notes").size(), 1U) << "two GPUs, two clocks";
}

TEST_F(CliCompare, PhasesAndPathsAreThoseOfTheirCommands)
{
    const Json compare = jsonOf({ "compare", a, b });
    for (const auto& [whose, file] : { std::pair("a", a), std::pair("b", b) }) {
        std::map<std::string, std::int64_t> busy;
        std::map<std::string, std::int64_t> waits;
        const Json stalls = jsonOf({ "stalls", "--scenario", file });
        for (const Json& role : stalls.at("roles")) {
            for (const auto& [kind, cycles] : role.at("busy").items())
                busy[kind] += cycles.get<std::int64_t>();
            for (const auto& [reason, cycles] : role.at("waits").items())
                waits[reason] += cycles.get<std::int64_t>();
        }
        EXPECT_EQ(compare.at("phases").at(whose).at("busy"), Json(busy));
        EXPECT_EQ(compare.at("phases").at(whose).at("waits"), Json(waits));
        const Json path = jsonOf({ "critical-path", "--scenario", file });
        const Json& summary = compare.at("critical_path").at(whose);
        EXPECT_EQ(summary.at("cycles"), path.at("cycles"));
        EXPECT_EQ(summary.at("segments"), path.at("segments").size());
        std::map<std::pair<std::string, std::string>, std::int64_t> parts;
        for (const Json& segment : path.at("segments"))
            parts[{ segment.at("op"), segment.at("engine").dump() }]
                += segment.at("end").get<std::int64_t>() - segment.at("begin").get<std::int64_t>();
        EXPECT_EQ(summary.at("parts").size(), parts.size());
        for (const Json& part : summary.at("parts"))
            EXPECT_EQ(part.at("cycles"), (parts[{ part.at("op"), part.at("engine").dump() }]));
    }
}

TEST_F(CliCompare, ARunWithItselfDiffersInNothing)
{
    const Json compare = jsonOf({ "compare", a, a });
    const auto expectZeros = [](const Json& delta) {
        for (const auto& [key, value] : delta.items())
            EXPECT_TRUE(isMeasured(key) || !value.is_number() || value == 0) << key << " " << value.dump();
    };
    expectZeros(compare.at("delta"));
    expectZeros(compare.at("delta").at("utilisation"));
    EXPECT_TRUE(compare.at("moved").empty());
    EXPECT_EQ(compare.at("moved_count"), 0);
    EXPECT_TRUE(compare.at("only_in_a").empty() && compare.at("only_in_b").empty());
    EXPECT_TRUE(compare.at("notes").empty());
    for (const Json& tile : compare.at("tiles"))
        EXPECT_EQ(tile.at("a_cycles"), tile.at("b_cycles"));
}

TEST_F(CliCompare, MovesSayWhoseBeginIsWhere)
{
    const Json compare = jsonOf({ "compare", a, b });
    EXPECT_EQ(compare.at("moved").size(), compare.at("moved_count"));
    for (const Json& move : compare.at("moved"))
        for (const char* where : { "in_tile", "in_run" })
            EXPECT_EQ(move.at("shift").at(where).get<int>(),
                move.at("b_begin").at(where).get<int>() - move.at("a_begin").at(where).get<int>());
    std::vector<std::string> products;
    for (const Json& place : compare.at("places"))
        if (place.at("op") == "mma")
            products.push_back(place.at("product"));
    EXPECT_EQ(products, (std::vector<std::string> { "S", "O" }));
}

// The key "compare" of a file is what differs in the other run.
TEST_F(CliCompare, OneFileSaysWhatDiffers)
{
    Json one = jsonOf({ "compare", a });
    Json two = jsonOf({ "compare", a, b });
    for (Json* each : { &one, &two })
        for (const char* key : { "a", "b", "delta" })
            (*each)[key] = withoutMeasured(each->at(key));
    EXPECT_EQ(one, two);
    EXPECT_EQ(withoutMeasured(jsonOf({ "compare", "--scenario", a, b }).at("b")), two["b"]);
}

TEST_F(CliCompare, OptionsBesideHoldForBoth)
{
    const Json compare = jsonOf({ "compare", a, b, "--heads", "1", "--mask", "none" });
    for (const char* whose : { "a", "b" }) {
        EXPECT_EQ(compare.at(whose).at("heads"), 1);
        EXPECT_EQ(compare.at(whose).at("mask"), "none");
    }
    EXPECT_EQ(compare.at("tiles").size(), 2U);
}

TEST_F(CliCompare, AMaskOfOneRunAloneLeavesNulls)
{
    const std::string window = directory.write("window.json", R"({"flashstep": 1, "tile": "8x16",
        "problem": {"seqlen_q": 48, "head_dim": 16, "mask": "none"}, "compare": {"problem": {"mask": "causal"}}})");
    int nulls = 0;
    const Json compare = jsonOf({ "compare", window });
    for (const Json& tile : compare.at("tiles")) {
        EXPECT_FALSE(tile.at("a_cycles").is_null());
        const bool seen = tile.at("keys").at(0) < tile.at("rows").at(1);
        EXPECT_EQ(tile.at("b_cycles").is_null(), !seen) << tile.dump();
        nulls += seen ? 0 : 1;
    }
    EXPECT_EQ(nulls, 6);
}

TEST_F(CliCompare, ABrokenRunIsStillWrittenAndStatus1)
{
    const std::string broken = directory.write("broken.json",
        R"({"flashstep": 1, "algorithm": "fa2", "tile": "8x16", "break": ["wait:K_visible"],
        "problem": {"seqlen_q": 32, "head_dim": 16}, "compare": {"break": []}})");
    const Json compare = jsonOf({ "compare", broken }, 1);
    EXPECT_GT(compare.at("a").at("hazards"), 0);
    EXPECT_EQ(compare.at("b").at("hazards"), 0);
    EXPECT_LT(compare.at("delta").at("hazards"), 0);
    const CommandResult stuck = runCli({ "compare", broken, "--break", "count:syncthreads=160" });
    EXPECT_EQ(stuck.status, 1);
    EXPECT_NE(stuck.out.find("stands still"), std::string::npos) << stuck.out;
}

TEST_F(CliCompare, OfAGridInTwoStepsItSaysWhatIsKnown)
{
    const std::string large = directory.write("large.json", R"({"flashstep": 1, "tile": "64x64", "record": "none",
        "cost_tile": "128x128", "problem": {"seqlen_q": 8192, "head_dim": 16, "heads": 64},
        "compare": {"tile": "112x112"}})");
    const Json compare = jsonOf({ "compare", large });
    const Json& notes = compare.at("notes");
    ASSERT_EQ(notes.size(), 2U) << notes.dump();
    std::array<std::size_t, 2> known {};
    for (std::size_t k = 0; k < 2; ++k) {
        const std::string whose = k == 0 ? "a" : "b";
        EXPECT_NE(notes[k].get<std::string>().find(k == 0 ? "A is timed in two steps: " : "B is timed in two steps: "),
            std::string::npos)
            << notes.dump();
        for (const Json& tile : compare.at("tiles"))
            known[k] += tile.at(whose + "_cycles").is_null() ? 0 : 1;
    }
    EXPECT_EQ(compare.at("tiles").size(), 64U * 19U * 19U); // edges at every 448, and at 8192
    for (const std::size_t tiles : known) {
        EXPECT_GT(tiles, 0U);
        EXPECT_LT(tiles, compare["tiles"].size() / 10);
    }
}

TEST_F(CliCompare, Text)
{
    const CommandResult result = runCli({ "compare", a, b });
    EXPECT_EQ(result.status, 0) << result.error;
    expectGolden("cli_compare.txt", result.out);
}

TEST_F(CliCompare, BadUsage)
{
    const std::string longer = directory.write("longer.json", R"({"flashstep": 1, "problem": {"seqlen_q": 64}})");
    const std::string unknown
        = directory.write("unknown.json", R"({"flashstep": 1, "compare": {"problem": {"length": 5}}})");
    const std::string view = directory.write("view.json", R"({"flashstep": 1, "compare": {"view": {}}})");
    const std::vector<std::pair<Words, std::string>> rows {
        { {}, "no scenario given" },
        { { b }, "what differs" },
        { { a, b, a }, "files" },
        { { "--scenario", a, a, b }, "more than two" },
        { { a, directory.path("none.json") }, "no such file" },
        { { a, longer }, "heads is 2 in A and 1 in B" },
        { { unknown }, "problem.length" },
        { { view }, "compare.view" },
        { { a, b, "--tile", "5x5" }, "a.json" },
        { { a, b, "--what-if", "multicast=off" }, "a.json" },
    };
    for (const auto& [words, says] : rows) {
        Words all { "compare" };
        all.insert(all.end(), words.begin(), words.end());
        const CommandResult result = runCli(all);
        EXPECT_EQ(result.status, 2) << says;
        EXPECT_NE(result.error.find(says), std::string::npos) << result.error;
        EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
        EXPECT_TRUE(result.out.empty());
    }
}

} // namespace
} // namespace flashstep::test
