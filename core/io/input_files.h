// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/scenario.h"

#include <span>
#include <string>
#include <vector>

namespace flashstep {

// The files that Q, K and V come from, and the words of the tokens beside Q.
[[nodiscard]] std::vector<std::string> tensorFilesOf(const Scenario& scenario);
// The same, and the scenario's own file, where it has one.
[[nodiscard]] std::vector<std::string> inputFilesOf(const Scenario& scenario, const std::string& path);

// A target that is, by whatever name, a file which is read would destroy what it is made from.
[[nodiscard]] Status checkNotRead(const std::string& target, std::span<const std::string> inputs);

} // namespace flashstep
