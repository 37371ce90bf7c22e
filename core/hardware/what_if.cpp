// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/what_if.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace flashstep {

namespace {

std::optional<double> numberFrom(const std::string& text)
{
    if (text == "off")
        return 0.0;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

void set(Figure& figure, double value)
{
    figure.value = value;
    figure.source = "what-if";
    figure.confidence = Confidence::Guess;
}

void turn(GpuSpec& gpu, std::string_view key, double value)
{
    if (key == "register-contention")
        set(gpu.registerContention, value);
    else if (key == "sms")
        set(gpu.sms, value);
    else if (key == "clock-mhz")
        set(gpu.clockMhz, value);
    else if (key == "mufu-rate")
        set(gpu.mufuPerClk, value);
    else if (key == "smem-bytes-per-clk")
        set(gpu.smemBytesPerClk, value);
    else if (key == "hbm-gbps")
        set(gpu.hbmGBps, value);
    else if (key == "tensor-rate") { // the instruction's interval follows the rate
        set(gpu.mmaSyncCycles, gpu.mmaSyncCycles * gpu.tensorFlopsPerClk / value);
        set(gpu.tensorFlopsPerClk, value);
    } else if (key == "smem-kib") {
        set(gpu.smemPerSmKib, value);
        set(gpu.smemPerCtaKib, value - gpu.reservedSmemPerCtaKib);
    }
}

} // namespace

Result<GpuSpec> applyKnobs(const GpuSpec& gpu, const Scenario& scenario)
{
    GpuSpec turned = gpu;
    for (const auto& [key, text] : scenario.knobs) {
        const auto knob
            = std::find_if(knobs().begin(), knobs().end(), [&k = key](const Knob& known) { return known.key == k; });
        if (knob == knobs().end())
            return Error { "no knob of that name in this version", "what-if " + key, "list knobs shows them" };
        if (std::find(knob->algorithms.begin(), knob->algorithms.end(), scenario.algorithm) == knob->algorithms.end())
            return Error { scenario.algorithm + " does not obey it", "what-if " + key,
                "list knobs shows which versions do" };
        const auto value = numberFrom(text);
        if (!value || !(*value >= knob->low && *value <= knob->high))
            return Error { "cannot be " + text, "what-if " + key, std::string(knob->accepts) };
        if ((key == "sms") && *value != static_cast<double>(static_cast<int>(*value)))
            return Error { "cannot be " + text, "what-if " + key, "a whole number" };
        turn(turned, key, *value);
    }
    return turned;
}

} // namespace flashstep
