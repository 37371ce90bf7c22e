// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/algorithms/fa4_setting.h"

namespace flashstep {

// The kernel of head dimension 256, as far as it is known.
void fa4ForwardD256(Kernel& kernel, const Fa4Setting& setting);

} // namespace flashstep
