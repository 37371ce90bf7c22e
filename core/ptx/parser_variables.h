// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/parser_context.h"

#include <optional>
#include <string_view>
#include <vector>

namespace flashstep::ptx {

constexpr std::uint64_t mostAlign = 1U << 16U;
constexpr std::uint64_t mostBytes = std::uint64_t(1) << 40U; // of one variable

// .extern and .visible, .weak and .common, which mean nothing to one module alone.
struct Linkage {
    bool external = false;
};

// global, shared, local, const and param, as they begin a declaration.
[[nodiscard]] std::optional<Space> spaceFromName(std::string_view text);
[[nodiscard]] std::uint64_t alignedUp(std::uint64_t value, std::uint64_t align);

// .align 8
[[nodiscard]] bool parseAlign(Cursor& cursor, std::uint32_t& align);
// .v2 .f32: a type that memory or a register can have, `width` of them.
[[nodiscard]] bool parseType(Cursor& cursor, Type& type, std::uint32_t& width);

// After the space: [.align n] [.attribute(…)] type name[…]… [= …], …;
[[nodiscard]] bool parseVariables(Context& context, Space space, Linkage linkage);
// After .reg: type name, name<count>, …;
[[nodiscard]] bool parseRegisters(Context& context);
// After =: what the memory of a variable of these dimensions holds at first. `unsized`: the first is to be counted.
struct Shape {
    std::vector<std::uint64_t> dimensions; // outermost first; a vector's width is the last one
    bool unsized = false;
};
[[nodiscard]] bool parseInitial(Context& context, Shape& shape, Variable& variable);

} // namespace flashstep::ptx
