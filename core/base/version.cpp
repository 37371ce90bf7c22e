// SPDX-License-Identifier: Apache-2.0
#include "core/base/version.h"

namespace flashstep {

std::string_view version()
{
    return FLASHSTEP_VERSION;
}

} // namespace flashstep
