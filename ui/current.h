// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/selection.h"
#include "ui/session.h"

#include <QString>

#include <optional>
#include <utility>

namespace flashstep::ui {

// What the views that show one thing show, where nothing has been chosen: read from the position each time.

// Index of the launch that a CTA belongs to.
[[nodiscard]] std::size_t launchOf(const Program& program, CtaId cta);
// The op of the chosen CTA that began or ended last; none() before its first.
[[nodiscard]] InstanceId currentInstance(const Session& session);
// The position just after the CTA's newest event at or before p; 0 before its first.
[[nodiscard]] Position newestOf(const Trace& trace, CtaId cta, Position p);
// The positions of a CTA's first and last event; nothing where it did not run to its end.
[[nodiscard]] std::optional<std::pair<Position, Position>> extentOf(const Trace& trace, CtaId cta);
// The chosen tile, else the one the chosen CTA works on.
[[nodiscard]] TileRef tileOnShow(const Session& session);
// The chosen buffer, else what the current op writes.
[[nodiscard]] BufferId bufferOnShow(const Session& session);

// The shortest text that reads back as the same number; "-inf", "inf", "nan".
[[nodiscard]] QString exactText(double value);
[[nodiscard]] QString exactText(float value);

} // namespace flashstep::ui
