// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/program/inputs.h"
#include "core/program/program.h"

#include <span>

namespace flashstep {

// Effects that need nothing but the program, the inputs and the row itself. The emulation applies them as it runs; the
// trace keeps no copy of what they wrote and applies them again when it is read.

// The tensor a Load copies from, nullptr for scores.
[[nodiscard]] const Tensor* inputOf(const Inputs& inputs, TensorId tensor);
// Tile row r of a Load of Q, K or V; zeros beyond the sequence.
void loadRow(const Program& program, const Inputs& inputs, const Cta& cta, const Op& op, int r, std::span<float> row);
// Hides what tile row r may not see of the op's key block.
void maskRow(const Program& program, const Cta& cta, const Op& op, int r, std::span<float> row);

// Whether what `op` wrote to `buffer` can be made again from what the buffer held before.
[[nodiscard]] bool repeatable(const Op& op, BufferId buffer);

} // namespace flashstep
