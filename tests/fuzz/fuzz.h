// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A reader that anybody's file may reach. Each *_fuzz.cpp beside this has one: libFuzzer calls it with what it thinks
// up (preset `fuzz`), seeded.cpp with a fixed sequence of damaged files (in every build).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace flashstep::fuzz {

// What a target says about itself.
struct Target {
    std::string name;
    std::vector<std::string> seeds; // good files, made by the program's own writers where it has one
    std::vector<std::string> words; // what its format is made of, to be put in anywhere
    // Memory that reading may hold at any time: so many bytes, and so many for each byte of the file.
    std::size_t fixedBytes = 1U << 20U, bytesPerByte = 64;
    std::size_t rounds = 4000; // of the seeded run
};
[[nodiscard]] Target target();

[[nodiscard]] inline std::string_view textOf(const std::uint8_t* data, std::size_t size)
{
    return { reinterpret_cast<const char*>(data), size };
}

// Ends the program where something promised does not hold.
void require(bool holds, const char* promise);
// An error has to be one line that says something.
void requireClear(const Error& error);

// The bytes as a regular file: for readers that take a path. One at a time.
[[nodiscard]] std::string asFile(std::string_view bytes);

} // namespace flashstep::fuzz
