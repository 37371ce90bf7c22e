// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flashstep {

// The version of the program, "0.1.0"; its one place is the project() line of the top CMakeLists.txt.
std::string_view version();

} // namespace flashstep
