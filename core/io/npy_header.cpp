// SPDX-License-Identifier: Apache-2.0
#include "core/io/npy_header.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

namespace flashstep {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longestHeader = 65536;

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

bool parseEntry(Literal& literal, NpyHeader& header)
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

bool parseDict(std::string_view text, NpyHeader& header)
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

} // namespace

Result<NpyHeader> readNpyHeader(const ByteReader& read, const std::string& path)
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
    NpyHeader header;
    if (read(text.data(), text.size()) != text.size() || !parseDict(text, header))
        return bad(path, "its header is damaged", "it has to name descr, fortran_order and shape");
    header.dataOffset = 8 + lengthSize + length;
    return header;
}

std::string npyShapeText(const std::vector<std::uint64_t>& shape)
{
    std::string text = "(";
    for (const std::uint64_t axis : shape)
        text += (text.size() > 1 ? ", " : "") + std::to_string(axis);
    return text + (shape.size() == 1 ? ",)" : ")");
}

std::string npyHeaderText(const std::string& descr, const std::vector<std::uint64_t>& shape)
{
    std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + npyShapeText(shape) + ", }";
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

} // namespace flashstep
