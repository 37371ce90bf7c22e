// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace flashstep {

struct EmbeddedFile {
    std::string_view name;
    const char* begin;
    const char* end;
};

// All files, in the order of their names; the definition is written by resources/CMakeLists.txt.
std::span<const EmbeddedFile> embeddedFiles();

} // namespace flashstep
