// SPDX-License-Identifier: Apache-2.0
// Archives of tensors: what can be read, and what is refused before memory is taken for it.
#include "core/io/npz.h"
#include "tests/support/temporary.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>

namespace flashstep::test {
namespace {

// An archive as somebody else would write it.
std::string archive(const TemporaryDirectory& directory, const std::string& name,
    const std::vector<std::pair<std::string, std::string>>& members, int method = ZIP_CM_DEFLATE)
{
    const std::string path = directory.path(name);
    int error = 0;
    zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
    for (const auto& [member, bytes] : members) {
        zip_source_t* const source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
        const zip_int64_t index = zip_file_add(zip, member.c_str(), source, 0);
        EXPECT_EQ(zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), method, 0), 0);
    }
    EXPECT_EQ(zip_close(zip), 0);
    return path;
}

std::string npy(const std::string& shape, const std::vector<float>& values)
{
    std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    dict.append(128 - 10 - dict.size() - 1, ' ');
    dict += '\n';
    std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(dict.size()) + '\0' + dict;
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return bytes;
}

const std::string four = npy("(1, 1, 1, 4)", { 1, 2, 3, 4 });
const std::string two = npy("(1, 1, 2, 1)", { 5, 6 });

std::string errorOfReading(const std::string& path, const std::string& member = "q")
{
    const Result<NpyTensor> read = readNpz(path, member);
    EXPECT_FALSE(read.ok());
    if (read.ok())
        return "";
    EXPECT_EQ(read.error().line().find('\n'), std::string::npos);
    return read.error().line();
}

TEST(Npz, TakesTheArrayOfTheName)
{
    const TemporaryDirectory directory;
    for (const int method : { ZIP_CM_STORE, ZIP_CM_DEFLATE }) {
        const std::string path = archive(directory, "all.npz", { { "q.npy", four }, { "k.npy", two } }, method);
        EXPECT_TRUE(isNpz(path));
        EXPECT_EQ(readNpz(path, "q")->tensor.data, (std::vector<float> { 1, 2, 3, 4 }));
        EXPECT_EQ(readNpz(path, "k")->tensor.data, (std::vector<float> { 5, 6 }));
        EXPECT_NE(errorOfReading(path, "v").find("it has q, k"), std::string::npos);
    }
}

TEST(Npz, TakesTheOnlyArrayThereIs)
{
    const TemporaryDirectory directory;
    const std::string path = archive(directory, "one.npz", { { "arr_0.npy", four }, { "notes.txt", "hello" } });
    EXPECT_EQ(readNpz(path, "v")->tensor.data.size(), 4U);
    EXPECT_NE(errorOfReading(archive(directory, "none.npz", { { "a.txt", "b" } })).find("no array"), std::string::npos);
}

TEST(Npz, RefusesWhatIsNoTensor)
{
    const TemporaryDirectory directory;
    const auto said = [&](const std::string& bytes) {
        return errorOfReading(archive(directory, "bad.npz", { { "q.npy", bytes } }));
    };
    EXPECT_NE(said("").find("not a .npy file"), std::string::npos);
    EXPECT_NE(said("hello, hello, hello").find("not a .npy file"), std::string::npos);
    EXPECT_NE(said(four.substr(0, 60)).find("header is damaged"), std::string::npos);
    EXPECT_NE(said(four.substr(0, four.size() - 2)).find("cut short"), std::string::npos);
    EXPECT_NE(said(four + "x").find("behind its data"), std::string::npos);
    EXPECT_NE(said(npy("(1, 1, 4)", { 1, 2, 3, 4 })).find("rank 4"), std::string::npos);
    EXPECT_NE(said(npy("(1, 1, 1073741824, 1024)", { 1 })).find("cut short"), std::string::npos);
}

TEST(Npz, RefusesWhatIsNoArchive)
{
    const TemporaryDirectory directory;
    EXPECT_FALSE(isNpz(directory.write("text", "not an archive")));
    EXPECT_FALSE(isNpz(directory.path("absent")));
    EXPECT_NE(errorOfReading(directory.path("absent")).find("no such file"), std::string::npos);
    EXPECT_NE(errorOfReading(directory.write("text", "not an archive")).find(".npz"), std::string::npos);
    const std::string whole = bytesOfFile(archive(directory, "whole.npz", { { "q.npy", four } }));
    for (std::size_t size = 4; size < whole.size(); size += 7)
        EXPECT_FALSE(readNpz(directory.write("cut.npz", whole.substr(0, size)), "q").ok()) << size;
}

// Every byte of an archive changed in turn: an error or a tensor of the same size, never anything worse.
TEST(Npz, SurvivesDamage)
{
    const TemporaryDirectory directory;
    const std::string whole = bytesOfFile(archive(directory, "whole.npz", { { "q.npy", four } }));
    std::size_t refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x15);
        const Result<NpyTensor> read = readNpz(directory.write("damaged.npz", damaged), "q");
        refused += read.ok() ? 0 : 1;
        if (read.ok()) {
            EXPECT_EQ(read->tensor.data.size(), 4U);
        }
    }
    EXPECT_GT(refused, whole.size() / 2);
}

// The directory says 3 GiB, and the header agrees: no memory is taken, since so few bytes cannot hold that much.
TEST(Npz, RefusesSizesThatCannotBe)
{
    const TemporaryDirectory directory;
    const std::string claim = npy("(1, 1, 805306368, 1)", {});
    std::string bytes = bytesOfFile(archive(directory, "bomb.npz", { { "q.npy", claim } }, ZIP_CM_STORE));
    const auto patch = [&](std::size_t at) {
        const std::uint32_t size = 128U + 3U * (1U << 30U);
        std::memcpy(bytes.data() + at, &size, sizeof size);
    };
    patch(22); // of the local header
    patch(bytes.find("PK\x01\x02") + 24); // of the directory
    const std::string said = errorOfReading(directory.write("bomb.npz", bytes));
    EXPECT_TRUE(said.find("cannot") != std::string::npos || said.find(".npz") != std::string::npos) << said;
}

TEST(Npz, WritesWhatOthersRead)
{
    const TemporaryDirectory directory;
    const std::vector<NpzMember> members { { "q.npy", four.size() }, { "k.npy", two.size() } };
    const auto bytesOf = [&](std::size_t k) { return k == 0 ? four : two; };
    ASSERT_TRUE(writeZip(directory.path("a.npz"), members, bytesOf, {}).ok());
    ASSERT_TRUE(writeZip(directory.path("b.npz"), members, bytesOf, {}).ok());
    EXPECT_EQ(bytesOfFile(directory.path("a.npz")), bytesOfFile(directory.path("b.npz")));
    int error = 0;
    zip_t* const zip = zip_open(directory.path("a.npz").c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error);
    ASSERT_NE(zip, nullptr);
    zip_stat_t stat;
    ASSERT_EQ(zip_stat_index(zip, 1, 0, &stat), 0);
    EXPECT_STREQ(stat.name, "k.npy");
    EXPECT_EQ(stat.size, two.size());
    zip_discard(zip);
}

} // namespace
} // namespace flashstep::test
