// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_cursor.h"

#include <cstdint>

namespace flashstep::ptx {

// The value of a constant expression (PTX ISA 4.5): integers are 64 bits wide, .s64 or .u64; floats know a sign only.
struct Constant {
    enum class Kind : std::uint8_t { Integer, Double, Single };
    Kind kind = Kind::Integer;
    bool isUnsigned = false;
    std::int64_t number = 0; // of a float its bits
};

// Whether a constant begins with this word.
[[nodiscard]] bool beginsConstant(const Token& token);

[[nodiscard]] bool parseConstant(Cursor& cursor, Constant& constant);
[[nodiscard]] bool parseInteger(Cursor& cursor, std::int64_t& number, const char* what);
// A plain count from `least` to `most`.
[[nodiscard]] bool parseCount(
    Cursor& cursor, std::uint64_t& count, const char* what, std::uint64_t least, std::uint64_t most);

} // namespace flashstep::ptx
