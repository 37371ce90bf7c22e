// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace flashstep::paint {
struct Theme;
}

namespace flashstep::ui {

// What the palette cannot reach: bars, docks, segmented controls, fields, item views, scroll bars.
[[nodiscard]] QString styleSheet(const paint::Theme& theme, double scale);

} // namespace flashstep::ui
