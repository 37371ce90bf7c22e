// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/dtype.h"

#include "core/base/wide.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace flashstep {

namespace {

constexpr std::uint32_t infinityBits = 0x7f800000u;

// A format as what it does to the bits of an fp32. Subnormals of the format are rounded by adding and taking away
// a number whose last place is the format's smallest step.
struct Rounding {
    int droppedBits; // of the fp32 mantissa
    int bias;
    std::uint32_t minNormal; // fp32 bits; 0 where fp32's own subnormals serve (bf16)
    float subnormalMagic;
    std::uint32_t maxFinite; // fp32 bits
    std::uint32_t overflow; // what a larger magnitude becomes
};
constexpr Rounding fp16 { 13, 15, 0x38800000u, 0.5f, 0x477fe000u, infinityBits };
constexpr Rounding bf16 { 16, 127, 0, 0, 0x7f7f0000u, infinityBits };
constexpr Rounding e4m3 { 20, 7, 0x3c800000u, 16384.0f, 0x43e00000u, 0x43e00000u };

FLASHSTEP_INLINE std::uint32_t maskOf(bool condition)
{
    return 0u - static_cast<std::uint32_t>(condition);
}

// Masks instead of branches: the loop below becomes vector code. NaN becomes the format's canonical NaN, all
// bits but the sign set, which is what the GPU's conversions write.
template <Rounding R> FLASHSTEP_INLINE std::uint32_t roundBits(std::uint32_t bits)
{
    constexpr std::uint32_t keep = ~0u << R.droppedBits;
    const std::uint32_t sign = bits & 0x80000000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    const std::uint32_t odd = (magnitude >> R.droppedBits) & 1u;
    std::uint32_t rounded = (magnitude + (~keep >> 1) + odd) & keep;
    const std::uint32_t over = maskOf(rounded > R.maxFinite);
    rounded = (rounded & ~over) | (R.overflow & over);
    if constexpr (R.minNormal != 0) {
        const float step = (std::bit_cast<float>(magnitude) + R.subnormalMagic) - R.subnormalMagic;
        const std::uint32_t subnormal = maskOf(magnitude < R.minNormal);
        rounded = (rounded & ~subnormal) | (std::bit_cast<std::uint32_t>(step) & subnormal);
    }
    const std::uint32_t isNan = maskOf(magnitude > infinityBits);
    return (0x7fffffffu & keep & isNan) | ((rounded | sign) & ~isNan);
}

template <Rounding R> FLASHSTEP_INLINE void roundAll(std::span<float> values)
{
    constexpr std::size_t block = 64; // a fixed count vectorises at -O2 too
    float* data = values.data();
    std::size_t i = 0;
    for (; i + block <= values.size(); i += block) {
        for (std::size_t j = 0; j < block; ++j)
            data[i + j] = std::bit_cast<float>(roundBits<R>(std::bit_cast<std::uint32_t>(data[i + j])));
    }
    for (; i < values.size(); ++i)
        data[i] = std::bit_cast<float>(roundBits<R>(std::bit_cast<std::uint32_t>(data[i])));
}

FLASHSTEP_WIDE void roundFp16(std::span<float> values)
{
    roundAll<fp16>(values);
}
FLASHSTEP_WIDE void roundBf16(std::span<float> values)
{
    roundAll<bf16>(values);
}
FLASHSTEP_WIDE void roundE4m3(std::span<float> values)
{
    roundAll<e4m3>(values);
}

// `bits` are of a value that the format holds.
template <Rounding R> std::uint32_t encode(std::uint32_t bits, int width)
{
    const int mantissaBits = 23 - R.droppedBits;
    const std::uint32_t sign = bits >> 31 << (width - 1);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    const std::uint32_t allOnes = (1u << (width - 1)) - 1;
    if (magnitude > infinityBits)
        return allOnes;
    if (magnitude == infinityBits)
        return sign | (allOnes >> mantissaBits << mantissaBits);
    if (magnitude < R.minNormal) {
        const float steps = std::bit_cast<float>(magnitude) / std::bit_cast<float>(R.minNormal);
        return sign | static_cast<std::uint32_t>(steps * static_cast<float>(1u << mantissaBits));
    }
    return sign | ((magnitude >> R.droppedBits) - (static_cast<std::uint32_t>(127 - R.bias) << mantissaBits));
}

template <Rounding R> float decode(std::uint32_t code, int width)
{
    const int mantissaBits = 23 - R.droppedBits;
    const std::uint32_t sign = (code >> (width - 1) & 1u) << 31;
    const std::uint32_t allOnes = (1u << (width - 1)) - 1;
    const std::uint32_t magnitude = code & allOnes;
    const std::uint32_t exponent = magnitude >> mantissaBits;
    const bool hasInfinity = R.overflow == infinityBits;
    std::uint32_t bits = 0;
    if (hasInfinity ? exponent == allOnes >> mantissaBits : magnitude == allOnes)
        bits = hasInfinity ? infinityBits | magnitude << R.droppedBits : 0x7fffffffu >> R.droppedBits << R.droppedBits;
    else if (exponent == 0 && R.minNormal != 0)
        bits = std::bit_cast<std::uint32_t>(
            static_cast<float>(magnitude) / static_cast<float>(1u << mantissaBits) * std::bit_cast<float>(R.minNormal));
    else
        bits = (magnitude + (static_cast<std::uint32_t>(127 - R.bias) << mantissaBits)) << R.droppedBits;
    return std::bit_cast<float>(sign | bits);
}

struct DTypeRow {
    DType dtype;
    std::string_view name;
    int bytes;
    std::uint32_t maxFinite;
};
constexpr std::array<DTypeRow, 4> dtypes { {
    { DType::Fp32, "fp32", 4, 0x7f7fffffu },
    { DType::Fp16, "fp16", 2, fp16.maxFinite },
    { DType::Bf16, "bf16", 2, bf16.maxFinite },
    { DType::E4m3, "e4m3", 1, e4m3.maxFinite },
} };

const DTypeRow& rowOf(DType dtype)
{
    return dtypes[static_cast<std::size_t>(dtype)];
}

} // namespace

std::string_view name(DType dtype)
{
    return rowOf(dtype).name;
}

std::optional<DType> dtypeFromName(std::string_view text)
{
    const auto* row = std::ranges::find(dtypes, text, &DTypeRow::name);
    return row == dtypes.end() ? std::nullopt : std::optional(row->dtype);
}

int bytesOf(DType dtype)
{
    return rowOf(dtype).bytes;
}

float maxFinite(DType dtype)
{
    return std::bit_cast<float>(rowOf(dtype).maxFinite);
}

float roundTo(DType dtype, float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    switch (dtype) {
    case DType::Fp32:
        return value;
    case DType::Fp16:
        return std::bit_cast<float>(roundBits<fp16>(bits));
    case DType::Bf16:
        return std::bit_cast<float>(roundBits<bf16>(bits));
    case DType::E4m3:
        return std::bit_cast<float>(roundBits<e4m3>(bits));
    }
    return value;
}

void roundTo(DType dtype, std::span<float> values)
{
    switch (dtype) {
    case DType::Fp32:
        return;
    case DType::Fp16:
        return roundFp16(values);
    case DType::Bf16:
        return roundBf16(values);
    case DType::E4m3:
        return roundE4m3(values);
    }
}

std::uint32_t bitsOf(DType dtype, float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(roundTo(dtype, value));
    switch (dtype) {
    case DType::Fp32:
        return bits;
    case DType::Fp16:
        return encode<fp16>(bits, 16);
    case DType::Bf16:
        return encode<bf16>(bits, 16);
    case DType::E4m3:
        return encode<e4m3>(bits, 8);
    }
    return bits;
}

float fromBits(DType dtype, std::uint32_t bits)
{
    switch (dtype) {
    case DType::Fp32:
        return std::bit_cast<float>(bits);
    case DType::Fp16:
        return decode<fp16>(bits, 16);
    case DType::Bf16:
        return decode<bf16>(bits, 16);
    case DType::E4m3:
        return decode<e4m3>(bits, 8);
    }
    return 0;
}

} // namespace flashstep
