// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/fitted.h"
#include "core/hardware/spec_tables.h"

namespace flashstep::spec {

namespace {

using enum Confidence;

constexpr std::string_view semiAnalysis
    = "https://github.com/SemiAnalysisAI/microbench-blackwell @9a068d8 (Apache-2.0)";
constexpr std::string_view ummaLatency
    = "https://github.com/SemiAnalysisAI/microbench-blackwell @9a068d8 umma_latency/fit_results.csv";
constexpr std::string_view fa4 = "arXiv:2603.05451 FlashAttention-4 (read through the Colfax/Together posts and paper "
                                 "notes)";
constexpr std::string_view tuningGuide
    = "NVIDIA Blackwell Tuning Guide https://docs.nvidia.com/cuda/blackwell-tuning-guide/";
constexpr std::string_view deviceQuery = "https://github.com/pytorch/ao/pull/4002 (device query)";
constexpr std::string_view quickRunCuda = "ademeure/QuickRunCUDA";
constexpr std::string_view quickRunCudaQuery
    = "ademeure/QuickRunCUDA b300_clean (B300 SXM6 AC device query)"; // of a B300
constexpr std::string_view asB200 = "as B200";
constexpr std::string_view asB300 = "as B300";
constexpr std::string_view asH100 = "as H100";
constexpr std::string_view oneLog = "a log of a single author";

constexpr std::string_view noWgmma = "no wgmma";

// What the csv says of GB200 and B300 alike: "as B200".
void setRowsAsB200(GpuSpec& gpu)
{
    gpu.tensorFlopsPerClk = { 8192, "FLOP/clk/SM", asB200, Derived, {}, "tensor_bf16_flop_per_clk_sm" };
    gpu.fmaPerClk = { 128, "FMA/clk/SM", asB200, Derived, {}, "fp32_fma_per_clk_sm" };
    gpu.smemBytesPerClk = { 128, "B/clk/SM", asB200, Derived, {}, "smem_bytes_per_clk_sm" };
    gpu.smemPerSmKib = { 228, "KiB", asB200, Derived, {}, "smem_max_per_sm" };
    gpu.smemPerCtaKib = { 227, "KiB", asB200, Derived, {}, "smem_max_per_cta" };
}

} // namespace

GpuSpec b200()
{
    return {
        .name = "b200",
        .title = "B200",
        .computeCapability = 100,
        .sms = { 148, "SM",
            "https://github.com/pytorch/ao/pull/4002 (device query); arXiv:2512.02189 (Blackwell B200 microbenchmarks)",
            Published, {}, "sm_count" },
        .clockMhz = { 1965, "MHz", "openxla/xla target_config/specs/b200.txtpb (device query 1965000 kHz)", Published,
            "boost_clock, and the fmax of the fit; the published tensor peak stands for 1856", "boost_clock" },
        .activityAtCap = activityAtCapB200,
        .tensorFlopsPerClk = { 8192, "FLOP/clk/SM",
            "arXiv:2603.05451 FlashAttention-4 (read through the Colfax/Together posts and paper notes); "
            "https://github.com/SemiAnalysisAI/microbench-blackwell @9a068d8 (Apache-2.0)",
            Published, {}, "tensor_bf16_flop_per_clk_sm" },
        .tensorFp8FlopsPerClk
        = { 16384, "FLOP/clk/SM", semiAnalysis, Microbenchmark, "16344 measured", "tensor_fp8_flop_per_clk_sm" },
        .mmaSyncCycles = { 4096.0 * 4 / 1924, "cycle",
            "arithmetic: 4096 FLOP x 4 quarters / 1924 FLOP/clk/SM (mma_sync_m16n8k16_rate of B300)", Derived, oneLog },
        .mmaSyncLatency = { 25.14, "cycle", "guess: the latency of H100 (mma_sync_m16n8k16_latency)", Guess, asH100 },
        .wgmmaCyclesPerColumn = absent("cycle/column", noWgmma),
        .wgmmaLatency = absent("cycle", noWgmma),
        .ummaCyclesPerColumn = { 0.5, "cycle/column", "arithmetic: 128 x 16 x 2 FLOP / 8192 FLOP/clk", Derived,
            "m128n128k16 measured at 64.02 cycles, m128n256k16 at 128.0" },
        .ummaSsFloor = { 48.02, "cycle", semiAnalysis, Microbenchmark,
            "m128n64k16: both operands pass the shared-memory port", "umma_bf16_ss_1cta_m128n64_issue_interval" },
        .ummaLatencySs = { 132, "cycle", ummaLatency, Microbenchmark,
            "issue, commit and wait of m128n64k16, intercept of the fit over the number of instructions; 148 of n128" },
        .ummaLatencyTs = { 116, "cycle", ummaLatency, Microbenchmark,
            "issue, commit and wait of m128nNk16, intercept of the fit over the number of instructions" },
        .ummaLatencySsPair = { 182, "cycle", ummaLatency, Microbenchmark,
            "issue, commit and wait of m256n128k16 of a pair, intercept of the fit; 170 of n64" },
        .ummaLatencyTsPair = { 150, "cycle", ummaLatency, Microbenchmark,
            "issue, commit and wait of m256nNk16 of a pair, intercept of the fit" },
        .polynomialInstructions = { 9, "instruction",
            "counted from the PTX of flash_attn/cute/utils.py: 2 max, 3 packed additions, 2 shifts, 2 integer "
            "additions",
            Guess, "UNCONFIRMED: the machine may fuse shift and addition; a talk has about nine with the degree 3" },
        .mufuPerClk = { 16, "op/clk/SM", fa4, Published, {}, "mufu_per_clk_sm" },
        .fmaPerClk = { 128, "FMA/clk/SM", guideThroughput, Published, {}, "fp32_fma_per_clk_sm" },
        .aluPerClk = aluPerClk,
        .issuePerClk = issuePerClk,
        .issueCyclesPerOp = issueCyclesPerOp,
        .registerContention = registerContention,
        .registerContentionWgmma = absent("cycle/cycle", noWgmma),
        .smemBytesPerClk = { 128, "B/clk/SM",
            "arXiv:2603.05451 FlashAttention-4 (read through the Colfax/Together posts and paper notes); "
            "https://github.com/SemiAnalysisAI/microbench-blackwell @9a068d8 (Apache-2.0) (SS UMMA with N<128 is SMEM "
            "bound)",
            Published, {}, "smem_bytes_per_clk_sm" },
        .smemLatency = { 24, "cycle", quickRunCuda, Derived, asB300 },
        .smemPerSmKib = { 228, "KiB", tuningGuide, Published, {}, "smem_max_per_sm" },
        .smemPerCtaKib = { 227, "KiB", tuningGuide, Published, {}, "smem_max_per_cta" },
        .reservedSmemPerCtaKib = reservedSmemPerCta,
        .tmemLanes = { 128, "lane", "PTX ISA, tcgen05 https://docs.nvidia.com/cuda/parallel-thread-execution/",
            Published, "128 lanes x 512 columns x 4 B are the 256 KB of tmem_per_sm" },
        .tmemColumns = { 512, "column", "PTX ISA, tcgen05 https://docs.nvidia.com/cuda/parallel-thread-execution/",
            Published, "128 lanes x 512 columns x 4 B are the 256 KB of tmem_per_sm" },
        .tmemBytesPerClk = { 512, "B/clk/SM", "4 subpartitions x 32 lanes x 4 B", Guess,
            "an unverified log of a B300 has 190 to 216 reading, 323 to 436 writing", "tmem_ld_bytes_per_clk_sm" },
        .tmemLoadLatency = spec::tmemLoadLatency,
        .registersPerSm = registersPerSm,
        .registersPerThreadMax = { 255, "register", tuningGuide, Published, {}, "max_regs_per_thread" },
        .maxThreadsPerSm = maxThreadsPerSm,
        .maxCtasPerSm = { 32, "CTA", tuningGuide, Published, {}, "max_ctas_per_sm" },
        .maxClusterSize = { 8, "CTA", guideLimits, Published, "16 are not portable" },
        .l2Mib = { 126.5, "MiB", deviceQuery, Published, {}, "l2_size" },
        .l2BytesPerClkPerSm = l2BytesBlackwell,
        .l2Latency = { 305, "cycle", quickRunCuda, Derived, asB300 },
        .globalLatency = { 305 + 478.8 - 263.0, "cycle",
            "guess: l2Latency, and what a miss adds on H100 (global_latency - l2_latency)", Guess },
        .atomicLatency = { 305, "cycle", atomicInL2, Derived },
        .copyLatency = { 368, "cycle", "arithmetic: the middle of ldgsts_latency_min_range, 341 to 395", Derived },
        .tmaIssueCycles = { 32, "cycle", guessedTmaIssue, Guess, asH100 },
        .tmaLatency = tmaLatencyBlackwell,
        .tmaStoreLatency = { 700, "cycle", guessedTmaStore, Guess },
        .reduceAddBytesPerClkPerSm
        = { 13, "B/clk/SM", trialFit, Guess, "backward at d 64 under sustained load; those rows are not met yet" },
        .dsmemLatency = { 180, "cycle", quickRunCuda, Derived, asB300 },
        .dsmemBytesPerClkPerSm = { 3.27e12 / 114 / 1.755e9, "B/clk/SM",
            "guess: as Hopper, dsmem_throughput_cluster2 of an H800 PCIe; nobody has published one of Blackwell", Guess,
            asH100 },
        .clusterSync = { 375, "cycle", quickRunCuda, Derived, asB300 },
        .hbmGBps = { 7672, "GB/s", "https://github.com/pytorch/ao/pull/4002 (device query) (7680 bit x 3996 MHz x 2)",
            Derived, {}, "hbm_bandwidth" },
        .barrierLatency = { 38, "cycle", quickRunCuda, Derived, asB300 },
        .mbarrierLatency = { 52, "cycle", "community flashinfer-bench notes, B200 at 1.845 GHz (single run)",
            Microbenchmark, "commit and wait", "mbarrier_commit_wait" },
        .setmaxnregCycles = { 32, "cycle", guessedSetmaxnreg, Guess, asH100 },
        .rowReduceCycles = rowReduceCycles,
        .mmaStepLatency = mmaStepLatency,
        .tileEpilogueCycles = tileEpilogueBlackwell,
        .ctaStartCycles = ctaStartBlackwell,
        .launchMicroseconds = launchMicroseconds,
    };
}

GpuSpec gb200()
{
    GpuSpec gpu = inherited(b200(), asB200);
    gpu.name = "gb200";
    gpu.title = "GB200";
    setRowsAsB200(gpu);
    gpu.sms = { 152, "SM", "openxla/xla target_config/specs/gb200.txtpb (device query)", Published, {}, "sm_count" };
    gpu.clockMhz = { 2062, "MHz", "openxla/xla gb200.txtpb (device query)", Published, {}, "max_clock" };
    gpu.activityAtCap = { 1, "ratio", noCap, Guess, "of 1200 W" };
    gpu.mufuPerClk = { 16, "op/clk/SM", "as B200 (same SM)", Derived, {}, "mufu_per_clk_sm" };
    gpu.l2Mib = { 129.25, "MiB", "openxla/xla target_config/specs/gb200.txtpb (device query 135528448 B)", Published,
        {}, "l2_size" };
    gpu.hbmGBps = { 7928, "GB/s", "openxla/xla gb200.txtpb", Published, {}, "hbm_bandwidth" };
    return gpu;
}

GpuSpec b300()
{
    GpuSpec gpu = inherited(b200(), asB200);
    gpu.name = "b300";
    gpu.title = "B300";
    gpu.computeCapability = 103;
    setRowsAsB200(gpu);
    gpu.sms = { 148, "SM", quickRunCudaQuery, Published, {}, "sm_count" };
    gpu.clockMhz = { 2032, "MHz", "ademeure/QuickRunCUDA b300_clean; second log (nvidia-smi)", Microbenchmark,
        "max_clock; 1920 when locked to it", "max_clock" };
    gpu.activityAtCap
        = { 1, "ratio", "guess: no published attention rows to fit a cap on; 1100 W", Guess, "no cap assumed" };
    gpu.mufuPerClk
        = { 32, "op/clk/SM", "arXiv:2603.05451 (via notes); measured 9.22 T ex2/s at 2032 MHz (ademeure/QuickRunCUDA)",
              Published, "ex2 alone; the other functions 16", "mufu_per_clk_sm" };
    gpu.mmaSyncCycles.note = oneLog;
    gpu.smemLatency = { 24, "cycle", quickRunCuda, Microbenchmark, oneLog, "smem_latency" };
    gpu.l2Mib
        = { 126.5, "MiB", "ademeure/QuickRunCUDA b300_clean (device query 132644864 B)", Published, {}, "l2_size" };
    gpu.l2BytesPerClkPerSm.note = "as B200; a log of a single author has about 60";
    gpu.l2Latency
        = { 305, "cycle", quickRunCuda, Microbenchmark, "300 to 310; the far side about 660", "l2_hit_latency" };
    gpu.dsmemLatency = { 180, "cycle", quickRunCuda, Microbenchmark, "215 in a cluster of 2", "dsmem_latency" };
    gpu.clusterSync = { 375, "cycle", quickRunCuda, Microbenchmark,
        "370 to 380; a bare relaxed arrive and wait in a cluster of 2: 102", "cluster_sync" };
    gpu.hbmGBps = { 7700, "GB/s", "https://verda.com/blog/gb300-nvl72-architecture", Published,
        "7700 to 8000 in the source, here the lower", "hbm_bandwidth" };
    gpu.barrierLatency
        = { 38, "cycle", quickRunCuda, Microbenchmark, "of 8 warps; 22 and 2 for each warp", "syncthreads_256" };
    gpu.mbarrierLatency.note = "as B200; arrive and test_wait measured 54 on B300";
    return gpu;
}

} // namespace flashstep::spec
