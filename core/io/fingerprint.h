// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace flashstep {

// A number that tells bytes apart (FNV-1a, 64 bits): whether something is still what it was, not whether somebody has
// forged it.
class Fingerprint {
public:
    void add(std::string_view bytes);
    // A part with an end of its own: "ab" and "c" are not "a" and "bc".
    void addPart(std::string_view bytes);
    [[nodiscard]] std::string text() const; // sixteen hexadecimal digits

private:
    std::uint64_t m_hash = 0xcbf29ce484222325U;
};

// Of a file's content, read piece by piece.
[[nodiscard]] Result<std::string> fingerprintOfFile(const std::string& path);

} // namespace flashstep
