// SPDX-License-Identifier: Apache-2.0
#include "core/io/ptx_numbers.h"

#include "core/ptx/half.h"
#include "core/tensor/dtype.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace flashstep {

namespace {

struct Row {
    NumberType type;
    std::string_view name, kind;
    std::size_t bytes;
    enum class Sort : std::uint8_t { Float, Unsigned, Signed } sort;
};
using Sort = Row::Sort;
constexpr std::array rows { Row { NumberType::F32, "f32", "<f4", 4, Sort::Float },
    Row { NumberType::F16, "f16", "<f2", 2, Sort::Float }, Row { NumberType::Bf16, "bf16", "<u2", 2, Sort::Float },
    Row { NumberType::F64, "f64", "<f8", 8, Sort::Float }, Row { NumberType::E4m3, "e4m3", "|u1", 1, Sort::Float },
    Row { NumberType::U8, "u8", "|u1", 1, Sort::Unsigned }, Row { NumberType::I8, "i8", "|i1", 1, Sort::Signed },
    Row { NumberType::U16, "u16", "<u2", 2, Sort::Unsigned }, Row { NumberType::I16, "i16", "<i2", 2, Sort::Signed },
    Row { NumberType::U32, "u32", "<u4", 4, Sort::Unsigned }, Row { NumberType::I32, "i32", "<i4", 4, Sort::Signed },
    Row { NumberType::U64, "u64", "<u8", 8, Sort::Unsigned }, Row { NumberType::I64, "i64", "<i8", 8, Sort::Signed } };

const Row& rowOf(NumberType type)
{
    return rows.at(static_cast<std::size_t>(type));
}

struct Whole {
    bool negative = false, hex = false;
    std::uint64_t size = 0;
};
std::optional<Whole> wholeFrom(std::string_view text)
{
    Whole whole;
    whole.negative = text.starts_with('-');
    if (whole.negative || text.starts_with('+'))
        text.remove_prefix(1);
    whole.hex = text.starts_with("0x") || text.starts_with("0X");
    if (whole.hex)
        text.remove_prefix(2);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), whole.size, whole.hex ? 16 : 10);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
        return std::nullopt;
    return whole;
}

// Hexadecimal digits are bits: i32:0xffffffff is -1.
Result<std::uint64_t> integerBits(const Row& row, std::string_view text, const std::string& where)
{
    const auto width = static_cast<unsigned>(8 * row.bytes);
    const std::uint64_t all = width == 64 ? ~std::uint64_t { 0 } : (std::uint64_t { 1 } << width) - 1;
    const std::uint64_t half = all / 2;
    const std::optional<Whole> whole = wholeFrom(text);
    const bool isSigned = row.sort == Sort::Signed;
    const std::uint64_t most = isSigned && !(whole && whole->hex && !whole->negative) ? half : all;
    const bool fits
        = whole && (whole->negative ? (isSigned ? whole->size <= half + 1 : whole->size == 0) : whole->size <= most);
    if (!fits)
        return Error { fmt::format("'{}' is no {}", text, row.name), where,
            isSigned ? fmt::format("-{} … {}, or its bits after 0x", half + 1, half)
                     : fmt::format("0 … {}, also after 0x", all) };
    return (whole->negative ? 0 - whole->size : whole->size) & all;
}

// The nearest number of the type.
std::uint64_t roundedBits(NumberType type, double value)
{
    const float odd = ptx::toOdd(value); // so that rounding a second time gives what rounding once would
    switch (type) {
    case NumberType::F64:
        return std::bit_cast<std::uint64_t>(value);
    case NumberType::F32:
        return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    case NumberType::F16:
        return ptx::Fp16::encode(odd);
    case NumberType::Bf16:
        return ptx::Bf16::encode(odd);
    default:
        return bitsOf(DType::E4m3, roundTo(DType::E4m3, odd));
    }
}

double valueOf(NumberType type, std::uint64_t bits)
{
    switch (type) {
    case NumberType::F64:
        return std::bit_cast<double>(bits);
    case NumberType::F32:
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case NumberType::F16:
        return static_cast<double>(ptx::Fp16::decode(static_cast<std::uint16_t>(bits)));
    case NumberType::Bf16:
        return static_cast<double>(ptx::Bf16::decode(static_cast<std::uint16_t>(bits)));
    default:
        return static_cast<double>(fromBits(DType::E4m3, static_cast<std::uint32_t>(bits)));
    }
}

Result<std::uint64_t> floatBits(const Row& row, std::string_view text, const std::string& where)
{
    const Error bad { fmt::format("'{}' is no {}", text, row.name), where,
        "a number it can hold, as in 0.5, -1e-3, inf, -inf or nan" };
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
        return bad;
    if (std::isnan(value) && row.type == NumberType::F32)
        return std::uint64_t { 0x7fffffff }; // as PTX writes it
    const std::uint64_t bits = roundedBits(row.type, value);
    const double back = valueOf(row.type, bits);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double most = row.type == NumberType::E4m3 ? 464 : infinity; // what is larger does not round to 448
    const bool lost = std::isfinite(value) ? !std::isfinite(back) || std::fabs(value) > most
                                           : std::isinf(value) && !std::isinf(back);
    if (lost)
        return bad;
    return bits;
}

} // namespace

std::string_view name(NumberType type)
{
    return rowOf(type).name;
}

std::string_view npyKind(NumberType type)
{
    return rowOf(type).kind;
}

std::size_t bytesOf(NumberType type)
{
    return rowOf(type).bytes;
}

std::optional<NumberType> numberTypeFromName(std::string_view text)
{
    for (const Row& row : rows)
        if (row.name == text)
            return row.type;
    return std::nullopt;
}

const std::string& numberTypeNames()
{
    static const std::string names = [] {
        std::string text;
        for (const Row& row : rows)
            text += (text.empty() ? "" : " ") + std::string(row.name);
        return text;
    }();
    return names;
}

Result<std::uint64_t> parseNumber(NumberType type, std::string_view text, const std::string& where)
{
    const Row& row = rowOf(type);
    return row.sort == Sort::Float ? floatBits(row, text, where) : integerBits(row, text, where);
}

} // namespace flashstep
