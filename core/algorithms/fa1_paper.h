// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/algorithms/registry.h"

namespace flashstep {

// FlashAttention-1 as the paper has it: fa1-form=paper, and whatever is asked of its loops (loop-order, divide).
void fa1PaperForward(Kernel& kernel);
Result<KernelTable> fa1PaperTable(const TableQuery& query);

} // namespace flashstep
