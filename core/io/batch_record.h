// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/batch.h"

#include <map>
#include <string>

namespace flashstep {

// What a batch has finished, kept beside it as F.json.done: a line of JSON per target, with fingerprints of all it was
// made from and of what was written. A target is finished while both still hold: a changed entry, scenario, tensor or
// program, and a target that is gone or is no longer what was written, are made again. A line that cannot be read (the
// last one, where the computer went down) counts for nothing.
class BatchRecord {
public:
    explicit BatchRecord(std::string path); // reads what is there

    // Of everything the entry's target depends on; an error where an input cannot be read.
    [[nodiscard]] Result<std::string> madeFrom(const BatchEntry& entry);
    [[nodiscard]] bool isFinished(const BatchEntry& entry, const std::string& madeFrom) const;
    // Adds a line; from then on the target is finished.
    [[nodiscard]] Status finish(const BatchEntry& entry, const std::string& madeFrom);

private:
    struct Line {
        std::string madeFrom, content; // fingerprints
    };
    [[nodiscard]] const Result<std::string>& ofFile(const std::string& path);

    std::string m_path;
    std::map<std::string, Line> m_lines; // by target as the batch names it
    std::map<std::string, Result<std::string>> m_files; // fingerprints asked for already
};

} // namespace flashstep
