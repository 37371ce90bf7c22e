// SPDX-License-Identifier: Apache-2.0
#include "core/program/problem.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace {

using namespace flashstep;

Problem withMask(const char* mask, int seqlenQ, int seqlenK)
{
    Problem problem;
    problem.seqlenQ = seqlenQ;
    problem.seqlenK = seqlenK;
    problem.mask = maskFromText(mask).value();
    return problem;
}

// One line per row, x where the key is visible.
std::string picture(const Problem& problem)
{
    std::string text;
    for (int row = 0; row < problem.seqlenQ; ++row) {
        for (int key = 0; key < problem.seqlenK; ++key)
            text += problem.visible(row, key) ? 'x' : '.';
        text += '\n';
    }
    return text;
}

TEST(Mask, TextReadsBack)
{
    for (const char* text : { "none", "causal", "window:0,0", "window:128,0", "window:3,2147483647" })
        EXPECT_EQ(maskFromText(text).value().text(), text);
    for (const char* text : { "", "Causal", "window", "window:", "window:1", "window:1,", "window:,1", "window:-1,0",
             "window:1,2,3", "window:1, 2", "window:99999999999,0", "window:1,2 " })
        EXPECT_EQ(maskFromText(text), std::nullopt) << text;
}

TEST(Mask, Pictures)
{
    EXPECT_EQ(picture(withMask("none", 2, 3)), "xxx\nxxx\n");
    EXPECT_EQ(picture(withMask("causal", 3, 3)), "x..\nxx.\nxxx\n");
    EXPECT_EQ(picture(withMask("causal", 2, 4)), "xxx.\nxxxx\n") << "aligned bottom right";
    EXPECT_EQ(picture(withMask("causal", 4, 2)), "..\n..\nx.\nxx\n") << "the first rows see nothing";
    EXPECT_EQ(picture(withMask("window:1,1", 4, 4)), "xx..\nxxx.\n.xxx\n..xx\n");
    EXPECT_EQ(picture(withMask("window:1,0", 2, 4)), ".xx.\n..xx\n");
    EXPECT_EQ(picture(withMask("window:0,1", 4, 2)), "..\nx.\nxx\n.x\n");
}

TEST(Mask, RangesStayInsideTheKeys)
{
    for (const char* mask : { "none", "causal", "window:0,0", "window:2,1", "window:2147483647,2147483647" }) {
        for (const auto& [seqlenQ, seqlenK] : { std::pair(5, 3), std::pair(3, 5), std::pair(1, 1) }) {
            const Problem problem = withMask(mask, seqlenQ, seqlenK);
            for (int row = 0; row < seqlenQ; ++row) {
                const auto keys = problem.visibleKeys(row);
                EXPECT_GE(keys.first, 0);
                EXPECT_LE(keys.last, seqlenK);
                for (int key = 0; key < seqlenK; ++key) {
                    const std::int64_t distance = std::int64_t { key } - (row + seqlenK - seqlenQ);
                    const bool expected = problem.mask.kind == MaskKind::None
                        || (problem.mask.kind == MaskKind::Causal
                                ? distance <= 0
                                : distance >= -problem.mask.left && distance <= problem.mask.right);
                    EXPECT_EQ(problem.visible(row, key), expected) << mask << ' ' << row << ' ' << key;
                }
            }
        }
    }
}

TEST(Problem, InitNamesReadBack)
{
    for (const Init init : { Init::Normal, Init::Outliers, Init::RisingLeft, Init::RisingRight, Init::Constant })
        EXPECT_EQ(initFromName(name(init)), init);
    EXPECT_EQ(name(Init::RisingLeft), "rising-left");
    EXPECT_EQ(initFromName("random"), std::nullopt);
}

TEST(Problem, SoftmaxScale)
{
    Problem problem;
    problem.headDim = 64;
    EXPECT_EQ(problem.softmaxScale(), 0.125);
    EXPECT_EQ(problem.softmaxScaleLog2(), 0x1.715476p-3f); // log2(e) / 8 in fp32
    problem.headDim = 128;
    EXPECT_DOUBLE_EQ(problem.softmaxScale(), 1 / std::sqrt(128.0));
}

TEST(Problem, HeadsShareKeyHeads)
{
    Problem problem;
    problem.heads = 8;
    problem.kvHeads = 2;
    EXPECT_EQ(problem.kvHeadOf(3), 0);
    EXPECT_EQ(problem.kvHeadOf(4), 1);
}

} // namespace
