// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_arguments.h"

#include <gtest/gtest.h>

#include <cstring>

namespace flashstep::test {
namespace {

std::uint64_t bitsOf(NumberType type, const char* text)
{
    const Result<std::uint64_t> bits = parseNumber(type, text, "x");
    EXPECT_TRUE(bits.ok()) << text;
    return bits.ok() ? *bits : ~std::uint64_t { 0 };
}
bool refused(NumberType type, const char* text)
{
    return !parseNumber(type, text, "x").ok();
}

TEST(PtxNumbers, AreRoundedOnceToTheNearestOfTheirType)
{
    EXPECT_EQ(bitsOf(NumberType::F16, "1"), 0x3c00U);
    EXPECT_EQ(bitsOf(NumberType::F16, "65519.99"), 0x7bffU);
    EXPECT_EQ(bitsOf(NumberType::F16, "5.960464477539063e-08"), 1U);
    EXPECT_EQ(bitsOf(NumberType::Bf16, "-2"), 0xc000U);
    // A hair above the middle of 1 and its neighbour in bf16; rounded to fp32 first it would be the middle, and go
    // down.
    EXPECT_EQ(bitsOf(NumberType::Bf16, "1.00390625000000000001"), 0x3f80U) << "a double cannot tell it from the middle";
    EXPECT_EQ(bitsOf(NumberType::Bf16, "1.0039062500001"), 0x3f81U);
    EXPECT_EQ(bitsOf(NumberType::F16, "1.00048828125000001"), 0x3c00U);
    EXPECT_EQ(bitsOf(NumberType::F16, "1.0004882812501"), 0x3c01U);
    EXPECT_EQ(bitsOf(NumberType::E4m3, "448"), 0x7eU);
    EXPECT_EQ(bitsOf(NumberType::E4m3, "463"), 0x7eU);
    EXPECT_EQ(bitsOf(NumberType::F64, "0.1"), 0x3fb999999999999aU);
    EXPECT_EQ(bitsOf(NumberType::F32, "+0.5"), 0x3f000000U);
}

TEST(PtxNumbers, HoldInfinitiesWhereTheTypeDoes)
{
    EXPECT_EQ(bitsOf(NumberType::F16, "inf"), 0x7c00U);
    EXPECT_EQ(bitsOf(NumberType::Bf16, "-inf"), 0xff80U);
    EXPECT_EQ(bitsOf(NumberType::F64, "-inf"), 0xfff0000000000000U);
    EXPECT_EQ(bitsOf(NumberType::Bf16, "nan"), 0x7fffU);
    EXPECT_TRUE(refused(NumberType::E4m3, "inf"));
}

TEST(PtxNumbers, RefuseWhatTheyCannotHold)
{
    EXPECT_TRUE(refused(NumberType::F16, "70000"));
    EXPECT_TRUE(refused(NumberType::Bf16, "3.4e38")); // rounds to infinity
    EXPECT_TRUE(refused(NumberType::E4m3, "465"));
    EXPECT_TRUE(refused(NumberType::F64, "1e999"));
    EXPECT_TRUE(refused(NumberType::F32, "1 "));
    EXPECT_TRUE(refused(NumberType::F32, "0x10"));
    EXPECT_TRUE(refused(NumberType::U8, "256"));
    EXPECT_TRUE(refused(NumberType::I8, "-129"));
    EXPECT_TRUE(refused(NumberType::I8, "0x100"));
    EXPECT_TRUE(refused(NumberType::I32, "1.5"));
    EXPECT_TRUE(refused(NumberType::U64, "18446744073709551616"));
    EXPECT_TRUE(refused(NumberType::I32, "--1"));
}

TEST(PtxNumbers, TakeHexadecimalAsBits)
{
    EXPECT_EQ(bitsOf(NumberType::I8, "0xff"), 0xffU);
    EXPECT_EQ(bitsOf(NumberType::I8, "-0x80"), 0x80U);
    EXPECT_EQ(bitsOf(NumberType::I16, "-1"), 0xffffU);
    EXPECT_EQ(bitsOf(NumberType::U64, "0xffffffffffffffff"), ~std::uint64_t { 0 });
    EXPECT_EQ(bitsOf(NumberType::I64, "-9223372036854775808"), std::uint64_t { 1 } << 63U);
}

TEST(PtxArguments, KeepColonsInFileNames)
{
    const Result<PtxArgument> in = parsePtxArgument("in:a:b.npy");
    ASSERT_TRUE(in.ok());
    EXPECT_EQ(in->in, "a:b.npy");
    const Result<PtxArgument> both = parsePtxArgument("inout:a:b.npy:c.npy");
    ASSERT_TRUE(both.ok());
    EXPECT_EQ(both->in, "a:b.npy");
    EXPECT_EQ(both->out, "c.npy");
    const Result<PtxArgument> out = parsePtxArgument("out:bf16:2x3x4:o:1.npy");
    ASSERT_TRUE(out.ok());
    EXPECT_EQ(out->out, "o:1.npy");
    EXPECT_EQ(out->shape, (std::vector<std::uint64_t> { 2, 3, 4 }));
}

TEST(PtxArguments, LieInTheParametersAsTheKernelDeclaresThem)
{
    ptx::Function kernel;
    kernel.parameters.resize(3);
    kernel.parameters[0] = { "p", ptx::Type::U64, 8, 8, 0, true };
    kernel.parameters[1] = { "n", ptx::Type::U32, 4, 4, 8, false };
    kernel.parameters[2] = { "x", ptx::Type::U8, 1, 1, 12, false };
    kernel.parameterBytes = 13;
    std::vector<PtxArgument> arguments;
    for (const char* text : { "out:f32:5:o.npy", "i32:-2", "u8:7" })
        arguments.push_back(*parsePtxArgument(text));
    ASSERT_TRUE(checkArguments(kernel, arguments).ok());
    ptx::GlobalMemory memory;
    const std::vector<std::byte> bytes = placeArguments(kernel, arguments, memory);
    ASSERT_EQ(bytes.size(), 13U);
    std::uint64_t address = 0;
    std::memcpy(&address, bytes.data(), 8);
    EXPECT_EQ(address % 256, 0U);
    EXPECT_EQ(address, arguments[0].address);
    EXPECT_EQ(memory.find(address, 20), 0U);
    EXPECT_EQ(memory.find(address, 21), ptx::none);
    EXPECT_EQ(static_cast<int>(bytes[8]), 0xfe);
    EXPECT_EQ(static_cast<int>(bytes[11]), 0xff);
    EXPECT_EQ(static_cast<int>(bytes[12]), 7);
}

TEST(PtxDimensions, AreOneToThree)
{
    EXPECT_EQ(*parseDimensions("--grid", "5"), (std::array<std::uint32_t, 3> { 5, 1, 1 }));
    EXPECT_EQ(*parseDimensions("--grid", "5,6,7"), (std::array<std::uint32_t, 3> { 5, 6, 7 }));
    for (const char* text : { "", "0", "1,", ",1", "1,2,3,4", "-1", "4294967296", "1 2" })
        EXPECT_FALSE(parseDimensions("--grid", text).ok()) << text;
}

} // namespace
} // namespace flashstep::test
