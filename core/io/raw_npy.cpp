// SPDX-License-Identifier: Apache-2.0
#include "core/io/raw_npy.h"

#include "core/io/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace flashstep {

namespace {

constexpr std::uint64_t mostElements = std::uint64_t { 1 } << 48U;

constexpr std::array<std::string_view, 14> kinds { "<f2", "<f4", "<f8", "|u1", "|i1", "|b1", "<u2", "<i2", "<u4", "<i4",
    "<u8", "<i8", "<c8", "<c16" };

// 0: not a kind that is taken.
std::uint64_t sizeOfKind(const std::string& descr)
{
    if (std::find(kinds.begin(), kinds.end(), descr) == kinds.end())
        return 0;
    return descr == "<c16" ? 16 : static_cast<std::uint64_t>(descr[2] - '0');
}

// Bytes of data, after every check that needs none of them.
Result<std::uint64_t> checkedBytes(const NpyHeader& header, std::uint64_t size, const std::string& path)
{
    const std::uint64_t each = sizeOfKind(header.descr);
    if (each == 0)
        return Error { "its numbers are '" + header.descr + "'", path,
            "little-endian f2 f4 f8, u1 u2 u4 u8, i1 i2 i4 i8 or b1" };
    if (header.fortran && header.shape.size() > 1)
        return Error { "it is in Fortran order", path, "C order: numpy.ascontiguousarray" };
    const Result<std::uint64_t> count = elementsOf(header.shape, path);
    if (!count)
        return count.error();
    const std::uint64_t bytes = *count * each;
    const std::uint64_t there = size - std::min(size, header.dataOffset);
    if (there < bytes)
        return Error { fmt::format("it is cut short: {} bytes of data for shape {}", there, npyShapeText(header.shape)),
            path, fmt::format("{} bytes", bytes) };
    if (there > bytes)
        return Error { fmt::format("it goes on for {} bytes behind its data", there - bytes), path, "" };
    if (const std::uint64_t memory = physicalMemory(); memory != 0 && bytes > memory / 2)
        return Error { "it needs " + bytesInWords(static_cast<double>(bytes)) + " of memory", path,
            "this computer has " + bytesInWords(static_cast<double>(memory)) };
    return bytes;
}

} // namespace

Result<std::uint64_t> elementsOf(const std::vector<std::uint64_t>& shape, const std::string& where)
{
    std::uint64_t count = 1;
    for (const std::uint64_t axis : shape) {
        if (axis > mostElements || (axis != 0 && count > mostElements / axis))
            return Error { "its shape is " + npyShapeText(shape), where, "at most 2^48 elements" };
        count *= axis;
    }
    return count;
}

Result<RawArray> readRawNpy(const ByteReader& read, std::uint64_t size, const std::string& where)
{
    const Result<NpyHeader> header = readNpyHeader(read, where);
    if (!header)
        return header.error();
    const Result<std::uint64_t> bytes = checkedBytes(*header, size, where);
    if (!bytes)
        return bytes.error();
    RawArray array { header->descr, header->shape, std::vector<std::byte>(*bytes) };
    if (read(reinterpret_cast<char*>(array.bytes.data()), *bytes) != *bytes)
        return Error { "cannot read its data", where, "" };
    return array;
}

Result<RawArray> readRawNpy(const std::string& path)
{
    const Result<std::uint64_t> size = fileSize(path);
    if (!size)
        return size.error();
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        return Error { "cannot be read", path, "" };
    return readRawNpy(
        [&](char* to, std::size_t count) {
            stream.read(to, static_cast<std::streamsize>(count));
            return static_cast<std::size_t>(stream.gcount());
        },
        *size, path);
}

Status writeRawNpy(const std::string& path, const RawArray& array)
{
    return writeFileAtomically(path, [&](std::ostream& stream) -> Status {
        stream << npyHeaderText(array.descr, array.shape);
        stream.write(
            reinterpret_cast<const char*>(array.bytes.data()), static_cast<std::streamsize>(array.bytes.size()));
        return Nothing {};
    });
}

} // namespace flashstep
