// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/theme.h"

#include <QPainter>
#include <QPointF>

namespace flashstep::paint {

// A colour scale of 180 x 9 px (narrower where there is less room) with three ticks under it and words beside it.
void paintDivergingScale(
    QPainter& painter, QPointF topLeft, double width, double limit, const QString& words, const Theme& theme);
void paintSequentialScale(
    QPainter& painter, QPointF topLeft, double width, double maximum, const QString& words, const Theme& theme);

} // namespace flashstep::paint
