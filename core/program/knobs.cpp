// SPDX-License-Identifier: Apache-2.0
#include "core/program/scenario.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace flashstep {

namespace {

constexpr std::string_view gpuTable = "GPU table";
constexpr std::string_view gpuFigure
    = "a figure of the GPU: list gpus has its source and value, list constants which are fitted";
constexpr std::string_view fa1Kernel = "fmha_fprop_kernel_1xN.h (v1.0.9)";
constexpr std::string_view fa1Paper = "arXiv:2205.14135, Algorithm 1";
constexpr std::string_view fa2Kernel = "flash_fwd_kernel.h";
constexpr std::string_view fa3Mainloop = "hopper/mainloop_fwd_sm90_tma_gmma_ws.hpp";
constexpr std::string_view fa3Paper = "arXiv:2407.08608, section 3";
constexpr std::string_view fa3Launch = "hopper/flash_fwd_launch_template.h; flash_attn/cute/flash_fwd_sm100.py";
constexpr std::string_view fa3Tiles = "hopper/tile_size.h";
constexpr std::string_view fa3Scheduler = "hopper/tile_scheduler.hpp; flash_attn/cute/tile_scheduler.py";
constexpr std::string_view fa4Forward = "flash_attn/cute/flash_fwd_sm100.py";
constexpr std::string_view fa4Softmax = "flash_attn/cute/softmax.py";
constexpr std::string_view fa4Interface = "flash_attn/cute/interface.py";
constexpr std::string_view ownSwitch = "own switch";

} // namespace

const std::vector<Knob>& knobs()
{
    // Who obeys what: the machine itself; TMA, wgmma and mbarriers.
    static const std::vector<std::string_view> everyVersion { "standard", "fa1", "fa2", "fa3", "fa4" };
    static const std::vector<std::string_view> fromHopper { "fa3", "fa4" };
    static const std::vector<std::string_view> registersAccumulate { "standard", "fa1", "fa2", "fa3" };
    static const std::vector<std::string_view> hopper { "fa3" };
    static const std::vector<std::string_view> blackwell { "fa4" };
    static const std::vector<std::string_view> onOff { "on", "off" };
    static const std::vector<Knob> table {
        { "ping-pong", "", "on, off", "consumer warpgroups take turns on the tensor cores", fa3Mainloop, 0, 0, hopper,
            onOff },
        { "intra-overlap", "", "on, off", "softmax of a block while the product with V of the block before runs",
            fa3Mainloop, 0, 0, hopper, onOff },
        { "warp-specialisation", "", "on, off", "copies are issued by a warp of their own", fa3Paper, 0, 0, hopper,
            onOff },
        { "stages", "", "1 … 32", "slots of the rings of K and V", fa3Launch, 1, 32, fromHopper, {} },
        { "consumer-warpgroups", "", "1 … 3", "warpgroups that compute; each owns 64 rows of the tile", fa3Tiles, 1, 3,
            hopper, {} },
        { "multicast", "", "on, off", "the two CTAs of a cluster fetch K and V once for both", fa3Launch, 0, 0, hopper,
            onOff },
        { "copy", "", "tma, cp-async", "how K and V come to shared memory", fa3Mainloop, 0, 0, hopper,
            { "tma", "cp-async" } },
        { "scheduler", "", "linear, lpt, persistent, single-tile",
            "order of the work tiles and who does them: in order, longest first, a fixed share for each CTA, or a CTA "
            "for each",
            fa3Scheduler, 0, 0, { "fa2", "fa3", "fa4" }, { "linear", "lpt", "persistent", "single-tile" } },
        { "swizzle", "", "on, off", "shared-memory tiles laid out so that reads do not meet in a bank", ownSwitch, 0, 0,
            { "standard", "fa1", "fa2" }, onOff },
        { "divide", "", "now, end", "O divided by l at every block, or once at the end", fa1Kernel, 0, 0,
            { "fa1", "fa2" }, { "now", "end" } },
        { "loop-order", "", "kv-outer, q-outer", "which of the two loops is the outer one", fa1Paper, 0, 0, { "fa1" },
            { "kv-outer", "q-outer" } },
        { "warp-split", "", "q, k", "the warps share out the query rows, or the keys", fa2Kernel, 0, 0, { "fa2" },
            { "q", "k" } },
        { "fa1-form", "", "shipped, paper", "the kernel of v1.0.9 with one statistic, or the paper's loop with two",
            fa1Kernel, 0, 0, { "fa1" }, { "shipped", "paper" } },
        { "causal-alignment", "", "bottom-right, top-left", "which corner the causal diagonal starts from", fa1Kernel,
            0, 0, everyVersion, { "bottom-right", "top-left" } },
        { "empty-row-lse", "", "minus-inf, kernel", "what a row that sees nothing stores as its log-sum-exp",
            "softmax.h of csrc/flash_attn: +inf; the others store -inf themselves", 0, 0, { "fa2" },
            { "minus-inf", "kernel" } },
        { "q-stage", "", "1, 2", "query tiles of a CTA, each with a softmax warpgroup of its own", fa4Forward, 1, 2,
            blackwell, {} },
        { "rescale-threshold", "log2", "0 … 16",
            "how far the row maximum may outgrow the reference before O and l are rescaled", fa4Softmax, 0, 16,
            blackwell, {} },
        { "exp2-emulation", "", "off, or a fraction up to 1",
            "share of the exponentials computed by a polynomial instead of the exponential unit", fa4Softmax, 0, 1,
            blackwell, {} },
        { "exp2-degree", "", "1 … 5", "degree of that polynomial", fa4Softmax, 1, 5, blackwell, {} },
        { "two-cta", "", "on, off", "pairs of CTAs share each product: every CTA holds half of K and V", fa4Interface,
            0, 0, blackwell, onOff },
        { "pack-gqa", "", "on, off", "the query heads that share a key head fill the rows of one tile", fa4Interface, 0,
            0, blackwell, onOff },
        { "assumed-rescale-rate", "", "0 … 1", "share of the blocks that are rescaled where no values are computed",
            ownSwitch, 0, 1, blackwell, {} },
        { "fp8-offset", "log2", "0 … 16", "added to the exponent of P, which e4m3 then holds", fa4Softmax, 0, 16,
            fromHopper, {} },
        { "fp8-scale", "", "tensor, block", "e4m3 operands are scaled: one factor a tensor and head, or one a tile",
            fa3Paper, 0, 0, fromHopper, { "tensor", "block" } },
        { "hadamard", "", "on, off", "Q and K rotated by a random Hadamard matrix before they become e4m3", fa3Paper, 0,
            0, fromHopper, onOff },
        { "jitter-seed", "", "0 (none) … 4294967295", "stretches latencies by up to a half, by this seed", ownSwitch, 0,
            4294967295.0, everyVersion, {} },

        { "register-contention", "ratio", "0 (off) … 8",
            "tensor cycles lost per issue cycle of vector work beside mma.sync; that of wgmma is changed by as much",
            gpuFigure, 0, 8, registersAccumulate },
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
        { "tmem-columns", "column", "32 … 4096", "tensor memory of an SM: 128 lanes of so many 32-bit cells", gpuTable,
            32, 4096, blackwell },
        { "l2-mib", "MiB", "1 … 4096", "L2 capacity", gpuTable, 1, 4096, everyVersion },

        { "issue-cycles-per-op", "cycle/op", "0.25 … 16",
            "issue slots of a counted vector operation, its addressing and moves included", gpuFigure, 0.25, 16,
            everyVersion },
        { "l2-bytes-per-clk-per-sm", "B/clk/SM", "1 … 1024", "L2 to one SM under load", gpuFigure, 1, 1024,
            everyVersion },
        { "copy-latency", "cycle", "0 … 100000", "an asynchronous copy (cp.async) after its bytes have passed",
            gpuFigure, 0, 100000, registersAccumulate },
        { "barrier-latency", "cycle", "0 … 10000", "from the last arrival at a barrier to its waiters", gpuFigure, 0,
            10000, everyVersion },
        { "row-reduce-cycles", "cycle", "0 … 10000", "shuffles and scalar maths of one row reduction", gpuFigure, 0,
            10000, registersAccumulate },
        { "mma-step-latency", "cycle", "0 … 1000", "exposed latency from ldmatrix to mma.sync, each k-step", gpuFigure,
            0, 1000, registersAccumulate },
        { "cta-start-cycles", "cycle", "0 … 100000", "a new CTA on a free slot until its first instruction", gpuFigure,
            0, 100000, everyVersion },
        { "launch-microseconds", "us", "0 … 10000", "cost of a kernel launch", gpuFigure, 0, 10000, everyVersion },

        { "register-contention-wgmma", "ratio", "0 (off) … 8",
            "tensor cycles lost per issue cycle of vector work, wgmma alone", gpuFigure, 0, 8, hopper },
        { "wgmma-latency", "cycle", "0 … 10000", "start and completion of a group of wgmma", gpuFigure, 0, 10000,
            hopper },
        { "tmem-bytes-per-clk", "B/clk/SM", "8 … 4096", "port of tensor memory that the vector warps share", gpuFigure,
            8, 4096, blackwell },
        { "tmem-load-latency", "cycle", "0 … 10000", "a load from tensor memory beyond its bytes", gpuFigure, 0, 10000,
            blackwell },
        { "tma-latency", "cycle", "0 … 100000", "a TMA load after its bytes have passed", gpuFigure, 0, 100000,
            fromHopper },
        { "mbarrier-latency", "cycle", "0 … 10000", "from the last arrival at an mbarrier to its waiters", gpuFigure, 0,
            10000, fromHopper },
        { "tile-epilogue-cycles", "cycle", "0 … 100000", "epilogue and scheduling of a tile beyond its operations",
            gpuFigure, 0, 100000, fromHopper },
        { "activity-at-cap", "ratio", "0.05 … 1",
            "mean utilisation of tensor cores and exponential units above which the power cap lowers the clock; 1 = "
            "none",
            gpuFigure, 0.05, 1, everyVersion },
    };
    return table;
}

namespace {

bool whole(double value)
{
    return value == std::floor(value);
}

} // namespace

std::optional<double> knobNumber(const std::string& text)
{
    if (text == "off")
        return 0.0;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

Status checkKnob(const Scenario& scenario, std::string_view key, const std::string& text)
{
    const auto knob = std::find_if(knobs().begin(), knobs().end(), [&](const Knob& known) { return known.key == key; });
    if (knob == knobs().end())
        return Error { "no knob of that name in this version", "what-if " + std::string(key), "list knobs shows them" };
    if (std::find(knob->algorithms.begin(), knob->algorithms.end(), scenario.algorithm) == knob->algorithms.end())
        return Error { scenario.algorithm + " does not obey it", "what-if " + std::string(key),
            "list knobs shows which versions do" };
    const Error cannot { "cannot be " + text, "what-if " + std::string(key), std::string(knob->accepts) };
    if (!knob->words.empty())
        return std::find(knob->words.begin(), knob->words.end(), text) == knob->words.end() ? Status(cannot)
                                                                                            : Status(Nothing {});
    const auto value = knobNumber(text);
    if (!value || !(*value >= knob->low && *value <= knob->high))
        return cannot;
    static constexpr std::array<std::string_view, 7> countKeys { "sms", "stages", "consumer-warpgroups", "jitter-seed",
        "q-stage", "exp2-degree", "tmem-columns" };
    const bool counts = std::find(countKeys.begin(), countKeys.end(), key) != countKeys.end();
    if (counts && !whole(*value))
        return Error { "cannot be " + text, "what-if " + std::string(key), "a whole number" };
    return Nothing {};
}

Choices choicesOf(const Scenario& scenario)
{
    Choices c;
    c.stages = scenario.stages;
    for (const auto& [key, text] : scenario.knobs) {
        const bool on = text == "on";
        const auto real = [&text = text] { return knobNumber(text).value_or(0); };
        const auto number = [&] { return static_cast<std::int64_t>(real()); };
        if (key == "ping-pong")
            c.pingPong = on;
        else if (key == "intra-overlap")
            c.intraOverlap = on;
        else if (key == "warp-specialisation")
            c.warpSpecialisation = on;
        else if (key == "multicast")
            c.multicast = on;
        else if (key == "swizzle")
            c.swizzle = on;
        else if (key == "stages")
            c.stages = static_cast<int>(number());
        else if (key == "consumer-warpgroups")
            c.consumerWarpgroups = static_cast<int>(number());
        else if (key == "copy")
            c.copy = text == "tma" ? Choices::Copy::Tma : Choices::Copy::CpAsync;
        else if (key == "scheduler")
            c.scheduler = text == "linear" ? Choices::Scheduler::Linear
                : text == "lpt"            ? Choices::Scheduler::Lpt
                : text == "persistent"     ? Choices::Scheduler::Persistent
                                           : Choices::Scheduler::SingleTile;
        else if (key == "divide")
            c.divide = text == "now" ? Choices::Divide::Now : Choices::Divide::End;
        else if (key == "loop-order")
            c.loopOrder = text == "kv-outer" ? Choices::LoopOrder::KvOuter : Choices::LoopOrder::QOuter;
        else if (key == "warp-split")
            c.warpSplit = text == "q" ? Choices::WarpSplit::Queries : Choices::WarpSplit::Keys;
        else if (key == "fa1-form")
            c.fa1Form = text == "shipped" ? Choices::Fa1Form::Shipped : Choices::Fa1Form::Paper;
        else if (key == "causal-alignment")
            c.topLeft = text == "top-left";
        else if (key == "empty-row-lse")
            c.kernelEmptyRowLse = text == "kernel";
        else if (key == "q-stage")
            c.queryStages = static_cast<int>(number());
        else if (key == "two-cta")
            c.twoCta = on;
        else if (key == "pack-gqa")
            c.packGqa = on;
        else if (key == "rescale-threshold")
            c.rescaleThreshold = real();
        else if (key == "exp2-emulation")
            c.emulatedShare = real();
        else if (key == "exp2-degree")
            c.polynomialDegree = static_cast<int>(number());
        else if (key == "assumed-rescale-rate")
            c.assumedRescaleRate = real();
        else if (key == "fp8-offset")
            c.fp8Offset = real();
        else if (key == "fp8-scale")
            c.fp8Scale = text == "tensor" ? Choices::Fp8Scale::Tensor : Choices::Fp8Scale::Block;
        else if (key == "hadamard")
            c.hadamard = on;
        else if (key == "jitter-seed")
            c.jitterSeed = static_cast<std::uint32_t>(number());
    }
    return c;
}

} // namespace flashstep
