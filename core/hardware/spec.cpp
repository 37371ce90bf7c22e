// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/spec.h"

#include "core/hardware/spec_tables.h"

#include <algorithm>
#include <array>

namespace flashstep {

namespace {

#define FLASHSTEP_FIGURE(field) std::pair<std::string_view, Figure GpuSpec::*>(#field, &GpuSpec::field)
constexpr std::array figures {
    FLASHSTEP_FIGURE(sms),
    FLASHSTEP_FIGURE(clockMhz),
    FLASHSTEP_FIGURE(activityAtCap),
    FLASHSTEP_FIGURE(tensorFlopsPerClk),
    FLASHSTEP_FIGURE(tensorFp8FlopsPerClk),
    FLASHSTEP_FIGURE(mmaSyncCycles),
    FLASHSTEP_FIGURE(mmaSyncLatency),
    FLASHSTEP_FIGURE(wgmmaCyclesPerColumn),
    FLASHSTEP_FIGURE(wgmmaLatency),
    FLASHSTEP_FIGURE(ummaCyclesPerColumn),
    FLASHSTEP_FIGURE(ummaSsFloor),
    FLASHSTEP_FIGURE(ummaLatencySs),
    FLASHSTEP_FIGURE(ummaLatencyTs),
    FLASHSTEP_FIGURE(ummaLatencySsPair),
    FLASHSTEP_FIGURE(ummaLatencyTsPair),
    FLASHSTEP_FIGURE(polynomialInstructions),
    FLASHSTEP_FIGURE(mufuPerClk),
    FLASHSTEP_FIGURE(fmaPerClk),
    FLASHSTEP_FIGURE(aluPerClk),
    FLASHSTEP_FIGURE(issuePerClk),
    FLASHSTEP_FIGURE(issueCyclesPerOp),
    FLASHSTEP_FIGURE(registerContention),
    FLASHSTEP_FIGURE(registerContentionWgmma),
    FLASHSTEP_FIGURE(smemBytesPerClk),
    FLASHSTEP_FIGURE(smemLatency),
    FLASHSTEP_FIGURE(smemPerSmKib),
    FLASHSTEP_FIGURE(smemPerCtaKib),
    FLASHSTEP_FIGURE(reservedSmemPerCtaKib),
    FLASHSTEP_FIGURE(tmemLanes),
    FLASHSTEP_FIGURE(tmemColumns),
    FLASHSTEP_FIGURE(tmemBytesPerClk),
    FLASHSTEP_FIGURE(tmemLoadLatency),
    FLASHSTEP_FIGURE(registersPerSm),
    FLASHSTEP_FIGURE(registersPerThreadMax),
    FLASHSTEP_FIGURE(maxThreadsPerSm),
    FLASHSTEP_FIGURE(maxCtasPerSm),
    FLASHSTEP_FIGURE(maxClusterSize),
    FLASHSTEP_FIGURE(l2Mib),
    FLASHSTEP_FIGURE(l2BytesPerClkPerSm),
    FLASHSTEP_FIGURE(l2Latency),
    FLASHSTEP_FIGURE(globalLatency),
    FLASHSTEP_FIGURE(atomicLatency),
    FLASHSTEP_FIGURE(copyLatency),
    FLASHSTEP_FIGURE(tmaIssueCycles),
    FLASHSTEP_FIGURE(tmaLatency),
    FLASHSTEP_FIGURE(tmaStoreLatency),
    FLASHSTEP_FIGURE(reduceAddBytesPerClkPerSm),
    FLASHSTEP_FIGURE(dsmemLatency),
    FLASHSTEP_FIGURE(dsmemBytesPerClkPerSm),
    FLASHSTEP_FIGURE(clusterSync),
    FLASHSTEP_FIGURE(hbmGBps),
    FLASHSTEP_FIGURE(barrierLatency),
    FLASHSTEP_FIGURE(mbarrierLatency),
    FLASHSTEP_FIGURE(setmaxnregCycles),
    FLASHSTEP_FIGURE(rowReduceCycles),
    FLASHSTEP_FIGURE(mmaStepLatency),
    FLASHSTEP_FIGURE(tileEpilogueCycles),
    FLASHSTEP_FIGURE(ctaStartCycles),
    FLASHSTEP_FIGURE(launchMicroseconds),
};
#undef FLASHSTEP_FIGURE
// A figure that the header gains has to be listed here too.
static_assert(sizeof(GpuSpec) - figures.size() * sizeof(Figure) < sizeof(Figure));

constexpr std::array<std::string_view, 5> confidences { "published", "microbenchmark", "derived", "fitted", "guess" };

bool isUpper(char c)
{
    return c >= 'A' && c <= 'Z';
}

} // namespace

GpuSpec spec::inherited(const GpuSpec& other, std::string_view as)
{
    GpuSpec gpu = other;
    for (const auto& [field, member] : figures) {
        Figure& figure = gpu.*member;
        const bool ofTheArchitecture = figure.confidence == Confidence::Published && figure.parameter.empty();
        if (ofTheArchitecture) // also what it does not have
            continue;
        if (figure.confidence == Confidence::Published || figure.confidence == Confidence::Microbenchmark)
            figure.confidence = Confidence::Derived;
        if (!figure.note.starts_with("as ")) // of a third one already
            figure.note = as;
        figure.parameter = {};
    }
    return gpu;
}

std::string_view name(Confidence confidence)
{
    return confidences[static_cast<std::size_t>(confidence)];
}

std::span<const GpuSpec> gpuSpecs()
{
    static const std::array specs { spec::a100(), spec::h100(), spec::h200(), spec::b200(), spec::gb200(),
        spec::b300() };
    return specs;
}

const GpuSpec* findGpu(std::string_view name)
{
    for (const GpuSpec& gpu : gpuSpecs())
        if (gpu.name == name)
            return &gpu;
    return nullptr;
}

std::span<const std::pair<std::string_view, Figure GpuSpec::*>> gpuFigures()
{
    return figures;
}

std::string kebabName(std::string_view field)
{
    std::string name;
    for (std::size_t k = 0; k < field.size(); ++k) {
        if (isUpper(field[k]) && k > 0 && !isUpper(field[k - 1]))
            name += '-';
        name += static_cast<char>(isUpper(field[k]) ? field[k] - 'A' + 'a' : field[k]);
    }
    return name;
}

Figure GpuSpec::*figureMember(std::string_view kebab)
{
    for (const auto& [field, member] : figures)
        if (kebabName(field) == kebab)
            return member;
    return nullptr;
}

const Figure* figureOf(const GpuSpec& gpu, std::string_view kebab)
{
    const auto member = figureMember(kebab);
    return member == nullptr ? nullptr : &(gpu.*member);
}

} // namespace flashstep
