// SPDX-License-Identifier: Apache-2.0
#include "core/io/npy.h"

#include "core/io/files.h"
#include "core/tensor/dtype.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

namespace flashstep {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and so is every target");

namespace {

constexpr std::uint64_t longestAxis = 1U << 30U;

Error bad(const std::string& path, std::string what, std::string hint)
{
    return Error { std::move(what), path, std::move(hint) };
}

// Elements, after every check that needs no data: so nothing is allocated for a size the file does not hold.
Result<std::uint64_t> checkedCount(const NpyHeader& header, std::uint64_t size, const std::string& path)
{
    if (header.descr != "<f2" && header.descr != "<f4" && header.descr != "<f8")
        return bad(path, "its numbers are '" + header.descr + "'", "little-endian '<f2', '<f4' or '<f8'");
    if (header.shape.size() != 4)
        return bad(path, "its shape is " + npyShapeText(header.shape), "rank 4: (batch, heads, seqlen, dim)");
    if (header.fortran)
        return bad(path, "it is in Fortran order", "C order: numpy.ascontiguousarray");
    std::uint64_t count = 1;
    for (const std::uint64_t axis : header.shape) {
        if (axis == 0 || axis > longestAxis || count > std::numeric_limits<std::uint64_t>::max() / 16 / axis)
            return bad(path, "its shape is " + npyShapeText(header.shape),
                "each axis from 1 to 2^30, and together what fits in memory");
        count *= axis;
    }
    const std::uint64_t bytes = count * static_cast<std::uint64_t>(header.descr[2] - '0');
    if (size < header.dataOffset || size - header.dataOffset < bytes)
        return bad(path,
            fmt::format("it is cut short: {} bytes of data for shape {}", size - std::min(size, header.dataOffset),
                npyShapeText(header.shape)),
            fmt::format("{} bytes", bytes));
    if (size - header.dataOffset > bytes)
        return bad(path, fmt::format("it goes on for {} bytes behind its data", size - header.dataOffset - bytes), "");
    if (const std::uint64_t memory = physicalMemory(); memory != 0 && count > memory / 4)
        return bad(path, fmt::format("it needs {} of memory", bytesInWords(4.0 * static_cast<double>(count))),
            "this computer has " + bytesInWords(static_cast<double>(memory)));
    return count;
}

float decode(const char* bytes, int size)
{
    if (size == 2) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, bytes, sizeof bits);
        return fromBits(DType::Fp16, bits);
    }
    if (size == 4) {
        float value = 0;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }
    double value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<float>(value);
}

bool readData(const ByteReader& read, int size, NpyTensor& out)
{
    std::vector<char> buffer(1U << 18U);
    std::vector<float>& data = out.tensor.data;
    const std::size_t atOnce = buffer.size() / static_cast<std::size_t>(size);
    for (std::size_t done = 0; done < data.size();) {
        const std::size_t count = std::min(atOnce, data.size() - done);
        if (const std::size_t bytes = count * static_cast<std::size_t>(size); read(buffer.data(), bytes) != bytes)
            return false;
        for (std::size_t k = 0; k < count; ++k) {
            const float value = decode(buffer.data() + k * static_cast<std::size_t>(size), size);
            out.nans += std::isnan(value) ? 1 : 0;
            out.infinities += std::isinf(value) ? 1 : 0;
            data[done + k] = value;
        }
        done += count;
    }
    return true;
}

} // namespace

std::string NpyTensor::note(const std::string& file) const
{
    std::string what;
    if (nans != 0)
        what = fmt::format("{} NaN", nans);
    if (infinities != 0)
        what += fmt::format(
            "{}{} {}", what.empty() ? "" : " and ", infinities, infinities == 1 ? "infinity" : "infinities");
    return what.empty() ? what : file + " holds " + what;
}

Result<NpyTensor> readNpy(const ByteReader& read, std::uint64_t size, const std::string& where)
{
    const Result<NpyHeader> header = readNpyHeader(read, where);
    if (!header)
        return header.error();
    if (const Result<std::uint64_t> count = checkedCount(*header, size, where); !count)
        return count.error();
    const auto axis = [&](std::size_t k) { return static_cast<int>(header->shape[k]); };
    NpyTensor out;
    out.tensor = Tensor(axis(0), axis(1), axis(2), axis(3));
    if (!readData(read, header->descr[2] - '0', out))
        return bad(where, "cannot read its data", "");
    return out;
}

Result<NpyTensor> readNpy(const std::string& path)
{
    const Result<std::uint64_t> size = fileSize(path);
    if (!size)
        return size.error();
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        return bad(path, "cannot be read", "");
    return readNpy(
        [&](char* to, std::size_t count) {
            stream.read(to, static_cast<std::streamsize>(count));
            return static_cast<std::size_t>(stream.gcount());
        },
        *size, path);
}

std::string npyHeader(std::span<const int> shape)
{
    return npyHeaderText("<f4", { shape.begin(), shape.end() });
}

Status writeNpy(const std::string& path, const Tensor& tensor, int rank)
{
    return writeFileAtomically(path, [&](std::ostream& stream) -> Status {
        const std::array shape { tensor.batch, tensor.heads, tensor.seqlen, tensor.dim };
        stream << npyHeader(std::span(shape).first(static_cast<std::size_t>(rank)));
        stream.write(reinterpret_cast<const char*>(tensor.data.data()),
            static_cast<std::streamsize>(tensor.data.size() * sizeof(float)));
        return Nothing {};
    });
}

} // namespace flashstep
