// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// Another program, started without a shell, with nothing on its standard input and in a session of its own: a question
// that it would ask at the terminal fails instead of waiting for ever.
struct ChildCommand {
    std::vector<std::string> words; // the program first; looked for in PATH where its name holds no slash
    double timeoutSeconds = 0; // 0: none
    double graceSeconds = 2; // from SIGTERM to SIGKILL, both to the whole process group
    std::size_t mostOutput = std::size_t { 16 } << 20U; // bytes; beyond it the program is ended
    std::size_t mostErrors = std::size_t { 64 } << 20U;
    // Each line of standard error as it comes, without its end; false ends the program. On the caller's thread.
    std::function<bool(std::string_view line)> errorLine;
};

struct ChildResult {
    enum class End : std::uint8_t {
        Exited, // with `status`
        Signalled, // by the signal `status`
        NotStarted, // `status` is the errno
        TimedOut,
        Cancelled,
        TooMuchOutput,
        Refused, // errorLine said so
    } end = End::NotStarted;
    int status = 0;
    std::string out; // all of its standard output
    std::string errors; // the last of its standard error
};

// Waits for its end, or makes one; nothing of it is left running, but for what it started elsewhere (`ssh`).
[[nodiscard]] ChildResult runChild(const ChildCommand& command, const Progress& progress);

} // namespace flashstep
