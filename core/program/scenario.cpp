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

const std::vector<Knob>& knobs()
{
    static const std::vector<std::string_view> both { "standard", "fa2" };
    static const std::vector<Knob> table {
        { "register-contention", "ratio", "0 (off) … 8",
            "tensor cycles lost per issue cycle of vector work, accumulators being in registers",
            "trial fit, docs/hardware-model.md", 0, 8, both },
        { "sms", "SM", "1 … 1024", "streaming multiprocessors", "GPU table", 1, 1024, both },
        { "clock-mhz", "MHz", "100 … 5000", "clock that cycles are turned into time with", "GPU table", 100, 5000,
            both },
        { "tensor-rate", "FLOP/clk/SM", "64 … 65536",
            "dense bf16 rate of the tensor cores; instruction intervals scale with it", "GPU table", 64, 65536, both },
        { "mufu-rate", "ex2/clk/SM", "1 … 256", "rate of the exponential unit", "GPU table", 1, 256, both },
        { "smem-bytes-per-clk", "B/clk/SM", "8 … 1024", "shared-memory port", "GPU table", 8, 1024, both },
        { "smem-kib", "KiB", "16 … 1024", "shared memory of an SM; one CTA may take it but for what is reserved",
            "GPU table", 16, 1024, both },
        { "hbm-gbps", "GB/s", "10 … 100000", "HBM bandwidth", "GPU table", 10, 100000, both },
    };
    return table;
}

} // namespace flashstep
