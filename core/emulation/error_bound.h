// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/inputs.h"
#include "core/program/program.h"

namespace flashstep {

// What rounding may cost at most in O, absolute, for this version and number format on these inputs; from the unit
// roundoffs along the way (docs/hardware-model.md, "Error bounds"). nullopt where an input is not finite.
[[nodiscard]] std::optional<double> errorBound(const Program& program, const Inputs& inputs);

} // namespace flashstep
