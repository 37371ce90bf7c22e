// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace flashstep {

// Bytes that somebody hands out in order: up to `count` into `to`, fewer at the end.
using ByteReader = std::function<std::size_t(char* to, std::size_t count)>;

// What stands before the numbers of a .npy file, of version 1, 2 or 3.
struct NpyHeader {
    std::string descr; // "<f4"
    bool fortran = false;
    std::vector<std::uint64_t> shape;
    std::uint64_t dataOffset = 0;
};
[[nodiscard]] Result<NpyHeader> readNpyHeader(const ByteReader& read, const std::string& where);
// All of it, to be followed by the numbers at once: C order, version 1.0.
[[nodiscard]] std::string npyHeaderText(const std::string& descr, const std::vector<std::uint64_t>& shape);

[[nodiscard]] std::string npyShapeText(const std::vector<std::uint64_t>& shape); // "(2, 3)", "(5,)"

} // namespace flashstep
