// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QIcon>
#include <QPainterPath>

namespace flashstep::ui {

enum class Symbol { First, Back, Play, Pause, Forward, Last, Search, Float, Close, Copy, Open, Save, Help };

// The outline of a symbol in a 16 x 16 box; filled for the transport, stroked otherwise.
[[nodiscard]] QPainterPath symbolPath(Symbol symbol);
[[nodiscard]] bool symbolFilled(Symbol symbol);

// Drawn when asked, so sharp at every scale. `active` is used under the pointer and for checked buttons.
[[nodiscard]] QIcon symbolIcon(Symbol symbol, const QColor& normal, const QColor& active, const QColor& disabled);

} // namespace flashstep::ui
