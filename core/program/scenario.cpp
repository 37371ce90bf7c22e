// SPDX-License-Identifier: Apache-2.0
#include "core/program/scenario.h"

#include <charconv>

namespace flashstep {

std::string Record::text() const
{
    switch (kind) {
    case Kind::Automatic:
        return "auto";
    case Kind::All:
        return "all";
    case Kind::OneCta:
        return "cta:" + std::to_string(cta);
    case Kind::None:
        break;
    }
    return "none";
}

std::optional<Record> recordFromText(std::string_view text)
{
    if (text == "all")
        return Record { Record::Kind::All };
    if (text == "none")
        return Record { Record::Kind::None };
    if (!text.starts_with("cta:"))
        return std::nullopt;
    text.remove_prefix(4);
    std::uint32_t cta = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cta);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return Record { Record::Kind::OneCta, cta };
}

namespace {

constexpr std::string_view gpuTable = "GPU table";
constexpr std::string_view trialFit = "trial fit, docs/hardware-model.md";

} // namespace

const std::vector<Knob>& knobs()
{
    // Who obeys what: the machine itself; TMA, wgmma and mbarriers.
    static const std::vector<std::string_view> everyVersion { "standard", "fa1", "fa2", "fa3" };
    static const std::vector<std::string_view> fromHopper { "fa3" };
    static const std::vector<Knob> table {
        { "register-contention", "ratio", "0 (off) … 8",
            "tensor cycles lost per issue cycle of vector work, accumulators being in registers (mma.sync and wgmma)",
            trialFit, 0, 8, everyVersion },
        { "sms", "SM", "1 … 1024", "streaming multiprocessors", gpuTable, 1, 1024, everyVersion },
        { "clock-mhz", "MHz", "100 … 5000", "clock that cycles are turned into time with", gpuTable, 100, 5000,
            everyVersion },
        { "tensor-rate", "FLOP/clk/SM", "64 … 65536",
            "dense bf16 rate of the tensor cores; instruction intervals and the fp8 rate scale with it", gpuTable, 64,
            65536, everyVersion },
        { "mufu-rate", "ex2/clk/SM", "1 … 256", "rate of the exponential unit", gpuTable, 1, 256, everyVersion },
        { "smem-bytes-per-clk", "B/clk/SM", "8 … 1024", "shared-memory port", gpuTable, 8, 1024, everyVersion },
        { "smem-kib", "KiB", "16 … 1024", "shared memory of an SM; one CTA may take it but for what is reserved",
            gpuTable, 16, 1024, everyVersion },
        { "hbm-gbps", "GB/s", "10 … 100000", "HBM bandwidth", gpuTable, 10, 100000, everyVersion },
        { "l2-mib", "MiB", "1 … 4096", "L2 capacity", gpuTable, 1, 4096, fromHopper },

        { "issue-cycles-per-op", "cycle/op", "0.25 … 16",
            "issue slots of a counted vector operation, its addressing and moves included", trialFit, 0.25, 16,
            everyVersion },
        { "l2-bytes-per-clk-per-sm", "B/clk/SM", "1 … 1024", "L2 to one SM under load", trialFit, 1, 1024,
            everyVersion },
        { "copy-latency", "cycle", "0 … 100000", "an asynchronous copy (cp.async) after its bytes have passed",
            trialFit, 0, 100000, everyVersion },
        { "barrier-latency", "cycle", "0 … 10000", "from the last arrival at a barrier to its waiters", trialFit, 0,
            10000, everyVersion },
        { "row-reduce-cycles", "cycle", "0 … 10000", "shuffles and scalar maths of one row reduction", trialFit, 0,
            10000, everyVersion },
        { "mma-step-latency", "cycle", "0 … 1000", "exposed latency from ldmatrix to mma.sync, each k-step", trialFit,
            0, 1000, everyVersion },
        { "cta-start-cycles", "cycle", "0 … 100000", "a new CTA on a free slot until its first instruction", trialFit,
            0, 100000, everyVersion },
        { "launch-microseconds", "us", "0 … 10000", "cost of a kernel launch", trialFit, 0, 10000, everyVersion },

        { "register-contention-wgmma", "ratio", "0 (off) … 8",
            "tensor cycles lost per issue cycle of vector work, wgmma alone", trialFit, 0, 8, fromHopper },
        { "wgmma-latency", "cycle", "0 … 10000", "start and completion of a group of wgmma", trialFit, 0, 10000,
            fromHopper },
        { "tma-latency", "cycle", "0 … 100000", "a TMA load after its bytes have passed", trialFit, 0, 100000,
            fromHopper },
        { "mbarrier-latency", "cycle", "0 … 10000", "from the last arrival at an mbarrier to its waiters", trialFit, 0,
            10000, fromHopper },
        { "reduce-add-bytes-per-clk-per-sm", "B/clk/SM", "0.5 … 1024", "fp32 additions into global memory (dQ)",
            trialFit, 0.5, 1024, fromHopper },
        { "tile-epilogue-cycles", "cycle", "0 … 100000", "epilogue and scheduling of a tile beyond its operations",
            trialFit, 0, 100000, fromHopper },
        { "tensor-utilisation-at-cap", "ratio", "0.05 … 1",
            "share of the tensor peak above which the power cap lowers the clock; 1 = no cap", trialFit, 0.05, 1,
            fromHopper },
    };
    return table;
}

} // namespace flashstep
