// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx_text.h"

#include <gtest/gtest.h>

namespace {

using namespace flashstep::ptx;
using Texts = std::vector<std::string>;

// Of each statement the place and those it was inlined at: "1:22 wait < 1:42".
Texts placesOf(const Module& module)
{
    Texts texts;
    const Function* function = module.find("k");
    if (function == nullptr)
        return texts;
    for (const Statement& statement : function->statements) {
        std::string text;
        for (std::uint32_t at = statement.location; at != none; at = module.locations.at(at).inlinedAt) {
            const Location& location = module.locations.at(at);
            text += text.empty() ? "" : " < ";
            text += (location.file == none ? "?" : std::to_string(location.file)) + ":" + std::to_string(location.line)
                + ":" + std::to_string(location.column);
            if (const std::string_view name = module.inlined(location); !name.empty())
                text += " " + std::string(name);
        }
        texts.push_back(text);
    }
    return texts;
}

const std::string tail = ".file\t1 \"dir/a.cu\"\n.file 3 \"b.h\", 1699999999, 1234\n"
                         ".section\t.debug_str\n{\n$L__info_string0:\n.b8 111,117,116,0\n$L__info_string1:\n"
                         ".b8 105\n.b8 110\n.b8 0\n\n}\n";

TEST(PtxParserDebug, APlaceHoldsUntilTheNext)
{
    EXPECT_EQ(
        placesOf(parsed(kernelText("bar.sync 0;\n.loc 1 7 3\nbar.sync 1; bar.sync 2;\n.loc\t3 8 0\nret;") + tail)),
        (Texts { "", "1:7:3", "1:7:3", "3:8:0" }));
}

TEST(PtxParserDebug, FilesFollowAtTheEndOrStandAtTheBegin)
{
    const Module late = parsed(kernelText(".loc 3 7 3\nret;") + tail);
    EXPECT_EQ(late.files, (Texts { "", "dir/a.cu", "", "b.h" }));
    const Module early = parsed(kernelText(".loc 1 7 3\nret;\n.file 1 \"a.cu\"", ".file 1 \"a.cu\"\n"));
    EXPECT_EQ(placesOf(early), (Texts { "1:7:3" }));
    EXPECT_EQ(early.files, (Texts { "", "a.cu" }));
}

TEST(PtxParserDebug, AFileThatIsNeverNamedIsNone)
{
    EXPECT_EQ(placesOf(parsed(kernelText(".loc 2 7 3\nret;\n.loc 400000000 8 3\nret;") + tail)),
        (Texts { "?:7:3", "?:8:3" }));
}

TEST(PtxParserDebug, LineZeroIsNoPlace)
{
    EXPECT_EQ(placesOf(parsed(kernelText(".loc 1 7 3\nret;\n.loc 1 0 0\nret;") + tail)), (Texts { "1:7:3", "" }));
}

TEST(PtxParserDebug, InliningLeadsToWhereTheCallStands)
{
    const Module module = parsed(
        kernelText(".loc 1 7 3\n.loc 3 40 5, function_name $L__info_string0, inlined_at 1 7 3\n"
                   ".loc 3 20 1, function_name $L__info_string1, inlined_at 3 40 5\nbar.sync 0;\n"
                   ".loc 1 9 3\n.loc 3 40 5, function_name $L__info_string0, inlined_at 1 9 3\n"
                   ".loc 3 20 1, function_name $L__info_string1, inlined_at 3 40 5\nbar.sync 1;\n.loc 1 7 3\nret;")
        + tail);
    EXPECT_EQ(
        placesOf(module), (Texts { "3:20:1 in < 3:40:5 out < 1:7:3", "3:20:1 in < 3:40:5 out < 1:9:3", "1:7:3" }));
    EXPECT_EQ(module.locations.size(), 6U); // each once
}

TEST(PtxParserDebug, AnOuterPlaceNeedNotHaveBeenInForce)
{
    EXPECT_EQ(placesOf(parsed(
                  kernelText(".loc 3 40 5, function_name $L__info_string0+1, inlined_at 1 7 3\nbar.sync 0;") + tail)),
        (Texts { "3:40:5 ut < 1:7:3" }));
}

TEST(PtxParserDebug, ANameThatIsNotThereIsNone)
{
    const std::string body = ".loc 3 40 5, function_name nowhere, inlined_at 1 7 3\nbar.sync 0;\n"
                             ".loc 3 41 5, function_name $L__info_string1+4000000, inlined_at 1 7 3\nret;";
    EXPECT_EQ(placesOf(parsed(kernelText(body) + tail)), (Texts { "3:40:5 < 1:7:3", "3:41:5 < 1:7:3" }));
}

TEST(PtxParserDebug, PlacesDoNotReachIntoTheNextFunction)
{
    const Module module = parsed(moduleText(".entry a() {\n.loc 1 7 3\nret;}\n.entry k() { ret; }\n") + tail);
    EXPECT_EQ(placesOf(module), (Texts { "" }));
}

} // namespace
