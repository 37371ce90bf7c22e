// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/selection.h"
#include "ui/session.h"

#include <QString>

namespace flashstep::ui {

// What the views that show one thing show, where nothing has been chosen: read from the position each time.

// The op of the chosen CTA that began or ended last; none() before its first.
[[nodiscard]] InstanceId currentInstance(const Session& session);
// The chosen tile, else the one the chosen CTA works on.
[[nodiscard]] TileRef tileOnShow(const Session& session);
// The chosen buffer, else what the current op writes.
[[nodiscard]] BufferId bufferOnShow(const Session& session);

// The shortest text that reads back as the same number; "-inf", "inf", "nan".
[[nodiscard]] QString exactText(double value);
[[nodiscard]] QString exactText(float value);

} // namespace flashstep::ui
