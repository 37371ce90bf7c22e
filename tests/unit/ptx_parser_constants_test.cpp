// SPDX-License-Identifier: Apache-2.0
#include "core/ptx/parser_constants.h"

#include <gtest/gtest.h>

#include <bit>

namespace {

using namespace flashstep::ptx;

std::string valueOf(std::string_view text)
{
    Cursor cursor(text, "c");
    Constant constant;
    if (!parseConstant(cursor, constant))
        return cursor.error()->line();
    if (!cursor.atEnd())
        return "stops at " + std::string(cursor.token().text);
    const auto bits = static_cast<std::uint64_t>(constant.number);
    switch (constant.kind) {
    case Constant::Kind::Double:
        return std::to_string(std::bit_cast<double>(bits)) + "d";
    case Constant::Kind::Single:
        return std::to_string(std::bit_cast<float>(static_cast<std::uint32_t>(bits))) + "f";
    default:
        return constant.isUnsigned ? std::to_string(bits) + "U" : std::to_string(constant.number);
    }
}

TEST(PtxConstants, IntegersInFourBases)
{
    EXPECT_EQ(valueOf("0"), "0");
    EXPECT_EQ(valueOf("1234567"), "1234567");
    EXPECT_EQ(valueOf("0x1F"), "31");
    EXPECT_EQ(valueOf("0XfF"), "255");
    EXPECT_EQ(valueOf("017"), "15");
    EXPECT_EQ(valueOf("0b1011"), "11");
    EXPECT_EQ(valueOf("0B1U"), "1U");
    EXPECT_EQ(valueOf("5U"), "5U");
    EXPECT_EQ(valueOf("9223372036854775807"), "9223372036854775807");
    EXPECT_EQ(valueOf("9223372036854775808"), "9223372036854775808U"); // does not fit .s64
    EXPECT_EQ(valueOf("-9223372036854775808"), "9223372036854775808U");
    EXPECT_EQ(valueOf("0xFFFFFFFFFFFFFFFF"), "18446744073709551615U");
    EXPECT_EQ(valueOf("WARP_SZ"), "32");
}

TEST(PtxConstants, FloatsByValueAndByBits)
{
    EXPECT_EQ(valueOf("0f3F800000"), "1.000000f");
    EXPECT_EQ(valueOf("0Fc0000000"), "-2.000000f");
    EXPECT_EQ(valueOf("-0f3F800000"), "-1.000000f");
    EXPECT_EQ(valueOf("0d4000000000000000"), "2.000000d");
    EXPECT_EQ(valueOf("1.5"), "1.500000d");
    EXPECT_EQ(valueOf("2."), "2.000000d");
    EXPECT_EQ(valueOf("-1.5E+1"), "-15.000000d");
    EXPECT_EQ(valueOf("1e3"), "1000.000000d");
    EXPECT_EQ(valueOf("0.1"), "0.100000d");
}

TEST(PtxConstants, OperatorsBindAsInC)
{
    EXPECT_EQ(valueOf("(1<<4)|3"), "19");
    EXPECT_EQ(valueOf("1<<4|3"), "19");
    EXPECT_EQ(valueOf("1+2*3"), "7");
    EXPECT_EQ(valueOf("10-4-3"), "3");
    EXPECT_EQ(valueOf("100/7 % 5"), "4");
    EXPECT_EQ(valueOf("6 & 3 ^ 1 | 8"), "11");
    EXPECT_EQ(valueOf("1 < 2 == 1"), "1");
    EXPECT_EQ(valueOf("3 >= 4 || 2 != 2 && 1"), "0");
    EXPECT_EQ(valueOf("2 > 1 ? 5 : 6"), "5");
    EXPECT_EQ(valueOf("0 ? 5 : 1 ? 6 : 7"), "6");
    EXPECT_EQ(valueOf("-(-3)"), "3");
    EXPECT_EQ(valueOf("--3"), "3");
    EXPECT_EQ(valueOf("+3"), "3");
    EXPECT_EQ(valueOf("~0"), "-1");
    EXPECT_EQ(valueOf("!5"), "0");
    EXPECT_EQ(valueOf("!0"), "1");
}

TEST(PtxConstants, UnsignedOnesDivideShiftAndCompareAsSuch)
{
    EXPECT_EQ(valueOf("-8 / 3"), "-2");
    EXPECT_EQ(valueOf("-8 % 3"), "-2");
    EXPECT_EQ(valueOf("-8 >> 1"), "-4");
    EXPECT_EQ(valueOf("(.u64)-8 >> 1"), "9223372036854775804U");
    EXPECT_EQ(valueOf("(.u64)-1 / 2"), "9223372036854775807U");
    EXPECT_EQ(valueOf("-1 < 1"), "1");
    EXPECT_EQ(valueOf("-1 < 1U"), "0");
    EXPECT_EQ(valueOf("(.s64)0xFFFFFFFFFFFFFFFF"), "-1");
    EXPECT_EQ(valueOf("1 ? 2 : 3U"), "2U");
}

TEST(PtxConstants, NothingIsUndefined)
{
    EXPECT_EQ(valueOf("1 << 64"), "0");
    EXPECT_EQ(valueOf("1 << -1"), "0");
    EXPECT_EQ(valueOf("-1 >> 100"), "-1");
    EXPECT_EQ(valueOf("9223372036854775807 + 1"), "-9223372036854775808");
    EXPECT_EQ(valueOf("(1 << 63) / -1"), "-9223372036854775808");
    EXPECT_EQ(valueOf("(1 << 63) % -1"), "0");
    EXPECT_EQ(valueOf("4611686018427387904 * 4"), "0");
    EXPECT_EQ(valueOf("1 / 0"), "c:1: a division by zero (a divisor other than 0)");
    EXPECT_EQ(valueOf("1U % 0"), "c:1: a division by zero (a divisor other than 0)");
}

TEST(PtxConstants, WhatIsNoNumberIsSaid)
{
    const std::string wanted = " (a constant)";
    EXPECT_EQ(valueOf("18446744073709551616"), "c:1: '18446744073709551616' does not fit (an integer of 64 bits)");
    EXPECT_EQ(valueOf("018"), "c:1: '018' is not a number (as 10, 0xA, 012 or 0b1010)");
    EXPECT_EQ(valueOf("0b12"), "c:1: '0b12' is not a number (as 10, 0xA, 012 or 0b1010)");
    EXPECT_EQ(valueOf("0x"), "c:1: '0x' is not a number (as 10, 0xA, 012 or 0b1010)");
    EXPECT_EQ(valueOf("0f3F80"), "c:1: a 0f constant without eight hexadecimal digits" + wanted);
    EXPECT_EQ(valueOf("0d3F80"), "c:1: a 0d constant without sixteen hexadecimal digits" + wanted);
    EXPECT_EQ(valueOf("12ab"), "c:1: '12ab' is neither a number nor a name" + wanted);
    EXPECT_EQ(valueOf("1.0e400"), "c:1: '1.0e400' does not fit (a double, or its bits as 0d…)");
    EXPECT_EQ(valueOf("1.0 + 2.0"), "c:1: a float in an expression (integers, or one float with its sign)");
    EXPECT_EQ(valueOf("~1.0"), "c:1: a float in an expression (integers, or one float with its sign)");
    EXPECT_EQ(valueOf("(1"), "c:1: the text ends here (')')");
    EXPECT_EQ(valueOf("1 ? 2"), "c:1: the text ends here (':')");
    EXPECT_EQ(valueOf("1 +\n;"), "c:2: ';' has no place here" + wanted);
    EXPECT_EQ(valueOf("x"), "c:1: 'x' has no place here" + wanted);
}

TEST(PtxConstants, DepthIsBoundedAndLengthIsNot)
{
    const std::string tooDeep = "c:1: a constant is nested too deeply (at most 64 levels)";
    EXPECT_EQ(valueOf(std::string(100000, '(')), tooDeep);
    EXPECT_EQ(valueOf(std::string(100000, '-') + "1"), tooDeep);
    std::string questions, sum = "0";
    for (int k = 0; k < 1000; ++k)
        questions += "1 ? 2 : ";
    EXPECT_EQ(valueOf(questions + "3"), tooDeep);
    for (int k = 0; k < 10000; ++k)
        sum += "+1";
    EXPECT_EQ(valueOf(sum), "10000");
    EXPECT_EQ(valueOf(std::string(30, '(') + "1" + std::string(30, ')')), "1");
}

} // namespace
