// SPDX-License-Identifier: Apache-2.0
#include "core/io/batch.h"
#include "core/io/batch_record.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

namespace flashstep::test {
namespace {

Result<std::vector<BatchEntry>> parsed(const std::string& exports)
{
    return parseBatch(R"({"flashstep": 1, "exports": [)" + exports + "]}", "lesson", "lesson/b.json");
}

std::string errorOf(const std::string& exports)
{
    const auto batch = parsed(exports);
    return batch.ok() ? std::string() : batch.error().line();
}

TEST(Batch, PathsAreRelativeToTheFile)
{
    const auto batch = parsed(R"({"scenario": "s.json", "format": "csv", "out": "t/a.csv", "q": "/q.npy"})");
    ASSERT_TRUE(batch.ok()) << batch.error().line();
    const BatchEntry& entry = batch->front();
    EXPECT_EQ(entry.scenario, "lesson/s.json");
    EXPECT_EQ(entry.written.out, "lesson/t/a.csv");
    EXPECT_EQ(entry.out, "t/a.csv");
    ASSERT_EQ(entry.given.size(), 1U);
    EXPECT_EQ(entry.given[0].second, "/q.npy");
}

TEST(Batch, NumbersMayBeNumbersOrTexts)
{
    const auto batch
        = parsed(R"({"scenario": "s.json", "format": "png", "out": "a", "scale": 1.5, "at": 12, "fps": "2"},
        {"seqlen_q": 64, "batch": "2", "format": "csv", "out": "b"})");
    ASSERT_TRUE(batch.ok()) << batch.error().line();
    EXPECT_EQ((*batch)[0].written.scale, "1.5");
    EXPECT_EQ((*batch)[0].written.at, "12");
    EXPECT_EQ((*batch)[0].written.fps, "2");
    EXPECT_EQ((*batch)[1].given[0], std::pair(std::string("seqlen_q"), std::string("64")));
    EXPECT_EQ((*batch)[1].given[1], std::pair(std::string("batch"), std::string("2")));
}

TEST(Batch, RepeatedOptionsAreTextsOrLists)
{
    const auto batch = parsed(R"({"scenario": "s", "format": "csv", "out": "a", "what_if": ["sms=8", "mufu-rate=32"]},
        {"scenario": "s", "format": "csv", "out": "b", "break": "wait:K_visible"})");
    ASSERT_TRUE(batch.ok()) << batch.error().line();
    ASSERT_EQ((*batch)[0].given.size(), 2U);
    EXPECT_EQ((*batch)[0].given[1].second, "mufu-rate=32");
    EXPECT_EQ((*batch)[1].given[0].second, "wait:K_visible");
}

TEST(Batch, ErrorsNameTheEntryAndTheKey)
{
    const std::string good = R"({"scenario": "s.json", "format": "csv", "out": "a.csv"}, )";
    const std::vector<std::pair<std::string, std::string>> cases {
        { R"({"scenario": "s.json", "out": "b"})", R"(exports[1]: key "format": the key is missing)" },
        { R"({"scenario": "s.json", "format": "csv"})", R"(exports[1]: key "out": the key is missing)" },
        { R"({"format": "csv", "out": "b"})", R"(exports[1]: key "scenario": the key is missing)" },
        { R"({"scenario": "s", "format": "doc", "out": "b"})", R"(exports[1]: key "format": 'doc' is not accepted)" },
        { R"({"scenario": "s", "format": "csv", "out": "b", "colour": 1})", R"(exports[1]: unknown key "colour")" },
        { R"({"scenario": "s", "format": "csv", "out": ["b"]})", R"(exports[1]: key "out": it has to be a string)" },
        { R"({"scenario": "s", "format": "csv", "out": 7})", R"(exports[1]: key "out": it has to be a string)" },
        { R"({"scenario": "s", "format": "csv", "out": ""})", R"(exports[1]: key "out": it is empty)" },
        { R"({"scenario": "s", "format": "csv", "out": "b", "mask": "some"})",
            R"(exports[1]: key "mask": 'some' is not accepted)" },
        { R"({"scenario": "s", "format": "csv", "out": "b", "seqlen_q": 0})",
            R"(exports[1]: key "seqlen_q": '0' is not accepted)" },
        { R"({"scenario": "s", "format": "csv", "out": "b", "what_if": "speed=9"})",
            R"(exports[1]: key "what_if": there is no knob 'speed')" },
        { R"({"scenario": "s", "format": "png", "out": "b", "size": "9x9"})",
            R"(exports[1]: key "size": '9x9' is not accepted)" },
        { R"({"scenario": "s", "format": "svg", "view": "window", "out": "b"})", R"(exports[1]: key "format")" },
        { R"({"scenario": "s", "format": "csv", "out": "t/../a.csv"})",
            R"(exports[1]: key "out": t/../a.csv is exports[0])" },
        { R"({"scenario": "s", "format": "csv", "out": "s.json"})",
            R"(exports[1]: key "out": s.json is a scenario of the batch)" },
        { R"({"scenario": "s", "format": "csv", "out": "b.json.done"})", R"(exports[1]: key "out")" },
        { R"({"scenario": "s", "format": "csv", "out": "b.json"})",
            R"(exports[1]: key "out": b.json is the batch file itself)" },
        { R"("s.json")", "exports[1]: it has to be an object" },
    };
    for (const auto& [entry, says] : cases)
        EXPECT_NE(errorOf(good + entry).find("lesson/b.json: " + says), std::string::npos)
            << entry << ": " << errorOf(good + entry);
}

TEST(Batch, AFileOfAnotherKindIsRefused)
{
    const std::vector<std::pair<std::string, std::string>> cases { { "[]", "not a batch" },
        { R"({"exports": []})", "\"flashstep\": the key is missing" },
        { R"({"flashstep": 2, "exports": []})", "version 2 of the format is not known here" },
        { R"({"flashstep": 1})", "\"exports\": the key is missing" },
        { R"({"flashstep": 1, "exports": {}})", "\"exports\": it has to be a list" },
        { R"({"flashstep": 1, "exports": [], "jobs": 4})", "unknown key \"jobs\"" },
        { "{\"flashstep\": 1,\n\"exports\": [}", "line 2 is where it stops being one" } };
    for (const auto& [text, says] : cases) {
        const auto batch = parseBatch(text, "", "b.json");
        ASSERT_FALSE(batch.ok()) << text;
        EXPECT_NE(batch.error().line().find(says), std::string::npos) << batch.error().line();
    }
}

class Record : public testing::Test {
protected:
    void SetUp() override
    {
        directory.write("s.json", R"({"flashstep": 1, "problem": {"seqlen_q": 64}})");
        directory.write("a.csv", "written\n");
    }
    [[nodiscard]] BatchEntry entryOf(const std::string& more = "") const
    {
        const auto batch = parseBatch(
            R"({"flashstep": 1, "exports": [{"scenario": "s.json", "format": "csv", "out": "a.csv")" + more + "}]}",
            directory.path(), directory.path("b.json"));
        EXPECT_TRUE(batch.ok());
        return batch->front();
    }
    // As a program that starts anew sees it.
    [[nodiscard]] bool isFinished(const BatchEntry& entry) const
    {
        BatchRecord record(directory.path("b.json.done"));
        const Result<std::string> madeFrom = record.madeFrom(entry);
        return madeFrom && record.isFinished(entry, *madeFrom);
    }
    void finish(const BatchEntry& entry) const
    {
        BatchRecord record(directory.path("b.json.done"));
        ASSERT_TRUE(record.finish(entry, *record.madeFrom(entry)).ok());
    }
    TemporaryDirectory directory;
};

TEST_F(Record, WhatIsFinishedStaysSoUntilSomethingChanges)
{
    EXPECT_FALSE(isFinished(entryOf())) << "a target that the batch has not written";
    finish(entryOf());
    EXPECT_TRUE(isFinished(entryOf()));
    EXPECT_FALSE(isFinished(entryOf(R"(, "table": "spans")"))) << "another table";
    directory.write("a.csv", "cut sh");
    EXPECT_FALSE(isFinished(entryOf())) << "no longer what was written";
    directory.write("a.csv", "written\n");
    EXPECT_TRUE(isFinished(entryOf()));
    std::filesystem::remove(directory.path("a.csv"));
    EXPECT_FALSE(isFinished(entryOf())) << "gone";
    directory.write("a.csv", "written\n");
    directory.write("s.json", R"({"flashstep": 1, "problem": {"seqlen_q": 128}})");
    EXPECT_FALSE(isFinished(entryOf())) << "another scenario";
}

TEST_F(Record, TensorsCount)
{
    directory.write("q.npy", "1");
    const BatchEntry entry = entryOf(R"(, "q": "q.npy")");
    finish(entry);
    EXPECT_TRUE(isFinished(entry));
    directory.write("tokens.json", "[]");
    EXPECT_FALSE(isFinished(entry)) << "words beside Q";
    std::filesystem::remove(directory.path("tokens.json"));
    EXPECT_TRUE(isFinished(entry));
    directory.write("q.npy", "2");
    EXPECT_FALSE(isFinished(entry)) << "another tensor";
}

TEST_F(Record, ALineCutShortCountsForNothingAndSpoilsNone)
{
    finish(entryOf());
    const std::string whole = bytesOfFile(directory.path("b.json.done"));
    for (std::size_t size = 0; size < whole.size() - 1; ++size) {
        directory.write("b.json.done", whole.substr(0, size));
        EXPECT_FALSE(isFinished(entryOf())) << "cut after " << size << " bytes";
        finish(entryOf());
        EXPECT_TRUE(isFinished(entryOf())) << "added after " << size << " bytes";
    }
    directory.write("b.json.done", "\n[]\n{\"out\": 3}\n\xff\xfe\n" + whole);
    EXPECT_TRUE(isFinished(entryOf()));
}

} // namespace
} // namespace flashstep::test
