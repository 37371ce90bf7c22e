// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/scenario.h"

#include <optional>
#include <string>
#include <vector>

namespace flashstep {

// The scenario in options of the command line: "--algorithm", "fa3", …; defaults are left out. Both are as loadInputs()
// leaves them, sizes filled in.
[[nodiscard]] std::vector<std::string> scenarioArguments(const ScenarioFile& wanted);

// What has to be said beside `base`, for example beside the file a scenario came from, to get `wanted`. Nothing where
// no option says it: a knob or a break can be given, but not taken back.
[[nodiscard]] std::optional<std::vector<std::string>> scenarioArguments(
    const ScenarioFile& wanted, const ScenarioFile& base);

} // namespace flashstep
