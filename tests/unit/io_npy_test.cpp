// SPDX-License-Identifier: Apache-2.0
#include "core/io/npy.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace flashstep::test {
namespace {

std::string header(const std::string& dict, int version = 1)
{
    std::string text = dict;
    const std::size_t prefix = version == 1 ? 10 : 12;
    text.append((prefix + dict.size() + 1 + 63) / 64 * 64 - prefix - dict.size() - 1, ' ');
    text += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(version);
    bytes += '\0';
    for (std::size_t k = 0; k < prefix - 8; ++k)
        bytes += static_cast<char>((text.size() >> (8 * k)) & 0xffU);
    return bytes + text;
}

std::string dict(const std::string& descr, const std::string& shape, const std::string& fortran = "False")
{
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

template <typename T> std::string data(const std::vector<T>& values)
{
    std::string bytes(values.size() * sizeof(T), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

TEST(Npy, ReadsEachNumberFormatAndHeaderVersion)
{
    const TemporaryDirectory directory;
    const auto read = [&](const std::string& bytes) {
        const Result<NpyTensor> npy = readNpy(directory.write("x.npy", bytes));
        EXPECT_TRUE(npy.ok()) << npy.error().line();
        return npy->tensor;
    };
    const std::vector<float> expected { 1, -2, 0.5F, 65504 };
    EXPECT_EQ(read(header(dict("<f2", "(1, 1, 2, 2)")) + data<std::uint16_t>({ 0x3c00, 0xc000, 0x3800, 0x7bff })).data,
        expected);
    EXPECT_EQ(read(header(dict("<f4", "(1, 2, 1, 2)"), 2) + data<float>({ 1, -2, 0.5F, 65504 })).data, expected);
    const Tensor wide
        = read(header("{'shape':(2,1,1,2),'fortran_order':False,'descr':'<f8'}") + data<double>({ 1, -2, 0.5, 65504 }));
    EXPECT_EQ(wide.data, expected);
    EXPECT_EQ(wide.batch, 2);
    EXPECT_EQ(wide.dim, 2);
}

TEST(Npy, CountsWhatIsNotFinite)
{
    const TemporaryDirectory directory;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    const Result<NpyTensor> npy
        = readNpy(directory.write("k.npy", header(dict("<f4", "(1, 1, 1, 4)")) + data<float>({ nan, inf, -inf, 1 })));
    ASSERT_TRUE(npy.ok());
    EXPECT_EQ(npy->note("k.npy"), "k.npy holds 1 NaN and 2 infinities");
    EXPECT_TRUE(NpyTensor {}.note("k.npy").empty());
}

TEST(Npy, WritesWhatItReads)
{
    const TemporaryDirectory directory;
    Tensor tensor(1, 2, 3, 4);
    for (std::size_t k = 0; k < tensor.data.size(); ++k)
        tensor.data[k] = static_cast<float>(k) / 7;
    ASSERT_TRUE(writeNpy(directory.path("a.npy"), tensor).ok());
    const Result<NpyTensor> back = readNpy(directory.path("a.npy"));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->tensor.data, tensor.data);
    EXPECT_EQ(back->tensor.heads, 2);
    EXPECT_EQ(bytesOfFile(directory.path("a.npy")).substr(0, 128).back(), '\n');
}

TEST(Npy, WritesRowStatisticsWithRankThree)
{
    const TemporaryDirectory directory;
    ASSERT_TRUE(writeNpy(directory.path("lse.npy"), Tensor(1, 2, 3, 1), 3).ok());
    EXPECT_NE(bytesOfFile(directory.path("lse.npy")).find("'shape': (1, 2, 3), }"), std::string::npos);
}

TEST(Npy, LeavesNothingBehindWhereItCannotWrite)
{
    const TemporaryDirectory directory;
    EXPECT_FALSE(writeNpy(directory.path("no/such/directory/a.npy"), Tensor(1, 1, 1, 1)).ok());
    std::filesystem::create_directory(directory.path("d"));
    EXPECT_FALSE(writeNpy(directory.path("d"), Tensor(1, 1, 1, 1)).ok());
    EXPECT_EQ(directory.files(), 1U);
}

struct BadFile {
    const char* name;
    std::string bytes;
    const char* says;
};

void PrintTo(const BadFile& input, std::ostream* out)
{
    *out << input.name;
}

class BadNpy : public testing::TestWithParam<BadFile> { };

TEST_P(BadNpy, IsOneClearError)
{
    const TemporaryDirectory directory;
    const Result<NpyTensor> npy = readNpy(directory.write("q.npy", GetParam().bytes));
    ASSERT_FALSE(npy.ok());
    EXPECT_NE(npy.error().line().find(GetParam().says), std::string::npos) << npy.error().line();
    EXPECT_NE(npy.error().line().find("q.npy"), std::string::npos);
    EXPECT_EQ(npy.error().line().find('\n'), std::string::npos);
}

const std::string four = data<float>({ 1, 2, 3, 4 });
const std::string oneRow = "(1, 1, 1, 4)";

INSTANTIATE_TEST_SUITE_P(Files, BadNpy,
    testing::Values(BadFile { "Empty", "", "not a .npy file" },
        BadFile { "WrongMagic", "\x94NUMPY" + header(dict("<f4", oneRow)).substr(6) + four, "not a .npy file" },
        BadFile { "UnknownVersion", header(dict("<f4", oneRow), 1).replace(6, 1, "\x09") + four, "version 9" },
        BadFile { "HeaderCutShort", header(dict("<f4", oneRow)).substr(0, 40), "header is damaged" },
        BadFile { "HeaderLengthAbsurd", std::string("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12), "header is damaged" },
        BadFile {
            "HeaderWithoutShape", header("{'descr': '<f4', 'fortran_order': False, }") + four, "header is damaged" },
        BadFile { "HeaderNoDict", header("hello") + four, "header is damaged" },
        BadFile { "HeaderNegativeAxis", header(dict("<f4", "(1, 1, -1, 4)")) + four, "header is damaged" },
        BadFile { "Integers", header(dict("<i4", oneRow)) + four, "'<i4'" },
        BadFile { "BigEndian", header(dict(">f4", oneRow)) + four, "'>f4'" },
        BadFile { "FortranOrder", header(dict("<f4", oneRow, "True")) + four, "Fortran order" },
        BadFile { "RankThree", header(dict("<f4", "(1, 1, 4)")) + four, "(1, 1, 4)" },
        BadFile { "RankZero", header(dict("<f4", "()")) + four, "rank 4" },
        BadFile { "EmptyAxis", header(dict("<f4", "(1, 1, 0, 4)")), "(1, 1, 0, 4)" },
        BadFile { "CutShort", header(dict("<f4", oneRow)) + four.substr(1), "cut short" },
        BadFile { "TooLong", header(dict("<f4", oneRow)) + four + "x", "behind its data" },
        BadFile { "AbsurdSize", header(dict("<f4", "(1073741824, 1073741824, 1073741824, 1073741824)")) + four,
            "its shape is" },
        BadFile { "LargeSizeNotThere", header(dict("<f4", "(1, 1, 1073741824, 1024)")) + four, "cut short" }),
    [](const testing::TestParamInfo<BadFile>& file) { return std::string(file.param.name); });

TEST(Npy, NamesAFileThatIsNotThere)
{
    const TemporaryDirectory directory;
    EXPECT_NE(readNpy(directory.path("none.npy")).error().line().find("no such file"), std::string::npos);
    EXPECT_NE(readNpy(directory.path()).error().line().find("directory"), std::string::npos);
}

} // namespace
} // namespace flashstep::test
