// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/paint/grid_layout.h"
#include "ui/paint/theme.h"

#include <QPainter>

namespace flashstep::paint {

struct GridScene {
    const GridIndex* index = nullptr;
    Position position;
    CtaId cta; // the chosen one
    CtaId hovered;
};

// The whole run over the SMs: when each CTA was where, its work tiles, waves, the tail, the playhead.
void paintGridView(
    QPainter& painter, const QRectF& rect, const GridScene& scene, const GridView& view, const Theme& theme);

} // namespace flashstep::paint
