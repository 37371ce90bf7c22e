// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/hardware/spec.h"
#include "core/program/scenario.h"

namespace flashstep {

// The GPU with the machine knobs of a scenario turned. Unknown keys and values out of range are errors that say what is
// accepted.
[[nodiscard]] Result<GpuSpec> applyKnobs(const GpuSpec& gpu, const Scenario& scenario);

} // namespace flashstep
