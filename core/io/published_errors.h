// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// A row of resources/numerics/numerics.csv: one error that a paper states, or that was recomputed.
struct PublishedError {
    std::string paper, place; // "FA3 (arXiv 2407.08608)", "Table 3"
    std::string algorithm, dtype, metric;
    double value = 0;
    std::string unit, source;
};
[[nodiscard]] const std::vector<PublishedError>& publishedErrors();
// The first row that says it; nullptr: none does.
[[nodiscard]] const PublishedError* publishedError(
    std::string_view algorithm, std::string_view dtype, std::string_view metric);

} // namespace flashstep
