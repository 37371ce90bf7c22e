// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/module.h"
#include "core/ptx/parser_cursor.h"
#include "core/ptx/parser_debug.h"
#include "core/ptx/parser_labels.h"
#include "core/ptx/parser_names.h"

#include <utility>
#include <vector>

namespace flashstep::ptx {

// What the parts of the parser work on.
struct Context {
    Context(std::string_view text, const std::string& file)
        : cursor(text, file)
        , initialBytesLeft((std::uint64_t(1) << 16U) + 8 * std::uint64_t(text.size()))
    {
    }

    Cursor cursor;
    Module module;
    Names names;
    Labels labels;
    DebugInfo debug;
    std::uint32_t function = none; // whose body is read, into Module::functions
    // Of each .alias that has a prototype: that, and the function it means; into Module::functions.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> aliases;
    // Initialisers may leave gaps, but a short text does not get to fill the memory with them.
    std::uint64_t initialBytesLeft;

    [[nodiscard]] Function& body() { return module.functions[function]; }
};

} // namespace flashstep::ptx
