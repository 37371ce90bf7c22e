// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace flashstep::cli {

// What can be looked at: in a picture, or by the window's --read and --shot.
struct View {
    std::string_view name;
    std::string_view what;
    bool picture = false;
    bool inWindow = true; // has a place there
};
[[nodiscard]] std::span<const View> views();

} // namespace flashstep::cli
