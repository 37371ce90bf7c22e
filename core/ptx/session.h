// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/kernel_run.h"

namespace flashstep::ptx {

// How far one step goes.
enum class StepKind : std::uint8_t {
    Instruction, // one PTX instruction of a warp
    Line, // until the warp comes to another line of the CUDA source
    Barrier // until the warp has gone through its next barrier, or wait for copies
};

// A run of a kernel that can be looked at after each of its steps, in either direction. A step is one instruction of
// one warp; position p means that p of them have been executed, over all launches. Between kept states the run is done
// again, which gives the same values: everything follows from code, launch and options.
class KernelSession {
public:
    // Runs the kernel to its end, with checks, and keeps states along the way. An error where the run has more steps
    // than can be kept. `run`: as prepareKernel() left it.
    static Result<std::unique_ptr<KernelSession>> make(
        KernelRun run, const RunOptions& options, const Progress& progress);

    [[nodiscard]] std::uint64_t end() const { return m_steps.size(); }
    [[nodiscard]] const KernelRun& run() const { return m_run; } // findings, plan, codes; the memory at the end
    [[nodiscard]] const Step& step(std::uint64_t index) const { return m_steps[index]; } // the (index + 1)-th
    [[nodiscard]] std::uint32_t launchOf(std::uint64_t index) const; // of a step
    [[nodiscard]] const Code& codeAt(std::uint64_t position) const; // of the launch under way
    [[nodiscard]] const RunOptions& options() const { return m_options; }

    // The machine after `position` steps. The reference holds until the next call.
    const Machine& at(std::uint64_t position);

    // The position after the next step of this kind, or before it; of one warp of one CTA, or with warp none of any.
    // end() or 0 where there is no more.
    [[nodiscard]] std::uint64_t next(
        std::uint64_t position, StepKind kind, std::uint32_t cta, std::uint32_t warp) const;
    [[nodiscard]] std::uint64_t previous(
        std::uint64_t position, StepKind kind, std::uint32_t cta, std::uint32_t warp) const;

    // Where the warp is: its newest step before the position; none where it has not begun.
    [[nodiscard]] std::uint64_t newestStep(std::uint64_t position, std::uint32_t cta, std::uint32_t warp) const;
    // The first position after a step at which this instruction was executed, and so for a finding.
    [[nodiscard]] std::uint64_t positionOf(const Finding& finding) const;

    [[nodiscard]] std::uint32_t ctaCount(std::uint64_t position) const;
    [[nodiscard]] std::size_t keptBytes() const { return m_keptBytes; }

private:
    struct Kept {
        std::uint64_t position = 0;
        std::uint32_t launch = 0;
        Machine machine;
        std::size_t bytes = 0;
    };
    KernelSession(KernelRun run, const RunOptions& options);
    Status runAll(const Progress& progress);
    void keep(std::uint64_t position, std::uint32_t launch, const Machine& machine);
    [[nodiscard]] bool ends(std::uint64_t index, StepKind kind) const;
    void indexWarps();
    [[nodiscard]] const std::vector<std::uint32_t>* stepsOf(
        std::uint32_t cta, std::uint32_t warp, std::uint64_t position) const;

    KernelRun m_run;
    RunOptions m_options;
    std::vector<Step> m_steps;
    std::vector<std::uint64_t> m_launchFirst; // first step of each launch
    std::vector<Kept> m_kept; // by position
    std::uint64_t m_every = 4096;
    std::size_t m_keptBytes = 0;
    std::optional<Machine> m_now;
    std::uint64_t m_nowPosition = 0;
    std::uint32_t m_nowLaunch = 0;
    // By launch, CTA and warp: its steps, in order.
    struct WarpSteps {
        std::uint32_t launch = 0, cta = 0, warp = 0;
        std::vector<std::uint32_t> steps;
    };
    std::vector<WarpSteps> m_warps; // sorted
};

// The innermost place of an instruction in the kernel's own source: line 0 where it has none.
struct CudaLine {
    std::uint32_t file = none; // into Module::files
    std::uint32_t line = 0;
};
[[nodiscard]] CudaLine cudaLineOf(const Code& code, std::uint32_t pc); // where the instruction itself stands
// The place in the kernel's file: that of the call where a helper from another file has been inlined.
[[nodiscard]] CudaLine kernelLineOf(const Code& code, std::uint32_t pc, std::string_view kernelFile);

} // namespace flashstep::ptx
