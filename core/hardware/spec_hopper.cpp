// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/fitted.h"
#include "core/hardware/spec_tables.h"

namespace flashstep::spec {

namespace {

using enum Confidence;

constexpr std::string_view latencies
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking (H800 PCIe, 114 SM)";
constexpr std::string_view flashVla
    = "https://github.com/revollllt/flash-vla hardware-unit-test/sm90 (measured on H100 SXM5)";
constexpr std::string_view fa3Table1 = "arXiv:2407.08608 FlashAttention-3 Table 1";
constexpr std::string_view sameDie = "as H100-SXM5 (same GH100 die)";
constexpr std::string_view datasheetH200 = "NVIDIA H200 datasheet figure, read on secondary spec pages";

constexpr std::string_view noTcgen05 = "no tcgen05";
constexpr std::string_view noTmem = "no tensor memory";

} // namespace

GpuSpec h100()
{
    return {
        .name = "h100",
        .title = "H100-SXM5",
        .computeCapability = 90,
        .sms = { 132, "SM", openXla, Published, {}, "sm_count" },
        .clockMhz = { 1830, "MHz", openXla, Published, "the fixed clock of the FlashAttention-3 benchmarks",
            "tensor_peak_clock" },
        .activityAtCap = { 1, "ratio", noCap, Guess },
        .tensorFlopsPerClk = { 4096, "FLOP/clk/SM", openXla, Published, {}, "tensor_fp16_flop_per_clk_sm" },
        .tensorFp8FlopsPerClk = { 8192, "FLOP/clk/SM", openXla, Published, {}, "tensor_fp8_flop_per_clk_sm" },
        .mmaSyncCycles
        = { 6.26, "cycle", flashVla, Microbenchmark, "65 % of the wgmma rate", "mma_sync_m16n8k16_issue_interval" },
        .mmaSyncLatency = { 25.14, "cycle", flashVla, Microbenchmark, {}, "mma_sync_m16n8k16_latency" },
        .wgmmaCyclesPerColumn = { 0.5, "cycle/column", "arithmetic: 64 x 16 x 2 FLOP / 4096 FLOP/clk", Derived,
            "m64n256k16 measured at 129.3 cycles; narrow ones are bound by the operands in shared memory" },
        .wgmmaLatency = { 79.0 - 32.8, "cycle",
            "arithmetic: wgmma_n64_interval_with_1_in_flight less wgmma_m64n64k16_bf16_ss_issue_interval", Derived },
        .ummaCyclesPerColumn = absent("cycle/column", noTcgen05),
        .ummaSsFloor = absent("cycle", noTcgen05),
        .ummaLatencySs = absent("cycle", noTcgen05),
        .ummaLatencyTs = absent("cycle", noTcgen05),
        .ummaLatencySsPair = absent("cycle", noTcgen05),
        .ummaLatencyTsPair = absent("cycle", noTcgen05),
        .polynomialInstructions = absent("instruction", "no packed fp32 arithmetic"),
        .mufuPerClk = { 16, "op/clk/SM",
            "arXiv:2603.05451 FlashAttention-4 (read through the Colfax/Together posts and paper notes); CUDA C++ "
            "Programming Guide, "
            "arithmetic-instruction throughput table "
            "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions",
            Published, {}, "mufu_per_clk_sm" },
        .fmaPerClk = { 128, "FMA/clk/SM", guideThroughput, Published, {}, "fp32_fma_per_clk_sm" },
        .aluPerClk = aluPerClk,
        .issuePerClk = issuePerClk,
        .issueCyclesPerOp = issueCyclesPerOp,
        .registerContention = registerContention,
        .registerContentionWgmma = registerContentionWgmma,
        .smemBytesPerClk = { 128, "B/clk/SM", "32 banks x 4 B", Derived, {}, "smem_bytes_per_clk_sm" },
        .smemLatency = { 29.0, "cycle", latencies, Microbenchmark, {}, "smem_latency" },
        .smemPerSmKib = { 228, "KiB", "arXiv:2407.08608 FlashAttention-3 Table 1; H100 tuning guide", Published, {},
            "smem_max_per_sm" },
        .smemPerCtaKib = { 227, "KiB", "NVIDIA Hopper Tuning Guide", Published, {}, "smem_max_per_cta" },
        .reservedSmemPerCtaKib = reservedSmemPerCta,
        .tmemLanes = absent("lane", noTmem),
        .tmemColumns = absent("column", noTmem),
        .tmemBytesPerClk = absent("B/clk/SM", noTmem),
        .tmemLoadLatency = absent("cycle", noTmem),
        .registersPerSm = registersPerSm,
        .registersPerThreadMax
        = { 255, "register", "flash-vla h100 spec.py citing CUDA guide CC 9.0", Published, {}, "max_regs_per_thread" },
        .maxThreadsPerSm = maxThreadsPerSm,
        .maxCtasPerSm = { 32, "CTA", "flash-vla h100 spec.py (2026 snapshot) citing CUDA guide CC 9.0", Published, {},
            "max_ctas_per_sm" },
        .maxClusterSize
        = { 8, "CTA", "flash-vla h100 spec.py", Published, "16 are not portable", "max_cluster_size_portable" },
        .l2Mib = { 50, "MiB", fa3Table1, Published, {}, "l2_size" },
        .l2BytesPerClkPerSm = l2BytesHopper,
        .l2Latency = { 263.0, "cycle", latencies, Microbenchmark, {}, "l2_latency" },
        .globalLatency = { 478.8, "cycle", latencies, Microbenchmark, {}, "global_latency" },
        .atomicLatency = { 263.0, "cycle", atomicInL2, Derived },
        .copyLatency = { 478.8, "cycle", copyAsLoad, Derived },
        .tmaIssueCycles = { 32, "cycle", guessedTmaIssue, Guess },
        .tmaLatency = { 217e-3 * 1830, "cycle", "arithmetic: tma_latency_l2_base, 217 ns x 1830 MHz", Derived,
            "the clock of the measurement is assumed" },
        .tmaStoreLatency = { 600, "cycle", guessedTmaStore, Guess },
        .reduceAddBytesPerClkPerSm = { 9.3, "B/clk/SM", trialFit, Guess,
            "FlashAttention-3 backward; FlashAttention-2 is insensitive from 9 up and was fitted with 20" },
        .dsmemLatency = { 180, "cycle", latencies, Microbenchmark, {}, "dsmem_latency" },
        .dsmemBytesPerClkPerSm = { 3.27e12 / 114 / 1.755e9, "B/clk/SM",
            "arithmetic: dsmem_throughput_cluster2, 3.27 TB/s of an H800 PCIe over its 114 SMs and 1755 MHz", Derived,
            "the boost clock of that card is assumed" },
        .clusterSync = { 0.51 * 1830, "cycle", "arithmetic: cluster_sync_4, 0.51 us of 4 CTAs x 1830 MHz", Derived,
            "of a cluster of 4; the clock of the measurement is assumed" },
        .hbmGBps = { 3350, "GB/s",
            "NVIDIA H100 datasheet figure, read on secondary spec pages; arXiv:2407.08608 FlashAttention-3 Table 1",
            Published, {}, "hbm_bandwidth" },
        .barrierLatency = { 38, "cycle", guessedBarrier, Guess },
        .mbarrierLatency = { 52, "cycle", guessedMbarrier, Guess },
        .setmaxnregCycles = { 32, "cycle", guessedSetmaxnreg, Guess },
        .rowReduceCycles = rowReduceCycles,
        .mmaStepLatency = mmaStepLatency,
        .tileEpilogueCycles = tileEpilogueHopper,
        .ctaStartCycles = ctaStartHopper,
        .launchMicroseconds = launchMicroseconds,
    };
}

GpuSpec h200()
{
    GpuSpec gpu = inherited(h100(), "as H100");
    gpu.name = "h200";
    gpu.title = "H200-SXM";
    gpu.sms = { 132, "SM", "NVIDIA H200 datasheet figure, read on secondary spec pages (same GH100 die)", Published, {},
        "sm_count" };
    gpu.clockMhz = { 1830, "MHz", sameDie, Derived, {}, "tensor_peak_clock" };
    gpu.tensorFlopsPerClk = { 4096, "FLOP/clk/SM", sameDie, Derived, {}, "tensor_fp16_flop_per_clk_sm" };
    gpu.tensorFp8FlopsPerClk = { 8192, "FLOP/clk/SM", sameDie, Derived, {}, "tensor_fp8_flop_per_clk_sm" };
    gpu.mufuPerClk = { 16, "op/clk/SM", sameDie, Derived, {}, "mufu_per_clk_sm" };
    gpu.fmaPerClk = { 128, "FMA/clk/SM", sameDie, Derived, {}, "fp32_fma_per_clk_sm" };
    gpu.smemBytesPerClk = { 128, "B/clk/SM", sameDie, Derived, {}, "smem_bytes_per_clk_sm" };
    gpu.smemPerSmKib = { 228, "KiB", sameDie, Derived, {}, "smem_max_per_sm" };
    gpu.smemPerCtaKib = { 227, "KiB", sameDie, Derived, {}, "smem_max_per_cta" };
    gpu.l2Mib = { 60, "MiB", "device query: PyTorch L2_cache_size=60MB on NVIDIA H200 (public log)", Published, {},
        "l2_size" };
    gpu.hbmGBps = { 4800, "GB/s", datasheetH200, Published, {}, "hbm_bandwidth" };
    return gpu;
}

} // namespace flashstep::spec
