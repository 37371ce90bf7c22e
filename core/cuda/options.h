// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch.h"

#include <string>
#include <vector>

// The command line of flashstep-gpu. Plain C++17: the program needs nothing but CUDA.
namespace flashstep::cuda {

enum class Command : std::uint8_t { Help, Version, List, Check, Bench, Record, Conform };
enum class InputKind : std::uint8_t { Normal, Outliers, RisingLeft, RisingRight, Constant, Negative };
[[nodiscard]] const char* name(InputKind kind);

struct Options {
    Command command = Command::Help;
    LaunchProblem problem;
    bool problemGiven = false; // some option of the problem stood there
    bool headDimGiven = false, dtypeGiven = false;
    InputKind init = InputKind::Normal;
    std::uint64_t seed = 1;
    std::string kernel; // empty: all that can
    std::string algorithm; // empty: all
    std::string out; // record; "-": standard output
    int device = 0;
    int repeats = 50;
    bool json = false;
    bool quiet = false;
    bool progress = false; // for whoever started the program: its version first, then lines of progress

    std::string error; // one line: what was wrong and what would be accepted; empty: all is well
};
[[nodiscard]] Options parseOptions(const std::vector<std::string>& arguments);
[[nodiscard]] const char* helpText();

} // namespace flashstep::cuda
