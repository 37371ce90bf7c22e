// SPDX-License-Identifier: Apache-2.0
#include "core/emulation/guess_effects.h"

#include "core/hardware/guesses.h"

#include <algorithm>

namespace flashstep {

namespace {

constexpr std::size_t mostWorks = 100000; // each prediction goes through all of them

} // namespace

Result<std::vector<GuessEffect>> guessEffects(const Scenario& scenario, const Progress& progress)
{
    const Result<Prepared> prepared = prepare(scenario, true);
    if (!prepared)
        return prepared.error();
    if (prepared->program->works.size() > mostWorks)
        return std::vector<GuessEffect>();
    const Result<Prediction> asIs = predictOn(*prepared, prepared->gpu, progress);
    if (!asIs)
        return asIs.error();
    std::vector<GuessEffect> effects;
    for (const std::string_view field : guessesIn(prepared->gpu, *prepared->program)) {
        const auto named = std::find_if(
            gpuFigures().begin(), gpuFigures().end(), [&](const auto& known) { return known.first == field; });
        GuessEffect effect { field, prepared->gpu.*(named->second) };
        for (const auto& [factor, percent] :
            { std::pair(0.9, &effect.smallerPercent), std::pair(1.1, &effect.largerPercent) }) {
            GpuSpec gpu = prepared->gpu;
            (gpu.*(named->second)).value *= factor;
            const Result<Prediction> off = predictOn(*prepared, gpu, progress);
            if (!off)
                return off.error();
            *percent = 100 * (off->microseconds / asIs->microseconds - 1);
        }
        effects.push_back(effect);
    }
    return effects;
}

} // namespace flashstep
