// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
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
    // The GPU has no such thing; the note says what it lacks.
    [[nodiscard]] bool absent() const { return value == 0 && confidence == Confidence::Published; }
};

// One GPU as data. Per-SM rates are per clock of the SM; a quarter is one of the SM's four sub-partitions. What a GPU
// does not have (wgmma, tensor memory, ...) is 0 and its note says so.
struct GpuSpec {
    std::string_view name; // "a100", as on the command line
    std::string_view title; // "A100-SXM4-80GB"
    int computeCapability = 0; // 80, 90, 100, 103

    Figure sms;
    Figure clockMhz; // the clock modelled times are given at
    Figure activityAtCap; // a0 of the clock: above this mean utilisation of tensor cores and exponential units the
                          // power cap lowers the clock; 1 = no cap
    Figure tensorFlopsPerClk; // dense bf16 / fp16 FLOP per clock and SM, peak
    Figure tensorFp8FlopsPerClk;
    Figure mmaSyncCycles; // issue interval of one mma.sync.m16n8k16 on its quarter's tensor core
    Figure mmaSyncLatency; // of one m16n8k16
    Figure wgmmaCyclesPerColumn; // of one m64nNk16 for each of its N columns, 16-bit operands
    Figure wgmmaLatency; // LMMA: start and completion of a group of wgmma, beyond what occupies the tensor core
    Figure ummaCyclesPerColumn; // of one tcgen05.mma m128nNk16 for each of its N columns, 16-bit operands
    Figure ummaSsFloor; // least interval when both operands come from shared memory (at N = 64)
    Figure ummaLatencySs; // commit until the waiter runs, beyond the intervals: both operands in shared memory
    Figure ummaLatencyTs; // A in tensor memory
    Figure ummaLatencySsPair; // of a pair of CTAs, m256
    Figure ummaLatencyTsPair;
    Figure polynomialInstructions; // of a pair of exponentials by polynomial, beyond a multiplication for each degree
    Figure mufuPerClk; // ex2 per clock and SM
    Figure fmaPerClk; // fp32 FMA per clock and SM
    Figure aluPerClk; // max, convert, compare per clock and SM
    Figure issuePerClk; // warp instructions per clock and SM (one per quarter)
    Figure issueCyclesPerOp; // CI: issue slots per counted vector operation, addressing and moves included
    Figure registerContention; // KRF: tensor cycles lost per vector issue cycle while accumulators live in registers
                               // (mma.sync)
    Figure registerContentionWgmma; // the same for wgmma
    Figure smemBytesPerClk; // shared-memory port, per SM
    Figure smemLatency; // cycles
    Figure smemPerSmKib;
    Figure smemPerCtaKib;
    Figure reservedSmemPerCtaKib; // taken by the system from every CTA
    Figure tmemLanes; // tensor memory: rows of 32-bit cells
    Figure tmemColumns;
    Figure tmemBytesPerClk; // tensor-memory port of the vector warps, per SM
    Figure tmemLoadLatency; // of one load beyond its bytes
    Figure registersPerSm; // 32-bit registers
    Figure registersPerThreadMax;
    Figure maxThreadsPerSm;
    Figure maxCtasPerSm;
    Figure maxClusterSize; // CTAs, portable
    Figure l2Mib;
    Figure l2BytesPerClkPerSm; // L2 to one SM under load
    Figure l2Latency; // cycles, hit
    Figure globalLatency; // cycles, miss to HBM
    Figure atomicLatency; // round trip of an atomic in global memory (dynamic tile schedulers)
    Figure copyLatency; // cycles of an asynchronous copy (cp.async) under load
    Figure tmaIssueCycles; // one instruction, of the thread that issues it
    Figure tmaLatency; // LTMA: cycles of a TMA load under load, beyond its bytes
    Figure tmaStoreLatency;
    Figure reduceAddBytesPerClkPerSm; // fp32 additions in L2 (dQ)
    Figure dsmemLatency; // shared memory of another CTA of the cluster
    Figure dsmemBytesPerClkPerSm;
    Figure clusterSync; // cycles of a cluster-wide barrier
    Figure hbmGBps;
    Figure barrierLatency; // arrive of the last to the waiter running again
    Figure mbarrierLatency; // the same of an mbarrier in shared memory
    Figure setmaxnregCycles; // one change of a warp's registers
    Figure rowReduceCycles; // quad shuffles and scalar maths of one row reduction
    Figure mmaStepLatency; // exposed ldmatrix-to-mma latency per k-step (LK)
    Figure tileEpilogueCycles; // TPRO: epilogue and scheduling of a tile beyond the modelled ops
    Figure ctaStartCycles; // a new CTA on a free slot until its first instruction
    Figure launchMicroseconds;
};

// a100, h100, h200, b200, gb200, b300.
[[nodiscard]] std::span<const GpuSpec> gpuSpecs();
[[nodiscard]] const GpuSpec* findGpu(std::string_view name);

// Each figure of a spec with its field name, in declaration order, for listings and documentation.
[[nodiscard]] std::span<const std::pair<std::string_view, Figure GpuSpec::*>> gpuFigures();

// A field name as knobs spell it: l2BytesPerClkPerSm is "l2-bytes-per-clk-per-sm", hbmGBps is "hbm-gbps".
[[nodiscard]] std::string kebabName(std::string_view field);
// The figure a kebab name stands for; null where there is none.
[[nodiscard]] Figure GpuSpec::*figureMember(std::string_view kebabName);
[[nodiscard]] const Figure* figureOf(const GpuSpec& gpu, std::string_view kebabName);

} // namespace flashstep
