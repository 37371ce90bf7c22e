// SPDX-License-Identifier: Apache-2.0
#include "core/io/npy.h"

#include "core/io/files.h"
#include "core/tensor/dtype.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace flashstep {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and so is every target");

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longestHeader = 65536;
constexpr std::uint64_t longestAxis = 1U << 30U;

struct Header {
    std::string descr;
    bool fortran = false;
    std::vector<std::uint64_t> shape;
    std::uint64_t dataOffset = 0;
};

Error bad(const std::string& path, std::string what, std::string hint)
{
    return Error { std::move(what), path, std::move(hint) };
}

// The little of Python's literals that a header uses: a dict of string, bool and tuple of integers.
class Literal {
public:
    explicit Literal(std::string_view text)
        : m_text(text)
    {
    }

    bool take(char c)
    {
        skipSpace();
        if (m_text.empty() || m_text.front() != c)
            return false;
        m_text.remove_prefix(1);
        return true;
    }
    bool takeWord(std::string_view word)
    {
        skipSpace();
        if (m_text.substr(0, word.size()) != word)
            return false;
        m_text.remove_prefix(word.size());
        return true;
    }
    std::optional<std::string> string()
    {
        skipSpace();
        if (m_text.empty() || (m_text.front() != '\'' && m_text.front() != '"'))
            return std::nullopt;
        const std::size_t end = m_text.find(m_text.front(), 1);
        if (end == std::string_view::npos)
            return std::nullopt;
        std::string value(m_text.substr(1, end - 1));
        m_text.remove_prefix(end + 1);
        return value;
    }
    std::optional<std::vector<std::uint64_t>> tuple()
    {
        std::vector<std::uint64_t> values;
        if (!take('('))
            return std::nullopt;
        while (!take(')')) {
            const std::optional<std::uint64_t> value = number();
            if (!value)
                return std::nullopt;
            values.push_back(*value);
            if (!take(',')) {
                if (!take(')'))
                    return std::nullopt;
                break;
            }
        }
        return values;
    }

private:
    void skipSpace()
    {
        while (!m_text.empty() && std::isspace(static_cast<unsigned char>(m_text.front())) != 0)
            m_text.remove_prefix(1);
    }
    std::optional<std::uint64_t> number()
    {
        skipSpace();
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(m_text.data(), m_text.data() + m_text.size(), value);
        if (error != std::errc())
            return std::nullopt;
        m_text.remove_prefix(static_cast<std::size_t>(end - m_text.data()));
        takeWord("L"); // written by Python 2
        return value;
    }

    std::string_view m_text;
};

bool parseEntry(Literal& literal, Header& header)
{
    const std::optional<std::string> key = literal.string();
    if (!key || !literal.take(':'))
        return false;
    if (*key == "descr") {
        const std::optional<std::string> descr = literal.string();
        header.descr = descr.value_or("");
        return descr.has_value();
    }
    if (*key == "fortran_order") {
        header.fortran = literal.takeWord("True");
        return header.fortran || literal.takeWord("False");
    }
    if (*key == "shape") {
        const auto shape = literal.tuple();
        header.shape = shape.value_or(std::vector<std::uint64_t> {});
        return shape.has_value();
    }
    return false;
}

bool parseDict(std::string_view text, Header& header)
{
    Literal literal(text);
    if (!literal.take('{'))
        return false;
    int entries = 0;
    while (!literal.take('}')) {
        if (++entries > 3 || !parseEntry(literal, header))
            return false;
        if (!literal.take(',')) {
            if (!literal.take('}'))
                return false;
            break;
        }
    }
    return entries == 3 && !header.descr.empty();
}

Result<Header> readHeader(const ByteReader& read, const std::string& path)
{
    std::array<char, 8> start {};
    if (read(start.data(), start.size()) < start.size() || std::string_view(start.data(), 6) != magic)
        return bad(path, "not a .npy file", "it has to begin with the bytes \\x93NUMPY");
    const int version = static_cast<unsigned char>(start[6]);
    if (version < 1 || version > 3)
        return bad(path, fmt::format(".npy version {} is not known", version), "1, 2 or 3");
    std::array<unsigned char, 4> lengthBytes {};
    const std::size_t lengthSize = version == 1 ? 2 : 4;
    const bool known = read(reinterpret_cast<char*>(lengthBytes.data()), lengthSize) == lengthSize;
    std::uint64_t length = 0;
    for (std::size_t k = 0; k < lengthSize; ++k)
        length |= static_cast<std::uint64_t>(lengthBytes[k]) << (8 * k);
    if (!known || length > longestHeader)
        return bad(path, "its header is damaged", "");
    std::string text(length, '\0');
    Header header;
    if (read(text.data(), text.size()) != text.size() || !parseDict(text, header))
        return bad(path, "its header is damaged", "it has to name descr, fortran_order and shape");
    header.dataOffset = 8 + lengthSize + length;
    return header;
}

std::string shapeText(const std::vector<std::uint64_t>& shape)
{
    std::string text = "(";
    for (const std::uint64_t axis : shape)
        text += (text.size() > 1 ? ", " : "") + std::to_string(axis);
    return text + (shape.size() == 1 ? ",)" : ")");
}

// Elements, after every check that needs no data: so nothing is allocated for a size the file does not hold.
Result<std::uint64_t> checkedCount(const Header& header, std::uint64_t size, const std::string& path)
{
    if (header.descr != "<f2" && header.descr != "<f4" && header.descr != "<f8")
        return bad(path, "its numbers are '" + header.descr + "'", "little-endian '<f2', '<f4' or '<f8'");
    if (header.shape.size() != 4)
        return bad(path, "its shape is " + shapeText(header.shape), "rank 4: (batch, heads, seqlen, dim)");
    if (header.fortran)
        return bad(path, "it is in Fortran order", "C order: numpy.ascontiguousarray");
    std::uint64_t count = 1;
    for (const std::uint64_t axis : header.shape) {
        if (axis == 0 || axis > longestAxis || count > std::numeric_limits<std::uint64_t>::max() / 16 / axis)
            return bad(path, "its shape is " + shapeText(header.shape),
                "each axis from 1 to 2^30, and together what fits in memory");
        count *= axis;
    }
    const std::uint64_t bytes = count * static_cast<std::uint64_t>(header.descr[2] - '0');
    if (size < header.dataOffset || size - header.dataOffset < bytes)
        return bad(path,
            fmt::format("it is cut short: {} bytes of data for shape {}", size - std::min(size, header.dataOffset),
                shapeText(header.shape)),
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
    const Result<Header> header = readHeader(read, where);
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
    std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (std::size_t k = 0; k < shape.size(); ++k)
        dict += (k == 0 ? "" : ", ") + std::to_string(shape[k]);
    dict += shape.size() == 1 ? ",), }" : "), }";
    // The data begin at a multiple of 64 bytes, behind magic, version, length and a newline.
    const std::size_t total = (10 + dict.size() + 1 + 63) / 64 * 64;
    dict.append(total - 10 - dict.size() - 1, ' ');
    dict += '\n';
    std::string text(magic);
    text += '\x01';
    text += '\x00';
    text += static_cast<char>(dict.size() & 0xffU);
    text += static_cast<char>(dict.size() >> 8U);
    return text + dict;
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
