// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"

#include <string>

namespace flashstep::cli {

// What the program says to its caller.
enum Exit { success = 0, failedCheck = 1, badUsage = 2, notHere = 3, interrupted = 130 };

// One line on standard error; gives the status back (130 once an interrupt has come).
int fail(const Error& error, int status = badUsage);
// "COMMAND: not in this version".
int notInThisVersion(const std::string& what);
// A remark on standard error, unless the user wants quiet.
void note(const std::string& text, bool quiet);
// Standard output, whole.
int print(const std::string& text);

// From now on SIGINT and SIGTERM ask for a stop instead of ending the program; a second one ends it.
void catchInterrupts();
[[nodiscard]] bool stopRequested();

// Reports on standard error while that is a terminal; the line is wiped at the end.
class ProgressLine {
public:
    ProgressLine(std::string what, bool quiet);
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine();
    [[nodiscard]] const Progress& progress() const { return m_progress; }

private:
    std::string m_what;
    Progress m_progress;
    bool m_shown = false;
};

} // namespace flashstep::cli
