// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QPainter>
#include <QRectF>

namespace flashstep::paint {

// Patterns are anchored at the canvas origin, so they do not crawl when the thing that wears them moves. On screens and
// images they are brushes; in SVG and PDF they are drawn as clipped lines.

// Waiting: wait ground with 45 degree lines, 1 px every 6 px.
void fillWait(QPainter& painter, const QRectF& rect, const Theme& theme);
// Masked: wait ground with dots of radius 0.8 on a 4 px grid.
void fillMasked(QPainter& painter, const QRectF& rect, const Theme& theme);
// Hazard: panel with lines of 1.6 px every 7 px at -45 degrees in the fault colour.
void fillFault(QPainter& painter, const QRectF& rect, const Theme& theme);

// True when the painter draws on SVG or PDF, where a brush of pixels would not scale.
[[nodiscard]] bool drawsVectors(const QPainter& painter);

} // namespace flashstep::paint
