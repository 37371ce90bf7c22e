// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/npy_header.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flashstep {

// A .npy file of numbers of any kind and rank, its bytes as stored: what a kernel's buffer is filled from and written
// to.
struct RawArray {
    std::string descr; // "<f4", "<u2", "|u1"
    std::vector<std::uint64_t> shape; // empty: a single number
    std::vector<std::byte> bytes; // C order
};
[[nodiscard]] Result<RawArray> readRawNpy(const std::string& path);
// The same from `size` bytes that somebody hands out in order.
[[nodiscard]] Result<RawArray> readRawNpy(const ByteReader& read, std::uint64_t size, const std::string& where);
[[nodiscard]] Status writeRawNpy(const std::string& path, const RawArray& array);

// Elements of a shape; nothing where they are more than 2^48.
[[nodiscard]] Result<std::uint64_t> elementsOf(const std::vector<std::uint64_t>& shape, const std::string& where);

} // namespace flashstep
