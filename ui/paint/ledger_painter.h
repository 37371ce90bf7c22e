// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/stage_layout.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

// The softmax state of the chosen CTA's rows as a table: m before and in use, gap, scale, l (log2 units), first rows
// that fit.
void paintLedger(QPainter& painter, const QRectF& rect, const StageScene& scene, double scroll, const Theme& theme);
[[nodiscard]] double ledgerHeight(const StageScene& scene);

} // namespace flashstep::paint
