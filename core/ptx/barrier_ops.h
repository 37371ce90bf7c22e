// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/access.h"

namespace flashstep::ptx {

// Instruction::detail of an instruction whose flow is Barrier, and of bar.warp.sync.
enum class BarrierOp : std::uint8_t { None, Sync, Arrive, Popc, And, Or, Warp };

} // namespace flashstep::ptx
