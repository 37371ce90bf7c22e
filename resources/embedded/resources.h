// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace flashstep {

// A file that the program carries in itself: "fonts/JetBrainsMono-Regular.ttf", "samples/licence-causal.json",
// "source/core/algorithms/fa2_forward.cpp". The bytes live as long as the program.
std::optional<std::string_view> resource(std::string_view path);

// The names that begin with `prefix`, in byte order.
std::vector<std::string_view> resourceNames(std::string_view prefix);

} // namespace flashstep
