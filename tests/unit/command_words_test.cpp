// SPDX-License-Identifier: Apache-2.0
#include "core/io/command_words.h"

#include <gtest/gtest.h>

namespace flashstep {
namespace {

std::vector<std::string> words(const std::string& text)
{
    const auto split = commandWords(text);
    EXPECT_TRUE(split.ok()) << text;
    return split ? *split : std::vector<std::string> {};
}

TEST(CommandWords, ArePartedByBlanks)
{
    EXPECT_EQ(words(""), (std::vector<std::string> {}));
    EXPECT_EQ(words(" \t "), (std::vector<std::string> {}));
    EXPECT_EQ(words("ssh  gpubox\t-p 22 "), (std::vector<std::string> { "ssh", "gpubox", "-p", "22" }));
}

TEST(CommandWords, KeepWhatStandsInQuotes)
{
    EXPECT_EQ(words("a 'b  c' \"d 'e'\""), (std::vector<std::string> { "a", "b  c", "d 'e'" }));
    EXPECT_EQ(words("a'b'\"c\"d"), (std::vector<std::string> { "abcd" }));
    EXPECT_EQ(words("a '' b"), (std::vector<std::string> { "a", "", "b" }));
    EXPECT_EQ(words(R"(a\ b "c\"d\\e\n" 'f\')"), (std::vector<std::string> { "a b", "c\"d\\e\\n", "f\\" }));
}

TEST(CommandWords, TakeNothingForAShell)
{
    EXPECT_EQ(words("echo $HOME; rm *|x"), (std::vector<std::string> { "echo", "$HOME;", "rm", "*|x" }));
}

TEST(CommandWords, RefuseAnOpenQuote)
{
    for (const std::string text : { "a 'b", "a \"b", "\"a\\\"", "a\\" })
        EXPECT_FALSE(commandWords(text).ok()) << text;
    EXPECT_FALSE(commandWords(std::string("a\0b", 3)).ok());
}

} // namespace
} // namespace flashstep
