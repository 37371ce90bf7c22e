// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/spec.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

using enum Confidence;

// Sources, as resources/hardware/hardware.csv words them; a test holds this table against that file.
constexpr std::string_view ampereWhitepaper
    = "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/nvidia-ampere-architecture-whitepaper.pdf "
      "(figures read via "
      "glennklockwood.com/garden/processors/A100 and OpenXLA cuda_core_info_table.cc)";
constexpr std::string_view openXla = "OpenXLA xla/stream_executor/cuda/cuda_core_info_table.cc (cites NVIDIA "
                                     "whitepapers) https://github.com/openxla/xla";
constexpr std::string_view guideThroughput
    = "CUDA C++ Programming Guide, arithmetic-instruction throughput table "
      "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions";
constexpr std::string_view a100Latencies
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table IV (A100 PCIe)";
constexpr std::string_view a100Tensor
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table VII";
constexpr std::string_view h100Latencies
    = "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking (H800 PCIe, 114 SM)";
constexpr std::string_view flashVla
    = "https://github.com/revollllt/flash-vla hardware-unit-test/sm90 (measured on H100 SXM5)";
constexpr std::string_view fa3Table1 = "arXiv:2407.08608 FlashAttention-3 Table 1";

// Sources outside the csv.
constexpr std::string_view guideLimits = "CUDA C++ Programming Guide, compute capabilities "
                                         "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#compute-capabilities";
constexpr std::string_view trialFit = "trial fit, docs/hardware-model.md";
constexpr std::string_view fittedOnH100 = "fitted on H100 rows, used here unchanged";

// The same on both architectures.
constexpr Figure aluPerClk { 64, "op/clk/SM", guideThroughput, Published,
    "compare, minimum, maximum; conversions taken alike" };
constexpr Figure issuePerClk { 4, "warp instr/clk/SM", guideLimits, Published,
    "four schedulers, each one instruction per clock" };
constexpr Figure reservedSmemPerCta { 1, "KiB", guideLimits, Published };
constexpr Figure registersPerSm { 65536, "register", guideLimits, Published, "256 KB of 4 B each" };

constexpr GpuSpec a100 {
    .name = "a100",
    .title = "A100-SXM4-80GB",
    .computeCapability = 80,
    .sms = { 108, "SM", ampereWhitepaper, Published, {}, "sm_count" },
    .clockMhz = { 1410, "MHz", ampereWhitepaper, Published, {}, "boost_clock" },
    .tensorFlopsPerClk = { 2048, "FLOP/clk/SM", openXla, Published, {}, "tensor_fp16_flop_per_clk_sm" },
    .mmaSyncCycles = { 8, "cycle", "arithmetic: 4096 FLOP / (2048 FLOP/clk / 4 quarters)", Derived },
    .mmaSyncLatency = { 24.6, "cycle", a100Tensor, Microbenchmark, {}, "mma_m16n8k16_fp16_latency" },
    .mufuPerClk = { 16, "op/clk/SM", guideThroughput, Published, {}, "mufu_per_clk_sm" },
    .fmaPerClk = { 64, "FMA/clk/SM", guideThroughput, Published, {}, "fp32_fma_per_clk_sm" },
    .aluPerClk = aluPerClk,
    .issuePerClk = issuePerClk,
    .issueCyclesPerOp = { 1.34, "cycle/op", trialFit, Fitted, fittedOnH100 },
    .registerContention = { 1.6, "cycle/cycle", trialFit, Fitted, fittedOnH100 },
    .smemBytesPerClk
    = { 128, "B/clk/SM", "32 banks x 4 B, CUDA C++ Programming Guide", Derived, {}, "smem_bytes_per_clk_sm" },
    .smemLatency = { 29.0, "cycle", a100Latencies, Microbenchmark, {}, "smem_latency" },
    .smemPerSmKib = { 164, "KiB", guideThroughput, Published, {}, "smem_max_per_sm" },
    .smemPerCtaKib
    = { 163, "KiB", "openxla/xla a100_sxm_80.txtpb (166912 B opt-in)", Published, {}, "smem_max_per_cta" },
    .reservedSmemPerCtaKib = reservedSmemPerCta,
    .registersPerSm = registersPerSm,
    .maxThreadsPerSm = { 2048, "thread", "openxla/xla a100_sxm_80.txtpb", Published, {}, "max_threads_per_sm" },
    .maxCtasPerSm = { 32, "CTA", guideLimits, Published },
    .l2Mib = { 40, "MiB", ampereWhitepaper, Published, {}, "l2_size" },
    .l2BytesPerClkPerSm = { 2007.9 / 108, "B/clk/SM",
        "arXiv:2402.13499 Dissecting the NVIDIA Hopper Architecture through Microbenchmarking Table V (A100 PCIe)",
        Derived, "2007.9 B/clk of the whole GPU over 108 SMs" },
    .l2Latency = { 261.5, "cycle", a100Latencies, Microbenchmark, {}, "l2_latency" },
    .globalLatency = { 466.3, "cycle", a100Latencies, Microbenchmark, {}, "global_latency" },
    .copyLatency = { 600, "cycle", trialFit, Fitted, fittedOnH100 },
    .hbmGBps = { 2039, "GB/s", ampereWhitepaper, Published, {}, "hbm_bandwidth" },
    .barrierLatency = { 36, "cycle", trialFit, Fitted, fittedOnH100 },
    .rowReduceCycles = { 78, "cycle", trialFit, Fitted, fittedOnH100 },
    .mmaStepLatency = { 20, "cycle", trialFit, Fitted, fittedOnH100 },
    .ctaStartCycles = { 800, "cycle", trialFit, Fitted, fittedOnH100 },
    .launchMicroseconds = { 5, "us", trialFit, Fitted, fittedOnH100 },
};

constexpr GpuSpec h100 {
    .name = "h100",
    .title = "H100-SXM5",
    .computeCapability = 90,
    .sms = { 132, "SM", openXla, Published, {}, "sm_count" },
    .clockMhz
    = { 1830, "MHz", openXla, Published, "the fixed clock of the FlashAttention-3 benchmarks", "tensor_peak_clock" },
    .tensorFlopsPerClk = { 4096, "FLOP/clk/SM", openXla, Published, {}, "tensor_fp16_flop_per_clk_sm" },
    .mmaSyncCycles
    = { 6.26, "cycle", flashVla, Microbenchmark, "65 % of the wgmma rate", "mma_sync_m16n8k16_issue_interval" },
    .mmaSyncLatency = { 25.14, "cycle", flashVla, Microbenchmark, {}, "mma_sync_m16n8k16_latency" },
    .mufuPerClk = { 16, "op/clk/SM",
        "arXiv:2603.05451 FlashAttention-4 (read through the Colfax/Together posts and paper notes); CUDA C++ "
        "Programming Guide, "
        "arithmetic-instruction throughput table "
        "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions",
        Published, {}, "mufu_per_clk_sm" },
    .fmaPerClk = { 128, "FMA/clk/SM", guideThroughput, Published, {}, "fp32_fma_per_clk_sm" },
    .aluPerClk = aluPerClk,
    .issuePerClk = issuePerClk,
    .issueCyclesPerOp = { 1.34, "cycle/op", trialFit, Fitted },
    .registerContention = { 1.6, "cycle/cycle", trialFit, Fitted, "mma.sync; 1.0 for wgmma" },
    .smemBytesPerClk = { 128, "B/clk/SM", "32 banks x 4 B", Derived, {}, "smem_bytes_per_clk_sm" },
    .smemLatency = { 29.0, "cycle", h100Latencies, Microbenchmark, {}, "smem_latency" },
    .smemPerSmKib
    = { 228, "KiB", "arXiv:2407.08608 FlashAttention-3 Table 1; H100 tuning guide", Published, {}, "smem_max_per_sm" },
    .smemPerCtaKib = { 227, "KiB", "NVIDIA Hopper Tuning Guide", Published, {}, "smem_max_per_cta" },
    .reservedSmemPerCtaKib = reservedSmemPerCta,
    .registersPerSm = registersPerSm,
    .maxThreadsPerSm = { 2048, "thread", guideLimits, Published },
    .maxCtasPerSm = { 32, "CTA", "flash-vla h100 spec.py (2026 snapshot) citing CUDA guide CC 9.0", Published, {},
        "max_ctas_per_sm" },
    .l2Mib = { 50, "MiB", fa3Table1, Published, {}, "l2_size" },
    .l2BytesPerClkPerSm
    = { 23, "B/clk/SM", trialFit, Fitted, "a microbenchmark of H800 PCIe has 3942.4 B/clk over 114 SMs = 34.6" },
    .l2Latency = { 263.0, "cycle", h100Latencies, Microbenchmark, {}, "l2_latency" },
    .globalLatency = { 478.8, "cycle", h100Latencies, Microbenchmark, {}, "global_latency" },
    .copyLatency = { 600, "cycle", trialFit, Fitted },
    .hbmGBps = { 3350, "GB/s",
        "NVIDIA H100 datasheet figure, read on secondary spec pages; arXiv:2407.08608 FlashAttention-3 Table 1",
        Published, {}, "hbm_bandwidth" },
    .barrierLatency = { 36, "cycle", trialFit, Fitted },
    .rowReduceCycles = { 78, "cycle", trialFit, Fitted },
    .mmaStepLatency = { 20, "cycle", trialFit, Fitted },
    .ctaStartCycles = { 800, "cycle", trialFit, Fitted },
    .launchMicroseconds = { 5, "us", trialFit, Fitted },
};

constexpr std::array specs { a100, h100 };

#define FLASHSTEP_FIGURE(field) std::pair<std::string_view, Figure GpuSpec::*>(#field, &GpuSpec::field)
constexpr std::array figures {
    FLASHSTEP_FIGURE(sms),
    FLASHSTEP_FIGURE(clockMhz),
    FLASHSTEP_FIGURE(tensorFlopsPerClk),
    FLASHSTEP_FIGURE(mmaSyncCycles),
    FLASHSTEP_FIGURE(mmaSyncLatency),
    FLASHSTEP_FIGURE(mufuPerClk),
    FLASHSTEP_FIGURE(fmaPerClk),
    FLASHSTEP_FIGURE(aluPerClk),
    FLASHSTEP_FIGURE(issuePerClk),
    FLASHSTEP_FIGURE(issueCyclesPerOp),
    FLASHSTEP_FIGURE(registerContention),
    FLASHSTEP_FIGURE(smemBytesPerClk),
    FLASHSTEP_FIGURE(smemLatency),
    FLASHSTEP_FIGURE(smemPerSmKib),
    FLASHSTEP_FIGURE(smemPerCtaKib),
    FLASHSTEP_FIGURE(reservedSmemPerCtaKib),
    FLASHSTEP_FIGURE(registersPerSm),
    FLASHSTEP_FIGURE(maxThreadsPerSm),
    FLASHSTEP_FIGURE(maxCtasPerSm),
    FLASHSTEP_FIGURE(l2Mib),
    FLASHSTEP_FIGURE(l2BytesPerClkPerSm),
    FLASHSTEP_FIGURE(l2Latency),
    FLASHSTEP_FIGURE(globalLatency),
    FLASHSTEP_FIGURE(copyLatency),
    FLASHSTEP_FIGURE(hbmGBps),
    FLASHSTEP_FIGURE(barrierLatency),
    FLASHSTEP_FIGURE(rowReduceCycles),
    FLASHSTEP_FIGURE(mmaStepLatency),
    FLASHSTEP_FIGURE(ctaStartCycles),
    FLASHSTEP_FIGURE(launchMicroseconds),
};
#undef FLASHSTEP_FIGURE
// A figure that the header gains has to be listed here too.
static_assert(sizeof(GpuSpec) - figures.size() * sizeof(Figure) < sizeof(Figure));

constexpr std::array<std::string_view, 5> confidences { "published", "microbenchmark", "derived", "fitted", "guess" };

} // namespace

std::string_view name(Confidence confidence)
{
    return confidences[static_cast<std::size_t>(confidence)];
}

std::span<const GpuSpec> gpuSpecs()
{
    return specs;
}

const GpuSpec* findGpu(std::string_view name)
{
    const auto* spec = std::ranges::find(specs, name, &GpuSpec::name);
    return spec == specs.end() ? nullptr : spec;
}

std::span<const std::pair<std::string_view, Figure GpuSpec::*>> gpuFigures()
{
    return figures;
}

} // namespace flashstep
