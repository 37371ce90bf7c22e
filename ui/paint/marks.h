// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QPainter>
#include <QPointF>

namespace flashstep::paint {

// What happened to a row's reference, the same glyph everywhere: filled triangle = grew and O, l were rescaled; open
// triangle = grew, the frame was kept.
enum class RowMark : std::uint8_t { None, Rescaled, Kept };
void paintMark(QPainter& painter, QPointF centre, RowMark mark, const Theme& theme);
// On timelines: a vote after which nothing is rescaled.
void paintVoteMark(QPainter& painter, QPointF centre, const Theme& theme);

} // namespace flashstep::paint
