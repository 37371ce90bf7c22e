// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/io/raw_npy.h"
#include "core/ptx/machine.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// The kinds of number that a kernel's arguments are made of, and how .npy stores them: bf16 and e4m3 have no kind of
// their own there, so they are the unsigned integers of their size.
enum class NumberType : std::uint8_t { F32, F16, Bf16, F64, E4m3, U8, I8, U16, I16, U32, I32, U64, I64 };
[[nodiscard]] std::string_view name(NumberType type); // "f32"
[[nodiscard]] std::string_view npyKind(NumberType type); // "<f4"
[[nodiscard]] std::size_t bytesOf(NumberType type);

// One ARG of `flashstep-cli ptx`, as it was written; files are read by readArguments().
struct PtxArgument {
    enum class Kind : std::uint8_t { In, Out, InOut, Scalar } kind = Kind::Scalar;
    std::string text; // as written
    std::string in, out; // files
    NumberType type = NumberType::F32; // of Out and Scalar
    std::vector<std::uint64_t> shape; // of Out
    std::uint64_t bits = 0; // of Scalar
    RawArray array; // In, InOut: what the file holds
    std::uint64_t address = 0; // of the buffer, once placeArguments() has made it

    [[nodiscard]] bool isBuffer() const { return kind != Kind::Scalar; }
    [[nodiscard]] bool writes() const { return kind == Kind::Out || kind == Kind::InOut; }
};

// in:F.npy  out:TYPE:SHAPE:F.npy  inout:F.npy:OUT.npy  TYPE:VALUE
[[nodiscard]] Result<PtxArgument> parsePtxArgument(const std::string& text);
// A number of the type as its bits, or what would be one: decimal or 0x integers, floats with nan and inf.
[[nodiscard]] Result<std::uint64_t> parseNumber(NumberType type, std::string_view text, const std::string& where);

// Whether the arguments are what the kernel takes: as many, of the sizes, addresses where it wants addresses.
[[nodiscard]] Status checkArguments(const ptx::Function& kernel, std::span<const PtxArgument> arguments);
// Reads what In and InOut name. No two may write the same file, none one that is read.
[[nodiscard]] Status readArguments(std::span<PtxArgument> arguments);
// Buffers into memory, named after the parameters' place ("argument 2: out"); gives the parameters' bytes.
[[nodiscard]] std::vector<std::byte> placeArguments(
    const ptx::Function& kernel, std::span<PtxArgument> arguments, ptx::GlobalMemory& memory);
// What the buffers hold now, into the files that Out and InOut name.
[[nodiscard]] Status writeArguments(std::span<const PtxArgument> arguments, const ptx::GlobalMemory& memory);

// "4", "4,2", "4,2,1" as three sizes; the others are 1.
[[nodiscard]] Result<std::array<std::uint32_t, 3>> parseDimensions(const std::string& option, const std::string& text);

} // namespace flashstep
