// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "device.h"

#include <string>

// The commands of flashstep-gpu. Each gives the program's status; what it has to say goes to the standard outputs.
namespace flashstep::cuda {

[[nodiscard]] int runList(const Options& options);
[[nodiscard]] int runCheck(const Options& options);
[[nodiscard]] int runBench(const Options& options);
[[nodiscard]] int runRecord(const Options& options);
[[nodiscard]] int runConform(const Options& options); // conform.cu

// How far a command is: a line that replaces itself where somebody is looking; with --progress lines for a program.
class ProgressLine {
public:
    explicit ProgressLine(const Options& options);
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine();
    void tell(double fraction, const std::string& text) const;
    void wipe() const;

private:
    bool m_lines, m_shown;
};

// One line on standard error; the status to end with.
[[nodiscard]] int fail(const Failure& failure);
[[nodiscard]] std::string quoted(const std::string& text); // as JSON has it
[[nodiscard]] std::string number(double value); // the shortest that reads back equal; "inf" and "nan" in quotes
[[nodiscard]] std::string problemJson(const LaunchProblem& problem, const Options& options); // keys of a scenario
// Kernels of the options: named, or all of the algorithm, dtype and head dimension.
[[nodiscard]] std::vector<const KernelPlan*> chosenKernels(const Options& options, bool traced);

} // namespace flashstep::cuda
