// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace flashstep {

// Writes beside the target and renames at the end, so a target is either the old file or the whole new one. `write`
// may fail (or be cancelled): then nothing is left behind.
[[nodiscard]] Status writeFileAtomically(const std::string& path, const std::function<Status(std::ostream&)>& write);

// The same for a library that writes to a name of its own choice: `write` is given the name beside the target. The
// target has to be a file.
[[nodiscard]] Status writePathAtomically(
    const std::string& path, const std::function<Status(const std::string& temporary)>& write);

// The whole file as bytes; an error beyond `limit`.
[[nodiscard]] Result<std::string> readFile(const std::string& path, std::uint64_t limit);

// Bytes of a regular file, or why it cannot be read.
[[nodiscard]] Result<std::uint64_t> fileSize(const std::string& path);

// `path` as seen from `directory`, unless it is absolute.
[[nodiscard]] std::string pathBeside(const std::string& directory, const std::string& path);
[[nodiscard]] std::string directoryOf(const std::string& path);
[[nodiscard]] std::string fileNameOf(const std::string& path);

// "3.2 GiB": for estimates and errors.
[[nodiscard]] std::string bytesInWords(double bytes);
// Memory of this computer; 0 where it cannot be asked.
[[nodiscard]] std::uint64_t physicalMemory();

} // namespace flashstep
