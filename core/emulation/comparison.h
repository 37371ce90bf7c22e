// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/emulation/run.h"

namespace flashstep {

// Fills in the errors of the run's report: O and LSE of recorded CTAs against float64 on the inputs as rounded.
[[nodiscard]] Status compareWithReference(Run& run, const Progress& progress);

} // namespace flashstep
