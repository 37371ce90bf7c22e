// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/program/inputs.h"
#include "core/program/scenario.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashstep {

// One way to compute attention, as FlashAttention-3's Table 3 compares them [arXiv:2407.08608, 4.3].
struct AttentionWay {
    std::string_view algorithm; // as the table words it
    std::string_view dtype; // "fp16", "fp8_e4m3"
    Scenario scenario; // of `problem`, but for the dtype
};
// The rows of Table 3, in its order. docs/numerics.md says what each stands for.
[[nodiscard]] std::vector<AttentionWay> attentionWays(const Problem& problem);

struct AttentionError {
    std::optional<double> rmse;
    std::string refused; // why there is none: what the version cannot do at these sizes
};
// The root mean square of what each way's O differs by from float64 attention on the inputs as they were before they
// were rounded to its dtype, so that the error of rounding or quantising Q, K and V counts too (a run's own rms_error
// leaves it out). In the order of `ways`, whose problems differ in dtype alone. An error where no way can be taken.
[[nodiscard]] Result<std::vector<AttentionError>> attentionErrors(
    const std::vector<AttentionWay>& ways, const Progress& progress);

} // namespace flashstep
