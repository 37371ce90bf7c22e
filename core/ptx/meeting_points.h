// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ptx/code.h"

namespace flashstep::ptx {

// Sets Instruction::meet of every branch: the first instruction that all lanes come to again whatever way they take
// (the branch's immediate post-dominator), or the number of instructions where there is none before the end. PTX does
// not say where lanes meet again; compilers for SIMT machines use this point.
void findMeetingPoints(Code& code);

} // namespace flashstep::ptx
