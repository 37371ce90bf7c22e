// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/io/op_differences.h"

#include <string>
#include <vector>

namespace flashstep::cli {

// `device compare A.json [B.json]`: a recording with the schedule of its problem, or two of them. Gives the status.
int compareRecordings(const std::vector<std::string>& files, bool json, bool quiet);

[[nodiscard]] std::string differencesText(const OpDifferences& differences);
[[nodiscard]] std::string differencesJson(const OpDifferences& differences);

} // namespace flashstep::cli
