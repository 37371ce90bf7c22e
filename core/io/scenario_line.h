// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/scenario.h"

#include <string>

namespace flashstep {

// What a timeline keeps of the scenario that it is of: one line of JSON that reads back as it, tensors by the names of
// their files alone.
[[nodiscard]] std::string scenarioLine(const Scenario& scenario);

} // namespace flashstep
