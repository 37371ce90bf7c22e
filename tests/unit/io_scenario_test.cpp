// SPDX-License-Identifier: Apache-2.0
#include "core/io/json.h"
#include "core/io/npy.h"
#include "core/io/scenario.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace flashstep::test {
namespace {

Result<ScenarioFile> parse(const std::string& json)
{
    return parseScenario(json, "", "s.json");
}

std::string errorOf(const std::string& json)
{
    const Result<ScenarioFile> file = parse(json);
    return file.ok() ? "" : file.error().line();
}

TEST(ScenarioFile, TakesEveryKey)
{
    const Result<ScenarioFile> file
        = parse(R"({"flashstep": 1, "algorithm": "fa2", "pass": "forward", "gpu": "h100", "tile": "16x32",
        "cost_tile": "128x128", "stages": 1, "record": "cta:3", "knobs": {"sms": 4, "register-contention": false, "clock-mhz": "1000"},
        "break": ["wait:K_landed"], "view": {"zoom": [1, 2]}, "compare": {"algorithm": "standard"}, "bookmarks": [1], "breakpoints": [],
        "problem": {"batch": 2, "heads": 4, "kv_heads": 2, "seqlen_q": 100, "seqlen_k": 200, "head_dim": 32, "head_dim_v": 32,
                    "dtype": "fp16", "mask": "window:3,0", "init": "outliers", "seed": 18446744073709551615}})");
    ASSERT_TRUE(file.ok()) << file.error().line();
    const Scenario& s = file->scenario;
    EXPECT_EQ(s.gpu, "h100");
    EXPECT_EQ(s.tile->text(), "16x32");
    EXPECT_EQ(s.costTile->text(), "128x128");
    EXPECT_EQ(s.record.text(), "cta:3");
    EXPECT_EQ(s.problem.kvHeads, 2);
    EXPECT_EQ(s.problem.mask.text(), "window:3,0");
    EXPECT_EQ(s.problem.seed, std::numeric_limits<std::uint64_t>::max());
    ASSERT_EQ(s.knobs.size(), 3U);
    EXPECT_EQ(s.knobs[1].second, "off");
    EXPECT_EQ(file->view, R"({"zoom":[1,2]})");
    EXPECT_TRUE(file->has("seqlen_q"));
}

TEST(ScenarioFile, ReadsBackWhatItWrites)
{
    const Result<ScenarioFile> file
        = parse(R"({"flashstep": 1, "problem": {"seqlen_q": 100, "mask": "causal"}, "tile": "8x8",
        "knobs": {"sms": 4}, "break": ["rescale:skip"], "record": "none", "view": {"theme": "dark"}})");
    ASSERT_TRUE(file.ok());
    ScenarioFile stated = *file;
    ASSERT_TRUE(loadInputs(stated).ok());
    const std::string text = scenarioText(stated, "");
    const Result<ScenarioFile> back = parse(text);
    ASSERT_TRUE(back.ok()) << back.error().line();
    EXPECT_EQ(scenarioText(*back, ""), text);
    EXPECT_EQ(back->scenario.problem, stated.scenario.problem);
    EXPECT_EQ(back->scenario.breaks, stated.scenario.breaks);
}

struct BadScenario {
    const char* name;
    const char* json;
    const char* says;
};

void PrintTo(const BadScenario& input, std::ostream* out)
{
    *out << input.name;
}

class BadScenarioFile : public testing::TestWithParam<BadScenario> { };

TEST_P(BadScenarioFile, IsAnErrorThatNamesTheKey)
{
    const std::string line = errorOf(GetParam().json);
    EXPECT_NE(line.find(GetParam().says), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Keys, BadScenarioFile,
    testing::Values(BadScenario { "NoJson", "hello", "not a JSON document" },
        BadScenario { "CutShort", "{\"flashstep\": 1,\n \"problem\": {", "line 2" },
        BadScenario { "NoObject", "[1]", "not a scenario" }, BadScenario { "NoVersion", "{}", "\"flashstep\"" },
        BadScenario { "NewerVersion", R"({"flashstep": 2})", "version 2" },
        BadScenario { "VersionZero", R"({"flashstep": 0})", "version 0" },
        BadScenario { "VersionText", R"({"flashstep": "1"})", "\"flashstep\"" },
        BadScenario { "UnknownKey", R"({"flashstep": 1, "tiel": "8x8"})", "\"tiel\"" },
        BadScenario { "UnknownProblemKey", R"({"flashstep": 1, "problem": {"headdim": 3}})", "\"problem.headdim\"" },
        BadScenario { "ProblemKeyOutside", R"({"flashstep": 1, "seqlen_q": 3})", "belongs in \"problem\"" },
        BadScenario { "KeyInsideProblem", R"({"flashstep": 1, "problem": {"gpu": "a100"}})", "belongs outside" },
        BadScenario { "ProblemNoObject", R"({"flashstep": 1, "problem": 3})", "\"problem\"" },
        BadScenario { "SizeAsText", R"({"flashstep": 1, "problem": {"batch": "2"}})", "\"problem.batch\"" },
        BadScenario { "SizeFraction", R"({"flashstep": 1, "problem": {"batch": 1.5}})", "whole number" },
        BadScenario { "SizeNegative", R"({"flashstep": 1, "problem": {"batch": -1}})", "'-1'" },
        BadScenario {
            "SizeHuge", R"({"flashstep": 1, "problem": {"batch": 99999999999999999999}})", "\"problem.batch\"" },
        BadScenario { "TextAsNumber", R"({"flashstep": 1, "gpu": 100})", "\"gpu\"" },
        BadScenario { "BadTile", R"({"flashstep": 1, "tile": "8"})", "\"tile\"" },
        BadScenario { "BadMask", R"({"flashstep": 1, "problem": {"mask": "diagonal"}})", "'diagonal'" },
        BadScenario { "KnobsList", R"({"flashstep": 1, "knobs": []})", "\"knobs\"" },
        BadScenario { "KnobObject", R"({"flashstep": 1, "knobs": {"sms": {}}})", "\"knobs.sms\"" },
        BadScenario { "BreakText", R"({"flashstep": 1, "break": "wait:x"})", "\"break\"" },
        BadScenario { "BookmarksObject", R"({"flashstep": 1, "bookmarks": {}})", "\"bookmarks\"" },
        BadScenario { "ViewList", R"({"flashstep": 1, "view": []})", "\"view\"" },
        BadScenario { "RecordWord", R"({"flashstep": 1, "record": "cta"})", "\"record\"" }),
    [](const testing::TestParamInfo<BadScenario>& file) { return std::string(file.param.name); });

TEST(ScenarioFile, SurvivesDeepNesting)
{
    EXPECT_NE(errorOf(std::string(1'000'000, '[')), "");
    EXPECT_NE(
        errorOf(R"({"flashstep": 1, "view": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}"), "");
}

TEST(ScenarioFile, FillsInWhatFollows)
{
    ScenarioFile file;
    ASSERT_TRUE(setOption(file, "heads", "6").ok());
    ASSERT_TRUE(setOption(file, "seqlen_q", "40").ok());
    ASSERT_TRUE(setOption(file, "head_dim", "32").ok());
    const Result<LoadedInputs> inputs = loadInputs(file);
    ASSERT_TRUE(inputs.ok());
    EXPECT_FALSE(inputs->inputs.has_value());
    EXPECT_EQ(file.scenario.problem.kvHeads, 6);
    EXPECT_EQ(file.scenario.problem.seqlenK, 40);
    EXPECT_EQ(file.scenario.problem.headDimV, 32);
}

// RFC 7396: objects key by key, null takes a key away, all else is replaced.
TEST(ScenarioFile, TheOtherRunIsAMergePatch)
{
    const std::string json
        = R"({"flashstep": 1, "algorithm": "fa4", "gpu": "b200", "tile": "64x64", "break": ["rescale:skip"],
        "knobs": {"rescale-threshold": 0, "sms": 4}, "problem": {"seqlen_q": 100, "mask": "causal", "q": "q.npy"},
        "compare": {"algorithm": "fa2", "gpu": null, "break": [], "knobs": {"rescale-threshold": null, "sms": 2},
                    "problem": {"mask": "window:3,0"}}})";
    const Result<ScenarioFile> other = parseOtherScenario(json, "folder", "s.json");
    ASSERT_TRUE(other.ok()) << other.error().line();
    const Scenario& s = other->scenario;
    EXPECT_EQ(s.algorithm, "fa2");
    EXPECT_EQ(s.gpu, "");
    EXPECT_FALSE(other->has("gpu"));
    EXPECT_EQ(s.tile->text(), "64x64");
    EXPECT_TRUE(s.breaks.empty());
    ASSERT_EQ(s.knobs.size(), 1U);
    EXPECT_EQ(s.knobs[0], (std::pair<std::string, std::string> { "sms", "2" }));
    EXPECT_EQ(s.problem.seqlenQ, 100);
    EXPECT_EQ(s.problem.mask.text(), "window:3,0");
    EXPECT_EQ(s.qFile, "folder/q.npy");
    EXPECT_TRUE(other->compare.empty());
}

TEST(ScenarioFile, WhatTheOtherRunCannotBeIsNamed)
{
    const auto error = [](const std::string& compare) {
        const Result<ScenarioFile> other = parseOtherScenario(R"({"flashstep": 1)" + compare + "}", "", "s.json");
        return other.ok() ? "" : other.error().line();
    };
    EXPECT_EQ(error(R"(, "compare": {})"), "");
    EXPECT_NE(error("").find("\"compare\""), std::string::npos) << error("");
    for (const char* key : { "flashstep", "compare", "view", "bookmarks", "breakpoints" })
        EXPECT_NE(error(std::string(R"(, "compare": {")") + key + R"(": {}})").find(std::string("compare.") + key),
            std::string::npos);
    EXPECT_NE(error(R"(, "compare": {"tiles": 3})").find("tiles"), std::string::npos);
    EXPECT_NE(error(R"(, "compare": {"problem": {"heads": "many"}})").find("problem.heads"), std::string::npos);
    EXPECT_NE(error(R"(, "compare": [1])").find("compare"), std::string::npos);
}

TEST(ScenarioFile, LastKnobOfAKeyWins)
{
    ScenarioFile file;
    ASSERT_TRUE(setOption(file, "what_if", "sms=1").ok());
    ASSERT_TRUE(setOption(file, "what_if", "sms=2").ok());
    ASSERT_EQ(file.scenario.knobs.size(), 1U);
    EXPECT_EQ(file.scenario.knobs[0].second, "2");
    EXPECT_FALSE(setOption(file, "what_if", "sms").ok());
}

TEST(ScenarioFile, KnobsOfLaterVersionsAreNamedAsSuch)
{
    ScenarioFile file;
    ASSERT_TRUE(setOption(file, "what_if", "deterministic=on").ok());
    EXPECT_NE(checkKnobs(file.scenario).error().line().find("not in this version"), std::string::npos);
    file.scenario.knobs[0].first = "deterministics";
    EXPECT_EQ(checkKnobs(file.scenario).error().line().find("not in this version"), std::string::npos);
}

class TensorFiles : public testing::Test {
protected:
    void write(const char* name, const Tensor& tensor) const
    {
        ASSERT_TRUE(writeNpy(directory.path(name), tensor).ok());
    }
    void SetUp() override
    {
        write("q.npy", Tensor(1, 4, 6, 8));
        write("k.npy", Tensor(1, 2, 5, 8));
        write("v.npy", Tensor(1, 2, 5, 8));
        for (const char* key : { "q", "k", "v" })
            ASSERT_TRUE(setOption(file, key, directory.path(std::string(key) + ".npy")).ok());
    }
    std::string error()
    {
        const Result<LoadedInputs> inputs = loadInputs(file);
        return inputs.ok() ? "" : inputs.error().line();
    }

    TemporaryDirectory directory;
    ScenarioFile file;
};

TEST_F(TensorFiles, GiveTheSizes)
{
    ASSERT_EQ(error(), "");
    const Problem& p = file.scenario.problem;
    EXPECT_EQ(p.heads, 4);
    EXPECT_EQ(p.kvHeads, 2);
    EXPECT_EQ(p.seqlenQ, 6);
    EXPECT_EQ(p.seqlenK, 5);
    EXPECT_EQ(p.headDim, 8);
}

TEST_F(TensorFiles, ContradictAnOption)
{
    ASSERT_TRUE(setOption(file, "seqlen_k", "6").ok());
    EXPECT_NE(error().find("--seqlen-k: 6 contradicts k.npy, which has 5"), std::string::npos) << error();
}

TEST_F(TensorFiles, AgreeWithAnOption)
{
    ASSERT_TRUE(setOption(file, "seqlen_k", "5").ok());
    EXPECT_EQ(error(), "");
}

TEST_F(TensorFiles, MustBeThree)
{
    file.scenario.vFile.clear();
    EXPECT_NE(error().find("--v"), std::string::npos);
}

TEST_F(TensorFiles, MustAgreeWithEachOther)
{
    write("v.npy", Tensor(1, 2, 4, 8));
    EXPECT_NE(error().find("its length is 4, that of k.npy is 5"), std::string::npos) << error();
    write("v.npy", Tensor(1, 1, 5, 8));
    EXPECT_NE(error().find("number of heads"), std::string::npos) << error();
    write("v.npy", Tensor(1, 2, 5, 8));
    write("k.npy", Tensor(1, 2, 5, 4));
    EXPECT_NE(error().find("head dimension"), std::string::npos) << error();
    write("k.npy", Tensor(2, 2, 5, 8));
    EXPECT_NE(error().find("batch"), std::string::npos) << error();
}

TEST_F(TensorFiles, KeyHeadsMustDivideQueryHeads)
{
    write("k.npy", Tensor(1, 3, 5, 8));
    write("v.npy", Tensor(1, 3, 5, 8));
    EXPECT_NE(error().find("3 key/value heads do not divide 4"), std::string::npos) << error();
}

TEST_F(TensorFiles, BringWordsForTheRows)
{
    directory.write("tokens.json", R"(["a","b","c","d","e","f"])");
    EXPECT_EQ(loadInputs(file)->labels.tokens.size(), 6U);
    directory.write("tokens.json", R"(["a","b"])");
    const Result<LoadedInputs> few = loadInputs(file);
    EXPECT_TRUE(few->labels.tokens.empty());
    ASSERT_EQ(few->notes.size(), 1U);
    EXPECT_NE(few->notes[0].find("2 words for 6 rows"), std::string::npos);
    directory.write("tokens.json", R"({"a": 1)");
    EXPECT_EQ(loadInputs(file)->notes.size(), 1U);
}

TEST_F(TensorFiles, AreNamedRelativeToTheScenario)
{
    directory.write("s.json", R"({"flashstep": 1, "problem": {"q": "q.npy", "k": "./k.npy", "v": "v.npy"}})");
    Result<ScenarioFile> read = readScenario(directory.path("s.json"));
    ASSERT_TRUE(read.ok());
    EXPECT_TRUE(loadInputs(*read).ok());
    EXPECT_NE(scenarioText(*read, directory.path()).find("\"q\": \"q.npy\""), std::string::npos);
}

TEST(JsonNumber, IsTheShortestThatReadsBack)
{
    EXPECT_EQ(jsonText(jsonNumber(0.1)), "0.1\n");
    EXPECT_EQ(jsonText(jsonNumber(1)), "1\n");
    EXPECT_EQ(jsonText(jsonNumber(static_cast<double>(0.1F))), "0.10000000149011612\n");
    EXPECT_EQ(jsonText(jsonNumber(-INFINITY)), "\"-inf\"\n");
    EXPECT_EQ(jsonText(jsonNumber(INFINITY)), "\"inf\"\n");
    EXPECT_EQ(jsonText(jsonNumber(NAN)), "\"nan\"\n");
    for (const double value : { 5e-324, 1.7976931348623157e308, 0.30000000000000004, 123456789.125 })
        EXPECT_EQ(Json::parse(jsonText(jsonNumber(value))).get<double>(), value);
}

TEST(JsonNumber, WritesWhatIsNoUtf8)
{
    EXPECT_EQ(quoted("a\xff"), "\"a\xef\xbf\xbd\"");
    EXPECT_EQ(quoted("\"\n"), "\"\\\"\\n\"");
}

} // namespace
} // namespace flashstep::test
