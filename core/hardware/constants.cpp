// SPDX-License-Identifier: Apache-2.0
#include "core/hardware/constants.h"

#include "core/hardware/fitted.h"
#include "core/hardware/spec.h"

namespace flashstep {

std::vector<Constant> fittedConstants()
{
    std::vector<Constant> found;
    for (const spec::FittedFigure& fitted : spec::fittedFigures) {
        Constant constant { kebabName(fitted.field), fitted.value, fitted.unit, fitted.prior, fitted.low, fitted.high,
            {}, fitted.reason, fitted.priorReason, fitted.fittedTo };
        for (const GpuSpec& gpu : gpuSpecs()) {
            const Figure* figure = figureOf(gpu, constant.name);
            const bool meant = fitted.fromCapability <= gpu.computeCapability
                && gpu.computeCapability <= fitted.toCapability && figure->value == fitted.value;
            if (figure->confidence == Confidence::Fitted && meant)
                constant.appliesTo.push_back(gpu.name);
        }
        found.push_back(std::move(constant));
    }
    return found;
}

} // namespace flashstep
