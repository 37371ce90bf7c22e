// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

namespace flashstep {

// Of the numbers of key blocks that a launch's work tiles visit, those whose time is measured; between them times are
// linear. [docs/hardware-model.md, the grid in two steps]
[[nodiscard]] std::set<int> sampledBlocks(const std::set<int>& visited);

} // namespace flashstep
