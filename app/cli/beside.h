// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/session.h"

#include <string>
#include <vector>

namespace flashstep::cli {

// The options of problem and machine as words of a command line.
[[nodiscard]] std::vector<std::string> problemWords(const ProblemOptions& problem);

// Starts the `flashstep` beside this program, without a display, and waits for it; its one line of error becomes ours.
// `what` is what it was needed for. Its status; 3 where there is none.
int startBeside(const std::string& what, const std::vector<std::string>& arguments);

} // namespace flashstep::cli
