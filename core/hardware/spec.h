// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace flashstep {

// How well a number is known.
enum class Confidence { Published, Microbenchmark, Derived, Fitted, Guess };
[[nodiscard]] std::string_view name(Confidence confidence);

// A number with its unit, where it comes from and how well it is known. Shown to the user next to what rests on it.
struct Figure {
    double value = 0;
    std::string_view unit;
    std::string_view source;
    Confidence confidence = Confidence::Guess;
    std::string_view note = {};
    std::string_view parameter = {}; // the row of resources/hardware/hardware.csv this is, where there is one

    operator double() const { return value; }
};

// One GPU as data. Per-SM rates are per clock of the SM; a quarter is one of the SM's four sub-partitions.
struct GpuSpec {
    std::string_view name; // "a100", as on the command line
    std::string_view title; // "A100-SXM4-80GB"
    int computeCapability = 0; // 80, 90

    Figure sms;
    Figure clockMhz; // the clock modelled times are given at
    Figure tensorFlopsPerClk; // dense bf16 / fp16 FLOP per clock and SM, peak
    Figure mmaSyncCycles; // issue interval of one mma.sync.m16n8k16 on its quarter's tensor core
    Figure mmaSyncLatency; // of one m16n8k16
    Figure mufuPerClk; // ex2 per clock and SM
    Figure fmaPerClk; // fp32 FMA per clock and SM
    Figure aluPerClk; // max, convert, compare per clock and SM
    Figure issuePerClk; // warp instructions per clock and SM (one per quarter)
    Figure issueCyclesPerOp; // CI of timing.md: issue slots per counted vector operation, addressing and moves included
    Figure registerContention; // KRF: tensor cycles lost per vector issue cycle while accumulators live in registers
                               // (mma.sync)
    Figure smemBytesPerClk; // shared-memory port, per SM
    Figure smemLatency; // cycles
    Figure smemPerSmKib;
    Figure smemPerCtaKib;
    Figure reservedSmemPerCtaKib; // taken by the system from every CTA
    Figure registersPerSm; // 32-bit registers
    Figure maxThreadsPerSm;
    Figure maxCtasPerSm;
    Figure l2Mib;
    Figure l2BytesPerClkPerSm; // L2 to one SM under load
    Figure l2Latency; // cycles, hit
    Figure globalLatency; // cycles, miss to HBM
    Figure copyLatency; // cycles of an asynchronous copy under load
    Figure hbmGBps;
    Figure barrierLatency; // arrive of the last to the waiter running again
    Figure rowReduceCycles; // quad shuffles and scalar maths of one row reduction
    Figure mmaStepLatency; // exposed ldmatrix-to-mma latency per k-step (LK of timing.md)
    Figure ctaStartCycles; // a new CTA on a free slot until its first instruction
    Figure launchMicroseconds;
};

// a100, h100: more GPUs come with the versions that need them.
[[nodiscard]] std::span<const GpuSpec> gpuSpecs();
[[nodiscard]] const GpuSpec* findGpu(std::string_view name);

// Each figure of a spec with its field name, in declaration order, for listings and documentation.
[[nodiscard]] std::span<const std::pair<std::string_view, Figure GpuSpec::*>> gpuFigures();

} // namespace flashstep
