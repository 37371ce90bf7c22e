// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/export_request.h"
#include "core/io/json.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flashstep {

// One export of a batch file. Paths are as seen from the program, not from the file.
struct BatchEntry {
    std::string scenario; // empty: the options beside it are all
    std::vector<std::pair<std::string, std::string>> given; // options of problem and machine, key and value
    ExportOptions written;
    std::string out; // the target as the file names it
    std::string stated; // the entry as it stands there, its keys in order: what a change is told by
};

// {"flashstep": 1, "exports": [{"scenario": …, "format": …, "out": …, the options of `export` with '_' for '-'}]}.
// Strict: what is unknown, missing, of a wrong type or not accepted, and two entries with one target, are errors that
// name the entry, from 0, and the key.
[[nodiscard]] Result<std::vector<BatchEntry>> parseBatch(
    const std::string& json, const std::string& directory, const std::string& where);
[[nodiscard]] Result<std::vector<BatchEntry>> readBatch(const std::string& path);
// Where what it has finished is remembered (BatchRecord).
[[nodiscard]] std::string recordPathOf(const std::string& batchPath);

// The keys of ExportOptions.
struct ExportKey {
    std::string_view key;
    std::string ExportOptions::*text;
    bool isNumber = false; // may be written as one
};
[[nodiscard]] std::span<const ExportKey> exportKeys();

} // namespace flashstep
