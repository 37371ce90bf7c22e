// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace flashstep {

// Words for the rows of Q (and, where there are as many, of K): from tokens.json beside the q file. May be empty.
struct Labels {
    std::vector<std::string> tokens;

    [[nodiscard]] bool has(int row) const { return row >= 0 && static_cast<std::size_t>(row) < tokens.size(); }
};

} // namespace flashstep
