// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/algorithms/registry.h"

namespace flashstep {

// Each version's schedule and its kernel table, in the file of its name.
void standardForward(Kernel& kernel);
Result<KernelTable> standardTable(const Problem& problem, int computeCapability, Bytes smemPerSm);

void fa2Forward(Kernel& kernel);
Result<KernelTable> fa2Table(const Problem& problem, int computeCapability, Bytes smemPerSm);

} // namespace flashstep
