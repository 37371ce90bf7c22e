// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace flashstep::cli {

// What `export` writes.
struct Format {
    std::string_view name;
    bool hasViews = false;
    bool available = true; // in this build
    std::string_view what;
    std::string_view source; // whose format it is
};
[[nodiscard]] std::span<const Format> formats();
[[nodiscard]] const Format* findFormat(std::string_view name);
[[nodiscard]] bool isLaterFormat(std::string_view name);

// What can be looked at: in a picture, or by the window's --read and --shot.
struct View {
    std::string_view name;
    std::string_view what;
    bool picture = false;
};
[[nodiscard]] std::span<const View> views();
[[nodiscard]] const View* findView(std::string_view name);
[[nodiscard]] bool isLaterView(std::string_view name);

} // namespace flashstep::cli
