// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/what_if.h"

#include <algorithm>

namespace flashstep {

namespace {

void set(Figure& figure, double value)
{
    figure.value = value;
    figure.source = "what-if";
    figure.confidence = Confidence::Guess;
}

// The instructions' intervals follow the rate, and so does the rate of fp8.
void setTensorRate(GpuSpec& gpu, double value)
{
    const double slower = gpu.tensorFlopsPerClk / value;
    for (Figure GpuSpec::*const interval :
        { &GpuSpec::mmaSyncCycles, &GpuSpec::wgmmaCyclesPerColumn, &GpuSpec::ummaCyclesPerColumn })
        if (gpu.*interval > 0) // the GPU has the instruction
            set(gpu.*interval, gpu.*interval * slower);
    if (gpu.tensorFp8FlopsPerClk > 0)
        set(gpu.tensorFp8FlopsPerClk, gpu.tensorFp8FlopsPerClk / slower);
    set(gpu.tensorFlopsPerClk, value);
}

void turn(GpuSpec& gpu, std::string_view key, double value)
{
    if (key == "register-contention") {
        // That of wgmma by as much: as it is stays as it is, and off is off for both.
        if (gpu.wgmmaCyclesPerColumn > 0 && gpu.registerContention > 0)
            set(gpu.registerContentionWgmma, gpu.registerContentionWgmma * value / gpu.registerContention);
        set(gpu.registerContention, value);
    } else if (key == "tensor-rate") {
        setTensorRate(gpu, value);
    } else if (key == "mufu-rate") {
        set(gpu.mufuPerClk, value);
    } else if (key == "smem-kib") {
        set(gpu.smemPerSmKib, value);
        set(gpu.smemPerCtaKib, value - gpu.reservedSmemPerCtaKib);
    } else if (Figure GpuSpec::*const member = figureMember(key)) {
        set(gpu.*member, value);
    }
}

} // namespace

Result<GpuSpec> applyKnobs(const GpuSpec& gpu, const Scenario& scenario)
{
    GpuSpec turned = gpu;
    for (const auto& [key, text] : scenario.knobs) {
        if (Status ok = checkKnob(scenario, key, text); !ok)
            return ok.error();
        if (const Figure* figure = figureOf(gpu, key); figure != nullptr && figure->absent())
            return Error { std::string(gpu.title) + " does not have it: " + std::string(figure->note), "what-if " + key,
                "list gpus shows the figures of each" };
        if (const auto value = knobNumber(text))
            turn(turned, key, *value);
    }
    return turned;
}

} // namespace flashstep
