// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/io/recording.h"

#include <string>
#include <string_view>

namespace flashstep {

// Reads a timeline: a recording of ours, Chrome-trace JSON or a Perfetto protobuf, told apart by what the file begins
// with. Memory: at most 64 bytes for each byte of the file, 16 for the files that tools write; `where` stands in
// errors. Nothing is read from text that JSON nests deeper than 64.
[[nodiscard]] Result<Recording> readRecording(std::string_view bytes, const std::string& where);
// A file is read as it goes, never held whole.
[[nodiscard]] Result<Recording> readRecordingFile(const std::string& path, const Progress& progress = {});

// What a file that the window is asked to open holds, by its content; a scenario where it is neither.
enum class FileKind : std::uint8_t { Scenario, Recording };
[[nodiscard]] FileKind kindOfFile(const std::string& path);
[[nodiscard]] FileKind kindOf(std::string_view firstBytes);

constexpr std::uint64_t largestRecordingFile = 4ULL << 30U;

} // namespace flashstep
