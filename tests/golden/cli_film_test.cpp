// SPDX-License-Identifier: Apache-2.0
// Films and documents from the command line: statuses, remarks, and what is left behind.
#include "tests/support/command.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flashstep::test {
namespace {

using Words = std::vector<std::string>;

CommandResult small(Words words)
{
    for (const char* word : { "--seqlen-q", "32", "--tile", "16x16", "--head-dim", "16" })
        words.emplace_back(word);
    return runCli(words);
}

bool withPictures()
{
    const TemporaryDirectory directory;
    return small({ "export", "--format", "gif", "--size", "480x360", "--out", directory.path("x.gif") }).status != 3;
}

// The search path without any program, until it goes.
class NoPrograms {
public:
    NoPrograms() { setenv("PATH", directory.path().c_str(), 1); }
    NoPrograms(const NoPrograms&) = delete;
    NoPrograms& operator=(const NoPrograms&) = delete;
    ~NoPrograms() { setenv("PATH", before.c_str(), 1); }

private:
    std::string before = getenv("PATH") != nullptr ? getenv("PATH") : "";
    TemporaryDirectory directory;
};

TEST(CliFilm, WithoutAnEncoderTheStatusIsThree)
{
    const TemporaryDirectory directory;
    const NoPrograms none;
    const CommandResult result = small({ "export", "--format", "mp4", "--out", directory.path("x.mp4") });
    EXPECT_EQ(result.status, 3) << result.error;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_EQ(directory.files(), 0U);
}

TEST(CliFilm, WhatIsLeftOutIsSaidUnlessQuietIsAskedFor)
{
    if (!withPictures())
        GTEST_SKIP() << "built without pictures";
    const TemporaryDirectory directory;
    Words words { "export", "--seqlen-k", "48", "--format", "html", "--level", "event", "--view", "memory", "--size",
        "200x200", "--scale", "1", "--out", directory.path("x.html") };
    const CommandResult result = small(words);
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.error.find(" event steps: every 2nd is shown\n"), std::string::npos) << result.error;
    const std::string page = bytesOfFile(directory.path("x.html"));
    words.emplace_back("--quiet");
    EXPECT_EQ(small(words).error, "");
    EXPECT_EQ(bytesOfFile(directory.path("x.html")), page);
}

TEST(CliFilm, AStretchWithoutStepsIsRefused)
{
    if (!withPictures())
        GTEST_SKIP() << "built without pictures";
    const TemporaryDirectory directory;
    for (const char* format : { "gif", "html" }) {
        const CommandResult result = small({ "export", "--format", format, "--to", "3", "--out", directory.path("x") });
        EXPECT_EQ(result.status, 2);
        EXPECT_NE(result.error.find("no step of the level inner-tile"), std::string::npos) << result.error;
        EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    }
    EXPECT_EQ(directory.files(), 0U);
}

TEST(CliFilm, NarrateWritesTheSameToAFile)
{
    const TemporaryDirectory directory;
    const CommandResult printed = small({ "narrate" });
    EXPECT_EQ(printed.status, 0);
    const CommandResult written = small({ "narrate", "--out", directory.path("x.md") });
    EXPECT_EQ(written.status, 0);
    EXPECT_EQ(written.out, "");
    EXPECT_FALSE(printed.out.empty());
    EXPECT_EQ(bytesOfFile(directory.path("x.md")), printed.out);
    EXPECT_EQ(directory.files(), 1U);
}

TEST(CliFilm, NarrateSaysWhenItCannotBePrinted)
{
    const std::string program = std::string(FLASHSTEP_BINARY_DIR) + "/bin/flashstep-cli";
    const int status
        = std::system((program + " narrate --seqlen-q 16 --tile 16x16 --head-dim 16 > /dev/full 2> /dev/null").c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2);
}

} // namespace
} // namespace flashstep::test
