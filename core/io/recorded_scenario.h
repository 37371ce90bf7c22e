// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/recording.h"
#include "core/io/scenario.h"

namespace flashstep {

// What a recording says that it ran: the scenario of one of ours, or the problem alone of a device's. Tensors are named
// as the file names them. An error where it says nothing that can be run.
[[nodiscard]] Result<ScenarioFile> recordedScenario(const Recording& recording);

} // namespace flashstep
