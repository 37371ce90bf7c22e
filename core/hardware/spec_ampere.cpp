// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/fitted.h"
#include "core/hardware/spec_tables.h"

namespace flashstep::spec {

namespace {

using enum Confidence;

constexpr std::string_view whitepaper
    = "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/nvidia-ampere-architecture-whitepaper.pdf "
      "(figures read via "
      "glennklockwood.com/garden/processors/A100 and OpenXLA cuda_core_info_table.cc)";
constexpr std::string_view latencies
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table IV (A100 PCIe)";
constexpr std::string_view tensor
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table VII";

constexpr std::string_view noWgmma = "no wgmma";
constexpr std::string_view noTcgen05 = "no tcgen05";
constexpr std::string_view noTmem = "no tensor memory";
constexpr std::string_view noTma = "no TMA";
constexpr std::string_view noClusters = "no clusters";

} // namespace

GpuSpec a100()
{
    return {
        .name = "a100",
        .title = "A100-SXM4-80GB",
        .computeCapability = 80,
        .sms = { 108, "SM", whitepaper, Published, {}, "sm_count" },
        .clockMhz = { 1410, "MHz", whitepaper, Published, {}, "boost_clock" },
        .activityAtCap = { 1, "ratio", noCap, Guess },
        .tensorFlopsPerClk = { 2048, "FLOP/clk/SM", openXla, Published, {}, "tensor_fp16_flop_per_clk_sm" },
        .tensorFp8FlopsPerClk = absent("FLOP/clk/SM", "no fp8 tensor instruction"),
        .mmaSyncCycles = { 8, "cycle", "arithmetic: 4096 FLOP / (2048 FLOP/clk / 4 quarters)", Derived },
        .mmaSyncLatency = { 24.6, "cycle", tensor, Microbenchmark, {}, "mma_m16n8k16_fp16_latency" },
        .wgmmaCyclesPerColumn = absent("cycle/column", noWgmma),
        .wgmmaLatency = absent("cycle", noWgmma),
        .ummaCyclesPerColumn = absent("cycle/column", noTcgen05),
        .ummaSsFloor = absent("cycle", noTcgen05),
        .ummaLatencySs = absent("cycle", noTcgen05),
        .ummaLatencyTs = absent("cycle", noTcgen05),
        .ummaLatencySsPair = absent("cycle", noTcgen05),
        .ummaLatencyTsPair = absent("cycle", noTcgen05),
        .polynomialInstructions = absent("instruction", "no packed fp32 arithmetic"),
        .mufuPerClk = { 16, "op/clk/SM", guideThroughput, Published, {}, "mufu_per_clk_sm" },
        .fmaPerClk = { 64, "FMA/clk/SM", guideThroughput, Published, {}, "fp32_fma_per_clk_sm" },
        .aluPerClk = aluPerClk,
        .issuePerClk = issuePerClk,
        .issueCyclesPerOp = issueCyclesPerOp,
        .registerContention = registerContention,
        .registerContentionWgmma = absent("cycle/cycle", noWgmma),
        .smemBytesPerClk
        = { 128, "B/clk/SM", "32 banks x 4 B, CUDA C++ Programming Guide", Derived, {}, "smem_bytes_per_clk_sm" },
        .smemLatency = { 29.0, "cycle", latencies, Microbenchmark, {}, "smem_latency" },
        .smemPerSmKib = { 164, "KiB", guideThroughput, Published, {}, "smem_max_per_sm" },
        .smemPerCtaKib
        = { 163, "KiB", "openxla/xla a100_sxm_80.txtpb (166912 B opt-in)", Published, {}, "smem_max_per_cta" },
        .reservedSmemPerCtaKib = reservedSmemPerCta,
        .tmemLanes = absent("lane", noTmem),
        .tmemColumns = absent("column", noTmem),
        .tmemBytesPerClk = absent("B/clk/SM", noTmem),
        .tmemLoadLatency = absent("cycle", noTmem),
        .registersPerSm = registersPerSm,
        .registersPerThreadMax = { 255, "register", guideLimits, Published },
        .maxThreadsPerSm = { 2048, "thread", "openxla/xla a100_sxm_80.txtpb", Published, {}, "max_threads_per_sm" },
        .maxCtasPerSm = { 32, "CTA", guideLimits, Published },
        .maxClusterSize = { 1, "CTA", guideLimits, Published, "no clusters: each CTA stands alone" },
        .l2Mib = { 40, "MiB", whitepaper, Published, {}, "l2_size" },
        .l2BytesPerClkPerSm = { 2007.9 / 108, "B/clk/SM",
            "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table V (A100 PCIe)",
            Derived, "2007.9 B/clk of the whole GPU over 108 SMs" },
        .l2Latency = { 261.5, "cycle", latencies, Microbenchmark, {}, "l2_latency" },
        .globalLatency = { 466.3, "cycle", latencies, Microbenchmark, {}, "global_latency" },
        .atomicLatency = { 261.5, "cycle", atomicInL2, Derived },
        .copyLatency = { 466.3, "cycle", copyAsLoad, Derived },
        .tmaIssueCycles = absent("cycle", noTma),
        .tmaLatency = absent("cycle", noTma),
        .tmaStoreLatency = absent("cycle", noTma),
        .reduceAddBytesPerClkPerSm = { 20, "B/clk/SM",
            "guess: assumed; the published times of FlashAttention-2 backward are met from 9 B/clk up", Guess },
        .dsmemLatency = absent("cycle", noClusters),
        .dsmemBytesPerClkPerSm = absent("B/clk/SM", noClusters),
        .clusterSync = absent("cycle", noClusters),
        .hbmGBps = { 2039, "GB/s", whitepaper, Published, {}, "hbm_bandwidth" },
        .barrierLatency = { 38, "cycle", guessedBarrier, Guess },
        .mbarrierLatency = { 52, "cycle", guessedMbarrier, Guess },
        .setmaxnregCycles = absent("cycle", "no setmaxnreg"),
        .rowReduceCycles = rowReduceCycles,
        .mmaStepLatency = mmaStepLatency,
        .tileEpilogueCycles = tileEpilogueHopper,
        .ctaStartCycles = ctaStartHopper,
        .launchMicroseconds = launchMicroseconds,
    };
}

} // namespace flashstep::spec
