// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to the spec_*.cpp files: the tables they fill, and the sources they share.

#include "core/hardware/spec.h"

namespace flashstep::spec {

[[nodiscard]] GpuSpec a100();
[[nodiscard]] GpuSpec h100();
[[nodiscard]] GpuSpec h200();
[[nodiscard]] GpuSpec b200();
[[nodiscard]] GpuSpec gb200();
[[nodiscard]] GpuSpec b300();

// The figures of a GPU of the same architecture, to be replaced where the GPU has its own. What was published or
// measured of the other is derived here and `as` says so; limits of the architecture and fits keep their standing.
[[nodiscard]] GpuSpec inherited(const GpuSpec& other, std::string_view as);

// Sources, as resources/hardware/hardware.csv words them; a test holds the tables against that file.
inline constexpr std::string_view openXla = "OpenXLA xla/stream_executor/cuda/cuda_core_info_table.cc (cites NVIDIA "
                                            "whitepapers) https://github.com/openxla/xla";
inline constexpr std::string_view guideThroughput
    = "CUDA C++ Programming Guide, arithmetic-instruction throughput table "
      "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions";

// Sources outside the csv.
inline constexpr std::string_view guideLimits
    = "CUDA C++ Programming Guide, compute capabilities "
      "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#compute-capabilities";
inline constexpr std::string_view trialFit = "guess: a fit to a few rows of backward, docs/hardware-model.md";
inline constexpr std::string_view noCap = "guess: none is needed to meet the published rows";
inline constexpr std::string_view copyAsLoad = "arithmetic: as a load that misses L2 (globalLatency)";
inline constexpr std::string_view guessedBarrier = "guess: as measured on B300 (syncthreads_256)";
inline constexpr std::string_view guessedMbarrier = "guess: as measured on B200 (mbarrier_commit_wait)";
inline constexpr std::string_view atomicInL2
    = "arithmetic: an atomic is carried out in L2, one round trip of l2Latency";

// Guesses say why in their source.
inline constexpr std::string_view guessedTmaIssue
    = "guess: a few instructions of one thread for coordinates and barrier, then one issue; the measured "
      "tma_issue_interval of 248 ns per transaction and warp is not used, since 8 boxes a key block at that pace "
      "would keep FlashAttention-3 at head dimension 256 below its published rate";
inline constexpr std::string_view guessedTmaStore
    = "guess: a store is complete when L2 has answered, so a round trip under load as for a TMA load";
inline constexpr std::string_view guessedSetmaxnreg
    = "guess: about as long as a barrier; once for each role and kernel, so it hardly matters";

// Same on every architecture.
inline constexpr Figure aluPerClk { 64, "op/clk/SM", guideThroughput, Confidence::Published,
    "compare, minimum, maximum; conversions taken alike" };
inline constexpr Figure issuePerClk { 4, "warp instr/clk/SM", guideLimits, Confidence::Published,
    "four schedulers, each one instruction per clock" };
inline constexpr Figure reservedSmemPerCta { 1, "KiB", guideLimits, Confidence::Published };
inline constexpr Figure registersPerSm { 65536, "register", guideLimits, Confidence::Published, "256 KB of 4 B each" };
inline constexpr Figure maxThreadsPerSm { 2048, "thread", guideLimits, Confidence::Published };

inline constexpr Figure mmaStepLatency { 15, "cycle",
    "guess: half of a round trip to shared memory (29), as the next step's fragments are asked for early",
    Confidence::Guess };
inline constexpr Figure rowReduceCycles { 78, "cycle",
    "guess: two shuffles, each as long as an access to shared memory (29), and five dependent operations of 4",
    Confidence::Guess };

// What an architecture does not have. `note` begins with "no ".
constexpr Figure absent(std::string_view unit, std::string_view note)
{
    return { 0, unit, guideLimits, Confidence::Published, note };
}

} // namespace flashstep::spec
